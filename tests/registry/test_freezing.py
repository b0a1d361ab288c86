"""Frozen accounts: what they claim no more, what they may still take back, and who tells it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from api.state import State
from registry import freezing
from registry.database import Database
from registry.errors import ConflictError, ForbiddenError
from registry.notices import Notice
from registry.principals import OPERATOR_ID
from registry.subjects import SubjectEvent, SubjectEventKind
from tests import acts
from tests.conftest import Account, Accounts, Execute
from tests.registry.enrolling import another, person

READ = "query ($id: ID!) { subject(id: $id) { name } }"


async def freeze(operator: Database, account: Account) -> None:
    async with operator.writing() as session:
        await freezing.freeze(session, principal_id=account.id, actor_id=OPERATOR_ID)


async def test_a_frozen_account_claims_nothing(
    execute: Execute, owner: Account, service: Account, operator: Database
) -> None:
    subject = await acts.subject(execute, owner)
    given = {"subjectId": subject, "scope": {"modalities": ["FACE"]}, "grantees": [str(service.id)]}
    pending = (await execute(owner, acts.PROPOSE, input=given))["proposeGrant"]["grant"]["id"]
    await freeze(operator, owner)
    source = {"imageHash": {"algorithm": "PHASH_256", "hex": acts.random_hash()}}
    for document, variables in (
        (acts.REGISTER, {"input": {"name": "Somebody"}}),
        (acts.REGISTER_ASSET, {"input": {"subjectIds": [subject], "source": source}}),
        (acts.OBJECT, {"input": {"subjectId": subject}}),
        (acts.PROPOSE, {"input": given}),
        (acts.SIGN, {"id": pending}),
    ):
        ((_, refused),) = (await execute(owner, document, **variables)).items()
        assert refused["code"] == "FORBIDDEN", refused
        assert "frozen" in refused["message"]


async def test_a_frozen_account_enrols_nothing(
    state: State, accounts: Accounts, operator: Database
) -> None:
    frozen = await person(state, accounts)
    await freeze(operator, frozen.account)
    with pytest.raises(ForbiddenError, match="frozen"):
        await frozen.enrol()


async def test_a_frozen_account_still_takes_back_and_reads(
    execute: Execute, owner: Account, service: Account, operator: Database, accounts: Accounts
) -> None:
    subject = await acts.subject(execute, owner)
    grant = await acts.grant(execute, owner, subject, service)
    filed = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    await freeze(operator, owner)
    revoked = (await execute(owner, acts.REVOKE, id=grant))["revokeGrant"]
    assert revoked["grant"]["state"] == "REVOKED"
    objection = filed["fileObjection"]["objection"]["id"]
    withdrawn = (await execute(owner, acts.WITHDRAW, id=objection))["withdrawObjection"]
    assert withdrawn["objection"]["state"] == "WITHDRAWN"
    assert (await execute(owner, READ, id=subject))["subject"] is not None
    other = await accounts.open()
    assert await acts.subject(execute, other)  # of others nothing is held back


async def test_it_is_told_and_freed_again(
    execute: Execute, owner: Account, operator: Database
) -> None:
    await freeze(operator, owner)
    async with operator.reading() as session:
        kinds = list(
            await session.scalars(select(Notice.kind).where(Notice.principal_id == owner.id))
        )
    assert kinds == ["ACCOUNT_FROZEN"]
    with pytest.raises(ConflictError):
        await freeze(operator, owner)
    async with operator.writing() as session:
        await freezing.unfreeze(session, principal_id=owner.id, actor_id=OPERATOR_ID)
    assert await acts.subject(execute, owner)


async def test_what_was_held_against_an_account_is_so_once(
    state: State, accounts: Accounts, operator: Database
) -> None:
    """Frozen at the second closed claim; freed, two more are needed."""
    first = await person(state, accounts)
    claims = [first, await another(state, first.account)]
    claims += [await another(state, first.account) for _ in range(2)]
    told = []
    for number, claim in enumerate(claims):
        async with operator.writing() as session:
            session.add(
                SubjectEvent(
                    subject_id=claim.subject, kind=SubjectEventKind.CLOSED, actor_id=OPERATOR_ID
                )
            )
        await freezing.freeze_repeat_offenders(operator, state.keys, datetime.now(UTC))
        await freezing.freeze_repeat_offenders(operator, state.keys, datetime.now(UTC))
        async with operator.reading() as session:
            told.append(bool(await freezing.frozen(session, [first.account.id])))
        if number == 1:
            async with operator.writing() as session:
                await freezing.unfreeze(
                    session, principal_id=first.account.id, actor_id=OPERATOR_ID
                )
    assert told == [False, True, False, True]


async def test_the_operator_is_not_frozen(operator: Database) -> None:
    with pytest.raises(ConflictError):
        async with operator.writing() as session:
            await freezing.freeze(session, principal_id=OPERATOR_ID, actor_id=OPERATOR_ID)
