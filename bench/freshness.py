"""What is committed through one process holds for the next check through another: 0 stale.

    python bench/freshness.py --n 5000

Two API processes on one database. A picture is registered, a grant revoked or an objection filed
through one, and the moment that is answered a check goes to the other, on connections that are
kept; both ways round. A check that does not know of it is stale. Exits with 1 if there is one.
`--broken`: against a server that believes for a second what it read (`broken.py`), where there must
be stale ones.
"""

import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from asking import Client, question
from filling import Filled, Person, fill, neighbour, stranger
from stage import BROKEN, SERVE, Stage
from telling import Progress, parser_of, percentile, sized, verdict

KINDS = ("asset", "asset", "asset", "revocation", "objection")
AT_ONCE = 6


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="changes  [default: 5,000]")
    parser.add_argument("--broken", action="store_true", help="a broken server must be caught")
    given = sized(parser, n=5000, quick=100, long=50_000)
    program = (*BROKEN, "KEEP_SUBJECTS", "serve") if given.broken else SERVE
    with Stage() as stage:
        changed = sum(KINDS[at % len(KINDS)] != "asset" for at in range(given.n))
        filled = fill(stage, people=changed + 1, per_person=1, granted=changed, seed=given.seed)
        first, second = stage.api(program), stage.api(program)
        work = _Work(stage, filled, given.n, given.seed)

        async def run() -> None:
            async with (
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
        print(f"{kind:<11} {sum(outcomes.values()):>6,}  {dict(outcomes)}")
    between = f"the check left {percentile(work.gaps, 0.5) * 1000:.2f} ms after the answer (median)"
    return verdict(
        holds=not work.idle and (work.stale > 0 if given.broken else work.stale == 0),
        text=f"{work.stale} stale of {given.n:,} over two processes; {between}",
    )


class _Work:
    """Changes to make, and what the checks after them said."""

    def __init__(self, stage: Stage, filled: Filled, n: int, seed: int) -> None:
        self.stage, self.filled = stage, filled
        self.rng = np.random.default_rng(seed)
        self.left: Iterator[int] = iter(range(n))
        self.granted: Iterator[int] = iter(range(len(filled.people) - 1))
        self.progress = Progress("changes", n)
        self.outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.gaps: list[float] = []
        self.stale = self.idle = 0

    async def run(self, ways: Iterator[tuple[Client, Client]]) -> None:
        for number in self.left:
            owner, service = next(ways)
            kind = KINDS[number % len(KINDS)]
            if kind == "asset":
                await self._asset(owner, service)
            else:
                await self._permission(kind, owner, service)
            self.progress.step()

    async def _asset(self, owner: Client, service: Client) -> None:
        image_hash = stranger()
        asked = question(image_hash)
        await owner.register_asset(self.filled.people[-1].id, image_hash)
        answered = time.monotonic()
        decision = await self._check("asset", service, asked, answered)
        self.stale += decision == "UNKNOWN"

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
        self.stale += decision == "PERMITTED"

    async def _check(
        self, kind: str, service: Client, asked: dict[str, object], answered: float
    ) -> str:
        self.gaps.append(time.monotonic() - answered)
        outcome = str((await service.check(asked))["outcome"])
        self.outcomes[kind][outcome] += 1
        return outcome


if __name__ == "__main__":
    sys.exit(main())
