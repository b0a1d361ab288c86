"""Media is hostile: told apart by its first bytes, decoded in processes that may be killed.

A worker serves one request at a time. Whatever goes wrong in it, it is killed, and the next request
starts another. Why so: docs/decisions/0002-media-workers.md.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.encoders import targets
from registry.encoders.identity import IMAGE_HASH_BYTES
from registry.encoders.process import WorkerProcess
from registry.encoders.sniffing import SNIFF_BYTES, sniff
from registry.encoders.targets import FaceTarget, VoiceTarget
from registry.errors import (
    BusyError,
    MediaError,
    RegistryError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
)

logger = logging.getLogger(__name__)

WORKER_MEMORY_BYTES = 1500 * 2**20
WAITING = 64
HELD_BYTES = 128 * 2**20
SERVED_MOST = 500

_START_SECONDS = 60.0
# What a worker may refuse with; anything else it says is a worker gone wrong.
_REFUSALS = {error.code.value: error for error in (MediaError, TooLargeError)}


@dataclass(frozen=True, slots=True)
class PictureHash:
    """A picture's perceptual hash: 32 bytes of `encoder`, plain and of the picture mirrored.

    It tells nothing apart where `usable` is false.
    """

    encoder: str
    plain: bytes
    mirrored: bytes
    usable: bool


@dataclass(frozen=True, slots=True)
class MediaEncoding:
    """What a picture, a recording or a video was turned into.

    `width` and `height` are pixels as a viewer shows them, before any reduction; `sha256` is of the
    upload. `faces` and `voices` are everyone found, one entry a person; `faces_searched` and
    `voices_searched` are false where that could not be looked for: there is no model, or nothing of
    that kind in the file. `enrolling`: voices were encoded for every condition.
    """

    kind: str
    media_type: str
    sha256: bytes
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    picture: PictureHash | None = None
    faces: tuple[FaceTarget, ...] = ()
    voices: tuple[VoiceTarget, ...] = ()
    faces_searched: bool = False
    voices_searched: bool = False
    enrolling: bool = False


class MediaWorkers:
    """Up to `workers` processes, started when needed, killed when a request outlives `seconds`."""

    def __init__(
        self,
        workers: int = 2,
        seconds: float = 5.0,
        memory_bytes: int = WORKER_MEMORY_BYTES,
        *,
        models_dir: Path | None = None,
        encoders_file: Path | None = None,
    ) -> None:
        self._workers = workers
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._paths = tuple(
            "" if one is None else str(one.absolute()) for one in (models_dir, encoders_file)
        )
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._admitted = 0
        self._held_bytes = 0
        self._closed = False

    async def encode(self, data: bytes, *, enrolling: bool = False) -> MediaEncoding:
        """Decode and encode one file in a worker; `enrolling` for what may become a sample.

        Raises UnsupportedError (not a type read here), MediaError (damaged), TooLargeError (too
        many pixels, too much memory or time), BusyError (64 files or 128 MiB are waiting) and
        UnavailableError (no worker starts, or all are closed).
        """
        if not data:
            raise MediaError("The file is empty. Send the bytes of a picture or a recording.")
        media_type = sniff(data[:SNIFF_BYTES])
        if media_type is None:
            raise UnsupportedError(
                "Not a type read here. Send a picture (JPEG, PNG, WebP, GIF), a recording (WAV, "
                "FLAC, MP3, Ogg, M4A, WebM) or a video (MP4, WebM)."
            )
        async with self._admission(len(data)):
            sha256 = await asyncio.to_thread(hashlib.sha256, data)
            header = {"media_type": media_type, "enrolling": enrolling}
            answer = await self._ask(header, data, sha256.digest())
        if isinstance(answer, RegistryError):
            raise answer
        return answer

    async def warm(self) -> None:
        """Start a worker before anybody asks; loading the models takes seconds.

        Raises UnavailableError where none starts.
        """
        async with self._slots, self._worker():
            pass

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
        self, header: Mapping[str, object], data: bytes, sha256: bytes
    ) -> MediaEncoding | RegistryError:
        """A worker's answer, or its refusal. Raises where it gives neither, in time and in form."""
        try:
            async with self._worker() as worker, asyncio.timeout(self._seconds):
                return _understood(await worker.ask(header, data), sha256)
        except TimeoutError as error:
            raise TooLargeError(
                f"Reading this file took longer than {self._seconds:g} s. Send a smaller copy."
            ) from error
        except (OSError, EOFError, ValueError) as error:
            if self._closed:
                raise self._stopping() from error
            raise MediaError(
                "The decoder gave up on this file. Send a copy saved anew by another program."
            ) from error

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        """A worker for one request; unless that ends well, the worker ends with it."""
        worker = self._idle_one() or await self._fresh_one()
        self._busy.add(worker)
        try:
            await self._until_ready(worker)
            yield worker
        except BaseException as error:  # cancelled, too: its answer is not the next one's
            if isinstance(error, asyncio.CancelledError) and not worker.served:
                self._idle.append(worker)  # it may start on, for whoever comes next
            else:
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
            return await WorkerProcess.spawn(self._seconds, self._memory_bytes, *self._paths)
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
                await worker.ready()
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


def _understood(reply: dict[str, Any], sha256: bytes) -> MediaEncoding | RegistryError:
    """The worker's reply in our terms. Raises ValueError for one no sound worker would give."""
    try:
        if "error" in reply:
            return _REFUSALS[reply["error"]["code"]](str(reply["error"]["message"]))
        faces, voices = targets.from_json(reply)
        return MediaEncoding(
            kind=str(reply["kind"]),
            media_type=str(reply["media_type"]),
            sha256=sha256,
            width=None if reply["width"] is None else int(reply["width"]),
            height=None if reply["height"] is None else int(reply["height"]),
            seconds=None if reply["seconds"] is None else float(reply["seconds"]),
            picture=None if reply["picture"] is None else _picture(reply["picture"]),
            faces=faces,
            voices=voices,
            faces_searched=reply["faces_searched"] is True,
            voices_searched=reply["voices_searched"] is True,
            enrolling=reply["enrolling"] is True,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("A media worker's reply lacks a field.") from error


def _picture(given: dict[str, Any]) -> PictureHash:
    return PictureHash(
        encoder=str(given["encoder"]),
        plain=_hash_bytes(given["plain"]),
        mirrored=_hash_bytes(given["mirrored"]),
        usable=given["usable"] is True,
    )


def _hash_bytes(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != IMAGE_HASH_BYTES:
        raise ValueError("A media worker's hash has another length.")
    return value
