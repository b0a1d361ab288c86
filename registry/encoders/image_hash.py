"""The same picture again: a 256-bit perceptual hash and that of the mirrored picture.

Encoder `phash-256/1` is `imagehash.phash(hash_size=16)`: which of the 16 x 16 lowest frequencies
of a 64 x 64 grey picture lie above their median. tests/vectors/phash-256.json fixes what it gives.
"""

import imagehash
import numpy as np
import scipy.fftpack
from PIL import Image, ImageOps

from registry.encoders.identity import IMAGE_HASH, IMAGE_HASH_BYTES

ENCODER_ID = IMAGE_HASH
HASH_BYTES = IMAGE_HASH_BYTES

_SIDE = 16
# Rounding to 8 bits is noise of variance 1/12 a pixel; through two unnormalised DCTs of 64 points
# its standard deviation is 2 * 64 / sqrt(12) = 37. Where half of the frequencies are below 3 of
# them, the hash is noise. Photographs have 1,000 and more, and 230 at a fifth of their brightness.
_NOISE = 3 * 2 * 64 / 12**0.5
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {  # EXIF 2.32, 4.6.4: what undoes each orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def encode(image: Image.Image) -> bytes:
    """The hash of the picture as a viewer shows it: 32 bytes, row by row, lowest frequency first.

    Raises what Pillow raises when the pixels cannot be decoded.
    """
    return _hash(_grey(image))


def encode_mirrored(image: Image.Image) -> bytes:
    """The hash of the picture seen in a mirror, laid out as by `encode`."""
    return _hash(ImageOps.mirror(_grey(image)))


def is_flat(image: Image.Image) -> bool:
    """Whether the picture is too plain for its hash to tell it from others.

    So are constant pictures, pure gradients, stripes, and those below 16 pixels a side.
    """
    if min(image.size) < _SIDE:
        return True
    small = np.asarray(_grey(image).resize((64, 64), Image.Resampling.LANCZOS), dtype=np.float64)
    waves = scipy.fftpack.dct(scipy.fftpack.dct(small, axis=0), axis=1)[:_SIDE, :_SIDE]
    return bool(np.median(np.abs(waves)) < _NOISE)


def normalise(image: Image.Image) -> Image.Image:
    """The picture as a viewer shows it, in 8-bit RGB: upright, its first frame, on white.

    16-bit and floating grey levels are scaled to 8 bits; palettes, CMYK and 1-bit are converted.
    Raises what Pillow raises when the pixels cannot be decoded.
    """
    image.load()  # a PNG may carry its orientation behind its pixels
    if (turn := _UPRIGHT.get(orientation(image))) is not None:
        image = image.transpose(turn)
    if image.mode.startswith(("I", "F")):
        image = _eight_bit(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    return image if image.mode == "RGB" else image.convert("RGB")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or it cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything; the pixels are still good
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey levels of 16 or 32 bits, or floating ones, as 8-bit levels of the same picture."""
    levels = np.nan_to_num(np.asarray(image, dtype=np.float64))
    peak = float(levels.max(initial=0.0))
    ranges = (65535.0,) if image.mode.startswith("I;16") else (1.0, 255.0, 65535.0, peak)
    full = next(top for top in ranges if peak <= top)
    return Image.fromarray(np.clip(levels * (255.0 / full), 0, 255).round().astype(np.uint8))


def _grey(image: Image.Image) -> Image.Image:
    return normalise(image).convert("L")


def _hash(grey: Image.Image) -> bytes:
    return np.packbits(imagehash.phash(grey, hash_size=_SIDE).hash).tobytes()
