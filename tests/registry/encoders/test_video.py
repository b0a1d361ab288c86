import struct
import time

import numpy as np
import pytest

from registry.encoders import video
from registry.encoders.video import Frame
from registry.errors import MediaError, RegistryError, TooLargeError
from registry.recordings import as_media, as_video
from tests.registry.encoders import voices
from tests.registry.encoders.hostile import flipped, garbage

KINDS = ("mp4", "webm")


def shots(count: int, height: int = 120, width: int = 160) -> list[np.ndarray]:
    """Green to the right, red in the upper left corner, bluer from frame to frame."""
    pictures = []
    for number in range(count):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[..., 1] = np.arange(width) * 255 // width
        picture[: height // 4, : width // 4, 0] = 255
        picture[..., 2] = 255 * number // max(count - 1, 1)
        pictures.append(picture)
    return pictures


def answer(data: bytes, media_type: str) -> list[Frame] | RegistryError:
    """What a stranger would get; anything else fails the test."""
    began = time.monotonic()
    try:
        found = video.frames(data, media_type)
    except (MediaError, TooLargeError) as error:
        return error
    finally:
        assert time.monotonic() - began < 10.0
    assert 1 <= len(found) <= video.FRAMES
    assert all(max(one.rgb.shape) <= video.SIDE and one.rgb.shape[2] == 3 for one in found)
    return found


def turned(data: bytes, matrix: tuple[int, ...]) -> bytes:
    """An MP4 that asks for its frames to be shown by another matrix."""
    at = data.index(b"tkhd") + 44
    return data[:at] + struct.pack(">9i", *matrix) + data[at + 36 :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_video_gives_all_its_frames(kind: str) -> None:
    found = video.frames(as_video(shots(7), None, kind), f"video/{kind}")
    assert [one.seconds for one in found] == pytest.approx([0.1 * at for at in range(7)])
    blue = [one.rgb[..., 2].mean() for one in found]
    assert blue == sorted(blue)
    assert blue[-1] > 230
    assert {one.size for one in found} == {(120, 160)}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_spread_over_the_whole_of_a_video(kind: str) -> None:
    found = video.frames(as_video(shots(100), None, kind), f"video/{kind}", most=8)
    assert len(found) == 8
    assert np.diff([one.seconds for one in found]) == pytest.approx([1.24] * 7, abs=0.2)
    assert found[-1].rgb[..., 2].mean() > 200


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_long_video_key_frames_are_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "WHOLE_PIXELS", 1)
    found = video.frames(as_video(shots(100), None, kind), f"video/{kind}")
    assert 1 <= len(found) < 32
    assert found[0].seconds == pytest.approx(0.0)


def test_frames_are_reduced_and_their_full_size_is_told() -> None:
    (found,) = video.frames(as_video(shots(1, 1080, 1920), None, "mp4"), "video/mp4")
    assert found.rgb.shape == (432, 768, 3)
    assert found.size == (1080, 1920)


def test_colours_are_those_of_the_picture() -> None:
    (found,) = video.frames(as_video(shots(1, 240, 320), None, "mp4"), "video/mp4")
    assert np.abs(found.rgb[120, 160].astype(int) - [0, 127, 0]).max() < 25


def test_a_video_held_upright_is_shown_upright() -> None:
    data = as_video(shots(3, 120, 160), None, "mp4")
    (first, *_) = video.frames(turned(data, (0, 65536, 0, -65536, 0, 0, 0, 0, 2**30)), "video/mp4")
    assert first.rgb.shape == (160, 120, 3)
    assert first.size == (160, 120)
    assert first.rgb[5, -5, 0] > 200  # the red corner, a quarter turn to the right
    assert first.rgb[5, 5, 0] < 100


@pytest.mark.parametrize("kind", KINDS)
def test_tracks_are_told_without_decoding(kind: str) -> None:
    media_type = f"video/{kind}"
    assert video.tracks(as_video(shots(3), None, kind), media_type) == (True, False)
    assert video.tracks(as_video(shots(3), voices.said(), kind, rate=16_000), media_type) == (
        True,
        True,
    )


def test_sound_alone_has_no_frames() -> None:
    data = as_media(voices.said(), 16_000, "webm")
    assert video.tracks(data, "video/webm") == (False, True)
    with pytest.raises(MediaError, match="no frames"):
        video.frames(data, "video/webm")


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_too_many_pixels_are_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_video(shots(2, 120, 160), None, kind)
    monkeypatch.setattr(video, "FRAME_PIXELS", 120 * 160)
    assert len(video.frames(data, f"video/{kind}")) == 2
    monkeypatch.setattr(video, "FRAME_PIXELS", 120 * 160 - 1)
    with pytest.raises(TooLargeError, match="Send a smaller copy"):
        video.frames(data, f"video/{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_such_container_is_refused(kind: str) -> None:
    for data in (b"", b"#EXTM3U\nfile:///etc/passwd\n", garbage(100_000), voices.recording("mp3")):
        assert isinstance(answer(data, f"video/{kind}"), MediaError)
        with pytest.raises(MediaError):
            video.tracks(data, f"video/{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_damage_has_an_answer(kind: str) -> None:
    data = as_video(shots(12), None, kind)
    for seed in range(40):
        answer(flipped(data, seed), f"video/{kind}")


def test_a_webm_cut_off_gives_what_came_before() -> None:
    data = as_video(shots(40), None, "webm")
    whole = answer(data, "video/webm")
    half = answer(data[: len(data) // 2], "video/webm")
    assert isinstance(whole, list)
    assert isinstance(half, list)
    assert 1 <= len(half) < len(whole)


def test_an_mp4_without_its_index_is_refused() -> None:
    data = as_video(shots(40), None, "mp4")
    assert data.index(b"moov") > len(data) // 2
    assert isinstance(answer(data[: len(data) // 2], "video/mp4"), MediaError)
