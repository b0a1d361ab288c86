"""Recordings for the demonstration and the tests, spoken by a synthesiser: nobody's voice.

Each variant of a voice ("en-us+f3", "en-gb+m7") is a speaker of its own. espeak-ng comes with the
`demo` extra; it is one library with one state, so one thread speaks at a time.
"""

import ctypes
import io
import wave
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final, Literal

import av
import espeakng_loader  # type: ignore[import-untyped] # it ships no types
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from registry.errors import InvalidError, SetupError

Samples = npt.NDArray[np.float32]
SoundKind = Literal["wav", "flac", "mp3", "ogg", "opus", "m4a", "webm"]
VideoKind = Literal["mp4", "webm"]

# How each kind is written: muxer, codec, channels, sample rate (None: the recording's own).
_SOUNDS: Final[dict[str, tuple[str, str, int, int | None]]] = {
    "wav": ("wav", "pcm_s16le", 1, None),
    "flac": ("flac", "flac", 1, None),
    "mp3": ("mp3", "libmp3lame", 1, None),
    "ogg": ("ogg", "vorbis", 2, None),  # FFmpeg's own encoder of Vorbis knows stereo only
    "opus": ("ogg", "libopus", 1, 48_000),
    "m4a": ("ipod", "aac", 1, None),
    "webm": ("webm", "libopus", 1, 48_000),
}
_VIDEOS: Final = {"mp4": ("mp4", "h264", "aac"), "webm": ("webm", "libvpx", "libopus")}
_SYNCHRONOUS = 2  # espeak-ng/speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS
_UTF8 = 1  # espeakCHARS_UTF8
_CHUNK = 1024


def spoken(text: str, voice: str = "en-us") -> bytes:
    """The text as a WAV file of 16 bits, mono, 22,050 Hz. Raises InvalidError for no such voice."""
    library, rate = _espeak()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise InvalidError(f"espeak-ng has no voice {voice}.")
    heard = bytearray()

    def keep(samples: ctypes.Array[ctypes.c_short], count: int, _events: object) -> int:
        heard.extend(ctypes.string_at(samples, 2 * count) if samples and count > 0 else b"")
        return 0

    kept = _CALLBACK(keep)  # espeak-ng holds its address only
    library.espeak_SetSynthCallback(kept)
    said = text.encode() + b"\0"
    library.espeak_Synth(said, len(said), 0, 0, 0, _UTF8, None, None)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(bytes(heard))
    return file.getvalue()


def samples_of(wav: bytes) -> tuple[Samples, int]:
    """The samples, in [-1, 1], and the sample rate of a WAV file as `spoken` writes it."""
    with wave.open(io.BytesIO(wav)) as reader:
        rate = reader.getframerate()
        values = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
    return (values / np.float32(2**15)).astype(np.float32), rate


def as_media(pcm: Samples, rate: int, kind: SoundKind) -> bytes:
    """The samples, mono in [-1, 1] or of shape (channels, samples), as a file of that kind."""
    muxer, codec, channels, its_rate = _SOUNDS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        _write_sound(container, _sound(container, codec, its_rate or rate, channels), pcm, rate)
    return file.getvalue()


def as_video(
    frames: Sequence[npt.NDArray[np.uint8]],
    pcm: Samples | None,
    kind: VideoKind,
    *,
    rate: int = 22_050,
    frames_per_second: int = 10,
) -> bytes:
    """The pictures, all of one even size (height, width, 3), one after the other, with sound."""
    muxer, codec, sound_codec = _VIDEOS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        track = container.add_stream(codec, rate=frames_per_second)
        assert isinstance(track, VideoStream)  # noqa: S101 - the codecs above are of video
        track.height, track.width = frames[0].shape[:2]
        track.pix_fmt = "yuv420p"
        track.bit_rate = 2_000_000
        sound_rate = 48_000 if sound_codec == "libopus" else rate
        sound = None if pcm is None else _sound(container, sound_codec, sound_rate, 1)
        for number, picture in enumerate(frames):
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, frames_per_second)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        if pcm is not None and sound is not None:
            _write_sound(container, sound, pcm, rate)
    return file.getvalue()


def _sound(container: OutputContainer, codec: str, rate: int, channels: int) -> AudioStream:
    track = container.add_stream(codec, rate=rate, options={"strict": "experimental"})
    assert isinstance(track, AudioStream)  # noqa: S101 - the codecs above are of sound
    track.layout = "mono" if channels == 1 else "stereo"
    return track


def _write_sound(container: OutputContainer, track: AudioStream, pcm: Samples, rate: int) -> None:
    channels = np.atleast_2d(np.asarray(pcm, np.float32))
    layout = {1: "mono", 2: "stereo"}.get(len(channels), f"{len(channels)}c")
    for start in range(0, channels.shape[1], _CHUNK):
        block = np.ascontiguousarray(channels[:, start : start + _CHUNK])
        frame = AudioFrame.from_ndarray(block, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@cache
def _espeak() -> tuple[ctypes.CDLL, int]:
    """The library, started once, and the sample rate it speaks at."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(Path(espeakng_loader.get_data_path()).parent)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 500, data.encode(), 0)
    if rate <= 0:
        raise SetupError("espeak-ng does not start. Install the package anew: espeakng-loader.")
    return library, int(rate)
