"""What checks cost: measured on the running server, from outside of it."""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from api.cli.demonstration import documents, pictures
from api.cli.demonstration.accounts import Account
from api.cli.demonstration.client import SECONDS
from api.cli.demonstration.people import Cast, a_hash_of
from api.cli.demonstration.server import Server

CHECKS = 200
AT_A_TIME = 16
_KIBIBYTES_IN_MEBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """The cost of a burst of checks by hash. None where this system does not tell."""

    references: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float | None
    peak_mib: float | None


def measure(server: Server, asker: Account, cast: Cast, rng: random.Random) -> Figures:
    """Ask `CHECKS` questions, `AT_A_TIME` together, and see what that cost the server."""
    questions = [_question(cast, rng) for _ in range(CHECKS)]
    before = _cpu_seconds(server.pid)
    waits = sorted(asyncio.run(_burst(server.url, asker.token, questions)))
    after = _cpu_seconds(server.pid)
    return Figures(
        references=httpx2.get(f"{server.url}/readyz", timeout=SECONDS).json()["references"],
        p50_ms=1000 * waits[CHECKS // 2],
        p95_ms=1000 * waits[CHECKS * 95 // 100],
        cpu_ms=None if before is None or after is None else 1000 * (after - before) / CHECKS,
        peak_mib=_peak_mib(server.pid),
    )


def _question(cast: Cast, rng: random.Random) -> dict[str, Any]:
    """Half about a registered picture, half about one that nobody knows."""
    known = rng.choice([True, False])
    value = a_hash_of(cast.licensor, rng) if known else pictures.hash_of(cast.strangers[0])
    terms = cast.terms
    return {
        "use": rng.choice(terms.uses),
        "purpose": rng.choice(terms.purposes),
        "modalities": ["FACE"],
        "territories": [rng.choice(terms.territories)],
        "persons": [{"probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": value.hex()}}]}],
    }


async def _burst(url: str, token: str, questions: Sequence[dict[str, Any]]) -> list[float]:
    """The seconds each check took."""
    turns = asyncio.Semaphore(AT_A_TIME)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=SECONDS) as http:

        async def one(question: dict[str, Any]) -> float:
            body = {"query": documents.CHECK, "variables": {"input": question}}
            async with turns:
                began = time.perf_counter()
                response = await http.post("/graphql", json=body)
                took = time.perf_counter() - began
            response.raise_for_status()
            return took

        return await asyncio.gather(*(one(question) for question in questions))


def _cpu_seconds(pid: int) -> float | None:
    """CPU time of a process and all below it, ended ones included; None without /proc."""
    stats = {int(one.name): _stat(one) for one in Path("/proc").glob("[0-9]*")}
    if pid not in stats:
        return None
    tree = {pid}
    while below := {one for one, stat in stats.items() if stat and int(stat[1]) in tree} - tree:
        tree |= below
    ticks = sum(int(field) for one in tree for field in stats[one][11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str]:
    """The fields of proc(5) stat from the third on, or none if the process just ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _peak_mib(pid: int) -> float | None:
    """The most memory the server's own process ever held."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    peak = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return None if peak is None else int(peak) / _KIBIBYTES_IN_MEBIBYTE
