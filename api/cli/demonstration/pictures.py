"""Photographs as they come back: re-encoded, resized, mirrored, converted; and hashes near one."""

import io
import random
from dataclasses import dataclass

from PIL import Image

from registry.encoders import image_hash


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, and what was done to make it."""

    data: bytes
    made_by: str


def original(data: bytes) -> Picture:
    """The file as it is."""
    kind, (width, height) = kind_of(data), _opened(data).size
    return Picture(data, f"original {kind} {width}x{height}")


def recompressed(data: bytes, rng: random.Random) -> Picture:
    """A JPEG that has lost much of its detail."""
    quality = rng.randint(20, 60)
    return Picture(_saved(_opened(data), "JPEG", quality), f"JPEG at quality {quality}")


def resized(data: bytes, rng: random.Random) -> Picture:
    """A smaller or larger copy."""
    percent = rng.choice((35, 50, 65, 80, 125, 150))
    image = _opened(data)
    size = (image.width * percent // 100, image.height * percent // 100)
    return Picture(_saved(image.resize(size), "JPEG", 85), f"resized to {percent} %, JPEG")


def mirrored(data: bytes, rng: random.Random) -> Picture:
    """The picture seen in a mirror."""
    quality = rng.randint(70, 95)
    turned = _opened(data).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Picture(_saved(turned, "JPEG", quality), f"mirrored, JPEG at {quality}")


def converted(data: bytes, kind: str, rng: random.Random) -> Picture:
    """The picture as another type of file."""
    quality = rng.randint(40, 90)
    said = f"{kind_of(data)} to {kind}" + ("" if kind == "PNG" else f" at {quality}")
    return Picture(_saved(_opened(data), kind, quality), said)


def plain(rng: random.Random) -> Picture:
    """One colour and nothing else."""
    colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    side = rng.choice((200, 400, 800))
    data = _saved(Image.new("RGB", (side, side), colour), "PNG", 0)
    return Picture(data, f"one colour, {side}x{side}")


def garbage(rng: random.Random) -> Picture:
    """Bytes that are no picture."""
    size = rng.randint(100, 5000)
    return Picture(b"no picture" + rng.randbytes(size - 10), f"{size} bytes of noise")


def cut_off(data: bytes, rng: random.Random) -> Picture:
    """The beginning of a PNG."""
    kept = rng.randint(40, 400)
    return Picture(_saved(_opened(data), "PNG", 0)[:kept], f"first {kept} bytes of a PNG")


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


def _saved(image: Image.Image, kind: str, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()
