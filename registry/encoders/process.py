"""The parent's end of one worker process: how it is started, spoken with and got rid of.

The messages are those of registry/encoders/worker.py. No setting or secret of ours reaches it.
"""

import asyncio
import contextlib
import json
import math
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

_LENGTH = struct.Struct(">I")
_REPLY_BYTES = 8 * 2**20  # 64 faces, each by several encoders of up to 4,096 dimensions
_WRITE_BYTES = 2**20
_PACKAGES = Path(__file__).resolve().parents[2]
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerProcess:
    """One process of `registry.encoders.worker`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ready: asyncio.Task[dict[str, Any]] | None = None
        self.served = 0

    @classmethod
    async def spawn(
        cls, seconds: float, memory_bytes: int, models_dir: str = "", encoders_file: str = ""
    ) -> Self:
        """Start a process; its first message says that it is ready. Raises OSError.

        The paths are absolute, or empty for none: what the worker encodes faces and voices with.
        """
        command = (sys.executable, "-P", "-s", "-m", "registry.encoders.worker")
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                *(str(math.ceil(seconds) + 1), str(memory_bytes), models_dir, encoders_file),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd="/",
                env=_environment(),
            )
        )

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    async def ready(self) -> None:
        """Wait for its first message. Whoever gives up waiting leaves it to start for the next.

        Raises EOFError when it ended instead.
        """
        if self._ready is None:
            self._ready = asyncio.create_task(self.receive())
            self._ready.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._ready)

    async def ask(self, header: Mapping[str, object], data: bytes) -> dict[str, Any]:
        """One request and its reply. Raises OSError, EOFError or ValueError where it fails."""
        self.served += 1
        await self._send(json.dumps(header).encode())
        await self._send(data)
        return await self.receive()

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises EOFError when it has ended, ValueError for no message."""
        (size,) = _LENGTH.unpack(await self._stdout.readexactly(_LENGTH.size))
        if size > _REPLY_BYTES:
            raise ValueError("A media worker's reply is longer than any.")
        reply = json.loads(await self._stdout.readexactly(size))
        if not isinstance(reply, dict):
            raise ValueError("A media worker's reply is no object.")  # noqa: TRY004 - bad data
        return reply

    def kill(self) -> None:
        """End it now, whatever it does (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def gone(self) -> None:
        """Wait until the killed process has been reaped and its pipes are closed."""
        if self._ready is not None and not self._ready.done():
            self._ready.cancel()
            await asyncio.wait([self._ready])
        self._stdin.close()
        with contextlib.suppress(OSError):
            while await self._stdout.read(_REPLY_BYTES):
                pass
        await self._process.wait()

    async def _send(self, message: bytes) -> None:
        self._stdin.write(_LENGTH.pack(len(message)))
        for start in range(0, len(message), _WRITE_BYTES):  # so that no second copy piles up
            self._stdin.write(message[start : start + _WRITE_BYTES])
            await self._stdin.drain()

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        return self._process.stdin

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return self._process.stdout


def _environment() -> dict[str, str]:
    """All that a worker sees of ours: where the packages are, and to use one thread."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": str(_PACKAGES)}
