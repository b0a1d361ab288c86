"""From a file's bytes to the samples of its first sound track: mono, 16 kHz, 120 seconds at most.

Only the worker process calls this with a stranger's bytes: a decoder may fail in any way.
"""

from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy import fft  # by itself numpy would load it at first use, which is too late here

from registry.encoders.containers import SOUND_DECODERS, opened, prepare
from registry.errors import MediaError, RegistryError, TooLargeError

RATE: Final = 16_000
SECONDS: Final = 120
LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
CHANNELS: Final = 8
SAMPLES: Final = 100_000_000  # of all channels, before mixing: 120 s of stereo at 384 kHz
_DAMAGED_PACKETS = 200  # players leave out as many and more
_BLOCK = 1 << 16
_NARROW = 10**-4.15  # -41.5 dB
_SILENT = 1e-3
# Bins of 31.25 Hz: 5 to 7.8 kHz, which no telephone carries, and 300 to 3,700 Hz, which one does.
_ABOVE, _WITHIN = (160, 250), (10, 119)
# Where its header says how long a file is and is right, so that it need not be decoded to know.
_TRUTHFUL = ("flac", "mov", "matroska", "ogg")
# By sample format: what silence is and what full scale is.
_SCALE = {"u8": (128.0, 128.0), "s16": (0.0, 2.0**15), "s32": (0.0, 2.0**31)}
_PLANES = {"u8p": "u1", "s16p": "<i2", "s32p": "<i4", "fltp": "<f4", "dblp": "<f8"}
_SCALE |= {"flt": (0.0, 1.0), "dbl": (0.0, 1.0)}

Samples = npt.NDArray[np.float32]


def decode(data: bytes, media_type: str) -> Samples:
    """The sound as float32 of shape (samples,) in [-1, 1], 16 kHz, the mean of its channels.

    Louder samples are clipped. Raises TooLargeError for more than 120 s, and MediaError for bytes
    that cannot be decoded, no sound track, sample rates below 4 or above 384 kHz, more than 8
    channels, and samples that are no numbers. Damaged packets are left out, as players do.
    """
    try:
        return _decode(data, media_type)
    except (MemoryError, RegistryError):
        raise
    except Exception as error:
        raise MediaError(
            "This recording is damaged or cut off. Send the whole file again, or a copy saved anew "
            "by a sound program."
        ) from error


def _decode(data: bytes, media_type: str) -> Samples:
    with opened(data, media_type) as container:
        if not container.streams.audio:
            raise MediaError("This file has no sound track. Send one in which somebody speaks.")
        stream = container.streams.audio[0]
        prepare(stream, SOUND_DECODERS)
        _refuse_by_header(stream, container.format.name)
        pcm = _gathered(_resampled(_mono(_frames(container, stream))))
    if not np.isfinite(pcm).all():
        raise MediaError(
            "This recording holds samples that are no numbers. Send a copy saved anew as 16-bit "
            "WAV or FLAC."
        )
    return np.clip(pcm, -1.0, 1.0, out=pcm)


def _refuse_by_header(stream: AudioStream, container: str) -> None:
    if not LOWEST_RATE <= stream.rate <= HIGHEST_RATE:
        raise MediaError(
            f"This recording claims a sample rate of {stream.rate} Hz; {LOWEST_RATE} to "
            f"{HIGHEST_RATE} are read. Send a copy at 16000 to 48000 Hz."
        )
    if stream.channels > CHANNELS:
        raise MediaError(
            f"This recording has {stream.channels} channels; {CHANNELS} at most are read. Send a "
            "copy in mono."
        )
    if stream.duration is not None and stream.time_base and container.startswith(_TRUTHFUL):
        _refuse_longer(float(stream.duration * stream.time_base) - 1.0)  # padding is not sound


def _refuse_longer(seconds: float) -> None:
    if seconds > SECONDS:
        raise TooLargeError(
            f"This recording is longer than {SECONDS} s, the most that is listened to. Send the "
            "part that matters."
        )


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """What the track decodes to, without the packets that do not."""
    damaged = samples = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > _DAMAGED_PACKETS:
                raise
            continue
        for frame in frames:
            assert isinstance(frame, AudioFrame)  # noqa: S101 - the track is sound
            samples += frame.samples * len(frame.layout.channels)
            if samples > SAMPLES:
                raise TooLargeError(
                    "This recording holds more samples than are read. Send a copy at 48000 Hz."
                )
            yield frame


def _mono(frames: Iterator[AudioFrame]) -> Iterator[tuple[Samples, int]]:
    """The mean of the channels in blocks, each with its sample rate.

    FFmpeg's own mix would add a stereo signal up to 1.4 times full scale, and needs to know where
    the channels are.
    """
    for frame in frames:
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
            raise MediaError("This recording's sample rate changes to one that is not read here.")
        kind = frame.format.name
        silence, full = _SCALE[kind.removesuffix("p")]
        mixed = _channels(frame).astype(np.float32).mean(axis=0)
        yield (mixed - np.float32(silence)) / np.float32(full), frame.sample_rate


def _channels(frame: AudioFrame) -> npt.NDArray[Any]:
    """The frame's samples (channels, samples).

    Not by `to_ndarray` where each channel lies in a plane of its own: PyAV 18 sees a ninth plane
    behind eight, takes whatever follows for its address, and reads there.
    """
    count = len(frame.layout.channels)
    if count > CHANNELS:
        raise MediaError("This recording's channels become more than are read. Send it in mono.")
    if not frame.format.is_planar:
        packed: npt.NDArray[Any] = frame.to_ndarray().reshape(frame.samples, -1).T
        return packed
    kind = _PLANES[frame.format.name]
    return np.stack(
        [
            np.frombuffer(one, kind, frame.samples)  # type: ignore[call-overload]  # a buffer; its stub does not say
            for one in frame.planes[:count]
        ]
    )


def _resampled(blocks: Iterator[tuple[Samples, int]]) -> Iterator[Samples]:
    """The same at 16 kHz; the resampler starts anew where the rate changes (chained Ogg)."""
    rate, resampler = 0, None
    for block, its_rate in _larger(blocks):
        if resampler is None or its_rate != rate:
            if resampler is not None:
                yield from _out(resampler, None)
            rate, resampler = its_rate, av.AudioResampler("fltp", "mono", RATE)
        frame = AudioFrame.from_ndarray(block[None], "fltp", "mono")
        frame.sample_rate = rate
        yield from _out(resampler, frame)
    if resampler is not None:
        yield from _out(resampler, None)


def _larger(blocks: Iterator[tuple[Samples, int]]) -> Iterator[tuple[Samples, int]]:
    """The same samples in fewer blocks: handing one over costs more than what is in it."""
    held: list[Samples] = []
    rate = size = 0
    for block, its_rate in blocks:
        if held and (its_rate != rate or size > _BLOCK):
            yield np.concatenate(held), rate
            held, size = [], 0
        held.append(block)
        rate, size = its_rate, size + len(block)
    if size:
        yield np.concatenate(held), rate


def _out(resampler: av.AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    for one in resampler.resample(frame):
        yield one.to_ndarray()[0].astype(np.float32, copy=False)


def _gathered(blocks: Iterator[Samples]) -> Samples:
    """All blocks as one array, refused as soon as they are too long."""
    held: list[Samples] = []
    size = 0
    for block in blocks:
        size += len(block)
        _refuse_longer(size / RATE)
        held.append(block)
    if not size:
        raise MediaError("This file's sound track is empty. Send the whole file again.")
    return np.concatenate(held)


def telephone(pcm: Samples) -> Samples:
    """The same as a telephone carries it: 300 to 3,400 Hz, 8 kHz, mu-law of 8 bits (ITU-T G.711).

    16 kHz in [-1, 1], and so again; same length. By Fourier transforms of the whole.
    """
    length = len(pcm) + -len(pcm) % 2000  # lengths that transform fast
    spectrum = fft.rfft(pcm, length)
    frequency = fft.rfftfreq(length, 1 / RATE)
    band = np.clip((frequency - 200) / 100, 0, 1) * np.clip((3_700 - frequency) / 300, 0, 1)
    halved = fft.irfft((spectrum * band)[: length // 4 + 1], length // 2) / 2
    coded = fft.rfft(_mu_law(halved))
    doubled = np.concatenate([coded, np.zeros(length // 2 - length // 4)]) * 2
    heard: Samples = fft.irfft(doubled, length)[: len(pcm)].astype(np.float32)
    return heard


def _mu_law(pcm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What is left of samples after 8 bits of mu-law, by its continuous formula."""
    width = np.log(256.0)
    code = np.round(np.log1p(255.0 * np.minimum(np.abs(pcm), 1.0)) / width * 127.0)
    decoded: npt.NDArray[np.float64] = np.sign(pcm) * np.expm1(code / 127.0 * width) / 255.0
    return decoded


def is_narrowband(speech: Samples) -> bool:
    """Whether speech, at 16 kHz, has passed a telephone or a codec that ends at 4 kHz.

    Told by its sibilants: of the 2 % of frames that are brightest, the energy above 5 kHz over that
    of the telephone's band. Wide recordings have -37.5 dB and more there (200 of `voices`), narrow
    ones -46 dB and less (100 of them each after G.711 and after Opus at 9 kbit/s).
    """
    count = len(speech) // 512
    if not count:
        return False
    frames = speech[: count * 512].reshape(count, 512) * np.hanning(512).astype(np.float32)
    power = np.abs(fft.rfft(frames)) ** 2
    high, low = (power[:, first:last].sum(axis=1) for first, last in (_ABOVE, _WITHIN))
    loud = low > _SILENT * low.mean()
    ratio = np.sort(high[loud] / np.maximum(low[loud], 1e-12))
    return bool(len(ratio)) and float(ratio[(len(ratio) - 1) * 98 // 100]) < _NARROW
