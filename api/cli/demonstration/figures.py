"""What checks cost: measured on the running server, from outside of it."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from api.cli.demonstration import documents, pictures, processes, sounds
from api.cli.demonstration.accounts import Account
from api.cli.demonstration.client import SECONDS, Client
from api.cli.demonstration.media import Media
from api.cli.demonstration.people import Cast
from api.cli.demonstration.server import Server

CHECKS = 200
AT_A_TIME = 16
UPLOADS = 5
VOICE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What one of several took: median wait, and CPU of server, database and workers."""

    wait_ms: float
    cpu_ms: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The cost of a burst of checks by hash, and of uploads. None where the system is silent."""

    references: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float | None
    photo: Cost
    voice: Cost
    peak_mib: float | None
    worker_peak_mib: float | None


def measure(
    server: Server, studio: Client, asker: Account, cast: Cast, rng: random.Random
) -> Figures:
    """Ask `CHECKS` questions, `AT_A_TIME` together, and see what that cost the server.

    Half of them are about registered pictures, half about one that nobody knows. Then a photo and
    5 s of speech are uploaded and asked about, `UPLOADS` times each, one by one.
    """
    known = [pictures.hash_of(one) for one in cast.licensor.files]
    unknown = [pictures.hash_of(cast.faceless[0])]
    hashes = [rng.choice(rng.choice([known, unknown])) for _ in range(CHECKS)]
    questions = [_question(cast, rng, one) for one in hashes]
    before = processes.cpu_seconds(server.pid)
    waits = sorted(asyncio.run(_burst(server.url, asker.token, questions)))
    cpu_ms = _per_one(before, processes.cpu_seconds(server.pid), CHECKS)
    return Figures(
        references=httpx2.get(f"{server.url}/readyz", timeout=SECONDS).json()["references"],
        p50_ms=1000 * waits[CHECKS // 2],
        p95_ms=1000 * waits[CHECKS * 95 // 100],
        cpu_ms=cpu_ms,
        photo=_to_decision(server, studio, Media(cast.stranger.picture, ""), _about(cast, rng)),
        voice=_to_decision(server, studio, _speech(cast), _about(cast, rng, "VOICE")),
        peak_mib=processes.peak_mib(server.pid),
        worker_peak_mib=processes.worker_peak_mib(server.pid),
    )


def _about(cast: Cast, rng: random.Random, modality: str = "FACE") -> dict[str, Any]:
    """What is asked, but for the persons."""
    return {
        "use": rng.choice(cast.terms.uses),
        "purpose": rng.choice(cast.terms.purposes),
        "modalities": [modality],
        "territories": [rng.choice(cast.terms.territories)],
    }


def _question(cast: Cast, rng: random.Random, value: bytes) -> dict[str, Any]:
    """About a picture of which only the hash is sent."""
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": value.hex()}}
    return {**_about(cast, rng), "persons": [{"probes": [probe]}]}


def _speech(cast: Cast) -> Media:
    return sounds.cut(sounds.said(cast.stranger.voice, cast.sentences[0]), 0, VOICE_SECONDS)


def _to_decision(server: Server, studio: Client, media: Media, question: dict[str, Any]) -> Cost:
    """From the bytes of a file to the answer, as one client that waits."""
    waits = []
    before = processes.cpu_seconds(server.pid)
    for _ in range(UPLOADS):
        began = time.perf_counter()
        upload = studio.upload(media.data)
        studio.check({**question, "persons": [{"probes": [upload.probe()]}]})
        waits.append(time.perf_counter() - began)
    cpu_ms = _per_one(before, processes.cpu_seconds(server.pid), UPLOADS)
    return Cost(1000 * sorted(waits)[UPLOADS // 2], cpu_ms)


def _per_one(before: float | None, after: float | None, count: int) -> float | None:
    """Milliseconds for each of so many."""
    return None if before is None or after is None else 1000 * (after - before) / count


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
