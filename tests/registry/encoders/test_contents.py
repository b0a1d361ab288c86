"""What is found in a file by the real models, in workers that have locked themselves down."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from registry.encoders.contents import spread
from registry.encoders.identity import FACE, VOICE, Condition
from registry.encoders.media import MediaEncoding, MediaWorkers
from registry.encoders.sound import telephone
from registry.errors import MediaError, TooLargeError, UnavailableError
from registry.recordings import SoundKind, VideoKind, as_media, as_video, samples_of, spoken

TEXT = "Whoever wants to use this voice should have asked before, and written down what was said."
SOUNDS: tuple[SoundKind, ...] = ("wav", "flac", "mp3", "ogg", "opus", "m4a", "webm")
VIDEOS: tuple[VideoKind, ...] = ("mp4", "webm")


@pytest.fixture(scope="session")
async def seeing(models_dir: Path) -> AsyncIterator[MediaWorkers]:
    """Workers with every model; of their own limit only the slow machine knows."""
    pool = MediaWorkers(workers=1, seconds=60.0, models_dir=models_dir)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
def speech() -> tuple[npt.NDArray[np.float32], int]:
    return samples_of(spoken(TEXT, "en-us+f3"))


def saved(image: Image.Image, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=92)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def beside(*pictures: bytes, height: int = 600) -> Image.Image:
    """Portraits in a row."""
    parts = [opened(one) for one in pictures]
    parts = [one.resize((one.width * height // one.height, height)) for one in parts]
    row = Image.new("RGB", (sum(one.width for one in parts), height))
    at = 0
    for part in parts:
        row.paste(part, (at, 0))
        at += part.width
    return row


def cosine(one: bytes, other: bytes) -> float:
    return float(np.frombuffer(one, "<f4") @ np.frombuffer(other, "<f4"))


def faces_of(found: MediaEncoding) -> list[bytes]:
    return [one.vectors[FACE] for one in found.faces]


async def test_a_face_is_found_where_it_is_and_is_nearer_to_its_person_s_than_to_others(
    seeing: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    found = {name: await seeing.encode(photographs[name]) for name in ("obama", "obama2", "biden")}
    assert all(one.faces_searched and len(one.faces) == 1 for one in found.values())
    box = found["obama"].faces[0].box
    assert 0 <= box.x < box.x + box.width <= (found["obama"].width or 0)
    (first,), (second,), (other,) = (faces_of(one) for one in found.values())
    assert cosine(first, second) > cosine(first, other) + 0.05
    assert not found["obama"].voices_searched


async def test_boxes_are_in_pixels_of_the_whole_picture_however_it_was_reduced(
    seeing: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    small = opened(photographs["obama"])
    large = small.resize((small.width * 3, small.height * 3))
    (one,) = (await seeing.encode(saved(small))).faces
    (three,) = (await seeing.encode(saved(large))).faces
    assert three.box.x == pytest.approx(3 * one.box.x, abs=0.05 * large.width)
    assert three.box.height == pytest.approx(3 * one.box.height, rel=0.15)


async def test_everybody_in_a_picture_is_a_target(
    seeing: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    row = beside(photographs["obama"], photographs["biden"])
    found = await seeing.encode(saved(row))
    assert len(found.faces) == 2
    assert sorted(one.box.x < row.width / 3 for one in found.faces) == [False, True]


async def test_a_picture_without_a_face_was_searched(
    seeing: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    found = await seeing.encode(photographs["coffee"])
    assert (found.faces, found.faces_searched) == ((), True)
    assert found.picture is not None
    assert found.picture.usable


async def test_without_models_nothing_was_searched(
    workers: MediaWorkers, photographs: dict[str, bytes],
    speech: tuple[npt.NDArray[np.float32], int],
) -> None:  # fmt: skip
    assert not (await workers.encode(photographs["obama"])).faces_searched
    heard = await workers.encode(as_media(*speech, "mp3"))
    assert (heard.kind, heard.voices, heard.voices_searched) == ("audio", (), False)


@pytest.mark.parametrize("kind", SOUNDS)
async def test_a_speaker_is_heard_in_every_kind_of_recording(
    kind: SoundKind, seeing: MediaWorkers, speech: tuple[npt.NDArray[np.float32], int]
) -> None:
    pcm, rate = speech
    found = await seeing.encode(as_media(pcm, rate, kind))
    (voice,) = found.voices
    assert (found.kind, voice.trouble, voice.condition) == ("audio", None, Condition.WIDE)
    assert found.seconds == pytest.approx(len(pcm) / rate, abs=0.2)
    assert set(voice.vectors) == {(VOICE, Condition.WIDE)}
    assert not found.enrolling


async def test_what_is_enrolled_is_encoded_for_the_telephone_too(
    seeing: MediaWorkers, speech: tuple[npt.NDArray[np.float32], int]
) -> None:
    found = await seeing.encode(as_media(*speech, "flac"), enrolling=True)
    (voice,) = found.voices
    assert set(voice.vectors) == {(VOICE, Condition.WIDE), (VOICE, Condition.TELEPHONE)}
    assert found.enrolling


async def test_who_is_heard_by_telephone_alone_is_enrolled_for_both(
    seeing: MediaWorkers, speech: tuple[npt.NDArray[np.float32], int]
) -> None:
    pcm, rate = speech
    narrow = await seeing.encode(as_media(pcm, rate, "wav"))
    assert narrow.voices[0].condition is Condition.WIDE
    times = np.arange(0, len(pcm), rate / 16_000)
    phone = telephone(np.interp(times, np.arange(len(pcm)), pcm).astype(np.float32))
    found = await seeing.encode(as_media(phone, 16_000, "wav"), enrolling=True)
    (voice,) = found.voices
    assert voice.condition is Condition.TELEPHONE
    assert voice.vectors[VOICE, Condition.WIDE] == voice.vectors[VOICE, Condition.TELEPHONE]


@pytest.mark.parametrize("kind", VIDEOS)
async def test_a_video_is_everybody_seen_and_heard_in_it(
    kind: VideoKind, seeing: MediaWorkers, photographs: dict[str, bytes],
    speech: tuple[npt.NDArray[np.float32], int],
) -> None:  # fmt: skip
    row = np.asarray(beside(photographs["obama"], photographs["biden"], height=400))
    row = row[:, : row.shape[1] // 2 * 2]
    alone = np.zeros_like(row)
    portrait = np.asarray(opened(photographs["obama"]).resize((320, 400)))
    alone[:, :320] = portrait
    pcm, rate = speech
    data = as_video([alone] * 15 + [row] * 15, pcm, kind, rate=rate)
    found = await seeing.encode(data)
    assert (found.kind, found.height, found.width) == ("video", *row.shape[:2])
    assert len(found.faces) == 2
    assert [one.trouble for one in found.faces] == [None, None]
    assert [one.trouble for one in found.voices] == [None]
    first, second = sorted(one.seconds or 0.0 for one in found.faces)
    assert first < 0.5
    assert second > 1.0


async def test_a_silent_video_was_listened_to(
    seeing: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    portrait = np.asarray(opened(photographs["biden"]).resize((240, 400)))
    found = await seeing.encode(as_video([portrait] * 10, None, "mp4"))
    assert len(found.faces) == 1
    assert (found.voices, found.voices_searched) == ((), True)


async def test_hostile_files_are_refused_in_a_sentence(
    seeing: MediaWorkers, speech: tuple[npt.NDArray[np.float32], int]
) -> None:
    pcm, rate = speech
    whole = as_media(pcm, rate, "m4a")
    with pytest.raises(MediaError, match="damaged or cut off"):
        await seeing.encode(whole[: len(whole) // 3])
    with pytest.raises(TooLargeError, match="longer than 120 s"):
        await seeing.encode(as_media(np.zeros(130 * 8000, np.float32), 8000, "flac"))
    quiet = await seeing.encode(as_media(np.zeros(32_000, np.float32), 16_000, "wav"))
    (nobody,) = quiet.voices
    assert nobody.trouble
    assert not nobody.vectors


async def test_a_worker_whose_encoders_cannot_be_read_does_not_start(
    models_dir: Path, tmp_path: Path
) -> None:
    pool = MediaWorkers(1, 20.0, models_dir=models_dir, encoders_file=tmp_path / "gone.yaml")
    with pytest.raises(UnavailableError):
        await pool.encode(saved(Image.new("RGB", (64, 64))))
    await pool.close()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 32])
def test_frames_are_looked_at_from_the_middle_outwards(count: int) -> None:
    order = list(spread(count))
    assert sorted(order) == list(range(count))
    if count == 32:
        assert order[:3] == [16, 8, 24]
