"""Whatever is sent, the pool answers or refuses in a sentence, and no worker is left behind."""

import asyncio
import functools
import hashlib
import io
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from registry.encoders import image_hash, picture
from registry.encoders.media import MediaEncoding, MediaWorkers, PictureHash
from registry.encoders.sniffing import SNIFF_BYTES, sniff
from registry.errors import (
    BusyError,
    MediaError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
)
from tests.registry.encoders import hostile
from tests.registry.encoders.hostile import FORMATS, saved, scene

SMALL = saved(scene(), "PNG")
UNSUPPORTED = {
    "TIFF": saved(scene(), "TIFF"),
    "BMP": saved(scene(), "BMP"),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "PDF": b"%PDF-1.7\n1 0 obj",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVI": b"RIFF\x24\0\0\0AVI LIST",
    "garbage": hostile.garbage(),
    "one byte": b"\xff",
}


def hash_of(data: bytes) -> bytes:
    return image_hash.encode(Image.open(io.BytesIO(data)))


def hashed(found: MediaEncoding) -> PictureHash:
    """The hash of what is a picture."""
    assert found.picture is not None
    return found.picture


def worker_ids() -> set[int]:
    """The worker processes that are children of this one, zombies too."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:  # a thread that has ended meanwhile
            continue
        for child in children:
            command = Path("/proc", child, "cmdline").read_bytes()
            if not command or b"registry.encoders.worker" in command:
                found.add(int(child))
    return found


def of_pool(pool: MediaWorkers) -> int:
    """How many processes this pool has; other pools of the test run have their own."""
    return len(pool._idle) + len(pool._busy)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def one_of(pool: MediaWorkers) -> int:
    """The process that answers next."""
    await pool.encode(SMALL)
    return pool._idle[-1]._process.pid


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110 - the pool has no event for what goes on inside
        await asyncio.sleep(0.001)


async def until_asked(pool: MediaWorkers) -> int:
    """Wait until a worker is at work, and say which."""
    await until(lambda: any(worker.served for worker in pool._busy))
    return next(iter(pool._busy))._process.pid


@pytest.mark.parametrize("media_type", FORMATS)
async def test_a_picture_is_encoded(media_type: str, workers: MediaWorkers) -> None:
    data = saved(scene(), FORMATS[media_type])
    found = await workers.encode(data)
    mirrored = image_hash.encode_mirrored(Image.open(io.BytesIO(data)))
    assert found == MediaEncoding(
        kind="image",
        media_type=media_type,
        sha256=hashlib.sha256(data).digest(),
        width=240,
        height=180,
        picture=PictureHash("phash-256/1", hash_of(data), mirrored, usable=True),
    )


async def test_a_photograph_s_hash_is_that_of_the_library_itself(
    workers: MediaWorkers, photographs: dict[str, bytes]
) -> None:
    for name in ("astronaut", "rocket"):
        found = await workers.encode(photographs[name])
        assert hashed(found).plain == hash_of(photographs[name])


@functools.cache
def kinds() -> dict[str, tuple[bytes, str]]:
    """Files that a decoder needs something special for: all of it is in the worker already."""
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257)
    frames = [scene(seed=seed) for seed in (1, 2)]
    both = {"save_all": True, "append_images": frames[1:]}
    return {
        "two pictures in a JPEG": (saved(frames[0], "MPO", **both), "image/jpeg"),
        "turned JPEG": (saved(scene(), "JPEG", exif=turned), "image/jpeg"),
        "progressive JPEG": (saved(scene(), "JPEG", progressive=True), "image/jpeg"),
        "CMYK": (saved(scene().convert("CMYK"), "JPEG"), "image/jpeg"),
        "16 bits": (saved(deep, "PNG"), "image/png"),
        "1 bit": (saved(scene().convert("1"), "PNG"), "image/png"),
        "grey and alpha": (saved(scene().convert("LA"), "PNG"), "image/png"),
        "transparent colour": (saved(scene().quantize(9), "PNG", transparency=1), "image/png"),
        "turned PNG": (saved(scene(), "PNG", exif=turned), "image/png"),
        "moving PNG": (saved(frames[0], "PNG", **both), "image/png"),
        "moving WebP": (saved(frames[0], "WEBP", **both), "image/webp"),
        "turned WebP": (saved(scene(), "WEBP", lossless=True, exif=turned), "image/webp"),
        "moving GIF": (saved(frames[0], "GIF", **both), "image/gif"),
    }


@pytest.mark.parametrize("kind", kinds())
async def test_every_kind_of_picture_is_read_behind_the_locks(
    kind: str, workers: MediaWorkers
) -> None:
    data, media_type = kinds()[kind]
    expected = picture.read(data, media_type)
    found = await workers.encode(data)
    assert hashed(found).plain == image_hash.encode(expected.image)
    assert (found.width, found.height) == (expected.width, expected.height)


async def test_a_flat_picture_is_not_usable(workers: MediaWorkers) -> None:
    found = await workers.encode(saved(Image.new("RGB", (300, 300), "black"), "JPEG"))
    assert not hashed(found).usable


@pytest.mark.parametrize("data", UNSUPPORTED.values(), ids=UNSUPPORTED)
async def test_another_type_is_refused_with_the_list_of_those_read(
    data: bytes, workers: MediaWorkers
) -> None:
    assert sniff(data[:SNIFF_BYTES]) is None
    with pytest.raises(UnsupportedError) as refusal:
        await workers.encode(data)
    assert all(name in str(refusal.value) for name in ("JPEG", "GIF", "WAV", "M4A", "MP4", "WebM"))


async def test_an_empty_file_is_refused(workers: MediaWorkers) -> None:
    with pytest.raises(MediaError, match="empty"):
        await workers.encode(b"")


@pytest.mark.parametrize("media_type", FORMATS)
async def test_a_magic_number_and_garbage_is_refused(
    media_type: str, workers: MediaWorkers
) -> None:
    head = saved(scene(), FORMATS[media_type])[:16]
    for data in (head, head + hostile.garbage()):
        with pytest.raises(MediaError, match="Send"):
            await workers.encode(data)


@pytest.mark.parametrize("media_type", FORMATS)
async def test_damage_gives_an_answer_or_a_refusal_and_costs_no_worker(
    media_type: str, workers: MediaWorkers
) -> None:
    whole = saved(scene(), FORMATS[media_type])
    before = await one_of(workers)
    refused = 0
    for seed in range(20):
        try:
            found = await workers.encode(hostile.flipped(whole, seed))
        except (MediaError, TooLargeError):
            refused += 1
        else:
            assert len(hashed(found).plain) == len(hashed(found).mirrored) == 32
    assert refused
    assert await one_of(workers) == before
    assert of_pool(workers) <= 2


async def test_the_first_magic_number_decides_what_a_polyglot_is(workers: MediaWorkers) -> None:
    script = b"=1;alert(document.domain)//"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("run.sh", "#!/bin/sh\n")
    for name, tail in (("GIF", script), ("JPEG", archive.getvalue()), ("PNG", script)):
        plain = saved(scene(), name)
        alone, both = await workers.encode(plain), await workers.encode(plain + tail)
        assert both.picture == alone.picture
        assert both.media_type == alone.media_type
        assert both.sha256 == hashlib.sha256(plain + tail).digest()


async def test_bombs_are_refused_at_once_and_the_parent_does_not_grow(
    workers: MediaWorkers,
) -> None:
    bombs = [
        hostile.bomb(20_000, depth=1),
        hostile.bomb(13_000),
        hostile.jpeg_claiming(65_500, 65_500),
    ]
    await workers.encode(SMALL)
    before, started = resident_bytes(), time.monotonic()
    for _ in range(5):
        for data in bombs:
            with pytest.raises(TooLargeError, match="million pixels"):
                await workers.encode(data)
    assert time.monotonic() - started < 5
    assert resident_bytes() - before < 20 * 2**20


async def test_twenty_requests_share_two_workers(workers: MediaWorkers) -> None:
    files = [saved(scene(seed=seed), "PNG") for seed in range(20)]
    found = await asyncio.gather(*(workers.encode(data) for data in files))
    assert [hashed(each).plain for each in found] == [hash_of(data) for data in files]
    assert 1 <= of_pool(workers) <= 2


async def test_a_worker_answers_many_requests() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        assert len({await one_of(pool) for _ in range(10)}) == 1
    finally:
        await pool.close()


async def test_a_worker_is_replaced_after_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.encoders.media.SERVED_MOST", 2)
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        first = await one_of(pool)
        await pool.encode(SMALL)
        assert not pool._idle
        assert await one_of(pool) != first
    finally:
        await pool.close()


async def test_what_takes_too_long_is_killed_and_the_next_request_is_served() -> None:
    before = worker_ids()
    pool = MediaWorkers(workers=1, seconds=1.0)
    try:
        asked = asyncio.ensure_future(pool.encode(hostile.endless_jpeg()))
        slow = await until_asked(pool)
        started = time.monotonic()
        with pytest.raises(TooLargeError, match="longer than 1 s"):
            await asked
        assert time.monotonic() - started < 4
        assert await one_of(pool) != slow
    finally:
        await pool.close()
    assert worker_ids() == before


async def test_a_cancelled_request_takes_its_worker_with_it() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        task = asyncio.ensure_future(pool.encode(hostile.endless_jpeg()))
        cancelled = await until_asked(pool)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert hashed(await pool.encode(SMALL)).plain == hash_of(SMALL)
        assert await one_of(pool) != cancelled
    finally:
        await pool.close()


async def test_a_request_cancelled_while_its_worker_starts_leaves_none_behind() -> None:
    before = worker_ids()
    pool = MediaWorkers(workers=1, seconds=20.0)
    task = asyncio.ensure_future(pool.encode(SMALL))
    await until(lambda: bool(pool._busy))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await pool.close()
    assert worker_ids() == before


async def test_a_worker_that_dies_at_work_is_a_refusal() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        task = asyncio.ensure_future(pool.encode(hostile.endless_jpeg()))
        os.kill(await until_asked(pool), 9)
        with pytest.raises(MediaError, match="gave up"):
            await task
        assert hashed(await pool.encode(SMALL)).plain == hash_of(SMALL)
    finally:
        await pool.close()


async def test_a_worker_that_dies_idle_is_not_noticed_by_the_next_request() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        os.kill(await one_of(pool), 9)
        await pool._idle[-1]._process.wait()
        assert hashed(await pool.encode(SMALL)).plain == hash_of(SMALL)
    finally:
        await pool.close()


async def test_memory_has_a_limit() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0, memory_bytes=320 * 2**20)
    large = saved(Image.new("RGBA", (4_400, 4_400), "navy"), "PNG", compress_level=1)
    try:
        with pytest.raises(TooLargeError, match="memory"):
            await pool.encode(large)
        assert hashed(await pool.encode(SMALL)).plain == hash_of(SMALL)
    finally:
        await pool.close()


@pytest.mark.parametrize("python", [shutil.which("false"), "/nonexistent/python"])
async def test_a_worker_that_cannot_start_is_said_to_be_away(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", python)
    pool = MediaWorkers(workers=1, seconds=20.0)
    try:
        with pytest.raises(UnavailableError) as refusal:
            await pool.encode(SMALL)
    finally:
        await pool.close()
    assert refusal.value.retry_after == 5


async def test_more_than_sixty_four_waiting_are_sent_away() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    tasks = [asyncio.ensure_future(pool.encode(SMALL)) for _ in range(70)]
    try:
        found = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await pool.close()
    refused = [each for each in found if isinstance(each, BusyError)]
    assert len(refused) == 5
    assert all(each.retry_after == 1 for each in refused)
    assert sum(isinstance(each, MediaEncoding) for each in found) == 65


async def test_more_bytes_than_may_wait_are_sent_away() -> None:
    pool = MediaWorkers(workers=1, seconds=20.0)
    heavy = SMALL + bytes(100 * 2**20)
    try:
        first, second = await asyncio.gather(
            pool.encode(heavy), pool.encode(heavy), return_exceptions=True
        )
        assert isinstance(first, MediaEncoding)
        assert isinstance(second, BusyError)
        assert isinstance(await pool.encode(SMALL), MediaEncoding)
    finally:
        await pool.close()


async def test_closing_refuses_those_at_work_and_waiting_and_leaves_no_process() -> None:
    before = worker_ids()
    pool = MediaWorkers(workers=1, seconds=20.0)
    tasks = [asyncio.ensure_future(pool.encode(hostile.endless_jpeg())) for _ in range(3)]
    await until_asked(pool)
    await pool.close()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, UnavailableError) for each in found)
    assert worker_ids() == before
    with pytest.raises(UnavailableError):
        await pool.encode(SMALL)
    await pool.close()
