"""No reference within a band is missed, also at its threshold and while others are being written.

    python bench/planted.py --n 10000
    python bench/planted.py --n 10000 --faces

Over HTTP against two API processes. Writers put references on record in transactions that they hold
open for 0 to 300 ms and commit out of order (one in ten is rolled back). Checks in batches carry
planted neighbours of references whose commit was acknowledged before: the latest first, the others
at random. Of pictures they are 0 to 60 bits away; with `--faces` the references are templates, and
most neighbours 0.000001 from a threshold. A plain scan of all that was committed says once more
what each must be answered. Exits with 1 if one is missed or in the wrong band, or if what was
rolled back, just too far away or never on record is found. `--broken`: against servers that catch
up by a watermark (`broken.py`), which must miss some.
"""

import asyncio
import os
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is imported: the servers need the other cores

import asyncpg  # noqa: E402
import numpy as np  # noqa: E402
from asking import CHECKS, Client, Json  # noqa: E402
from filling import Filled, fill  # noqa: E402
from plants import NONE, Faces, Kind, Pictures, Plant, Rows  # noqa: E402
from stage import BROKEN, SERVE, Api, Stage  # noqa: E402
from telling import Progress, parser_of, sized, verdict  # noqa: E402

WRITERS, CHECKERS = 6, 3
BATCH = 32
FRESH = 20  # of a batch, while there are so many
NEVER = 3  # of a batch that must not be found
HELD_SECONDS = 0.3
MOST_ROWS = 20
ROLLED_BACK = 0.1
PER_PERSON = 10


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="neighbours  [default: 10,000]")
    parser.add_argument("--references", type=int, help="from the start  [default: 62,000]")
    parser.add_argument("--faces", action="store_true", help="templates instead of pictures")
    parser.add_argument("--broken", action="store_true", help="a broken server must be caught")
    given = sized(parser, n=10_000, quick=1000, long=100_000)
    # Just below where the index begins a new chunk (65,536 rows) or merges its ids (4,096).
    references = given.references or (3000 if given.quick else 62_000)
    people = -(-references // PER_PERSON)
    each = (0, PER_PERSON) if given.faces else (PER_PERSON, 0)
    kind: Kind = Faces(people) if given.faces else Pictures()
    with Stage() as stage:
        filled = fill(
            stage, people=people, per_person=each[0], faces_per_person=each[1], seed=given.seed
        )
        work = _Work(stage, kind, filled, given.n, given.seed)
        program = (*BROKEN, "WATERMARK", "serve") if given.broken else SERVE
        asyncio.run(work.run([stage.api(program), stage.api(program)]))
    work.progress.end()
    print(
        f"{work.written:,} {kind.what} committed in {work.commits:,} transactions meanwhile,"
        f" {work.commits_during:,} of them while a check was under way; {work.again} checks"
        " were told to ask again"
    )
    print(f"outcomes: {dict(work.outcomes)}")
    differing = work.scanned()
    print(f"a plain scan expects something else of {differing} of {len(work.answered):,} probes")
    tried = f"{work.fresh:,} of them committed a moment before"
    exact = work.missed == work.wrong == work.false == differing == 0 and work.fresh > 0
    return verdict(
        holds=work.missed > 0 if given.broken else exact,
        text=f"{work.missed} missed, {work.wrong} in a wrong band of {work.planted:,} neighbours of"
        f" {kind.what} ({kind.edge}), {tried}; {work.false} of {work.never:,} others found",
    )


@dataclass(frozen=True, slots=True)
class _Reference:
    """A reference and its number, which says more of a template (`filling.samples_of`)."""

    row: Rows
    number: int


class _Work:
    """What is written, what is asked, and what came of it."""

    def __init__(self, stage: Stage, kind: Kind, filled: Filled, n: int, seed: int) -> None:
        self.stage, self.kind, self.filled, self.n = stage, kind, filled, n
        self.first = kind.on_record(filled)
        self.rng = np.random.default_rng((seed, 1))  # others than `fill` drew
        self.progress = Progress("neighbours", n)
        self.numbered = len(self.first)
        self.latest: list[_Reference] = []  # committed, not asked for yet
        self.committed: list[_Reference] = []
        self.undone: list[_Reference] = []
        self.answered: list[Plant] = []
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

    def scanned(self) -> int:
        """Of how many probes a plain scan says something else than was meant in planting them."""
        on_record = np.concatenate([self.first, *(one.row[None, :] for one in self.committed)])
        numbers = [*range(len(self.first)), *(one.number for one in self.committed)]
        probes = np.stack([one.probe for one in self.answered])
        found = self.kind.scan(on_record, numbers, probes)
        return sum(plant.expected != said for plant, said in zip(self.answered, found, strict=True))

    async def _write(self) -> None:
        connection = await asyncpg.connect(self.stage.admin_url)
        try:
            while True:
                count = int(self.rng.integers(1, MOST_ROWS + 1))
                first, self.numbered = self.numbered, self.numbered + count
                made = [
                    _Reference(row, first + at)
                    for at, row in enumerate(self.kind.made(count, self.rng))
                ]
                await self._transaction(connection, made)
        finally:
            connection.terminate()

    async def _transaction(self, connection: asyncpg.Connection, made: list[_Reference]) -> None:
        people = self.rng.integers(len(self.filled.people), size=len(made))
        rows = [
            (self.filled.people[person], one.row, one.number)
            for person, one in zip(people, made, strict=True)
        ]
        transaction = connection.transaction()
        await transaction.start()
        await self.kind.insert(connection, self.stage, rows)
        await asyncio.sleep(self.rng.uniform(0, HELD_SECONDS))
        if self.rng.random() < ROLLED_BACK:
            await transaction.rollback()
            self.undone += made
            return
        await transaction.commit()
        self.latest += made
        self.committed += made
        self.written += len(made)
        self.commits += 1
        self.commits_during += self.under_way > 0

    async def _ask(self, clients: tuple[Client, Client], at: int) -> None:
        while self.planted < self.n:
            at += 1
            plants = self._plants()
            self.under_way += 1
            answers = await clients[at % 2].run(CHECKS, inputs=[one.asked for one in plants])
            self.under_way -= 1
            for plant, answer in zip(plants, answers, strict=True):
                self._judge(plant, answer)

    def _plants(self) -> list[Plant]:
        """Neighbours of references on record, and some that are not to be found."""
        chosen = [self.latest.pop() for _ in range(min(FRESH, len(self.latest)))]
        self.fresh += len(chosen)
        while len(chosen) < BATCH - NEVER:
            if self.committed and self.rng.random() < 0.5:
                chosen.append(self.committed[int(self.rng.integers(len(self.committed)))])
            else:
                number = int(self.rng.integers(len(self.first)))
                chosen.append(_Reference(self.first[number], number))
        plants = []
        for one in chosen:
            plants.append(self.kind.plant(one.row, one.number, self.planted, self.rng))
            self.planted += 1
        (stranger,) = self.kind.made(1, self.rng)
        undone = self.undone[-1].row if self.undone else stranger
        self.progress.step(len(chosen))
        return [
            *plants,
            self.kind.beyond(chosen[0].row, chosen[0].number, self.rng),
            self.kind.same(undone),
            self.kind.same(stranger),
        ]

    def _judge(self, plant: Plant, answer: Json) -> None:
        if answer["__typename"] == "Problem":
            assert answer["code"] in {"BUSY", "UNAVAILABLE"}, answer
            self.again += 1
            return
        outcome = answer["outcome"]
        self.answered.append(plant)
        self.outcomes[outcome] += 1
        if plant.expected == NONE:
            self.never += 1
            self.false += outcome != NONE
        elif outcome == NONE:
            self.missed += 1
        else:
            self.wrong += outcome != plant.expected


if __name__ == "__main__":
    sys.exit(main())
