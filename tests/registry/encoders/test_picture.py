"""What a header gives away is refused by it; the rest is decoded, or refused in a sentence."""

import io
import time
import zlib

import pytest
from PIL import Image

from registry.encoders import image_hash, picture
from registry.errors import MediaError, TooLargeError
from tests.registry.encoders import hostile
from tests.registry.encoders.hostile import FORMATS, saved, scene

BOMBS = {
    "400 million pixels of 1 bit": (hostile.bomb(20_000, depth=1), "image/png"),
    "169 million pixels": (hostile.bomb(13_000), "image/png"),
    "21 million pixels, just over": (hostile.bomb(4_583), "image/png"),
    "a PNG header of 4 billion a side": (hostile.png(2**31 - 1, 2**31 - 1, b""), "image/png"),
    "a JPEG header of 65,500 a side": (hostile.jpeg_claiming(65_500, 65_500), "image/jpeg"),
    "a JPEG header just over": (hostile.jpeg_claiming(50_000, 5_001), "image/jpeg"),
    "a GIF canvas of 65,535 a side": (hostile.gif_claiming(65_535, 65_535), "image/gif"),
    "a WebP canvas of 16,384 a side": (hostile.webp_claiming(16_384, 16_384), "image/webp"),
}


@pytest.mark.parametrize(("data", "media_type"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_by_its_header(data: bytes, media_type: str) -> None:
    before = time.process_time()
    with pytest.raises(TooLargeError, match="million pixels") as refusal:
        picture.read(data, media_type)
    assert time.process_time() - before < 0.2
    assert ("250 million" if media_type == "image/jpeg" else "20 million") in str(refusal.value)


def test_the_largest_png_is_read() -> None:
    side = 4_472  # squared, 19,998,784
    read = picture.read(hostile.bomb(side, depth=1), "image/png")
    assert (read.width, read.height) == (side, side)


def test_pillow_s_own_limit_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    picture.read(saved(scene(), "PNG"), "image/png")
    with pytest.raises(TooLargeError):
        picture.read(hostile.bomb(5_000, depth=1), "image/png")
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("size", "reduced"),
    [((767, 500), (767, 500)), ((1536, 1000), (768, 500)), ((1000, 3200), (250, 800))],
)
def test_a_large_jpeg_is_decoded_reduced_and_says_its_full_size(
    size: tuple[int, int], reduced: tuple[int, int]
) -> None:
    read = picture.read(saved(scene(*size), "JPEG"), "image/jpeg")
    assert read.image.size == reduced
    assert (read.width, read.height) == size


@pytest.mark.parametrize("name", ["astronaut", "obama3", "coffee"])
def test_reducing_changes_at_most_four_bits_of_the_hash(
    name: str, photographs: dict[str, bytes]
) -> None:
    large = Image.open(io.BytesIO(photographs[name])).convert("RGB").resize((2400, 1800))
    data = saved(large, "JPEG", quality=90)
    full = image_hash.encode(Image.open(io.BytesIO(data)))
    reduced = picture.read(data, "image/jpeg").image
    assert reduced.size == (1200, 900)
    found = image_hash.encode(reduced)
    assert (int.from_bytes(found) ^ int.from_bytes(full)).bit_count() <= 4


def test_a_turned_picture_has_the_size_a_viewer_shows() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    read = picture.read(saved(scene(2000, 1000), "JPEG", exif=exif), "image/jpeg")
    assert (read.width, read.height) == (1000, 2000)
    assert read.image.size == (500, 1000)


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_file_cut_off_is_refused_with_advice(media_type: str) -> None:
    whole = saved(scene(), FORMATS[media_type])
    for cut in hostile.cuts(whole):
        with pytest.raises(MediaError, match="Send the whole file again"):
            picture.read(cut, media_type)


@pytest.mark.parametrize("media_type", FORMATS)
def test_only_the_decoder_asked_for_is_used(media_type: str) -> None:
    for other in set(FORMATS) - {media_type}:
        with pytest.raises(MediaError):
            picture.read(saved(scene(), FORMATS[other]), media_type)


def test_a_header_that_claims_more_than_there_is_gives_nothing_to_match() -> None:
    read = picture.read(hostile.png(4_000, 4_000, zlib.compress(bytes(4_001 * 10))), "image/png")
    assert image_hash.is_flat(read.image)


def test_pixels_beyond_those_claimed_are_not_unpacked() -> None:
    data = hostile.png(100, 100, hostile.zeros(200 * 2**20))
    before = time.process_time()
    assert picture.read(data, "image/png").image.size == (100, 100)
    assert time.process_time() - before < 0.1


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (b"zTXt", b"Comment\0\0"),
        (b"iTXt", b"Comment\0\1\0\0\0"),
        (b"iCCP", b"profile\0\0"),
    ],
)
def test_a_compressed_comment_or_profile_is_no_way_to_fill_memory(kind: bytes, head: bytes) -> None:
    swollen = hostile.chunk(kind, head + hostile.zeros(200 * 2**20))
    data = hostile.png(100, 100, zlib.compress(bytes(101 * 100)), swollen)
    before = time.process_time()
    try:
        read = picture.read(data, "image/png")
    except MediaError:
        pass
    else:
        assert read.image.size == (100, 100)
    assert time.process_time() - before < 0.2


def test_of_many_frames_only_the_first_is_decoded() -> None:
    frames = [scene(seed=seed).quantize(16) for seed in (1, 2)]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:] + frames * 100)
    before = time.process_time()
    read = picture.read(moving, "image/gif")
    assert time.process_time() - before < 0.1
    assert image_hash.encode(read.image) == image_hash.encode(Image.open(io.BytesIO(moving)))


def test_an_mpo_of_a_phone_is_read_as_its_first_picture() -> None:
    first, second = scene(seed=1), scene(seed=2)
    pair = saved(first, "MPO", save_all=True, append_images=[second])
    found = image_hash.encode(picture.read(pair, "image/jpeg").image)
    assert found == image_hash.encode(Image.open(io.BytesIO(saved(first, "JPEG"))))
