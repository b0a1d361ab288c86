"""From a file's bytes to pixels, refusing by the header what would cost too much to decode.

Only the worker process calls this with a stranger's bytes: a decoder may fail in any way.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from registry.encoders.image_hash import normalise, orientation
from registry.errors import MediaError, TooLargeError

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
JPEG_PIXELS = 250_000_000
OTHER_PIXELS = 20_000_000
REDUCED_SIDE = 768
_SIDEWAYS = 5  # EXIF orientations from here on swap width and height


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: upright RGB pixels, perhaps reduced, and the size it has in full."""

    image: Image.Image
    width: int
    height: int


def read(data: bytes, media_type: str) -> Picture:
    """Decode the first frame with the decoder of `media_type` and no other.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size while its longer side keeps 768 pixels. What
    follows the picture is ignored. Raises TooLargeError for more than 250 million pixels (JPEG) or
    20 million (others), by the header alone, and MediaError for bytes that cannot be decoded.
    """
    limit = JPEG_PIXELS if media_type == "image/jpeg" else OTHER_PIXELS
    try:
        return _decode(data, FORMATS[media_type], limit)
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise TooLargeError(
            f"This picture has more than {limit // 10**6} million pixels, the most that is read of "
            f"{FORMATS[media_type]}. Send a smaller copy."
        ) from error
    except Exception as error:
        raise MediaError(
            f"This {FORMATS[media_type]} picture is damaged or cut off. Send the whole file again, "
            "or a copy saved anew by an image program."
        ) from error


def _decode(data: bytes, name: str, limit: int) -> Picture:
    with _at_most(limit), Image.open(io.BytesIO(data), formats=(name,)) as opened:
        width, height = opened.size
        longer = max(width, height)
        opened.draft(
            None, (-(-width * REDUCED_SIDE // longer), -(-height * REDUCED_SIDE // longer))
        )
        image = normalise(opened)
        sideways = orientation(opened) >= _SIDEWAYS
    return Picture(image, *((height, width) if sideways else (width, height)))


@contextlib.contextmanager
def _at_most(pixels: int) -> Iterator[None]:
    """Let Pillow refuse more pixels than that before it allocates, canvases of WebP and GIF too."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = pixels // 2  # it warns above this figure and refuses above its double
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
