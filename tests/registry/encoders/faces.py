"""Pictures with faces in them, made of the pinned photographs."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def image(data: bytes, side: int | None = None) -> Image.Image:
    """A photograph in RGB, at most `side` pixels long."""
    opened = Image.open(io.BytesIO(data)).convert("RGB")
    if side is not None:
        opened.thumbnail((side, side), Image.Resampling.LANCZOS)
    return opened


def pixels(data: bytes, side: int | None = None) -> Pixels:
    return np.array(image(data, side))


def head(data: bytes, width: int, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of a photograph that holds the head, so that `box` becomes that wide."""
    x, y, wide, high = box
    cut = image(data).crop((x - wide, y - high // 2, x + 2 * wide, y + 2 * high))
    factor = width / wide
    size = round(cut.width * factor), round(cut.height * factor)
    return cut.resize(size, Image.Resampling.LANCZOS)
