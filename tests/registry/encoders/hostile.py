"""Files a stranger might send: bombs, lies, polyglots and damage, each made when it is needed."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}


def scene(width: int = 240, height: int = 180, *, seed: int = 1) -> Image.Image:
    """A smooth colour picture that no other seed resembles."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, *extra: bytes, depth: int = 8) -> bytes:
    """A grey PNG that claims a size; `rows` is its compressed pixel data, whatever that holds."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def zeros(count: int) -> bytes:
    """So many zero bytes, deflated without ever holding them."""
    packer = zlib.compressobj(9)
    block = bytes(2**20)
    parts = [packer.compress(block) for _ in range(count // len(block))]
    parts += [packer.compress(bytes(count % len(block))), packer.flush()]
    return b"".join(parts)


def bomb(side: int, depth: int = 8) -> bytes:
    """A square PNG of zeros: 400 million pixels fit in 49 kB."""
    return png(side, side, zeros(side * (1 + (side * depth + 7) // 8)), depth=depth)


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    data = bytearray(saved(scene(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_claiming(width: int, height: int) -> bytes:
    """A GIF whose canvas and first frame claim a size."""
    data = bytearray(saved(scene(), "GIF"))
    size = struct.pack("<HH", width, height)
    data[6:10] = size
    at = data.index(b"\x2c\x00\x00\x00\x00") + 5
    data[at : at + 4] = size
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    """An extended WebP whose canvas claims a size."""
    picture = saved(scene(), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    data = bytearray(picture)
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return bytes(data)


def endless_jpeg(scans: int = 20_000) -> bytes:
    """A progressive JPEG that repeats its last scan: 10 ms of work for every 31 bytes."""
    data = saved(Image.new("L", (4000, 4000), 200), "JPEG", progressive=True, quality=50)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def garbage(size: int = 5000, *, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(size)


def flipped(data: bytes, seed: int) -> bytes:
    """The same file with 1 to 30 of its bits the other way, some of them in its header."""
    chance = np.random.default_rng(seed)
    damaged = bytearray(data)
    for number in range(chance.integers(1, 31)):
        reach = min(len(data), 400) if number % 2 else len(data)
        damaged[chance.integers(16, reach)] ^= 1 << int(chance.integers(8))
    return bytes(damaged)


def cuts(data: bytes) -> Iterator[bytes]:
    """The file's beginnings of many lengths, up to half of it."""
    for length in (16, 17, 20, 24, 30, 33, 40, 60, 100, 200, 400, 800):
        yield data[: min(length, len(data) // 2)]
    yield data[: len(data) // 3]
    yield data[: len(data) // 2]
