"""What the system says about a process, and whether a `postmaster.pid` speaks of a live one.

A zombie is dead: PostgreSQL itself takes it for alive and would never start again where nobody
reaps it.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from registry.embedded.places import SOCKET_NAME, Place
from registry.errors import SetupError

PROC = Path("/proc")
# Fast shutdown: roll back, write a checkpoint, end. Quit: end now, recover at the next start.
SHUTDOWN = ((signal.SIGINT, 120.0), (signal.SIGQUIT, 30.0), (signal.SIGKILL, 10.0))


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it was when looked at."""

    pid: int
    state: str
    uid: int
    arguments: tuple[str, ...]

    @classmethod
    def look(cls, pid: int) -> Self | None:
        """The process of that number, or None if there is none."""
        return cls._from_proc(pid) if (PROC / "self/stat").exists() else cls._from_ps(pid)

    @classmethod
    def _from_proc(cls, pid: int) -> Self | None:
        folder = PROC / str(pid)
        try:
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            arguments = (folder / "cmdline").read_text(errors="replace").split("\0")
            return cls(pid, state, folder.stat().st_uid, tuple(arguments))
        except (FileNotFoundError, ProcessLookupError):
            return None

    @classmethod
    def _from_ps(cls, pid: int) -> Self | None:
        # macOS has no /proc. Spaces in a path split an argument here, so `runs` looks for the text.
        command = ["/bin/ps", "-ww", "-o", "stat=,uid=,command=", "-p", str(pid)]
        said = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # an int
        words = said.stdout.split(maxsplit=2)
        if len(words) < 3:  # noqa: PLR2004  # the three columns asked for
            return None
        return cls(pid, words[0][0], int(words[1]), (words[2],))

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a zombie (Z) or a process being removed (X) does not."""
        return self.state not in {"Z", "X"}

    def runs(self, cluster: Path, uid: int) -> bool:
        """Whether it is a live postmaster of that cluster, run by that user."""
        line = " ".join(self.arguments)
        return self.is_alive and self.uid == uid and f"postgres -D {cluster} " in f"{line} "


def recorded(cluster: Path) -> tuple[int, Path] | None:
    """Pid and socket folder from postmaster.pid, or None while it is absent or not written."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return abs(int(lines[0])), Path(lines[4])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None


def settle(place: Place) -> None:
    """End whatever an earlier life left of the cluster's server. Call it with the lock held.

    A live postmaster (its parent was killed) is stopped; a dead one's lock files are removed.
    SetupError if it can't be stopped.
    """
    lock_file = place.cluster / "postmaster.pid"
    with suppress(FileNotFoundError, IndexError, ValueError):
        first = abs(int(lock_file.read_text().splitlines()[0]))
        _end(first, place)
    for leftover in (lock_file, *_socket_files(place)):
        # Orphaned backends still bar a new server: by the shared memory named after the folder.
        leftover.unlink(missing_ok=True)


def _end(pid: int, place: Place) -> None:
    for sent, seconds in SHUTDOWN:
        deadline = time.monotonic() + seconds
        if not _owns(pid, place):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
        while time.monotonic() < deadline and _owns(pid, place):
            time.sleep(0.02)
    if _owns(pid, place):
        raise SetupError(f"Process {pid} runs PostgreSQL in {place.cluster} and does not end.")


def _owns(pid: int, place: Place) -> bool:
    process = Process.look(pid)
    return process is not None and process.runs(place.cluster, place.account.uid)


def _socket_files(place: Place) -> tuple[Path, Path]:
    folder = place.socket_dir()
    return folder / SOCKET_NAME, folder / f"{SOCKET_NAME}.lock"
