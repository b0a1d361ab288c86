"""CPU time and memory of processes, as Linux counts them in /proc."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pid: int) -> float:
    """CPU time of one process, all its threads, since it began."""
    utime, stime, *_ = _times(pid)
    return (utime + stime) / _TICKS


def tree_seconds(pid: int) -> float:
    """The same of a process with all its descendants, those that ended included."""
    total = 0
    for one in (pid, *descendants(pid)):
        try:
            total += sum(_times(one))
        except FileNotFoundError:  # it ended meanwhile: its parent has its times now
            continue
    return total / _TICKS


def exact_seconds(pids: Iterable[int]) -> float:
    """CPU time of processes that are alive, all their threads, to the nanosecond.

    A tick of /proc is 10 ms; the clock of a process is not rounded (clock_getcpuclockid(3)).
    """
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime((~pid) << 3 | 2)
        except OSError:  # it has ended
            continue
    return total


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = int(_fields(int(folder.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(folder.name))
    found, left = list[int](), [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def postmaster(pid: int) -> int:
    """The PostgreSQL server that this process runs as its child."""
    for child in descendants(pid):
        command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if command[0].endswith(b"/postgres") and b"-D" in command:
            return child
    raise LookupError(f"Process {pid} runs no PostgreSQL.")


def resident_mib(pid: int) -> float:
    """Memory the process holds now."""
    return _memory_mib(pid, "VmRSS:")


def peak_mib(pid: int) -> float:
    """The most memory it has held."""
    return _memory_mib(pid, "VmHWM:")


def _memory_mib(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise LookupError(f"Process {pid} holds no memory.")


def _times(pid: int) -> tuple[int, int, int, int]:
    """utime, stime, cutime, cstime in clock ticks (proc(5))."""
    fields = _fields(pid)
    return int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on: the second may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
