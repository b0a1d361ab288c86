"""A day with a thousand doubtful matches: into how few reviews they collapse, and what it costs.

    python bench/grey_day.py --n 1000

n checks of 30 pictures that may each show one of ten people go to one API process; then the
doubtful decisions are brought before the desk, as the upkeep does once a minute, and the open
reviews are listed. Exits with 1 unless there is exactly one review for each picture.
"""

import asyncio
import sys
import time

import numpy as np
from asking import Client, question
from filling import fill, neighbour
from stage import Stage
from telling import Progress, options, table, verdict

from registry import dockets, doubts, reviews
from registry.database import now
from registry.installation import Installation, opened
from registry.paging import MAX_PAGE
from registry.reviews import ReviewKind, ReviewState

PEOPLE = 10
PICTURES = 30
GREY_DISTANCE = 54  # bits: between what matches and what is nobody
AT_ONCE = 50


def main() -> int:
    given = options(__doc__, n=1000, quick=200, long=10_000, what="doubtful checks")
    with Stage() as stage:
        filled = fill(stage, people=PEOPLE, per_person=1, seed=given.seed)
        rng = np.random.default_rng(given.seed)
        pictures = [
            neighbour(filled.hashes[at % PEOPLE], GREY_DISTANCE, rng) for at in range(PICTURES)
        ]
        api = stage.api()
        asked_seconds = asyncio.run(_ask(Client(api, stage.service), pictures, given.n))
        api.stop()
        rows, so_many = asyncio.run(_look_through(stage, given.n, asked_seconds))
    table(("what", "how much"), rows)
    return verdict(
        holds=so_many == PICTURES,
        text=f"{given.n} doubtful checks of {PICTURES} pictures are {so_many} reviews",
    )


async def _ask(client: Client, pictures: list[str], n: int) -> float:
    progress = Progress("checks", n)
    began = time.perf_counter()
    async with client:
        for start in range(0, n, AT_ONCE):
            batch = range(start, min(start + AT_ONCE, n))
            for decision in await asyncio.gather(
                *(client.check(question(pictures[at % PICTURES])) for at in batch)
            ):
                assert "GREY_ZONE_MATCH" in {one["code"] for one in decision["reasons"]}, decision
            progress.step(len(batch))
    progress.end()
    return time.perf_counter() - began


async def _look_through(
    stage: Stage, n: int, asked_seconds: float
) -> tuple[list[tuple[object, ...]], int]:
    async with opened(stage.settings, supervise=False) as installation:
        async with installation.operator.reading() as session:
            at = await now(session)
        began, cpu = time.perf_counter(), time.process_time()
        await doubts.look_through(installation.operator, installation.keys, at)
        cpu_ms, wall_ms = (time.process_time() - cpu) * 1000, (time.perf_counter() - began) * 1000
        listed_ms, so_many = await _list(installation)
    rows: list[tuple[object, ...]] = [
        ("checks a second, asked", f"{n / asked_seconds:.0f}"),
        ("reviews", so_many),
        ("to gather them, CPU ms of the server", f"{cpu_ms:.0f}"),
        ("to gather them, ms in all", f"{wall_ms:.0f}"),
        ("CPU ms a decision", f"{cpu_ms / n:.2f}"),
        ("to list the open ones, ms", f"{listed_ms:.0f}"),
    ]
    return rows, so_many


async def _list(installation: Installation) -> tuple[float, int]:
    began = time.perf_counter()
    async with installation.operator.reading() as session:
        page = await dockets.page(
            session,
            kind=ReviewKind.GREY_MATCH,
            state=ReviewState.OPEN,
            assignee=None,
            first=MAX_PAGE,
            after=None,
        )
        await reviews.standings(session, [one.id for one in page.items])
    return (time.perf_counter() - began) * 1000, len(page.items)


if __name__ == "__main__":
    sys.exit(main())
