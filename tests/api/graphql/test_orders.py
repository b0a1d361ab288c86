"""What authorities forbid and state: placed, lifted, taken back; it binds the very next check."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from strawberry.types import get_object_definition

from api.graphql import orders as schema
from api.state import State
from registry import circumstances, orders
from registry.database import Database, new_id
from registry.principals import OPERATOR, PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import ABSENT, end, make, refusal

COURT = {"authority": "District Court", "reference": "Case 7"}
LIST = """query ($subject: ID) { orders(subjectId: $subject, first: 100) {
  edges { node { id lifted } } } }"""
STATED = """query ($after: String) { circumstances(first: 100, after: $after) {
  edges { node { id } } pageInfo { hasNextPage endCursor } } }"""
LONG = {"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2090-01-01T00:00:00Z"}
ELECTION = {
    "name": "ELECTION_WINDOW",
    "territory": "KR",
    "holds": True,
    "source": "Election calendar",
    **LONG,
}


@pytest.fixture
async def regulator(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.REGULATOR)


@pytest.fixture
async def nothing_stated(operator: Database) -> AsyncGenerator[None]:
    """Nothing is stated about the world, and what a test states is taken back at its end."""
    await _take_back(operator)
    yield
    await _take_back(operator)


async def _take_back(operator: Database) -> None:
    async with operator.writing() as session:
        page = await circumstances.page(session, first=100, after=None)
        for one in page.items:
            await circumstances.retract(session, circumstance_id=one.id, actor=OPERATOR)


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


async def listed(execute: Execute, account: Account, subject: str) -> list[Json]:
    page = await execute(account, LIST, subject=subject)
    return [edge["node"] for edge in page["orders"]["edges"]]


async def stated(execute: Execute, account: Account) -> set[str]:
    page = await execute(account, STATED)
    assert not page["circumstances"]["pageInfo"]["hasNextPage"]
    return {edge["node"]["id"] for edge in page["circumstances"]["edges"]}


@pytest.mark.parametrize(
    ("exposed", "backing"),
    [(schema.Order, orders.Order), (schema.Circumstance, circumstances.Circumstance)],
)
def test_a_plain_field_is_an_attribute_of_what_backs_it(exposed: type, backing: type) -> None:
    fields = get_object_definition(exposed, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(dir(backing))


async def test_an_order_binds_the_very_next_check_until_it_is_lifted(
    execute: Execute, owner: Account, service: Account, regulator: Account, subject: str
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)
    asked = acts.question(picture)
    assert (await acts.check(execute, service, asked))["mayProceed"]
    elsewhere = {"subjectId": subject, **COURT, "scope": {"uses": ["SYNTHESIZE_SPEECH"]}}
    narrow = await make(execute, regulator, "placeOrder", **elsewhere)
    assert (narrow["uses"], narrow["modalities"], narrow["lifted"]) == (
        ["SYNTHESIZE_SPEECH"],
        None,
        False,
    )
    assert (await acts.check(execute, service, asked))["mayProceed"]
    placed = await make(execute, regulator, "placeOrder", subjectId=subject, **COURT)
    assert (placed["uses"], placed["authority"], placed["reference"]) == (
        None, "District Court", "Case 7",
    )  # fmt: skip
    forbidden = await acts.check(execute, service, asked)
    assert forbidden["outcome"] == "PROHIBITED", forbidden
    assert "ORDER" in acts.codes(forbidden), forbidden
    lifted = await end(execute, regulator, "liftOrder", placed["id"], "Appeal allowed")
    assert lifted["lifted"] is True
    assert (await acts.check(execute, service, asked))["mayProceed"]
    assert [one["lifted"] for one in await listed(execute, owner, subject)] == [False, True]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"authority": " "}, "INVALID", "authority"),
        ({"authority": "x" * 201}, "INVALID", "authority"),
        ({"reference": ""}, "INVALID", "reference"),
        ({"reference": "a\nb"}, "INVALID", "reference"),
        ({"scope": {"uses": []}}, "INVALID", "uses"),
        ({"scope": {"territories": ["Narnia"]}}, "INVALID", "territories"),
        ({"subjectId": ABSENT}, "NOT_FOUND", "subjectId"),
        ({"subjectId": "x"}, "NOT_FOUND", "subjectId"),
    ],
)
async def test_an_order_that_cannot_be_is_a_problem(
    execute: Execute, regulator: Account, subject: str, change: Json, code: str, field: str
) -> None:
    made = await make(execute, regulator, "placeOrder", **{"subjectId": subject, **COURT, **change})
    assert refusal(made) == (code, field)


@pytest.mark.parametrize(
    "kind", ["ORGANISATION", "PERSON", "SERVICE", "AUDITOR", "ATTESTER", "REVIEWER"]
)
async def test_only_authorities_forbid_and_state(
    execute: Execute, accounts: Accounts, subject: str, kind: str
) -> None:
    other = await accounts.open(PrincipalKind(kind))
    placed = await make(execute, other, "placeOrder", subjectId=subject, **COURT)
    assert refusal(placed) == ("FORBIDDEN", None)
    said = await make(execute, other, "stateCircumstance", **ELECTION)
    assert refusal(said) == ("FORBIDDEN", None)


async def test_an_order_is_lifted_once_and_by_whoever_placed_it(
    execute: Execute, accounts: Accounts, owner: Account, regulator: Account, state: State,
    subject: str,
) -> None:  # fmt: skip
    order = (await make(execute, regulator, "placeOrder", subjectId=subject, **COURT))["id"]
    other = await accounts.open(PrincipalKind.REGULATOR)
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    stranger = await accounts.open()
    for account, code in (
        (other, "FORBIDDEN"), (auditor, "FORBIDDEN"), (owner, "FORBIDDEN"),
        (stranger, "NOT_FOUND"),
    ):  # fmt: skip
        assert refusal(await end(execute, account, "liftOrder", order)) == (code, None)
    lift = text(
        "insert into order_events (id, order_id, kind, actor_id) values (:id, :of, 'LIFTED', :by)"
    )
    for account in (other, auditor, owner, stranger):
        given = {"id": new_id(), "of": UUID(order), "by": account.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(lift, given)
    both = await asyncio.gather(*(end(execute, regulator, "liftOrder", order) for _ in range(4)))
    assert sorted(one.get("code", "") for one in both) == ["", *["CONFLICT"] * 3]
    for absent in (ABSENT, "x"):
        assert refusal(await end(execute, regulator, "liftOrder", absent))[0] == "NOT_FOUND"


async def test_orders_are_seen_by_those_they_concern_and_those_who_oversee(
    execute: Execute, accounts: Accounts, owner: Account, regulator: Account, subject: str
) -> None:
    order = (await make(execute, regulator, "placeOrder", subjectId=subject, **COURT))["id"]
    seen = [{"id": order, "lifted": False}]
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    for account in (owner, regulator, auditor, await accounts.open(PrincipalKind.REGULATOR)):
        assert await listed(execute, account, subject) == seen
    for account in (await accounts.open(), await accounts.open(PrincipalKind.SERVICE)):
        assert await listed(execute, account, subject) == []
    everything = (await execute(owner, LIST))["orders"]["edges"]
    assert [edge["node"] for edge in everything] == seen


async def test_the_same_key_forbids_once_and_a_subject_has_a_bounded_number_of_orders(
    execute: Execute, regulator: Account, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"idempotencyKey": secrets.token_hex(8)}
    given = {"subjectId": subject, **COURT, "scope": {"uses": ["LIP_SYNC"]}, **key}
    first = await make(execute, regulator, "placeOrder", **given)
    assert await make(execute, regulator, "placeOrder", **given) == first
    other = {**given, "scope": {"uses": ["SYNTHESIZE_SPEECH"]}}
    assert refusal(await make(execute, regulator, "placeOrder", **other))[0] == "CONFLICT"
    monkeypatch.setattr(orders, "MAX_PER_SUBJECT", 1)
    more = await make(execute, regulator, "placeOrder", subjectId=subject, **COURT)
    assert refusal(more) == ("CONFLICT", None)


@pytest.mark.usefixtures("nothing_stated")
async def test_an_election_window_decides_political_uses_while_it_is_known(
    execute: Execute, owner: Account, service: Account, regulator: Account, subject: str
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    scope = {"modalities": ["FACE"], "uses": ["GENERATE_IMAGE"], "purposes": ["POLITICAL"]}
    await acts.grant(execute, owner, subject, service, scope=scope)
    asked = acts.question(picture, purpose="POLITICAL", territories=["KR"])
    assert (await acts.check(execute, service, asked))["outcome"] == "REVIEW_REQUIRED"
    far = await make(execute, regulator, "stateCircumstance", **{**ELECTION, "holds": False})
    granted = await acts.check(execute, service, asked)
    assert granted["mayProceed"], granted
    near = await make(execute, regulator, "stateCircumstance", **ELECTION)
    forbidden = await acts.check(execute, service, asked)
    assert forbidden["outcome"] == "PROHIBITED"
    assert "KR_ELECTION_DEEPFAKE" in acts.codes(forbidden)
    films = acts.question(picture, territories=["KR"])
    assert "KR_ELECTION_DEEPFAKE" not in acts.codes(await acts.check(execute, service, films))
    await end(execute, regulator, "retractCircumstance", near["id"])
    assert (await acts.check(execute, service, asked))["mayProceed"]
    await end(execute, regulator, "retractCircumstance", far["id"], "A mistake")
    assert (await acts.check(execute, service, asked))["outcome"] == "REVIEW_REQUIRED"
    past = datetime.now(UTC) - timedelta(days=2)
    over = {"startsAt": past.isoformat(), "endsAt": (past + timedelta(days=1)).isoformat()}
    await make(execute, regulator, "stateCircumstance", **{**ELECTION, **over})
    assert (await acts.check(execute, service, asked))["outcome"] == "REVIEW_REQUIRED"


@pytest.mark.usefixtures("nothing_stated")
async def test_a_circumstance_is_taken_back_once_by_whoever_stated_it(
    execute: Execute, accounts: Accounts, owner: Account, regulator: Account
) -> None:
    made = await make(execute, regulator, "stateCircumstance", **{**ELECTION, "territory": "JP"})
    assert (made["territory"], made["holds"], made["source"]) == ("JP", True, "Election calendar")
    assert made["id"] in await stated(execute, owner)
    for kind in ("REGULATOR", "AUDITOR", "ORGANISATION"):
        other = await accounts.open(PrincipalKind(kind))
        refused = await end(execute, other, "retractCircumstance", made["id"])
        assert refusal(refused) == ("FORBIDDEN", None)
    both = await asyncio.gather(
        *(end(execute, regulator, "retractCircumstance", made["id"]) for _ in range(4))
    )
    assert sorted(one.get("code", "") for one in both) == ["", *["CONFLICT"] * 3]
    assert made["id"] not in await stated(execute, owner)
    for absent in (ABSENT, "x"):
        gone = await end(execute, regulator, "retractCircumstance", absent)
        assert refusal(gone)[0] == "NOT_FOUND"


@pytest.mark.usefixtures("nothing_stated")
async def test_the_same_key_states_once(execute: Execute, regulator: Account) -> None:
    given = {**ELECTION, "territory": "JP", "idempotencyKey": secrets.token_hex(8)}
    first = await make(execute, regulator, "stateCircumstance", **given)
    assert await make(execute, regulator, "stateCircumstance", **given) == first
    other = await make(execute, regulator, "stateCircumstance", **{**given, "holds": False})
    assert refusal(other)[0] == "CONFLICT"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"territory": "Narnia"}, "territory"),
        ({"source": ""}, "source"),
        ({"startsAt": "2020-01-01T00:00:00"}, "startsAt"),
        ({"endsAt": "2090-01-01T00:00:00"}, "endsAt"),
        ({"endsAt": LONG["startsAt"]}, "endsAt"),
        ({"endsAt": "2001-01-01T00:00:00Z"}, "endsAt"),
    ],
)
async def test_a_circumstance_that_cannot_be_is_a_problem(
    execute: Execute, regulator: Account, change: Json, field: str
) -> None:
    made = await make(execute, regulator, "stateCircumstance", **{**ELECTION, **change})
    assert refusal(made) == ("INVALID", field)


def test_of_statements_about_one_moment_that_it_holds_counts() -> None:
    said = [("ELECTION_WINDOW", "KR", one) for one in (False, True, False)]
    [kr, us] = circumstances.fold([*said, ("ELECTION_WINDOW", "US-CA", False)])
    assert (kr.territory, kr.holds, us.territory, us.holds) == ("KR", True, "US-CA", False)
    assert circumstances.fold([]) == ()
