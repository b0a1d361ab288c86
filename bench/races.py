"""No permission after a revocation, an objection, a death or an order was answered: 0 late.

    python bench/races.py --n 2000

Two API processes. While checks of a permitted use run on both without a pause, its grant is revoked
(or an objection filed, a death reported, or an order placed) through one of them. A check that
began after that was answered and still says PERMITTED is late. A race is tight if a permitted check
and a refused one began within 50 ms of each other. The last races are run against a server that is
broken on purpose (`broken.py`: it believes for a second what it read of a person): there late ones
must be found. Exits with 1 if the product has a late one, the broken server has none, or few races
were tight.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from asking import Client, Json, question
from filling import Filled, fill, neighbour
from stage import BROKEN, SERVE, Stage
from telling import Progress, parser_of, sized, table, verdict

AT_ONCE = 2
TIGHT_SECONDS = 0.05
TIGHT_SHARE = 0.5
_CHECKERS = 1  # a process and race


@dataclass(slots=True)
class Race:
    """What was asked and answered around one change."""

    answered_at: float = float("inf")
    permitted: list[float] = field(default_factory=list)  # when these checks began
    refused: list[float] = field(default_factory=list)

    @property
    def late(self) -> int:
        """Permissions that began after the change was answered."""
        return sum(began > self.answered_at for began in self.permitted)

    @property
    def gap(self) -> float:
        """Seconds from the last permitted check's beginning to the first refused one's after it."""
        last = max(self.permitted, default=float("-inf"))
        return min((began - last for began in self.refused if began > last), default=float("inf"))


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="races  [default: 2,000]")
    parser.add_argument("--broken", type=int, help="races with the broken server  [default: n/50]")
    given = sized(parser, n=2000, quick=24, long=10_000)
    broken = max(10, given.n // 50) if given.broken is None else given.broken
    with Stage() as stage:
        filled = fill(
            stage, people=given.n + broken, per_person=1, granted=given.n + broken, seed=given.seed
        )
        good = _races(stage, filled, range(given.n), SERVE)
        bad = (
            _races(
                stage, filled, range(given.n, given.n + broken), (*BROKEN, "KEEP_SUBJECTS", "serve")
            )
            if broken
            else []
        )
    lines = [("as it is", *_figures(good))]
    if bad:
        lines.append(("broken on purpose", *_figures(bad)))
    table(("server", "races", "checks", "tight", "late checks", "late races"), lines)
    late, tight = sum(one.late for one in good), _tight(good)
    found = sum(one.late > 0 for one in bad)
    return verdict(
        holds=late == 0 and tight >= TIGHT_SHARE * len(good) and (found > 0 or not bad),
        text=f"{late} late in {len(good):,} races over two processes, {tight:,} of them tight"
        f" (50 ms); a server broken on purpose was caught in {found} of {len(bad)}",
    )


def _tight(races: Sequence[Race]) -> int:
    return sum(one.gap <= TIGHT_SECONDS for one in races)


def _figures(races: Sequence[Race]) -> tuple[int, int, int, int, int]:
    return (
        len(races),
        sum(len(one.permitted) + len(one.refused) for one in races),
        _tight(races),
        sum(one.late for one in races),
        sum(one.late > 0 for one in races),
    )


def _races(stage: Stage, filled: Filled, numbers: range, program: Sequence[str]) -> list[Race]:
    apis = [stage.api(program), stage.api(program)]
    races, progress = list[Race](), Progress("races", len(numbers))
    rng = np.random.default_rng(numbers.start)

    async def run() -> None:
        async with (
            Client(apis[0], stage.owner) as owner_a,
            Client(apis[1], stage.owner) as owner_b,
            Client(apis[0], stage.regulator) as regulator_a,
            Client(apis[1], stage.regulator) as regulator_b,
            Client(apis[0], stage.service) as service_a,
            Client(apis[1], stage.service) as service_b,
        ):
            changing = ((owner_a, regulator_a), (owner_b, regulator_b))
            services = (service_a, service_b)
            left: Iterator[int] = iter(numbers)

            async def work() -> None:
                for number in left:
                    races.append(await _race(filled, number, changing[number % 2], services, rng))
                    progress.step()

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    asyncio.run(run())
    progress.end()
    for api in apis:
        api.stop()
    return races


async def _race(
    filled: Filled,
    number: int,
    changing: tuple[Client, Client],
    services: tuple[Client, Client],
    rng: np.random.Generator,
) -> Race:
    person, race = filled.people[number], Race()
    owner, regulator = changing
    asked = question(neighbour(filled.hashes[number], 20, rng))
    assert person.grant is not None
    first = await services[0].check(asked)
    assert first["outcome"] == "PERMITTED", first
    checking = [
        asyncio.create_task(_check(race, service, asked))
        for service in services
        for _ in range(_CHECKERS)
    ]
    await asyncio.sleep(rng.uniform(0, 0.02))  # anywhere among the checks
    match number // 2 % 4:  # on both processes alike
        case 0:
            await owner.revoke(person.grant)
        case 1:
            await owner.object(person.id)
        case 2:
            await owner.report_death(person.id)
        case _:
            await regulator.place_order(person.id)
    race.answered_at = time.monotonic()
    await asyncio.gather(*checking)
    return race


async def _check(race: Race, service: Client, asked: Json) -> None:
    """Ask again and again, and twice more once the change is answered."""
    afterwards = 0
    while afterwards < 2:
        began = time.monotonic()
        afterwards += began > race.answered_at
        outcome = (await service.check(asked))["outcome"]
        (race.permitted if outcome == "PERMITTED" else race.refused).append(began)


if __name__ == "__main__":
    sys.exit(main())
