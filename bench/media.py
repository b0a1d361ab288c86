"""Pictures, recordings and videos of the sizes that are measured, made of packaged photographs.

A portrait of a head of state, an astronaut, a cup of coffee, a cat, and a synthesiser's voice.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from registry import recordings
from registry.photos import photos

TEXT = (
    "The registry keeps what people allow and what they forbid. Ask it before a voice is cloned,"
    " and keep the answer: it proves later what was known, and when. "
)
CAMERA = (4000, 3000)
_GRAIN = 5.0  # of 255, as a camera's sensor has: else an enlarged picture is an easy JPEG
_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Item:
    """One file, what it is, and how many of its seconds are sound."""

    name: str
    data: bytes
    seconds: float = 0.0
    faces: int | None = None  # that must be found; None: not asked
    voices: int | None = None


def items(packages: Path, rng: np.random.Generator) -> list[Item]:
    """Everything that is measured, the first with a face of a quarter of the picture's height."""
    found = photos(packages)
    portrait, astronaut = _opened(found["obama"]), _opened(found["astronaut"])
    shown, cat = (
        _opened(found[one]).resize(CAMERA, Image.Resampling.BICUBIC)
        for one in ("coffee", "chelsea")
    )
    height = 1800
    shown.paste(portrait.resize((portrait.width * height // portrait.height, height)), (700, 900))
    pcm, rate = recordings.samples_of(recordings.spoken(TEXT * 6))
    five, thirty = pcm[: 5 * rate], pcm[: 30 * rate]
    assert len(thirty) == 30 * rate
    return [
        Item("12 MP JPEG with a face", _jpeg(shown, rng), faces=1),
        Item("12 MP JPEG without a face", _jpeg(cat, rng), faces=0),
        Item("1 MP JPEG with a face", _jpeg(astronaut.resize((1000, 1000)), rng), faces=1),
        Item("5 s of voice, WAV", recordings.as_media(five, rate, "wav"), 5.0, voices=1),
        Item("5 s of voice, MP3", recordings.as_media(five, rate, "mp3"), 5.0, voices=1),
        Item("30 s of voice, WAV", recordings.as_media(thirty, rate, "wav"), 30.0, voices=1),
        Item("5 s of video, 1280 x 720", _video(astronaut, five, rate), 5.0),
    ]


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _jpeg(image: Image.Image, rng: np.random.Generator) -> bytes:
    pixels = np.asarray(image).astype(np.float32)
    grain = rng.standard_normal(pixels.shape, np.float32)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels + _GRAIN * grain, 0, 255).astype(np.uint8)).save(
        file, "JPEG", quality=_QUALITY
    )
    return file.getvalue()


def _video(still: Image.Image, pcm: npt.NDArray[np.float32], rate: int) -> bytes:
    """The picture seen by a camera that moves along it, 25 frames a second, with the sound."""
    wide = np.asarray(still.resize((1600, 1600)))
    frames = [wide[at : at + 720, 2 * at : 2 * at + 1280] for at in range(125)]
    return recordings.as_video(frames, pcm, "mp4", rate=rate, frames_per_second=25)
