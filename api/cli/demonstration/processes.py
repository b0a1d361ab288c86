"""What a process and those below it have used, as /proc tells it; None where there is none."""

import os
from pathlib import Path

_KIBIBYTES_IN_MEBIBYTE = 1024
_PROC = Path("/proc")
_WORKER = b"registry.encoders.worker"
_PARENT, _TIMES = 1, slice(11, 15)  # utime, stime, cutime, cstime, counted from the state


def cpu_seconds(pid: int) -> float | None:
    """CPU time of a process and all below it, ended ones included."""
    stats = _stats()
    if pid not in stats:
        return None
    ticks = sum(int(field) for one in _tree(pid, stats) for field in stats[one][_TIMES])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int) -> float | None:
    """The most memory that a process ever held."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    peak = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return None if peak is None else int(peak) / _KIBIBYTES_IN_MEBIBYTE


def worker_peak_mib(pid: int) -> float | None:
    """The most memory that one of the media workers below a process ever held."""
    workers = [one for one in _tree(pid, _stats()) if _WORKER in _command(one)]
    return max((peak for one in workers if (peak := peak_mib(one)) is not None), default=None)


def _tree(pid: int, stats: dict[int, list[str]]) -> set[int]:
    """The process and all below it."""
    tree = {pid}
    while below := {one for one, stat in stats.items() if int(stat[_PARENT]) in tree} - tree:
        tree |= below
    return tree


def _stats() -> dict[int, list[str]]:
    """The fields of proc(5) stat from the third on, of every process that has not just ended."""
    found = {}
    for process in _PROC.glob("[0-9]*"):
        try:
            text = (process / "stat").read_text()
        except OSError:
            continue
        found[int(process.name)] = text.rpartition(")")[2].split()
    return found


def _command(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""
