"""One life of the PostgreSQL server: a child of this process, reaped by a thread when it ends."""

import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from registry.embedded import folders
from registry.embedded.cluster import DATABASE
from registry.embedded.places import PORT, ROLES, SOCKET_NAME, Place
from registry.embedded.process import SHUTDOWN
from registry.errors import UnavailableError

# On the command line they beat postgresql.conf and ALTER SYSTEM: durability is not for tuning.
ARGUMENTS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",  # standard error is our log file
}
RECOVERY_SECONDS = 300.0
LOG_BYTES = 10 * 2**20
PROTOCOL = 196608  # 3.0; PostgreSQL manual, "Message Formats", StartupMessage


class ServerEndedError(UnavailableError):
    """The server ended before it served; the message is what it said last."""


class Server:
    """A running `postgres`. `ended` is set once it was reaped; `when_ended` is called then."""

    def __init__(self, place: Place, install: Path, when_ended: Callable[[], None]) -> None:
        self.socket_dir = place.socket_dir()
        self.ended = threading.Event()
        self.lived_seconds = 0.0
        self._started_at = time.monotonic()
        self._place = place
        self._when_ended = when_ended
        descriptor = folders.open_private(place.log, os.O_WRONLY | os.O_APPEND)
        try:
            self._log_start = os.fstat(descriptor).st_size
            self._process = place.account.spawn(
                self._command(install), stdin=subprocess.DEVNULL, output=descriptor
            )
        finally:
            os.close(descriptor)
        # No PR_SET_PDEATHSIG: it needs code between fork and exec, unsafe where there are threads.
        # A server that outlives this process is stopped by the next start.
        threading.Thread(target=self._reap, name="postgres-reaper", daemon=True).start()

    @property
    def pid(self) -> int:
        """The postmaster's process number."""
        return self._process.pid

    def wait_until_ready(self, cancelled: threading.Event) -> None:
        """Return once it takes connections; crash recovery may need minutes.

        ServerEndedError if it ends instead, UnavailableError when cancelled or after
        RECOVERY_SECONDS.
        """
        deadline = time.monotonic() + RECOVERY_SECONDS
        while not accepts(self.socket_dir):
            if self.ended.wait(0.02):
                raise ServerEndedError(f"PostgreSQL did not start: {self._last_words()}")
            if cancelled.is_set() or time.monotonic() > deadline:
                self.shutdown()
                raise UnavailableError(
                    f"PostgreSQL was stopped before it served. See {self._place.log}."
                )

    def shutdown(self) -> None:
        """Ask it to end, ever more firmly, and return when it has."""
        for sent, seconds in SHUTDOWN:
            if self.ended.is_set():
                return
            self._process.send_signal(sent)
            self.ended.wait(seconds)

    def _command(self, install: Path) -> list[str | Path]:
        command: list[str | Path] = [install / "bin/postgres", "-D", self._place.cluster]
        settings = {**ARGUMENTS, "unix_socket_directories": _quoted(self.socket_dir)}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _reap(self) -> None:
        self._process.wait()
        self.lived_seconds = time.monotonic() - self._started_at
        self.ended.set()
        self._when_ended()

    def _last_words(self) -> str:
        with self._place.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-10:]) or f"ended with code {self._process.returncode}."


def accepts(socket_dir: Path) -> bool:
    """Whether a server behind the socket takes connections: it asks for a password."""
    words = ["user", ROLES["admin"], "database", DATABASE, ""]
    body = struct.pack("!i", PROTOCOL) + "\0".join(words).encode() + b"\0"
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(1.0)
        connection.connect(str(socket_dir / SOCKET_NAME))
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        return connection.recv(4096).startswith(
            b"R"
        )  # Authentication...; E while starting up or recovering
    return False


def trim_log(log: Path) -> None:
    """Keep at most LOG_BYTES, and once that of what came before."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            descriptor = folders.open_private(log.with_suffix(".log.1"), os.O_WRONLY | os.O_TRUNC)
            with os.fdopen(descriptor, "wb") as older, log.open("rb") as current:
                shutil.copyfileobj(current, older)
            os.truncate(log, 0)  # the server appends, so it goes on at the new end


def _quoted(folder: Path) -> str:
    """A folder as an element of PostgreSQL's list of folders."""
    return '"' + str(folder).replace('"', '""') + '"'
