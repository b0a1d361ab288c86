"""Lost PINs: asked for, looked at by the desk, given back by a one-time code; told to nobody."""

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from api.case_recovery import LEAST_SECONDS, WRONG
from api.recovery_http import RECEIVED
from api.runtime import Runtime
from api.state import State
from registry.case_numbers import new_code, new_number
from registry.database import Database
from registry.policy.vocabulary import GrantorRole
from registry.principals import PrincipalKind
from registry.recoveries import TRIES, RecoveryCode, RecoveryEvent
from registry.representatives import Representative
from registry.reviews import Review, ReviewKind
from registry.settings import Settings
from registry.throttles import Arrival, ArrivalKind, source_of
from tests import acts
from tests.api.graphql.test_consent_receipts import rewriting
from tests.conftest import Account, Accounts, Execute, Json, served
from tests.desk import Desk
from tests.without_accounts import VIEWER, Visitor, coming, open_case

CONTACT = """
mutation ($input: AddContactInput!) { addContact(input: $input) {
  ... on ContactAdded { case { number } } ... on Problem { code } } }
"""
CHANGE = """
mutation ($input: ChangePinInput!) { changePin(input: $input) {
  ... on PinChanged { case { number } } ... on Problem { code } } }
"""
ERASE = """
mutation ($input: EraseSubjectInput!) { eraseSubject(input: $input) { __typename } }
"""
APPEAL = """
mutation ($input: AppealReviewInput!) { appealReview(input: $input) {
  ... on ReviewAppealed { reviewId } ... on Problem { code message } } }
"""
SHOWN = """
query { reviews(kind: LOST_PIN, mine: true, first: 100) { edges { node {
  id about papers { statement caseNumber } contacts { kind contact } } } } }
"""
DECIDE = """
mutation ($input: DecideReviewInput!) { decideReview(input: $input) {
  ... on ReviewDecided { recoveryCode review { id state ruling } }
  ... on Problem { code message field } } }
"""
ACCESSES = "query ($id: ID!) { subject(id: $id) { accesses { edges { node { what } } } } }"
NEW_PIN = "correct horse 7"
LOST = "I lost the letter with my PIN, and have a new telephone."


@pytest.fixture
def app(settings: Settings, runtime: Runtime) -> ASGIApp:
    return served(settings, runtime)


@pytest.fixture
async def visitor(app: ASGIApp) -> AsyncGenerator[Visitor]:
    async with coming(app) as client:
        yield await open_case(client)


@pytest.fixture
async def case(visitor: Visitor, execute: Execute) -> Account:
    return await visitor.account(execute)


@pytest.fixture
async def reached(case: Account, execute: Execute) -> Account:
    """A case whose holder said how to reach them."""
    given = {"kind": "EMAIL", "contact": "anna@example.org"}
    assert (await execute(case, CONTACT, input=given))["addContact"]["case"]
    return case


@pytest.fixture
def desk(state: State, execute: Execute, accounts: Accounts, operator: Database) -> Desk:
    return Desk(state, execute, accounts, operator)


async def ask(visitor: Visitor, number: str | None = None, **more: str) -> httpx2.Response:
    given = {"caseNumber": number or visitor.number, "statement": LOST, **more}
    return await visitor.client.post("/v1/cases/recovery", json=given)


async def redeem(
    visitor: Visitor, code: str, *, number: str | None = None, pin: str = NEW_PIN
) -> httpx2.Response:
    given = {"caseNumber": number or visitor.number, "code": code, "newPin": pin}
    return await visitor.client.post("/v1/cases/recovery/redeem", json=given)


async def asked(operator: Database, case: Account) -> list[str]:
    """The reviews of this case's lost PIN, oldest first."""
    async with operator.reading() as session:
        rows = await session.scalars(
            select(Review.id)
            .where(Review.kind == ReviewKind.LOST_PIN, Review.about == case.id)
            .order_by(Review.id)
        )
        return [str(one) for one in rows]


async def decide(execute: Execute, reviewer: Account, review: str, ruling: str) -> Json:
    given = {"id": review, "ruling": ruling, "reason": "Called the number on record."}
    answer: Json = (await execute(reviewer, DECIDE, input=given))["decideReview"]
    return answer


async def renewed(visitor: Visitor, case: Account, desk: Desk) -> str:
    """Asked, and found to be right: the code."""
    assert (await ask(visitor)).status_code == 202
    review = (await asked(desk.operator, case))[-1]
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    decided = await decide(desk.execute, reviewer, review, "RENEW")
    assert decided["review"] == {"id": review, "state": "DECIDED", "ruling": "RENEW"}
    code: str = decided["recoveryCode"]
    return code


async def tries(operator: Database, case: Account) -> list[str]:
    """What became of the codes of this case."""
    async with operator.reading() as session:
        rows = await session.scalars(
            select(RecoveryEvent.kind)
            .join(RecoveryCode, RecoveryCode.id == RecoveryEvent.code_id)
            .where(RecoveryCode.principal_id == case.id)
            .order_by(RecoveryEvent.at)
        )
        return [str(one) for one in rows]


def acting(subject: str, reviewer: Account, by: Account) -> Representative:
    """What makes a reviewer somebody who acts for this person."""
    return Representative(
        subject_id=UUID(subject),
        principal_id=reviewer.id,
        role=GrantorRole.GUARDIAN,
        sealed=b"-",
        appointed_by=by.id,
    )


async def waited(urls: tuple[str, str]) -> None:
    """Let every wait after a wrong code be over."""
    async with rewriting(urls) as connection:
        await connection.execute(
            "update case_attempts set created_at = created_at - interval '2 days'"
        )


def refused(answer: httpx2.Response) -> bool:
    """Whether a code was answered as every code that is not right is."""
    return (answer.status_code, answer.json()) == (403, {"code": "FORBIDDEN", "message": WRONG})


async def test_who_lost_a_pin_is_reached_as_it_is_on_record_and_sets_a_new_one(
    visitor: Visitor,
    reached: Account,
    execute: Execute,
    desk: Desk,
    operator: Database,
    client: httpx2.AsyncClient,
) -> None:
    subject = await acts.subject(execute, reached)
    answer = await ask(visitor)
    assert (answer.status_code, answer.json()) == (202, {"message": RECEIVED})
    assert answer.headers["cache-control"] == "no-store"
    (review,) = await asked(operator, reached)
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    (shown,) = (await execute(reviewer, SHOWN))["reviews"]["edges"]
    assert shown["node"] == {
        "id": review,
        "about": str(reached.id),
        "papers": {"statement": LOST, "caseNumber": visitor.number},
        "contacts": [{"kind": "EMAIL", "contact": "anna@example.org"}],
    }
    # The person sees that it was read.
    seen = (await execute(reached, ACCESSES, id=subject))["subject"]["accesses"]["edges"]
    assert [one["node"]["what"] for one in seen] == ["CONTACT"]
    decided = await decide(execute, reviewer, review, "RENEW")
    code = decided["recoveryCode"]
    assert decided["review"]["state"] == "DECIDED"
    typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    done = await redeem(visitor, typed)
    assert done.status_code == 200, done.text
    # The new PIN counts, the former does not, and no token from before holds.
    assert (await visitor.ask()).status_code == 400
    assert (await visitor.ask(pin=NEW_PIN)).status_code == 200
    ended = await client.post("/graphql", json={"query": VIEWER}, headers=reached.headers)
    assert ended.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    told = [kind for kind, _ in await desk.notices(reached)]
    assert told == ["PIN_RECOVERY_ASKED", "REVIEW_DECIDED", "PIN_RENEWED"]


async def test_contacts_are_shown_to_nobody_who_has_not_taken_the_review(
    visitor: Visitor, reached: Account, execute: Execute, desk: Desk, operator: Database
) -> None:
    await ask(visitor)
    (review,) = await asked(operator, reached)
    reviewer = await desk.reviewer()
    page = (await execute(reviewer, SHOWN.replace("mine: true", "state: OPEN")))["reviews"]
    found = [one["node"] for one in page["edges"] if one["node"]["id"] == review]
    assert [(one["papers"], one["contacts"]) for one in found] == [(None, [])]


async def test_nothing_of_a_code_is_kept_but_its_hash(
    visitor: Visitor, reached: Account, desk: Desk, operator: Database
) -> None:
    code = await renewed(visitor, reached, desk)
    async with operator.reading() as session:
        kept = await session.scalar(
            select(RecoveryCode.code_hash).where(RecoveryCode.principal_id == reached.id)
        )
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert code not in kept


async def test_a_code_is_used_once_though_many_use_it_at_once(
    visitor: Visitor, reached: Account, desk: Desk, operator: Database
) -> None:
    code = await renewed(visitor, reached, desk)
    pins = [f"horse battery {one}" for one in range(3)]
    answers = await asyncio.gather(*(redeem(visitor, code, pin=one) for one in pins))
    assert not [one.text for one in answers if one.status_code == 503]
    right = [pin for pin, one in zip(pins, answers, strict=True) if one.status_code == 200]
    assert len(right) == 1
    assert [one.status_code for one in answers].count(403) == 2
    assert (await visitor.ask(pin=right[0])).status_code == 200
    assert refused(await redeem(visitor, code))
    assert (await tries(operator, reached)).count("REDEEMED") == 1


async def test_a_wrong_code_is_refused_and_five_make_it_void(
    visitor: Visitor, reached: Account, desk: Desk, operator: Database, urls: tuple[str, str]
) -> None:
    code = await renewed(visitor, reached, desk)
    for _ in range(TRIES):
        assert refused(await redeem(visitor, new_code()))
    await waited(urls)  # as if all waits were over: the code itself is void
    assert refused(await redeem(visitor, code))
    assert await tries(operator, reached) == ["TRIED"] * TRIES
    assert (await visitor.ask()).status_code == 200


async def test_the_last_try_may_be_the_right_one(
    visitor: Visitor, reached: Account, desk: Desk
) -> None:
    code = await renewed(visitor, reached, desk)
    for _ in range(TRIES - 1):
        assert refused(await redeem(visitor, new_code()))
    assert (await redeem(visitor, code)).status_code == 200


async def test_many_guesses_at_once_are_counted(
    visitor: Visitor, reached: Account, desk: Desk, operator: Database
) -> None:
    await renewed(visitor, reached, desk)
    answers = await asyncio.gather(*(redeem(visitor, new_code()) for _ in range(8)))
    assert all(map(refused, answers))
    assert await tries(operator, reached) == ["TRIED"] * TRIES


async def test_guesses_make_the_next_ones_wait_whether_or_not_there_is_a_case(
    visitor: Visitor, case: Account, operator: Database
) -> None:
    for number in (visitor.number, new_number()):
        for _ in range(6):
            assert refused(await redeem(visitor, new_code(), number=number))
    # A lost PIN that was guessed at does not stand in the way of its holder, nor the reverse.
    assert (await visitor.ask()).status_code == 200
    assert await tries(operator, case) == []


async def test_a_code_expires(
    visitor: Visitor, reached: Account, desk: Desk, urls: tuple[str, str]
) -> None:
    code = await renewed(visitor, reached, desk)
    async with rewriting(urls) as connection:
        kept = await connection.fetchrow(
            "select created_at, expires_at from recovery_codes where principal_id = $1", reached.id
        )
        valid = kept["expires_at"] - kept["created_at"]
        assert abs(valid - timedelta(hours=72)) < timedelta(minutes=1)
        await connection.execute(
            "update recovery_codes set expires_at = clock_timestamp() where principal_id = $1",
            reached.id,
        )
    assert refused(await redeem(visitor, code))
    assert (await visitor.ask()).status_code == 200


async def test_a_pin_that_was_found_again_makes_the_code_void(
    visitor: Visitor, reached: Account, desk: Desk, execute: Execute
) -> None:
    code = await renewed(visitor, reached, desk)
    given = {"currentPin": visitor.pin, "newPin": "found it again"}
    assert (await execute(reached, CHANGE, input=given))["changePin"]["case"]
    assert refused(await redeem(visitor, code))
    assert (await visitor.ask(pin="found it again")).status_code == 200


async def test_a_newer_code_takes_the_place_of_an_older_one(
    visitor: Visitor, reached: Account, desk: Desk
) -> None:
    older, newer = [await renewed(visitor, reached, desk) for _ in range(2)]
    assert refused(await redeem(visitor, older))
    assert (await redeem(visitor, newer)).status_code == 200


async def test_a_case_that_does_not_exist_looks_the_same(
    visitor: Visitor, case: Account, operator: Database
) -> None:
    async with operator.reading() as session:
        before = await session.scalar(select(func.count()).select_from(Review))
    answers, took = [], []
    for number in (visitor.number, new_number()):
        began = time.monotonic()
        answers.append(await ask(visitor, number))
        took.append(time.monotonic() - began)
        began = time.monotonic()
        answers.append(await redeem(visitor, new_code(), number=number))
        took.append(time.monotonic() - began)
    known, unknown = answers[:2], answers[2:]
    for one, other in zip(known, unknown, strict=True):
        assert (one.status_code, one.content) == (other.status_code, other.content)
        assert one.headers.keys() == other.headers.keys()
    assert min(took) >= LEAST_SECONDS
    async with operator.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Review)) == before + 1
    assert len(await asked(operator, case)) == 1


async def test_one_request_of_a_case_waits_at_a_time(
    visitor: Visitor, reached: Account, desk: Desk, operator: Database
) -> None:
    answers = await asyncio.gather(*(ask(visitor) for _ in range(4)))
    assert {(one.status_code, one.content) for one in answers} == {(202, answers[0].content)}
    (review,) = await asked(operator, reached)
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    await ask(visitor)
    assert await asked(operator, reached) == [review]
    decided = await decide(desk.execute, reviewer, review, "DENY")
    assert decided == {
        "recoveryCode": None,
        "review": {"id": review, "state": "DECIDED", "ruling": "DENY"},
    }
    # What was denied is asked for again, not appealed.
    given = {"reviewId": review, "statement": "But it is me."}
    appealed = (await desk.execute(reached, APPEAL, input=given))["appealReview"]
    assert appealed["code"] == "CONFLICT"
    await ask(visitor)
    assert len(await asked(operator, reached)) == 2


async def test_an_address_asks_so_often_a_day(
    app: ASGIApp, visitor: Visitor, settings: Settings, state: State, operator: Database
) -> None:
    source = "198.51.100.77"
    async with operator.writing() as session:
        for _ in range(settings.recoveries_per_source - 1):
            session.add(Arrival(source=source_of(source, state.keys), kind=ArrivalKind.LOST_PIN))
    async with coming(app, source) as client:
        there = Visitor(client, visitor.number, visitor.pin)
        assert (await ask(there, new_number())).status_code == 202
        for number in (new_number(), visitor.number):
            answer = await ask(there, number)
            assert (answer.status_code, answer.json()["code"]) == (429, "BUSY")


async def test_two_reviewers_agree_where_nobody_can_be_reached(
    visitor: Visitor, case: Account, desk: Desk, execute: Execute, operator: Database
) -> None:
    await ask(visitor)
    (review,) = await asked(operator, case)
    first, second = await desk.reviewer(), await desk.reviewer()
    await desk.take(first, review)
    proposed = await decide(execute, first, review, "RENEW")
    assert proposed["recoveryCode"] is None
    assert proposed["review"]["state"] == "AWAITING_SECOND"
    async with operator.reading() as session:
        codes = select(func.count()).where(RecoveryCode.principal_id == case.id)
        assert await session.scalar(codes) == 0
    refusal = await execute(
        first,
        "mutation ($id: ID!) { takeReview(id: $id) { ... on Problem { code } } }",
        id=review,
    )
    assert refusal["takeReview"]["code"] == "FORBIDDEN"
    await desk.take(second, review)
    agreed = await decide(execute, second, review, "RENEW")
    assert agreed["review"]["state"] == "DECIDED"
    assert (await redeem(visitor, agreed["recoveryCode"])).status_code == 200


async def test_a_contact_that_came_after_the_request_is_none(
    visitor: Visitor, case: Account, desk: Desk, execute: Execute, operator: Database
) -> None:
    await ask(visitor)
    given = {"kind": "PHONE", "contact": "+49 30 999999"}
    await execute(case, CONTACT, input=given)
    (review,) = await asked(operator, case)
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    (shown,) = (await execute(reviewer, SHOWN))["reviews"]["edges"]
    assert shown["node"]["contacts"] == []
    proposed = await decide(execute, reviewer, review, "RENEW")
    assert proposed["review"]["state"] == "AWAITING_SECOND"


async def test_a_reviewer_who_acts_for_the_person_does_not_decide(
    visitor: Visitor, reached: Account, desk: Desk, execute: Execute, operator: Database
) -> None:
    subject = await acts.subject(execute, reached)
    reviewer = await desk.reviewer()
    async with operator.writing() as session:
        session.add(acting(subject, reviewer, reached))
    await ask(visitor)
    (review,) = await asked(operator, reached)
    assert (await desk.take(reviewer, review))["code"] == "FORBIDDEN"
    assert (await decide(execute, reviewer, review, "RENEW"))["code"] == "FORBIDDEN"
    assert "review" in await desk.take(await desk.reviewer(), review)


async def test_who_is_no_reviewer_decides_nothing(
    visitor: Visitor, reached: Account, desk: Desk, execute: Execute, operator: Database
) -> None:
    await ask(visitor)
    (review,) = await asked(operator, reached)
    able = await desk.accounts.open(PrincipalKind.ATTESTER)
    assert (await decide(execute, able, review, "RENEW"))["code"] == "FORBIDDEN"
    reviewer = await desk.reviewer()
    assert (await decide(execute, reviewer, review, "RENEW"))["code"] == "CONFLICT"
    await desk.take(reviewer, review)
    assert (await decide(execute, reviewer, review, "RELEASE"))["field"] == "ruling"


async def test_erasing_the_person_takes_what_was_said(
    visitor: Visitor, reached: Account, desk: Desk, execute: Execute, operator: Database
) -> None:
    subject = await acts.subject(execute, reached)
    await ask(visitor)
    await execute(reached, ERASE, input={"subjectId": subject, "keepBlocking": False})
    (review,) = await asked(operator, reached)
    reviewer = await desk.reviewer()
    await desk.take(reviewer, review)
    (shown,) = (await execute(reviewer, SHOWN))["reviews"]["edges"]
    assert shown["node"]["papers"] == {"statement": None, "caseNumber": None}
    assert shown["node"]["contacts"] == []


@pytest.mark.parametrize(
    ("path", "given", "status", "field"),
    [
        ("", {"statement": " "}, 400, "statement"),
        ("", {"statement": "x" * 4001}, 400, "statement"),
        ("", {"statement": 7}, 400, "statement"),
        ("", {"statement": LOST, "contact": "me@example.com"}, 400, "contact"),
        ("", {"statement": LOST, "caseNumber": "LR-7K3M-9QXV-2C4X"}, 400, "caseNumber"),
        ("/redeem", {"code": "1", "newPin": "12345678"}, 400, "newPin"),
        ("/redeem", {"newPin": NEW_PIN}, 400, "code"),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_looked_at(
    visitor: Visitor,
    case: Account,
    operator: Database,
    path: str,
    given: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    for number in (visitor.number, new_number()):
        answer = await visitor.client.post(
            f"/v1/cases/recovery{path}", json={"caseNumber": number, **given}
        )
        assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
        assert LOST not in answer.text
    assert await asked(operator, case) == []


async def test_only_json_is_read(visitor: Visitor) -> None:
    for path in ("/v1/cases/recovery", "/v1/cases/recovery/redeem"):
        form = await visitor.client.post(path, data={"caseNumber": visitor.number})
        assert form.status_code == 415
        broken = await visitor.client.post(
            path, content=b"{", headers={"Content-Type": "application/json"}
        )
        assert (broken.status_code, broken.json()["code"]) == (400, "INVALID")
