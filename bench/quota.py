"""A grant of n uses gives exactly n, however many take at once.

    python bench/quota.py --n 25

Grants of n uses; 10n takers of each at once over two API processes, a tenth of which hang up and
ask again under the same key. Exits with 1 unless each grant gave exactly n, numbered 1 to n.
"""

import asyncio
import secrets
import sys

import asyncpg
import numpy as np
from asking import TAKE_USE, AwayError, Client, question
from filling import Filled, fill, neighbour
from stage import Stage
from telling import Progress, options, table, verdict

GRANTS = 4
TAKERS = 10  # times n
HANG_UP = 10  # one in so many
_ATTEMPTS = 100


def main() -> int:
    given = options(__doc__, n=25, quick=5, long=100, what="uses of each grant")
    with Stage() as stage:
        filled = fill(stage, people=GRANTS, per_person=1, seed=given.seed)
        apis = stage.api(), stage.api()

        async def run() -> list[tuple[object, ...]]:
            async with (
                Client(apis[0], stage.owner) as owner,
                Client(apis[0], stage.service) as first,
                Client(apis[1], stage.service) as second,
            ):
                return [
                    await _one_grant(stage, filled, at, given.n, (owner, first, second))
                    for at in range(GRANTS)
                ]

        rows = asyncio.run(run())
    table(("grant", "takers", "hung up", "asked again", "taken", "refused", "on record"), rows)
    exact = sum(row[4] == given.n == row[6] for row in rows)
    return verdict(
        holds=exact == GRANTS,
        text=f"{exact} of {GRANTS} grants of {given.n} uses gave exactly {given.n} to"
        f" {TAKERS * given.n} takers at once over two processes",
    )


async def _one_grant(
    stage: Stage,
    filled: Filled,
    at: int,
    n: int,
    clients: tuple[Client, Client, Client],
) -> tuple[object, ...]:
    owner, *services = clients
    grant_id = await owner.grant(filled.people[at].id, stage.service, max_uses=n)
    asked = question(neighbour(filled.hashes[at], 20, np.random.default_rng(at)))
    decision = await services[0].check(asked)
    assert decision["outcome"] == "PERMITTED", decision
    takers = _Takers(decision["id"], TAKERS * n)
    await asyncio.gather(
        *(takers.take(services[number % 2], number) for number in range(TAKERS * n))
    )
    takers.progress.end()
    ordinals = sorted(takers.ordinals)
    connection = await asyncpg.connect(stage.admin_url)
    stored = await connection.fetch(
        "select ordinal from uses where grant_id = $1 order by ordinal", grant_id
    )
    await connection.close()
    whole = [row["ordinal"] for row in stored] == ordinals == list(range(1, n + 1))
    return (
        *(f"{n} uses", TAKERS * n, takers.hung_up, takers.again, len(ordinals)),
        *(takers.refused, len(stored) if whole else f"wrong: {stored}"),
    )


class _Takers:
    """Everybody who wants a use of one permission."""

    def __init__(self, decision_id: str, count: int) -> None:
        self.decision_id = decision_id
        self.ordinals: list[int] = []
        self.refused = self.again = self.hung_up = 0
        self.progress = Progress("takers", count)

    async def take(self, service: Client, number: int) -> None:
        """Ask until there is an answer."""
        asked = {"decisionId": self.decision_id, "idempotencyKey": secrets.token_hex(8)}
        if number % HANG_UP == 0:
            self.hung_up += 1
            try:
                async with asyncio.timeout(0.005 * (number % 7)):
                    await service.run(TAKE_USE, input=asked)
            except (TimeoutError, AwayError):
                pass
        for _ in range(_ATTEMPTS):
            try:
                answer = await service.run(TAKE_USE, input=asked)
                break
            except AwayError:
                self.again += 1
                await asyncio.sleep(0.2)
        else:
            raise RuntimeError("A taker got no answer.")
        if "uses" in answer:
            self.ordinals += [one["ordinal"] for one in answer["uses"]]
        else:
            assert answer["code"] == "CONFLICT", answer
            self.refused += 1
        self.progress.step()


if __name__ == "__main__":
    sys.exit(main())
