"""Embedded PostgreSQL as the rest of the product sees it.

This process is the server's parent: it reaps it, starts it again when it dies, and holds the
cluster's lock meanwhile.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from registry.embedded import binaries, cluster, places, process
from registry.embedded.lock import Lock
from registry.embedded.places import Place
from registry.embedded.server import Server, ServerEndedError, accepts, trim_log
from registry.errors import RegistryError, SetupError, UnavailableError

# Backends of a killed postmaster end by themselves, and hold its shared memory until then.
SHARED_MEMORY = "shared memory block"
ORPHANS_SECONDS = 60.0
ATTACH_SECONDS = 60.0
STEADY_SECONDS = 10.0
RETRY_SECONDS = (0.05, 5.0)
HOUSEKEEPING_SECONDS = 30.0

logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """The PostgreSQL of a data folder. Every method blocks; call them from a thread."""

    def __init__(self, data_dir: Path, *, system_dir: Path = places.SYSTEM_DIR) -> None:
        self._data_dir = data_dir
        self._system_dir = system_dir
        self._mutex = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._place: Place | None = None
        self._install: Path | None = None
        self._lock: Lock | None = None
        self._server: Server | None = None
        self._watcher: threading.Thread | None = None
        self._socket_dir: Path | None = None
        self._pause_seconds = 0.0
        self._process_id = 0

    def start(self) -> None:
        """Serve, making the cluster at the first start. Nothing happens if it serves already.

        SetupError if another process supervises this folder, or if the operator must act.
        """
        with self._mutex:
            if self._watcher is not None:
                return
            holder = self._start_unless_held()
        if holder is not None:
            raise SetupError(
                f"PostgreSQL in {self._data_dir} is already run by process {holder}. Stop that "
                f"process (kill {holder}), or set another LIKENESS_DATA_DIR."
            )

    def stop(self) -> None:
        """End the server and let go of the folder. Nothing happens if it was not started here."""
        with self._mutex:
            # A forked child inherits this object, but the server is not its child.
            if self._watcher is None or self._process_id != os.getpid():
                return
            self._stopping.set()
            self._wake.set()
            self._watcher.join()
            self._watcher = self._server = self._socket_dir = None
            self._release()
            atexit.unregister(self.stop)

    @contextmanager
    def attach_or_start(self) -> Iterator[Self]:
        """Use the server another process supervises; without one, run it while this lasts."""
        with self._mutex:
            started = self._watcher is None and not self._attached_or_started()
        try:
            yield self
        finally:
            if started:
                self.stop()
            else:
                self._socket_dir = self._server.socket_dir if self._server else None

    def url(self, role: str) -> str:
        """Where "admin" (owns the schema) or "app" connects; libpq and asyncpg read it.

        UnavailableError before start, SetupError if the password can't be read.
        """
        if self._socket_dir is None or self._place is None:
            raise UnavailableError("The embedded PostgreSQL is not running.")
        password = cluster.password(self._place, role)
        host = quote(str(self._socket_dir), safe="/")
        return (
            f"postgresql://{places.ROLES[role]}:{password}@/{cluster.DATABASE}"
            f"?host={host}&port={places.PORT}"
        )

    @property
    def pid(self) -> int | None:
        """The postmaster's process number while this process supervises it."""
        return self._server.pid if self._server is not None else None

    def _start_unless_held(self) -> int | None:
        """Start and return None, or return the pid of whoever supervises the cluster."""
        self._place = places.find(self._data_dir, self._system_dir)
        self._lock = Lock(self._place.lock)
        holder = self._lock.acquire()
        if holder is not None:
            return holder
        self._stopping.clear()
        self._wake.clear()
        try:
            self._install = binaries.usable_by(self._place.account, self._system_dir)
            process.settle(self._place)
            cluster.ensure(self._place, self._install)
            trim_log(self._place.log)
            self._server = self._launch(self._place, self._install)
        except BaseException:
            self._release()
            raise
        self._process_id = os.getpid()
        self._watcher = threading.Thread(target=self._watch, name="postgres-watcher", daemon=True)
        self._watcher.start()
        atexit.register(self.stop)
        return None

    def _attached_or_started(self) -> bool:
        """True once another process' server answers, False once our own does."""
        deadline = time.monotonic() + ATTACH_SECONDS
        while True:
            holder = self._start_unless_held()
            if holder is None:
                return False
            if self._attached():
                return True
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"Process {holder} supervises PostgreSQL in {self._data_dir}, but the server "
                    "does not answer."
                )
            time.sleep(0.05)

    def _attached(self) -> bool:
        place = self._place
        found = process.recorded(place.cluster) if place is not None else None
        if found is None or not accepts(found[1]):
            return False
        self._socket_dir = found[1]
        return True

    def _launch(self, place: Place, install: Path) -> Server:
        """A server that takes connections; waits for the backends of a killed one."""
        deadline = time.monotonic() + ORPHANS_SECONDS
        while True:
            process.settle(place)
            server = Server(place, install, self._wake.set)
            try:
                server.wait_until_ready(self._stopping)
            except ServerEndedError as error:
                if SHARED_MEMORY not in str(error) or time.monotonic() > deadline:
                    raise SetupError(f"{error} See {place.log}.") from error
                self._stopping.wait(0.1)
            else:
                self._socket_dir = server.socket_dir
                return server

    def _watch(self) -> None:
        """Bring the server back when it dies, until `stop`; the life of the watcher thread."""
        while not self._stopping.is_set():
            self._wake.wait(HOUSEKEEPING_SECONDS)
            self._wake.clear()
            if self._server is not None and self._server.ended.is_set():
                self._relaunch(self._server)
            if self._place is not None:
                trim_log(self._place.log)
        if self._server is not None:
            self._server.shutdown()

    def _relaunch(self, dead: Server) -> None:
        """Start a successor; the pause before each attempt doubles while servers die young."""
        first, longest = RETRY_SECONDS
        pause = 0.0 if dead.lived_seconds > STEADY_SECONDS else self._pause_seconds
        while not self._stopping.wait(pause):
            logger.error("PostgreSQL (process %d) died; it is started again", dead.pid)
            pause = min(max(2 * pause, first), longest)
            if self._is_relaunched():
                break
        self._pause_seconds = pause

    def _is_relaunched(self) -> bool:
        if self._place is None or self._install is None:
            return False
        try:
            self._server = self._launch(self._place, self._install)
        except (RegistryError, OSError) as error:
            logger.warning("PostgreSQL did not start again: %s", error)
            return False
        logger.warning("PostgreSQL serves again (process %d)", self._server.pid)
        return True

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
