"""What is committed through one process holds for the next check through another: 0 stale.

    python bench/freshness.py --n 5000

Two API processes on one database. Through one a picture is registered, a grant revoked, an
objection filed, a face enrolled, another sample added to one that the other process knows, or a
sample taken back; and the moment that is answered a check goes to the other, on connections that
are kept; both ways round. A check that does not know of it is stale. Exits with 1 if there is one.
`--broken`: against servers that believe for a second what they read (`broken.py`), where each kind
of change but the added sample must be stale at times.
"""

import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from asking import Client, face_question, question
from enrolling import Uploads
from filling import Filled, Person, Vectors, face_near, faces, fill, neighbour, stranger
from stage import BROKEN, SERVE, Stage
from telling import Progress, parser_of, percentile, sized, verdict

KINDS = ("asset", "revocation", "objection", "enrolment", "addition", "retirement")
PERMITTED_BEFORE = {"revocation", "objection"}
# The former template of who was added to is as near, so that nothing need be stale.
NEVER_STALE = {"addition"}
AT_ONCE = 6
BREAK = "KEEP_SUBJECTS,KEEP_REFERENCES"
_TRIES, _TRY_SECONDS = 150, 0.02


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="changes  [default: 5,000]")
    parser.add_argument("--broken", action="store_true", help="a broken server must be caught")
    given = sized(parser, n=5000, quick=100, long=50_000)
    program = (*BROKEN, BREAK, "serve") if given.broken else SERVE
    with Stage() as stage:
        changed = sum(KINDS[at % len(KINDS)] in PERMITTED_BEFORE for at in range(given.n))
        people = given.n + 1  # one for each change, and one whom all the pictures show
        filled = fill(stage, people=people, per_person=1, granted=changed, seed=given.seed)
        first, second = stage.api(program), stage.api(program)
        work = _Work(stage, filled, given.n, given.seed)

        async def run() -> None:
            async with (
                Uploads.of(stage) as work.uploads,
                Client(first, stage.owner) as owner_a,
                Client(second, stage.owner) as owner_b,
                Client(first, stage.service) as service_a,
                Client(second, stage.service) as service_b,
            ):
                ways = itertools.cycle([(owner_a, service_b), (owner_b, service_a)])
                await asyncio.gather(*(work.run(ways) for _ in range(AT_ONCE)))

        asyncio.run(run())
    work.progress.end()
    for kind, outcomes in sorted(work.outcomes.items()):
        count = f"{sum(outcomes.values()):>6,} {work.stale[kind]:>4} stale"
        print(f"{kind:<11} {count}  {dict(outcomes)}")
    between = f"the check left {percentile(work.gaps, 0.5) * 1000:.2f} ms after the answer (median)"
    caught = {*KINDS} - NEVER_STALE <= {kind for kind, count in work.stale.items() if count}
    stale = work.stale.total()
    return verdict(
        holds=caught if given.broken else not work.idle and stale == 0,
        text=f"{stale} stale of {given.n:,} over two processes; {between}",
    )


class _Work:
    """Changes to make, and what the checks after them said."""

    def __init__(self, stage: Stage, filled: Filled, n: int, seed: int) -> None:
        self.stage, self.filled = stage, filled
        self.rng = np.random.default_rng(seed)
        self.left: Iterator[int] = iter(range(n))
        self.granted: Iterator[int] = iter(range(len(filled.people) - 1))
        self.strangers: Iterator[Person] = iter(filled.people[-2::-1])
        self.uploads: Uploads
        self.progress = Progress("changes", n)
        self.outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.gaps: list[float] = []
        self.stale: Counter[str] = Counter()
        self.idle = 0

    async def run(self, ways: Iterator[tuple[Client, Client]]) -> None:
        for number in self.left:
            owner, service = next(ways)
            kind = KINDS[number % len(KINDS)]
            if kind == "asset":
                await self._asset(owner, service)
            elif kind in PERMITTED_BEFORE:
                await self._permission(kind, owner, service)
            else:
                await self._face(kind, owner, service)
            self.progress.step()

    async def _asset(self, owner: Client, service: Client) -> None:
        image_hash = stranger()
        asked = question(image_hash)
        await owner.register_asset(self.filled.people[-1].id, image_hash)
        answered = time.monotonic()
        decision = await self._check("asset", service, asked, answered)
        self.stale["asset"] += decision == "UNKNOWN"

    async def _permission(self, kind: str, owner: Client, service: Client) -> None:
        at = next(self.granted)
        person: Person = self.filled.people[at]
        asked = question(neighbour(self.filled.hashes[at], 20, self.rng))
        before = await service.check(asked)
        self.idle += before["outcome"] != "PERMITTED"  # then the check after it would prove nothing
        assert person.grant is not None
        if kind == "revocation":
            await owner.revoke(person.grant)
        else:
            await owner.object(person.id)
        answered = time.monotonic()
        decision = await self._check(kind, service, asked, answered)
        self.stale[kind] += decision == "PERMITTED"

    async def _face(self, kind: str, owner: Client, service: Client) -> None:
        person, face = next(self.strangers), faces(1, self.rng)[0]
        asked = face_question(face_near(face, 0.999, self.rng))
        sample = await self._enrol(owner, person, face)
        if kind != "enrolment":
            await self._until_found(service, asked)
        if kind == "addition":
            await self._enrol(owner, person, face_near(face, 0.99, self.rng))
        elif kind == "retirement":
            await owner.retire_sample(sample)
        decision = await self._check(kind, service, asked, time.monotonic())
        self.stale[kind] += (decision == "UNKNOWN") != (kind == "retirement")

    async def _enrol(self, owner: Client, person: Person, face: Vectors) -> str:
        return await owner.enroll_sample(person.id, await self.uploads.photograph(face))

    async def _until_found(self, service: Client, asked: dict[str, object]) -> None:
        """As a rule at once; else it counts, and only a broken server takes longer."""
        for number in range(_TRIES):
            if (await service.check(asked))["outcome"] != "UNKNOWN":
                return
            self.idle += number == 0
            await asyncio.sleep(_TRY_SECONDS)

    async def _check(
        self, kind: str, service: Client, asked: dict[str, object], answered: float
    ) -> str:
        self.gaps.append(time.monotonic() - answered)
        outcome = str((await service.check(asked))["outcome"])
        self.outcomes[kind][outcome] += 1
        return outcome


if __name__ == "__main__":
    sys.exit(main())
