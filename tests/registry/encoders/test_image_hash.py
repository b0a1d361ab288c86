"""One picture, one hash: however its pixels are stored, and however little tells it apart."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from registry.encoders import image_hash, picture
from tests.registry.encoders.hostile import FORMATS, saved, scene

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "phash-256.json").read_text()
)
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "obama", "rocket")
EXIF_ORIENTATION = 0x0112
UNDONE_BY_VIEWER = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def bits(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def distance(data: bytes, plain: Image.Image) -> int:
    return bits(image_hash.encode(opened(data)), image_hash.encode(plain))


@pytest.fixture(params=PHOTOGRAPHS)
def photograph(request: pytest.FixtureRequest, photographs: dict[str, bytes]) -> Image.Image:
    image = opened(photographs[request.param]).convert("RGB")
    image.thumbnail((500, 500))
    return image


@pytest.mark.parametrize("vector", VECTORS["photographs"], ids=lambda vector: vector["name"])
def test_a_photograph_keeps_its_hash_for_ever(
    vector: dict[str, str], photographs: dict[str, bytes]
) -> None:
    data = photographs[vector["name"]]
    media_type = "image/png" if data[:1] == b"\x89" else "image/jpeg"
    image = picture.read(data, media_type).image
    assert image_hash.encode(image).hex() == vector["image_hash"]
    assert image_hash.encode_mirrored(image).hex() == vector["mirrored_hash"]


@pytest.mark.parametrize("vector", VECTORS["files"], ids=lambda vector: vector["name"])
def test_a_stored_file_keeps_its_hash_for_ever(vector: dict[str, Any]) -> None:
    image = picture.read(base64.b64decode(vector["base64"]), vector["media_type"]).image
    assert image_hash.encode(image).hex() == vector["image_hash"]
    assert image_hash.encode_mirrored(image).hex() == vector["mirrored_hash"]
    assert image_hash.is_flat(image) is not vector["usable"]


def test_the_vectors_are_of_this_encoder() -> None:
    assert VECTORS["encoder"] == image_hash.ENCODER_ID
    assert len(VECTORS["photographs"]) == 12
    assert len(VECTORS["files"]) >= 6


def test_the_first_bit_is_the_top_bit_of_the_first_byte() -> None:
    """The mean brightness comes first; of a bright picture it is above the median."""
    bright, dark = scene().point(lambda level: 128 + level // 2), scene()
    assert image_hash.encode(bright)[0] & 0x80
    assert len(image_hash.encode(dark)) == image_hash.HASH_BYTES


def test_a_palette_changes_at_most_four_bits(photograph: Image.Image) -> None:
    assert distance(saved(photograph.quantize(256), "PNG"), photograph) <= 4


def test_cmyk_changes_at_most_four_bits(photograph: Image.Image) -> None:
    assert distance(saved(photograph.convert("CMYK"), "JPEG", quality=95), photograph) <= 4


def test_sixteen_bits_change_at_most_four_bits(photograph: Image.Image) -> None:
    grey = photograph.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert distance(saved(deep, "PNG"), grey) <= 4


@pytest.mark.parametrize(("mode", "scale"), [("I", 257), ("I", 1), ("F", 1), ("F", 1 / 255)])
def test_wide_grey_levels_change_at_most_four_bits(mode: str, scale: float) -> None:
    levels = np.asarray(scene().convert("L")).astype(np.float32) * scale
    wide = Image.fromarray(levels.astype(np.int32) if mode == "I" else levels)
    assert wide.mode == mode
    assert bits(image_hash.encode(wide), image_hash.encode(scene().convert("L"))) <= 4


def test_an_opaque_alpha_channel_changes_at_most_four_bits(photograph: Image.Image) -> None:
    assert distance(saved(photograph.convert("RGBA"), "PNG"), photograph) <= 4


def test_the_package_s_own_rgba_copy_is_the_same_picture(photographs: dict[str, bytes]) -> None:
    assert opened(photographs["obama2_rgba"]).mode == "RGBA"
    assert distance(photographs["obama2_rgba"], opened(photographs["obama2"])) <= 4


@pytest.mark.parametrize("orientation", UNDONE_BY_VIEWER)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_turned_picture_that_says_so_changes_at_most_four_bits(
    name: str, orientation: int
) -> None:
    upright = scene()
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = upright.transpose(UNDONE_BY_VIEWER[orientation])
    data = saved(stored, name, exif=exif, quality=95)
    assert distance(data, upright) <= 4
    assert image_hash.normalise(opened(data)).size == upright.size


def test_webp_changes_at_most_four_bits(photograph: Image.Image) -> None:
    assert distance(saved(photograph, "WEBP", quality=90), photograph) <= 4


def test_gif_changes_at_most_twenty_bits(photograph: Image.Image) -> None:
    assert distance(saved(photograph, "GIF"), photograph) <= 20


def test_what_is_transparent_is_seen_on_white() -> None:
    plain = scene()
    hidden = Image.new("L", plain.size, 255)
    hidden.paste(0, (0, 0, 120, 90))
    expected = plain.copy()
    expected.paste("white", (0, 0, 120, 90))
    see_through = plain.copy()
    see_through.putalpha(hidden)
    grey = plain.convert("L")
    grey.putalpha(hidden)
    assert distance(saved(see_through, "PNG"), expected) <= 4
    assert distance(saved(see_through, "WEBP", lossless=True), expected) <= 4
    assert distance(saved(grey, "PNG"), expected.convert("L")) <= 4


def test_a_transparent_colour_of_a_palette_is_seen_on_white() -> None:
    indexed = scene().quantize(8)
    expected = indexed.convert("RGB")
    clear = np.asarray(indexed) == 3
    expected = Image.fromarray(np.where(clear[..., None], 255, np.asarray(expected)).astype("u1"))
    assert clear.any()
    assert distance(saved(indexed, "PNG", transparency=3), expected) <= 4


def test_black_and_white_is_read_as_grey() -> None:
    drawing = scene().convert("1")
    assert distance(saved(drawing, "PNG"), drawing.convert("L")) == 0


def test_the_first_frame_stands_for_a_moving_picture() -> None:
    frames = [scene(seed=seed) for seed in (1, 2, 3)]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert distance(moving, frames[0]) <= 20
    assert distance(moving, frames[1]) > 60


def test_damaged_exif_leaves_the_picture_as_it_is_stored() -> None:
    plain = saved(scene(), "JPEG", quality=95)
    damaged = saved(scene(), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    read = picture.read(damaged, "image/jpeg")
    assert (read.width, read.height) == scene().size
    assert bits(image_hash.encode(read.image), image_hash.encode(opened(plain))) == 0


def test_the_mirrored_hash_is_that_of_the_picture_in_a_mirror(photograph: Image.Image) -> None:
    mirror = ImageOps.mirror(photograph)
    assert image_hash.encode_mirrored(photograph) == image_hash.encode(mirror)
    assert bits(image_hash.encode(mirror), image_hash.encode(photograph)) > 60


def test_normalising_twice_changes_nothing(photograph: Image.Image) -> None:
    once = image_hash.normalise(photograph)
    assert np.array_equal(np.asarray(image_hash.normalise(once)), np.asarray(once))


def test_photographs_are_not_flat_even_in_the_dark(photograph: Image.Image) -> None:
    assert not image_hash.is_flat(photograph)
    assert not image_hash.is_flat(ImageEnhance.Brightness(photograph).enhance(0.2))


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_picture_of_one_colour_is_flat_in_every_format(media_type: str) -> None:
    data = saved(Image.new("RGB", (300, 200), (90, 140, 30)), FORMATS[media_type])
    assert image_hash.is_flat(opened(data))


@pytest.mark.parametrize(
    "plain",
    [
        Image.linear_gradient("L"),
        Image.fromarray(np.tile(np.repeat(np.array([0, 255], np.uint8), 20), (200, 5))),
        Image.fromarray(np.random.default_rng(2).integers(127, 130, (300, 300), dtype=np.uint8)),
        scene(15, 300),
        Image.new("RGBA", (64, 64), (255, 0, 0, 0)),
    ],
    ids=["gradient", "stripes", "faint noise", "sliver", "wholly transparent"],
)
def test_what_gives_its_hash_no_meaning_is_flat(plain: Image.Image) -> None:
    assert image_hash.is_flat(plain)
