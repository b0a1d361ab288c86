"""Photographs as they come back: re-encoded, resized, mirrored, cut out; and hashes near one."""

import io
import random

from PIL import Image

from api.cli.demonstration.media import Box, Media
from registry.encoders import image_hash

_GROUP_HEIGHT = 640
_MARGIN = 0.45  # around a face that is cut out, of its own size


def original(data: bytes, title: str = "original") -> Media:
    """The file as it is."""
    kind, (width, height) = kind_of(data), _opened(data).size
    return Media(data, f"{title} {kind} {width}x{height}")


def recompressed(data: bytes, rng: random.Random) -> Media:
    """A JPEG that has lost much of its detail."""
    quality = rng.randint(20, 60)
    return Media(_saved(_opened(data), "JPEG", quality), f"JPEG at quality {quality}")


def resized(data: bytes, rng: random.Random) -> Media:
    """A smaller or larger copy."""
    percent = rng.choice((50, 65, 80, 125, 150))
    image = _opened(data)
    size = (image.width * percent // 100, image.height * percent // 100)
    return Media(_saved(image.resize(size), "JPEG", 85), f"resized to {percent} %, JPEG")


def mirrored(data: bytes, rng: random.Random) -> Media:
    """The picture seen in a mirror."""
    quality = rng.randint(70, 95)
    turned = _opened(data).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Media(_saved(turned, "JPEG", quality), f"mirrored, JPEG at {quality}")


def converted(data: bytes, kind: str, rng: random.Random) -> Media:
    """The picture as another type of file."""
    quality = rng.randint(40, 90)
    said = f"{kind_of(data)} to {kind}" + ("" if kind == "PNG" else f" at {quality}")
    return Media(_saved(_opened(data), kind, quality), said)


def cut_out(data: bytes, box: Box, rng: random.Random) -> Media:
    """The face alone, turned a little: another picture for a hash, the same person for us."""
    degrees = rng.choice((-8, -5, -3, 3, 5, 8))
    wide, high = box["width"] * _MARGIN, box["height"] * _MARGIN
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    frame = (box["x"] - wide, box["y"] - high, right + wide, bottom + high)
    middle = ((box["x"] + right) / 2, (box["y"] + bottom) / 2)
    turned = _opened(data).rotate(degrees, Image.Resampling.BICUBIC, center=middle)
    return Media(_saved(turned.crop(frame), "JPEG", 90), f"cut out, turned by {degrees}°")


def together(left: bytes, right: bytes) -> Media:
    """Two portraits side by side in one picture."""
    pair = [_of_height(_opened(one), _GROUP_HEIGHT) for one in (left, right)]
    group = Image.new("RGB", (sum(one.width for one in pair), _GROUP_HEIGHT))
    group.paste(pair[0], (0, 0))
    group.paste(pair[1], (pair[0].width, 0))
    return Media(_saved(group, "JPEG", 90), "two portraits in one")


def plain(rng: random.Random) -> Media:
    """One colour and nothing else."""
    colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    side = rng.choice((200, 400, 800))
    data = _saved(Image.new("RGB", (side, side), colour), "PNG", 0)
    return Media(data, f"one colour, {side}x{side}")


def garbage(rng: random.Random) -> Media:
    """Bytes that are no picture."""
    size = rng.randint(100, 5000)
    return Media(b"no picture" + rng.randbytes(size - 10), f"{size} bytes of noise")


def cut_off(data: bytes, rng: random.Random) -> Media:
    """The beginning of a PNG."""
    kept = rng.randint(40, 400)
    return Media(_saved(_opened(data), "PNG", 0)[:kept], f"first {kept} bytes of PNG")


def hash_of(data: bytes) -> bytes:
    """The 32-byte hash a service makes for itself instead of uploading."""
    return image_hash.encode(Image.open(io.BytesIO(data)))


def near(value: bytes, bits: int, rng: random.Random) -> bytes:
    """A hash that differs from this one in so many bits."""
    number = int.from_bytes(value)
    for bit in rng.sample(range(8 * len(value)), bits):
        number ^= 1 << bit
    return number.to_bytes(len(value))


def kind_of(data: bytes) -> str:
    """What sort of file it is, in Pillow's words."""
    return Image.open(io.BytesIO(data)).format or "file"


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _of_height(image: Image.Image, height: int) -> Image.Image:
    return image.resize((image.width * height // image.height, height))


def _saved(image: Image.Image, kind: str, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()
