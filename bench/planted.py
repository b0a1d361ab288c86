"""No reference within the radius is missed, also while others are being written: 0 of 10,000.

    python bench/planted.py --n 10000

Over HTTP against two API processes. Writers put references on record in transactions that they hold
open for 0 to 300 ms and commit out of order (one in ten is rolled back). Checks in batches carry
planted neighbours, 0 to 60 bits away, of references whose commit was acknowledged before: the
latest first, the others at random. Exits with 1 if one is missed or in the wrong band, or if what
was rolled back, 61 bits away or never on record is found.
"""

import asyncio
import sys
from collections import Counter
from contextlib import suppress

import asyncpg
import numpy as np
from asking import CHECKS, Client, Json, question
from filling import Filled, Hashes, fill, insert_references, neighbour, stranger
from stage import BROKEN, SERVE, Api, Stage
from telling import Progress, parser_of, sized, verdict

from registry.matching.bands import GREY_BITS, MATCH_BITS

WRITERS, CHECKERS = 6, 3
BATCH = 32
FRESH = 20  # of a batch, while there are so many
NEVER = 3  # of a batch that must not be found
HELD_SECONDS = 0.3
MOST_ROWS = 20
ROLLED_BACK = 0.1
_FOUND = {True: "CONSENT_REQUIRED", False: "REVIEW_REQUIRED"}  # MATCH, GREY


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="neighbours  [default: 10,000]")
    parser.add_argument("--references", type=int, help="from the start  [default: 62,000]")
    parser.add_argument("--broken", action="store_true", help="a broken server must be caught")
    given = sized(parser, n=10_000, quick=1000, long=100_000)
    # Just below where the index begins a new chunk (65,536 rows) or merges its ids (4,096).
    references = given.references or (3000 if given.quick else 62_000)
    with Stage() as stage:
        filled = fill(stage, people=-(-references // 10), per_person=10, seed=given.seed)
        work = _Work(stage, filled, given.n, given.seed)
        program = (*BROKEN, "WATERMARK", "serve") if given.broken else SERVE
        asyncio.run(work.run([stage.api(program), stage.api(program)]))
    work.progress.end()
    print(
        f"{work.written:,} references committed in {work.commits:,} transactions meanwhile,"
        f" {work.commits_during:,} of them while a check was under way; {work.again} checks"
        " were told to ask again"
    )
    print(f"outcomes: {dict(work.outcomes)}")
    tried = f"{work.fresh:,} of them committed a moment before"
    exact = work.missed == work.wrong == work.false == 0 and work.fresh > 0
    return verdict(
        holds=work.missed > 0 if given.broken else exact,
        text=f"{work.missed} missed, {work.wrong} in a wrong band of {work.planted:,} neighbours at"
        f" 0 to {GREY_BITS} bits, {tried}; {work.false} of {work.never:,} others found",
    )


class _Work:
    """What is written, what is asked, and what came of it."""

    def __init__(self, stage: Stage, filled: Filled, n: int, seed: int) -> None:
        self.stage, self.filled, self.n = stage, filled, n
        self.keys = stage.keys
        self.rng = np.random.default_rng((seed, 1))  # others than `fill` drew
        self.progress = Progress("neighbours", n)
        self.latest: list[Hashes] = []  # committed, not asked for yet
        self.committed: list[Hashes] = []
        self.undone: list[Hashes] = []
        self.outcomes: Counter[str] = Counter()
        self.planted = self.fresh = self.never = self.again = 0
        self.missed = self.wrong = self.false = 0
        self.written = self.commits = self.commits_during = self.under_way = 0

    async def run(self, apis: list[Api]) -> None:
        writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]
        async with (
            Client(apis[0], self.stage.service) as first,
            Client(apis[1], self.stage.service) as second,
        ):
            clients = (first, second)
            await asyncio.gather(*(self._ask(clients, at) for at in range(CHECKERS)))
        for writer in writers:
            writer.cancel()
        for writer in writers:
            with suppress(asyncio.CancelledError):
                await writer

    async def _write(self) -> None:
        connection = await asyncpg.connect(self.stage.admin_url)
        try:
            while True:
                count = int(self.rng.integers(1, MOST_ROWS + 1))
                hashes = self.rng.integers(0, 256, (count, 32), np.uint8)
                await self._transaction(connection, hashes)
        finally:
            connection.terminate()

    async def _transaction(self, connection: asyncpg.Connection, hashes: Hashes) -> None:
        people = self.rng.integers(len(self.filled.people), size=len(hashes))
        rows = [
            (self.filled.people[person], one.tobytes())
            for person, one in zip(people, hashes, strict=True)
        ]
        transaction = connection.transaction()
        await transaction.start()
        await insert_references(connection, rows, self.keys, self.stage.owner)
        await asyncio.sleep(self.rng.uniform(0, HELD_SECONDS))
        if self.rng.random() < ROLLED_BACK:
            await transaction.rollback()
            self.undone += list(hashes)
            return
        await transaction.commit()
        self.latest += list(hashes)
        self.committed += list(hashes)
        self.written += len(hashes)
        self.commits += 1
        self.commits_during += self.under_way > 0

    async def _ask(self, clients: tuple[Client, Client], at: int) -> None:
        while self.planted < self.n:
            at += 1
            probes = self._probes()
            self.under_way += 1
            answers = await clients[at % 2].run(CHECKS, inputs=[asked for _, asked in probes])
            self.under_way -= 1
            for (distance, _), answer in zip(probes, answers, strict=True):
                self._judge(distance, answer)

    def _probes(self) -> list[tuple[int | None, Json]]:
        """Planted neighbours with their distance, and some with none: not to be found."""
        planted = BATCH - NEVER
        chosen = [self.latest.pop() for _ in range(min(FRESH, len(self.latest)))]
        self.fresh += len(chosen)
        while len(chosen) < planted:
            pool = self.committed if self.committed and self.rng.random() < 0.5 else None
            source = self.filled.hashes if pool is None else pool
            chosen.append(source[int(self.rng.integers(len(source)))])
        probes: list[tuple[int | None, Json]] = []
        for image_hash in chosen:
            distance = self.planted % (GREY_BITS + 1)
            self.planted += 1
            probes.append((distance, question(neighbour(image_hash, distance, self.rng))))
        beyond = neighbour(chosen[0], GREY_BITS + 1, self.rng)
        undone = self.undone[-1].tobytes().hex() if self.undone else stranger()
        probes += [(None, question(one)) for one in (beyond, undone, stranger())]
        self.progress.step(planted)
        return probes

    def _judge(self, distance: int | None, answer: Json) -> None:
        if answer["__typename"] == "Problem":
            assert answer["code"] in {"BUSY", "UNAVAILABLE"}, answer
            self.again += 1
            return
        outcome = answer["outcome"]
        self.outcomes[outcome] += 1
        if distance is None:
            self.never += 1
            self.false += outcome != "UNKNOWN"
        elif outcome == "UNKNOWN":
            self.missed += 1
        else:
            self.wrong += outcome != _FOUND[distance <= MATCH_BITS]


if __name__ == "__main__":
    sys.exit(main())
