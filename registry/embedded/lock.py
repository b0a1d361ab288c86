"""One supervisor a cluster.

The system drops the lock with the process that holds it, however it ends; the server does not
inherit it.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from registry.embedded import folders
from registry.embedded.process import Process

# Children forked by a killed supervisor (media workers) keep its lock until they end.
ORPHANS_SECONDS = 10.0


class Lock:
    """The right to start and stop the server of a cluster."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> int | None:
        """Take the lock and return None, or return the pid of the live process that holds it."""
        deadline = time.monotonic() + ORPHANS_SECONDS
        while not self._try():
            holder = self._holder()
            process = Process.look(holder)
            if (process is not None and process.is_alive) or time.monotonic() > deadline:
                return holder
            time.sleep(0.05)
        return None

    def release(self) -> None:
        """Let others take it. Doing it twice does no harm."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> bool:
        descriptor = folders.open_private(self._path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def _holder(self) -> int:
        with suppress(ValueError):  # the holder has not written it yet
            return int(self._path.read_text())
        return 0
