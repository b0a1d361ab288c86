"""Media is hostile: told apart by its first bytes, decoded in processes that may be killed.

A worker serves one request at a time. Whatever goes wrong in it, it is killed, and the next request
starts another. Why so: docs/decisions/0002-media-workers.md.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from registry.encoders.process import WorkerProcess
from registry.errors import (
    BusyError,
    MediaError,
    RegistryError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
)

logger = logging.getLogger(__name__)

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
SNIFF_BYTES = 16
WORKER_MEMORY_BYTES = 1500 * 2**20
WAITING = 64
HELD_BYTES = 128 * 2**20
SERVED_MOST = 500

_START_SECONDS = 60.0
_HASH_BYTES = 32
# What a worker may refuse with; anything else it says is a worker gone wrong.
_REFUSALS = {error.code.value: error for error in (MediaError, TooLargeError)}


def sniff(head: bytes) -> str | None:
    """The media type that the first 16 bytes announce, or None for one that is not read here."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if head[:6] in {b"GIF87a", b"GIF89a"} else None


@dataclass(frozen=True, slots=True)
class MediaEncoding:
    """What media was turned into.

    `width` and `height` are pixels as a viewer shows them, before any reduction; `sha256` is of the
    upload; `image_hash` and `mirrored_hash` are 32 bytes of `encoder`, and tell nothing apart where
    `usable` is false.
    """

    kind: str
    media_type: str
    width: int
    height: int
    sha256: bytes
    encoder: str
    image_hash: bytes
    mirrored_hash: bytes
    usable: bool


class MediaWorkers:
    """Up to `workers` processes, started when needed, killed when a request outlives `seconds`."""

    def __init__(
        self, workers: int = 2, seconds: float = 5.0, memory_bytes: int = WORKER_MEMORY_BYTES
    ) -> None:
        self._workers = workers
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._admitted = 0
        self._held_bytes = 0
        self._closed = False

    async def encode(self, data: bytes) -> MediaEncoding:
        """Decode and encode one file in a worker.

        Raises UnsupportedError (not a type read here), MediaError (damaged), TooLargeError (too
        many pixels, too much memory or time), BusyError (64 files or 128 MiB are waiting) and
        UnavailableError (no worker starts, or all are closed).
        """
        if not data:
            raise MediaError("The file is empty. Send the bytes of a picture.")
        media_type = sniff(data[:SNIFF_BYTES])
        if media_type is None:
            raise UnsupportedError(f"Not a type read here. Send one of: {', '.join(MEDIA_TYPES)}.")
        async with self._admission(len(data)):
            sha256 = await asyncio.to_thread(hashlib.sha256, data)
            answer = await self._ask(media_type, data, sha256.digest())
        if isinstance(answer, RegistryError):
            raise answer
        return answer

    async def close(self) -> None:
        """Kill every worker and wait until none is left; requests under way are refused."""
        self._closed = True
        for worker in self._busy:
            worker.kill()
        for _ in range(self._workers):
            await self._slots.acquire()  # now nobody is inside
        while self._idle:
            self._end(self._idle.pop())
        await asyncio.gather(*self._ending)
        for _ in range(self._workers):
            self._slots.release()

    @contextlib.asynccontextmanager
    async def _admission(self, size: int) -> AsyncIterator[None]:
        """Take one of the slots, in the order of asking, unless too much is waiting already."""
        full = self._admitted >= self._workers + WAITING
        if full or (self._admitted and self._held_bytes + size > HELD_BYTES):
            raise BusyError("Too many files are being read. Ask again in a second.", retry_after=1)
        self._admitted += 1
        self._held_bytes += size
        try:
            async with self._slots:
                yield
        finally:
            self._admitted -= 1
            self._held_bytes -= size

    async def _ask(
        self, media_type: str, data: bytes, sha256: bytes
    ) -> MediaEncoding | RegistryError:
        """A worker's answer, or its refusal. Raises where it gives neither, in time and in form."""
        try:
            async with self._worker() as worker, asyncio.timeout(self._seconds):
                reply = await worker.ask({"media_type": media_type}, data)
                return _understood(reply, media_type, sha256)
        except TimeoutError as error:
            raise TooLargeError(
                f"Reading this file took longer than {self._seconds:g} s. Send a smaller copy."
            ) from error
        except (OSError, EOFError, ValueError) as error:
            if self._closed:
                raise self._stopping() from error
            raise MediaError(
                "The decoder gave up on this file. Send a copy saved anew by an image program."
            ) from error

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        """A worker for one request; unless that ends well, the worker ends with it."""
        worker = self._idle_one() or await self._fresh_one()
        self._busy.add(worker)
        try:
            await self._until_ready(worker)
            yield worker
        except BaseException:  # cancelled, too: its answer would be taken for the next one's
            self._end(worker)
            raise
        else:
            if self._closed or worker.served >= SERVED_MOST:
                self._end(worker)
            else:
                self._idle.append(worker)
        finally:
            self._busy.discard(worker)

    def _idle_one(self) -> WorkerProcess | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._end(worker)
        return None

    async def _fresh_one(self) -> WorkerProcess:
        try:
            return await WorkerProcess.spawn(self._seconds, self._memory_bytes)
        except OSError as error:
            raise self._not_starting() from error

    async def _until_ready(self, worker: WorkerProcess) -> None:
        """Wait until it has locked itself down; this does not count as the request's time."""
        if self._closed:
            raise self._stopping()
        if worker.served:
            return
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker.receive()
        except (OSError, EOFError, ValueError) as error:
            raise (self._stopping() if self._closed else self._not_starting()) from error

    def _end(self, worker: WorkerProcess) -> None:
        worker.kill()
        task = asyncio.ensure_future(worker.gone())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    @staticmethod
    def _stopping() -> UnavailableError:
        return UnavailableError("The registry is stopping. Ask again.", retry_after=1)

    @staticmethod
    def _not_starting() -> UnavailableError:
        logger.error("A media worker did not start; what it wrote to stderr says why.")
        return UnavailableError("Media cannot be read just now. Ask again.", retry_after=5)


def _understood(
    reply: dict[str, Any], media_type: str, sha256: bytes
) -> MediaEncoding | RegistryError:
    """The worker's reply in our terms. Raises ValueError for one no sound worker would give."""
    try:
        if "error" in reply:
            return _REFUSALS[reply["error"]["code"]](str(reply["error"]["message"]))
        return MediaEncoding(
            kind=str(reply["kind"]),
            media_type=media_type,
            width=int(reply["width"]),
            height=int(reply["height"]),
            sha256=sha256,
            encoder=str(reply["encoder"]),
            image_hash=_hash_bytes(reply["image_hash"]),
            mirrored_hash=_hash_bytes(reply["mirrored_hash"]),
            usable=reply["usable"] is True,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("A media worker's reply lacks a field.") from error


def _hash_bytes(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != _HASH_BYTES:
        raise ValueError("A media worker's hash has another length.")
    return value
