"""The server as anyone would start it: `likeness serve` in a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from registry.errors import SetupError

LOG = "server.log"
START_SECONDS = 120
STOP_SECONDS = 20
_TAIL_LINES = 15
_PAUSE_SECONDS = 0.05
_ADDRESS = re.compile(r"serves (http://\S+)")
# A slow machine is shown no other answers than a fast one.
_PATIENCE = {"LIKENESS_MEDIA_SECONDS": "20", "LIKENESS_REQUEST_SECONDS": "30"}
_COMMAND = (sys.executable, "-c", "from api.cli.main import run; run()", "serve", "--port", "0")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: where, as which process, and how long it took to start."""

    url: str
    pid: int
    start_seconds: float


@contextmanager
def running(data_dir: Path, models_dir: Path) -> Iterator[Server]:
    """A server on these folders for as long as the block lasts, however the block ends.

    Raises SetupError with the end of the server's log if it does not become ready.
    """
    log = data_dir / LOG
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and arguments
            [*_COMMAND, "--data-dir", str(data_dir)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_PATIENCE, "LIKENESS_MODELS_DIR": str(models_dir)},
            start_new_session=True,  # Ctrl-C is for the demonstration, which then stops the server
        )
    try:
        yield _ready(process, log)
    finally:
        _stop(process)


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> Server:
    began = time.monotonic()
    while time.monotonic() < began + START_SECONDS:
        if process.poll() is not None:
            raise SetupError(f"The server ended with code {process.returncode}. {_tail(log)}")
        found = _ADDRESS.search(log.read_text(errors="replace"))
        if found is not None and _answers(found[1]):
            return Server(found[1], process.pid, time.monotonic() - began)
        time.sleep(_PAUSE_SECONDS)
    raise SetupError(f"The server was not ready after {START_SECONDS} s. {_tail(log)}")


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5).is_success
    except httpx2.TransportError:
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n  ".join([f"The end of {log}:", *lines])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server; its database stops with it."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
