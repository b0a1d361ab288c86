"""The worker process by itself: what it has given up, and when it ends."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.encoders.media import WORKER_MEMORY_BYTES
from registry.encoders.process import WorkerProcess
from tests.registry.encoders import hostile

ROOT = Path(__file__).resolve().parents[3]
WORKER = (sys.executable, "-P", "-m", "registry.encoders.worker")
ATTEMPTS = """
import json, os, socket, sys
from registry.encoders.sandbox import lock_down
lock_down(int(sys.argv[2]))
def outcome(attempt):
    try:
        return attempt() and "done"
    except BaseException as error:
        return type(error).__name__
def after_closing_stdin():
    os.close(0)
    return os.open(sys.argv[1], os.O_RDONLY) == 0
print(json.dumps({
    "open": outcome(lambda: open(sys.argv[1])),
    "socket": outcome(socket.socket),
    "fork": outcome(lambda: os.fork() or os._exit(0)),
    "memory": outcome(lambda: bytearray(int(sys.argv[2]))),
    "root": outcome(lambda: os.setuid(0) or os.getuid() == 0),
    "with a free descriptor": outcome(after_closing_stdin),
}))
"""


def frame(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A worker with a limit of one second that has said it is ready."""
    process = subprocess.Popen(
        [*WORKER, "1", str(WORKER_MEMORY_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with process:
        assert process.stdout is not None
        (size,) = struct.unpack(">I", process.stdout.read(4))
        assert json.loads(process.stdout.read(size))["ready"] == "phash-256/1"
        yield process
        process.kill()


def status(pid: int) -> dict[str, str]:
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def environment(pid: int) -> bytes:
    return Path("/proc", str(pid), "environ").read_bytes()


def test_it_is_another_account_without_privileges(worker: subprocess.Popen[bytes]) -> None:
    found = status(worker.pid)
    root = os.geteuid() == 0
    account = 65533 if root else os.geteuid()
    assert found["Uid"].split() == [str(account)] * 4
    assert not root or not found["Groups"]
    assert int(found["CapEff"], 16) == 0
    assert found["NoNewPrivs"] == "1"


def test_it_has_given_up_files_children_and_memory(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.touch(0o600)
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(secret), str(512 * 2**20)],
        capture_output=True,
        check=True,
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    root = os.geteuid() == 0
    assert json.loads(done.stdout) == {
        "open": "OSError",
        "socket": "OSError",
        "fork": "BlockingIOError",
        "memory": "MemoryError",
        "root": "PermissionError",
        "with a free descriptor": "PermissionError" if root else "done",
    }


def test_it_ends_when_its_parent_s_end_of_the_pipe_closes(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(timeout=10) == 0


def test_it_ends_in_the_middle_of_a_message(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(frame(b'{"media_type": "image/png"}') + frame(b"cut off")[:-1])
    worker.stdin.close()
    assert worker.wait(timeout=10) == 0


def test_it_ends_itself_when_nobody_is_left_to_kill_it(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(frame(b'{"media_type": "image/jpeg"}') + frame(hostile.endless_jpeg()))
    worker.stdin.close()
    assert worker.wait(timeout=20) == -14  # SIGALRM


async def test_it_has_one_thread_and_sees_no_setting_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_DATABASE_URL", "postgresql://secret")
    process = await WorkerProcess.spawn(5.0, WORKER_MEMORY_BYTES)
    try:
        seen = environment(process._process.pid)
        await process.receive()
        assert status(process._process.pid)["Threads"] == "1"
    finally:
        process.kill()
        await process.gone()
    assert b"OMP_NUM_THREADS=1" in seen
    assert b"secret" not in seen
