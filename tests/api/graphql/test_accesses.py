"""What an office reads of a person is on record before it is answered, and the person sees it."""

import pytest

from api.state import State
from registry import accesses
from registry.errors import UnavailableError
from registry.principals import PrincipalKind
from tests import acts
from tests.api.graphql.identifying import Identities
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import unit

NAME = "query ($id: ID!) { subject(id: $id) { id name } }"
NAMED = "query ($name: String) { subjects(name: $name) { edges { node { id name } } } }"
SEEN = """
query ($id: ID!, $first: Int! = 20, $after: String) { subject(id: $id) {
  accesses(first: $first, after: $after) {
    edges { node { what principalId reviewId } } pageInfo { hasNextPage endCursor } } } }
"""


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


async def seen(execute: Execute, owner: Account, subject: str, **more: object) -> Json:
    found: Json = (await execute(owner, SEEN, id=subject, **more))["subject"]["accesses"]
    return found


async def readers(execute: Execute, owner: Account, subject: str) -> list[str]:
    found = await seen(execute, owner, subject)
    return [edge["node"]["principalId"] for edge in found["edges"]]


@pytest.mark.parametrize(
    "kind", [PrincipalKind.REVIEWER, PrincipalKind.ATTESTER, PrincipalKind.OPERATOR]
)
async def test_an_office_that_reads_is_seen_by_the_person(
    execute: Execute, owner: Account, accounts: Accounts, subject: str, kind: PrincipalKind
) -> None:
    office = await accounts.open(kind)
    shown = await execute(office, NAME, id=subject)
    assert shown["subject"]["id"] == subject
    await execute(office, NAMED, name=shown["subject"]["name"])
    assert await readers(execute, owner, subject) == [str(office.id)] * 2


async def test_who_keeps_a_record_reads_it_without_a_trace(
    execute: Execute, owner: Account, subject: str
) -> None:
    await execute(owner, NAME, id=subject)
    assert await readers(execute, owner, subject) == []


async def test_who_does_not_see_a_person_leaves_no_trace(
    execute: Execute, owner: Account, accounts: Accounts, subject: str
) -> None:
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    assert (await execute(regulator, NAME, id=subject))["subject"] is None
    assert await readers(execute, owner, subject) == []


async def test_what_cannot_be_put_on_record_is_not_answered(
    execute: Execute,
    accounts: Accounts,
    subject: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object) -> None:
        raise UnavailableError("The registry is not ready.")

    reviewer = await accounts.open(PrincipalKind.REVIEWER)
    monkeypatch.setattr(accesses, "note", away)
    with pytest.raises(AssertionError, match="UNAVAILABLE"):
        await execute(reviewer, NAME, id=subject)


async def test_accesses_are_paged(
    execute: Execute, owner: Account, accounts: Accounts, subject: str
) -> None:
    reviewer = await accounts.open(PrincipalKind.REVIEWER)
    for _ in range(3):
        await execute(reviewer, NAME, id=subject)
    first = await seen(execute, owner, subject, first=2)
    assert (len(first["edges"]), first["pageInfo"]["hasNextPage"]) == (2, True)
    rest = await seen(execute, owner, subject, after=first["pageInfo"]["endCursor"])
    assert (len(rest["edges"]), rest["pageInfo"]["hasNextPage"]) == (1, False)


async def test_an_attester_who_compares_a_face_with_a_person_is_seen_by_them(
    execute: Execute, owner: Account, accounts: Accounts, state: State
) -> None:
    identities = await Identities.open(state, accounts, execute)
    subject = await acts.subject(execute, owner)
    account, _ = await identities.newcomer()
    made = await identities.attest(account, face=unit(), subjectId=subject)
    assert made["attestation"]["matched"] == []
    assert await readers(execute, owner, subject) == [str(identities.attester.id)]
