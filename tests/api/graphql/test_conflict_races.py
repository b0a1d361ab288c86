"""Conflicts of claims that are settled, or begin, at one moment: nobody stays in dispute for it."""

import asyncio
from uuid import UUID

import pytest

from api.state import State
from registry import claims
from registry import desk as the_desk
from registry.database import Database, now
from registry.reviews import Ruling
from tests import acts
from tests.api.graphql.test_claim_conflict import Conflict
from tests.conftest import Account, Accounts, Execute
from tests.desk import Desk, near
from tests.registry.enrolling import unit


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


@pytest.fixture
async def conflict(desk: Desk, service: Account, accounts: Accounts) -> Conflict:
    return await Conflict(desk, service, await accounts.open(), await accounts.open()).stand()


async def taken(conflict: Conflict) -> list[tuple[UUID, Account]]:
    """Every conflict about the first subject, each with a reviewer who has it."""
    desk, found = conflict.desk, []
    for review in await desk.reviews(await desk.reviewer(), subject=conflict.subjects["first"]):
        reviewer = await desk.reviewer()
        await desk.take(reviewer, review["id"])
        found.append((UUID(review["id"]), reviewer))
    return found


async def test_two_conflicts_settled_at_once_leave_nobody_in_dispute(
    conflict: Conflict, accounts: Accounts
) -> None:
    desk, third = conflict.desk, await accounts.open()
    own = await acts.subject(desk.execute, third)
    made = await desk.enrol(third, own, near(conflict.face, 0.97))
    assert made["code"] == "CLAIM_CONFLICT"

    async def decide(review: UUID, reviewer: Account, pause: float) -> None:
        async with desk.operator.writing() as session:
            await the_desk.decide(
                session,
                review_id=review,
                ruling=Ruling.FIRST_HOLDER,
                actor=reviewer.actor,
                keys=desk.state.keys,
                reason="It was looked at.",
            )
            await asyncio.sleep(pause)  # the other decides meanwhile, and sees nothing of this

    one, other = await taken(conflict)
    await asyncio.gather(decide(*one, 0.5), decide(*other, 0.5))
    assert await conflict.registrations() == ["VERIFIED", "DISPUTED"]
    assert await conflict.grants() == ["ACTIVE", "REVOKED"]


async def test_a_conflict_that_was_decided_before_it_took_effect_takes_none_afterwards(
    conflict: Conflict, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stopped half way; the desk was quicker than what catches up."""
    desk, third, vector = conflict.desk, await accounts.open(), unit()

    async def stopped(*_: object) -> None:
        raise claims.conflict()

    with monkeypatch.context() as patched:
        patched.setattr(claims, "dispute", stopped)
        conflict.subjects["first"] = await desk.somebody(conflict.owners["first"], vector)
        own = await acts.subject(desk.execute, third)
        await desk.enrol(third, own, near(vector, 0.97))
    await conflict.decided("FIRST_HOLDER")
    async with desk.operator.reading() as session:
        at = await now(session)
    await claims.catch_up(desk.operator, desk.state.keys, at)
    assert (await conflict.shown("first"))["registration"] == "VERIFIED"
