import io
import struct
import subprocess
import sys
import time
import wave

import av
import numpy as np
import pytest

from registry.encoders import sound, video
from registry.errors import MediaError, RegistryError, TooLargeError
from registry.recordings import as_media, as_video
from tests.registry.encoders import voices
from tests.registry.encoders.hostile import flipped, garbage

KINDS = list(voices.TYPES)
# What a few decoders write to the log of their own is no concern of ours; memory and time are.
SLOWEST = 10.0


def answer(data: bytes, media_type: str) -> np.ndarray | RegistryError:
    """What a stranger would get; anything else fails the test."""
    began = time.monotonic()
    try:
        pcm = sound.decode(data, media_type)
    except (MediaError, TooLargeError) as error:
        return error
    finally:
        assert time.monotonic() - began < SLOWEST
    assert pcm.dtype == np.float32
    assert pcm.ndim == 1
    assert 0 < len(pcm) <= sound.SECONDS * sound.RATE
    assert np.abs(pcm).max() <= 1.0
    return pcm


def wav(
    body: bytes, *, kind: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16
) -> bytes:
    """A WAV file whose header says that."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * block % 2**32, block, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def floats(values: np.ndarray) -> bytes:
    return wav(values.astype("<f4").tobytes(), kind=3, bits=32)


def silent_flac(hours: int, *, told: bool = True) -> bytes:
    """So many hours in 12 kB each: blocks of 65,535 samples that are all one (RFC 9639, 9)."""
    samples = hours * 3_600 * sound.RATE
    size = 65_535
    stream = sound.RATE << 44 | 15 << 36 | (samples if told else 0)  # rate, mono, 16 bits, length
    info = struct.pack(">HH6xQ16x", size, size, stream)
    blocks = [b"fLaC\x80\x00\x00\x22", info]
    for number in range(samples // size):
        head = b"\xff\xf8\x75\x08" + coded(number) + struct.pack(">H", size - 1)
        block = head + bytes([crc(head, 0x07, 8)]) + bytes(3)
        blocks.append(block + struct.pack(">H", crc(block, 0x8005, 16)))
    return b"".join(blocks)


def coded(number: int) -> bytes:
    """The number of a block, as UTF-8 writes a character."""
    return chr(number).encode("utf-8", "surrogatepass")


def crc(data: bytes, polynomial: int, width: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (width - 1) & 1 else 0)
        value &= (1 << width) - 1
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_sounds_the_same(kind: str) -> None:
    pcm = sound.decode(voices.recording(kind), voices.TYPES[kind])
    plain = voices.said()
    assert abs(len(pcm) - len(plain)) < 0.1 * sound.RATE
    shape = [
        np.abs(one[: len(one) // 800 * 800].reshape(-1, 800)).mean(axis=1) for one in (pcm, plain)
    ]
    count = min(map(len, shape))
    assert np.corrcoef(shape[0][:count], shape[1][:count])[0, 1] > 0.95


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_video_has_its_sound(kind: str) -> None:
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 3
    data = as_video(frames, voices.said(), kind, rate=sound.RATE)
    pcm = sound.decode(data, f"video/{kind}")
    assert abs(len(pcm) - len(voices.said())) < 0.1 * sound.RATE


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 44_100, 96_000, 384_000])
def test_any_sample_rate_becomes_16_kilohertz(rate: int) -> None:
    wave_form = np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    pcm = sound.decode(wav((wave_form * 2**14).astype("<i2").tobytes(), rate=rate), "audio/wav")
    assert abs(len(pcm) - sound.RATE) < 40
    assert np.argmax(np.abs(np.fft.rfft(pcm[:16_000], 16_000))) == 500


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_any_sample_size_has_the_same_scale(bits: int) -> None:
    wave_form = 0.5 * np.sin(np.arange(16_000) * 0.1)
    scaled = np.round(wave_form * 2 ** (bits - 1)).astype("<i8")
    shift = 128 if bits == 8 else 0
    whole = ((int(one) + shift) % 2**bits for one in scaled)
    body = b"".join(one.to_bytes(bits // 8, "little") for one in whole)
    pcm = sound.decode(wav(body, bits=bits), "audio/wav")
    assert np.allclose(pcm, wave_form, atol=0.01)


@pytest.mark.parametrize("channels", [2, 3, 6, 8])
def test_channels_are_mixed_to_their_mean(channels: int) -> None:
    samples = np.zeros((16_000, channels), "<i2")
    samples[:, -1] = np.round(2**14 * np.sin(np.arange(16_000) * 0.1))
    pcm = sound.decode(wav(samples.tobytes(), channels=channels), "audio/wav")
    assert np.abs(pcm).max() == pytest.approx(0.5 / channels, abs=0.02)


def test_loud_stereo_is_not_clipped() -> None:
    samples = np.repeat(np.round(32_000 * np.sin(np.arange(16_000) * 0.1)), 2).astype("<i2")
    pcm = sound.decode(wav(samples.tobytes(), channels=2), "audio/wav")
    assert np.abs(pcm).max() == pytest.approx(32_000 / 2**15, abs=0.01)


def test_louder_than_full_scale_is_clipped() -> None:
    assert np.abs(sound.decode(floats(voices.tone(1) * 9), "audio/wav")).max() == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    samples = voices.tone(1).copy()
    samples[5_000] = value
    with pytest.raises(MediaError, match="no numbers"):
        sound.decode(floats(samples), "audio/wav")


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 1_000_000, 2**32 - 1])
def test_a_sample_rate_of_no_recorder_is_refused_by_the_header(rate: int) -> None:
    with pytest.raises(MediaError):
        sound.decode(wav(bytes(2**16), rate=rate), "audio/wav")


@pytest.mark.parametrize(("codec", "muxer", "media_type"), [
    ("aac", "mp4", "audio/mp4"), ("libopus", "ogg", "audio/ogg"), ("flac", "flac", "audio/flac"),
])  # fmt: skip
def test_eight_channels_are_mixed_however_they_lie(codec: str, muxer: str, media_type: str) -> None:
    file = io.BytesIO()
    loud = (8_000 * np.sin(np.arange(48_000) * 0.05)).astype("<i2")
    with av.open(file, "w", format=muxer) as container:
        track = container.add_stream(codec, rate=48_000, layout="7.1")
        frame = av.AudioFrame.from_ndarray(np.repeat(loud, 8)[None], "s16", "7.1")
        frame.sample_rate = 48_000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    for _ in range(20):  # what lay behind the planes was read, and now and then there was nothing
        pcm = sound.decode(file.getvalue(), media_type)
    assert len(pcm) == pytest.approx(sound.RATE, abs=2_000)
    # The subwoofer's channel may be filtered out.
    assert np.abs(pcm[4_000:12_000]).max() == pytest.approx(8_000 / 2**15, rel=0.2)


@pytest.mark.parametrize("channels", [9, 64, 4_000])
def test_more_than_eight_channels_are_refused(channels: int) -> None:
    with pytest.raises(MediaError):
        sound.decode(wav(bytes(2**16), channels=channels), "audio/wav")


def test_120_seconds_are_listened_to_and_no_more() -> None:
    whole = np.zeros(120 * 8_000, "<i2")
    assert len(sound.decode(wav(whole.tobytes(), rate=8_000), "audio/wav")) == 120 * sound.RATE
    longer = np.zeros(121 * 8_000, "<i2")
    with pytest.raises(TooLargeError, match="longer than 120 s"):
        sound.decode(wav(longer.tobytes(), rate=8_000), "audio/wav")


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_file_of_any_kind_is_refused(kind: str) -> None:
    data = as_media(np.zeros(125 * 8_000, np.float32), 8_000, kind)
    with pytest.raises(TooLargeError, match="longer than 120 s"):
        sound.decode(data, voices.TYPES[kind])


def test_ten_hours_of_silence_are_refused_at_once() -> None:
    files = [silent_flac(10), silent_flac(10, told=False)]  # a header that does not say is no way
    assert max(map(len, files)) < 2**17 + 2**14
    began = time.process_time()
    for data in files:
        with pytest.raises(TooLargeError, match="longer than 120 s"):
            sound.decode(data, "audio/flac")
    assert time.process_time() - began < 2.0
    short = silent_flac(10, told=False)[:400]  # it is read, where it is not too long
    assert 60 < len(sound.decode(short, "audio/flac")) / sound.RATE < 120


def test_a_file_without_sound_is_refused() -> None:
    data = as_video([np.full((64, 64, 3), 90, np.uint8)] * 3, None, "mp4")
    with pytest.raises(MediaError, match="no sound track"):
        sound.decode(data, "video/mp4")


def test_an_empty_track_is_refused() -> None:
    with pytest.raises(MediaError):
        sound.decode(wav(b""), "audio/wav")


@pytest.mark.parametrize("media_type", sorted(set(voices.TYPES.values())))
@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"<?xml version='1.0'?><MPD><Period/></MPD>",
        garbage(100_000),
        b"",
    ],
    ids=["hls", "ffconcat", "dash", "garbage", "empty"],
)
def test_a_file_is_read_as_what_it_was_sniffed_as_and_nothing_else(
    media_type: str, text: bytes
) -> None:
    assert isinstance(answer(text, media_type), MediaError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_not_probed_for(kind: str) -> None:
    others = set(voices.TYPES.values()) - {voices.TYPES[kind]}
    for other in sorted(others):
        found = answer(voices.recording(kind), other)
        # MP3 has no header of its own: samples may look like a frame now and then.
        assert isinstance(found, MediaError) or other == "audio/mpeg", other


def test_a_file_that_refers_to_others_opens_none() -> None:
    opened: list[object] = []
    sys.addaudithook(lambda event, arguments: opened.append(arguments) if event == "open" else None)
    for kind in ("m4a", "webm"):
        data = voices.recording(kind).replace(b"url ", b"url:")
        answer(data, voices.TYPES[kind])
    assert not any("etc" in str(one) for one in opened)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_has_an_answer(kind: str) -> None:
    data = voices.recording(kind)
    outcomes = [answer(flipped(data, seed), voices.TYPES[kind]) for seed in range(40)]
    assert len(outcomes) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_off_has_an_answer(kind: str) -> None:
    data = voices.recording(kind)
    whole = len(sound.decode(data, voices.TYPES[kind]))
    for part in (0, 1, 12, 44, 100, 1_000, len(data) // 3, len(data) // 2, len(data) - 1):
        found = answer(data[:part], voices.TYPES[kind])
        assert isinstance(found, RegistryError) or len(found) <= whole + sound.RATE // 10


def test_what_is_refused_says_what_to_do() -> None:
    found = answer(voices.recording("m4a")[:5_000], "audio/mp4")
    assert isinstance(found, MediaError)
    assert "Send the whole file again" in str(found)


def test_a_telephone_carries_its_band_alone() -> None:
    heard = sound.telephone(voices.noise(2))
    power = np.abs(np.fft.rfft(heard)) ** 2
    hertz = np.fft.rfftfreq(len(heard), 1 / sound.RATE)
    within = power[(hertz > 400) & (hertz < 3_300)].mean()
    assert power[hertz > 4_100].mean() < 1e-6 * within
    assert power[hertz < 150].mean() < 1e-2 * within  # mu-law's own noise is there
    assert len(heard) == 2 * sound.RATE


def test_a_telephone_keeps_level_and_time() -> None:
    plain = voices.tone(1, 1_000)
    heard = sound.telephone(plain)
    assert np.abs(heard[2_000:-2_000] - plain[2_000:-2_000]).max() < 0.03


@pytest.mark.parametrize("voice", ["en-us+f3", "en+m7", "de+f2"])
def test_a_narrow_band_is_told_by_its_sound(voice: str) -> None:
    wide = voices.said(voice=voice)
    assert not sound.is_narrowband(wide)
    assert sound.is_narrowband(sound.telephone(wide))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8_000, 0, "NONE", ""))
        writer.writeframes((sound.telephone(wide)[::2] * 2**15).astype("<i2").tobytes())
    assert sound.is_narrowband(sound.decode(file.getvalue(), "audio/wav"))


def test_a_narrow_band_needs_speech_to_be_told_by() -> None:
    assert not sound.is_narrowband(voices.silence(0.01))
    assert not sound.is_narrowband(voices.noise(1))


LOCKED = """
import pickle, sys
from registry.encoders import sound, video
from registry.encoders.sandbox import lock_down
files = pickle.load(sys.stdin.buffer)
lock_down(1500 * 2**20)
for data, media_type, shown in files:
    pcm = sound.decode(data, media_type)
    assert sound.is_narrowband(sound.telephone(pcm)) and not sound.is_narrowband(pcm)
    assert not shown or len(video.frames(data, media_type)) == 3
    sys.stdout.write(f"{len(pcm)}\\n")
"""


def test_all_of_it_works_in_a_process_that_may_open_nothing() -> None:
    import pickle  # noqa: PLC0415 - our own data to our own child

    frames = [np.full((64, 64, 3), 90, np.uint8)] * 3
    files = [
        (voices.recording(kind), media_type, False) for kind, media_type in voices.TYPES.items()
    ]
    files += [
        (as_video(frames, voices.said(), kind, rate=sound.RATE), f"video/{kind}", True)
        for kind in ("mp4", "webm")
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOCKED],
        input=pickle.dumps(files),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.split()) == len(files)
    assert video.FRAMES == 32
