"""Grants that are held back: who lets them go, who is told, and what ends first."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.state import State
from registry import succession
from registry.database import Database, WriteSession, new_id
from registry.grant_states import GrantEventKind, HoldCause
from registry.grants import Grant
from registry.notices import NoticeKind
from registry.principals import OPERATOR_ID, PrincipalKind
from tests import acts
from tests.api.graphql.law import make, sign
from tests.api.graphql.test_hands import FILMS, WHY, born, guarded, shown, told, upkeep_at
from tests.conftest import Account, Accounts, Execute

MAJORITY = timedelta(days=70)  # from now on, for who is 17 years and 300 days old


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


@pytest.fixture
async def mother(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.PERSON)


async def happened(
    state: State, grant: str, kind: GrantEventKind, cause: HoldCause, at: datetime
) -> None:
    """Put on record that this became of a grant at an earlier time."""
    admin = state.settings.admin_database_url
    assert admin is not None
    connection = await asyncpg.connect(admin)
    await connection.execute(
        "insert into grant_events (id, grant_id, kind, cause, actor_id, at)"
        " values ($1, $2, $3, $4, $5, $6)",
        new_id(),
        UUID(grant),
        kind,
        cause,
        OPERATOR_ID,
        at,
    )
    await connection.close()


async def given(
    execute: Execute,
    owner: Account,
    service: Account,
    mother: Account,
    subject: str,
    **scope: object,
) -> str:
    """A grant that the guardian alone signed."""
    proposed = {"subjectId": subject, "scope": {**FILMS, **scope}, "grantees": [str(service.id)],
                "endsAt": "2028-11-01T00:00:00Z", "written": True, "separate": True}  # fmt: skip
    made = (await execute(owner, acts.PROPOSE, input=proposed))["proposeGrant"]["grant"]["id"]
    assert (await sign(execute, mother, made, "GUARDIAN"))["state"] == "ACTIVE"
    return str(made)


async def test_another_guardian_does_not_let_go_what_waits_for_the_person(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account,
    accounts: Accounts, state: State, operator: Database,
) -> None:  # fmt: skip
    """For everywhere, somewhere they are a minor still: that is not the person's own word."""
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(18, days=-40))
    father = await accounts.open(PrincipalKind.PERSON)
    named = {"subjectId": subject, "principalId": str(father.id), "role": "GUARDIAN", **WHY}
    await make(execute, attester, "appointRepresentative", **named)
    grant = await given(execute, owner, service, mother, subject)
    await upkeep_at(state, operator, datetime.now(UTC) + MAJORITY)
    assert (await shown(execute, owner, subject, grant))["state"] == "SUSPENDED"
    await sign(execute, father, grant, "GUARDIAN")
    assert (await shown(execute, owner, subject, grant))["state"] == "SUSPENDED"
    assert (await sign(execute, owner, grant, "SELF"))["state"] == "ACTIVE"


async def test_the_services_are_told_when_it_is_ratified_and_all_when_it_lapses(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account,
    state: State, operator: Database,
) -> None:  # fmt: skip
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(17, days=300))
    grants_ = [await given(execute, owner, service, mother, subject) for _ in range(2)]
    majority = datetime.now(UTC) + MAJORITY
    await upkeep_at(state, operator, majority)
    before = await told(operator, service)
    await sign(execute, owner, grants_[0], "SELF")
    assert (await told(operator, service))[len(before) :] == [NoticeKind.GRANT_ACTIVE]
    for _ in range(2):
        await upkeep_at(state, operator, majority + succession.RATIFY_WITHIN)
    for account in (service, owner):
        assert (await told(operator, account)).count(NoticeKind.GRANT_LAPSED) == 1


async def test_the_time_to_ratify_runs_while_the_person_can(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account,
    state: State, operator: Database,
) -> None:  # fmt: skip
    """What a conflict of claims held back longer than that does not lapse as soon as it ends."""
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(17, days=300))
    grant = await given(execute, owner, service, mother, subject)
    conflict = HoldCause.CLAIM_CONFLICT
    now = datetime.now(UTC)
    for kind, cause, days in (
        (GrantEventKind.SUSPENDED, HoldCause.MAJORITY, 200),
        (GrantEventKind.SUSPENDED, conflict, 199),
        (GrantEventKind.RESUMED, conflict, 1),
    ):
        await happened(state, grant, kind, cause, now - timedelta(days=days))
    await upkeep_at(state, operator, now + MAJORITY)
    assert (await shown(execute, owner, subject, grant))["state"] == "SUSPENDED"
    await upkeep_at(state, operator, now + succession.RATIFY_WITHIN)
    assert (await shown(execute, owner, subject, grant))["state"] == "EXPIRED"


async def test_one_grant_that_cannot_be_reviewed_keeps_no_other_from_it(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account,
    state: State, operator: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(17, days=300))
    broken, whole = [await given(execute, owner, service, mother, subject) for _ in range(2)]
    review = succession._review

    async def damaged(session: WriteSession, grant: Grant, **law: Any) -> None:
        if str(grant.id) == broken:
            raise RuntimeError("a damaged row")
        await review(session, grant, **law)

    at = datetime.now(UTC) + MAJORITY
    with monkeypatch.context() as patched:
        patched.setattr(succession, "_review", damaged)
        await upkeep_at(state, operator, at)
    states = [(await shown(execute, owner, subject, one))["state"] for one in (broken, whole)]
    assert states == ["ACTIVE", "SUSPENDED"]
    await upkeep_at(state, operator, at)
    assert (await shown(execute, owner, subject, broken))["state"] == "SUSPENDED"
