"""The way from "no" to "yes": a service asks, a person answers, and the service learns no more."""

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError
from strawberry.types import get_object_definition

from api.graphql import consent_requests as schema
from api.state import State
from registry import (
    consent_asking,
    consent_lookups,
    consent_receipts,
    deliveries,
    errands,
    grants,
    holds,
    services,
)
from registry.consent_requests import ConsentRequest, RequestAddressee
from registry.database import Database, WriteSession, new_id, now
from registry.encoders.identity import VOICE, Condition
from registry.grant_states import HoldCause
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.request_messages import RequestMessage
from tests import acts
from tests.api.graphql.test_erasure import ERASE
from tests.api.receiver import until
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry import enrolling

from . import asking
from .law import make, refusal

REGISTER_SERVICE = """mutation ($input: RegisterServiceInput!) { registerService(input: $input) {
  ... on ServiceRegistered { service { id } } ... on Problem { code message } } }"""


@contextmanager
def counted(state: State) -> Iterator[list[str]]:
    """The statements that the application sends meanwhile."""
    statements: list[str] = []

    def note(*given: object) -> None:
        statements.append(str(given[2]))

    engine = state.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


async def reached(operator: Database, request: str) -> list[str]:
    """Whom a request reached, as the registry knows."""
    async with operator.reading() as session:
        rows = await session.scalars(
            select(RequestAddressee.subject_id)
            .where(RequestAddressee.request_id == UUID(request))
            .order_by(RequestAddressee.id)
        )
    return [str(one) for one in rows]


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(schema.ConsentRequest, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(dir(ConsentRequest))


async def test_a_request_is_put_to_the_holder_in_the_words_of_the_service(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    terms = {**asking.TERMS, "maxUses": 3, "obligations": ["ATTRIBUTE"], "commercial": False}
    made = await asking.put(
        execute, state, service, subjectId=subject, terms=terms, message="May we, for one film?"
    )
    id = made["request"]["id"]
    seen = await asking.show(execute, owner, id)
    assert seen == {
        **made["request"],
        "subjectIds": [subject],
        "message": "May we, for one film?",  # which the service does not read back
    }
    assert (seen["state"], seen["serviceName"], seen["message"]) == (
        "REQUESTED", service.handle, "May we, for one film?",
    )  # fmt: skip
    assert (seen["uses"], seen["maxUses"], seen["obligations"], seen["commercial"]) == (
        ["GENERATE_IMAGE"], 3, ["ATTRIBUTE"], False,
    )  # fmt: skip
    assert seen["notice"] == asking.NOTICE
    days = datetime.fromisoformat(seen["expiresAt"]) - datetime.fromisoformat(seen["createdAt"])
    assert abs(days - timedelta(days=14)) < timedelta(minutes=1)
    assert await asking.told(execute, owner, id) == ["CONSENT_REQUESTED"]
    assert await asking.told(execute, service, id) == []


async def test_a_yes_is_a_grant_once_it_is_signed(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    denied = await acts.check(execute, service, acts.question(picture))
    assert denied["outcome"] == "CONSENT_REQUIRED"
    made = await asking.put(execute, state, service, decisionId=denied["id"])
    id = made["request"]["id"]
    assert await asking.told(execute, owner, id) == ["CONSENT_REQUESTED"]
    answered = await asking.answer(execute, owner, id, "GRANT")
    assert (answered["state"], answered["grant"]["state"]) == ("REQUESTED", "PENDING")
    assert answered["grant"]["grantees"] == [str(service.id)]
    assert (await asking.show(execute, service, id))["state"] == "REQUESTED"
    assert await asking.told(execute, service, id) == []
    assert not (await acts.check(execute, service, acts.question(picture)))["mayProceed"]
    signed = await execute(owner, acts.SIGN, id=answered["grant"]["id"])
    assert signed["signGrant"]["grant"]["state"] == "ACTIVE"
    seen = await asking.show(execute, service, id)
    assert (seen["state"], seen["grant"]["id"]) == ("GRANTED", answered["grant"]["id"])
    assert seen["subjectIds"] == []
    assert await asking.told(execute, service, id) == ["CONSENT_REQUEST_CHANGED"]
    granted = await acts.check(execute, service, acts.question(picture))
    assert granted["mayProceed"], granted
    again = await asking.answer(execute, owner, id, "REFUSE")
    assert refusal(again) == ("CONFLICT", None)
    grant = answered["grant"]["id"]
    await execute(owner, acts.REVOKE, id=grant)
    assert (await asking.show(execute, service, id))["state"] == "REFUSED"
    assert await asking.told(execute, service, grant) == ["GRANT_ACTIVE", "GRANT_REVOKED"]


async def test_a_no_is_final_and_its_reason_stays_with_the_holder(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    assert (await asking.answer(execute, owner, id, "DEFER"))["state"] == "DEFERRED"
    assert (await asking.show(execute, service, id))["state"] == "DEFERRED"
    refused = await asking.answer(execute, owner, id, "REFUSE", reason="Not for films")
    assert refused["state"] == "REFUSED"
    seen = await asking.show(execute, service, id)
    assert (seen["state"], seen["grant"], seen["subjectIds"]) == ("REFUSED", None, [])
    assert "Not for films" not in str(seen)
    assert await asking.told(execute, service, id) == ["CONSENT_REQUEST_CHANGED"] * 2
    for more in ("GRANT", "DEFER", "REFUSE"):
        assert refusal(await asking.answer(execute, owner, id, more)) == ("CONFLICT", None)


async def test_who_said_yes_may_refuse_until_it_is_signed(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    grant = (await asking.answer(execute, owner, id, "GRANT"))["grant"]["id"]
    for more in ("GRANT", "DEFER"):
        assert refusal(await asking.answer(execute, owner, id, more)) == ("CONFLICT", None)
    refused = await asking.answer(execute, owner, id, "REFUSE")
    assert (refused["state"], refused["grant"]["state"]) == ("REFUSED", "REVOKED")
    signed = await execute(owner, acts.SIGN, id=grant)
    assert signed["signGrant"]["code"] == "CONFLICT"


RECEIPTS = """query ($id: ID!) { consentRequest(id: $id) { receipts {
  eventState document token } } }"""


async def test_a_no_ends_a_grant_that_is_held_back_too(
    execute: Execute, state: State, owner: Account, service: Account, subject: str,
    operator: Database,
) -> None:  # fmt: skip
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    made = (await asking.answer(execute, owner, id, "GRANT"))["grant"]["id"]
    assert (await execute(owner, acts.SIGN, id=made))["signGrant"]["grant"]["state"] == "ACTIVE"
    for act in (holds.hold, holds.let_go):
        async with operator.writing() as session:
            grant = await grants.mine(session, UUID(made))
            await act(session, grant, HoldCause.CLAIM_CONFLICT, OPERATOR_ID)
        if act is holds.hold:
            assert (await asking.show(execute, owner, id))["state"] == "DEFERRED"
            assert (await asking.answer(execute, owner, id, "REFUSE"))["state"] == "REFUSED"
    seen = await asking.show(execute, owner, id)
    assert (seen["state"], seen["grant"]["state"]) == ("REFUSED", "REVOKED")


async def test_a_refusal_is_receipted_to_the_person_and_not_to_the_service(
    execute: Execute, state: State, owner: Account, service: Account, subject: str,
    client: httpx2.AsyncClient,
) -> None:  # fmt: skip
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    assert (await execute(owner, RECEIPTS, id=id))["consentRequest"]["receipts"] == []
    await asking.answer(execute, owner, id, "REFUSE")
    [receipt] = (await execute(owner, RECEIPTS, id=id))["consentRequest"]["receipts"]
    assert receipt["eventState"] == "ConsentRefused"
    jwks = (await client.get("/.well-known/jwks.json")).json()
    verified = consent_receipts.verify(receipt["token"], jwks).document
    assert verified["receipt_metadata"]["record_id"] == id
    assert verified["party_identification"][1]["party_name"] == service.handle
    assert verified["event"]["entity_role"] == "SELF"
    assert (await execute(service, RECEIPTS, id=id))["consentRequest"]["receipts"] == []


async def test_a_request_ends_by_itself(
    execute: Execute, state: State, operator: Database, owner: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    async with operator.reading() as session:
        ends = await now(session) + timedelta(seconds=2)
    made = await asking.put(execute, state, service, subjectId=subject, expiresAt=ends.isoformat())
    id = made["request"]["id"]

    async def is_over() -> bool:
        found: str = (await asking.show(execute, owner, id))["state"]
        return found == "EXPIRED"

    await until(is_over)
    assert (await asking.show(execute, service, id))["state"] == "EXPIRED"
    assert refusal(await asking.answer(execute, owner, id, "GRANT")) == ("CONFLICT", None)
    late = await asking.claim(execute, owner, made["linkToken"], subject)
    assert refusal(late) == ("NOT_FOUND", None)


async def test_w_a_new_persons_own_voice_goes_from_no_to_yes_by_link(
    execute: Execute, accounts: Accounts, state: State, service: Account
) -> None:
    """A customer clones his own voice: link, record, enrolment, yes, signature, permission."""
    voices = enrolling.voice()
    wide = next(value for (_, where), value in voices.items() if where is Condition.WIDE)
    speech = {"modalities": ["VOICE"], "uses": ["SYNTHESIZE_SPEECH"], "purposes": ["PERSONAL"]}
    made = await asking.ask(execute, service, scope=speech)
    assert made["link"].endswith(f"/consent/{made['linkToken']}")
    assert len(made["linkToken"]) >= 43  # 256 bits, base64url
    customer = await accounts.open(PrincipalKind.PERSON)
    subject = await acts.subject(execute, customer)
    claimed = await asking.claim(execute, customer, made["linkToken"], subject)
    assert (claimed["state"], claimed["subjectIds"]) == ("REQUESTED", [subject])
    await enrolling.Person(state, customer, UUID(subject), 2).enrol(voices)
    question = {
        "use": "SYNTHESIZE_SPEECH",
        "purpose": "PERSONAL",
        "modalities": ["VOICE"],
        "persons": [{"claimedSubject": subject, "probes": [_voice(wide)]}],
    }
    before = await acts.check(execute, service, question)
    assert before["outcome"] == "CONSENT_REQUIRED", before
    grant = (await asking.answer(execute, customer, claimed["id"], "GRANT"))["grant"]
    assert grant["state"] == "PENDING"
    signed = await execute(customer, acts.SIGN, id=grant["id"])
    assert signed["signGrant"]["grant"]["state"] == "ACTIVE"
    permitted = await acts.check(execute, service, question)
    assert permitted["outcome"] == "PERMITTED", permitted
    assert grant["id"] in {one["grant"] for one in permitted["reasons"]}


def _voice(vector: bytes) -> Json:
    return {"voiceVector": {"encoder": VOICE, "base64": base64.b64encode(vector).decode()}}


def _same_but_for_ids(document: Json) -> str:
    """The answer without what is new in every answer: ids, secrets, digits of times."""
    text_of = str(document)
    text_of = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text_of)
    text_of = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+\+00:00", "TIME", text_of)
    return re.sub(r"(consent/|linkToken': ')[A-Za-z0-9_-]{43}", r"\1SECRET", text_of)


async def test_the_answer_is_the_same_whether_or_not_there_is_such_a_person(
    execute: Execute, state: State, client: httpx2.AsyncClient, operator: Database,
    accounts: Accounts, owner: Account, subject: str,
) -> None:  # fmt: skip
    asker = await accounts.open(PrincipalKind.SERVICE, tier=0)
    known = await asking.put(execute, state, asker, subjectId=subject)
    unknown = await asking.put(execute, state, asker, subjectId=asking.unlike())
    nobody = await asking.ask(execute, asker)
    assert _same_but_for_ids(known) == _same_but_for_ids(unknown) == _same_but_for_ids(nobody)
    assert await reached(operator, known["request"]["id"]) == [subject]
    assert await reached(operator, unknown["request"]["id"]) == []
    pictures = [acts.random_hash(), acts.random_hash()]
    await acts.asset(execute, owner, [subject], pictures[0])
    made = []
    for picture in pictures:
        decision = await acts.check(execute, asker, acts.question(picture))
        assert decision["outcome"] == "NOT_CLEARED"
        made.append(await asking.put(execute, state, asker, decisionId=decision["id"]))
    assert _same_but_for_ids(made[0]) == _same_but_for_ids(made[1]) == _same_but_for_ids(known)
    assert await reached(operator, made[0]["request"]["id"]) == [subject]
    assert await reached(operator, made[1]["request"]["id"]) == []
    seen = [await asking.show(execute, asker, one["request"]["id"]) for one in (known, *made)]
    assert len({_same_but_for_ids(one) for one in seen}) == 1
    lengths = set()
    for id in (subject, asking.unlike()):
        given = {"query": asking.REQUEST, "variables": {"input": asking.asked(subjectId=id)}}
        response = await client.post("/graphql", json=given, headers=asker.headers)
        names = {name for name in response.headers if name != "date"}
        lengths.add((response.status_code, len(response.content) // 20, tuple(sorted(names))))
    assert len(lengths) == 1


async def test_the_third_open_request_about_one_is_the_last_known_or_not(
    execute: Execute, state: State, client: httpx2.AsyncClient, operator: Database, owner: Account,
    service: Account, subject: str,
) -> None:  # fmt: skip
    for id in (subject, asking.unlike()):
        for _ in range(3):
            assert "request" in await asking.ask(execute, service, subjectId=id)
        given = {"query": asking.REQUEST, "variables": {"input": asking.asked(subjectId=id)}}
        response = await client.post("/graphql", json=given, headers=service.headers)
        assert response.status_code == 429, response.text
        assert "retry-after" in response.headers
    # By another way the service is not told; the person is asked no fourth time all the same.
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    denied = await acts.check(execute, service, acts.question(picture))
    made = await asking.put(execute, state, service, decisionId=denied["id"])
    assert await reached(operator, made["request"]["id"]) == []
    mine = await execute(owner, asking.LIST, first=100)
    first = mine["consentRequests"]["edges"][0]["node"]["id"]
    await asking.answer(execute, owner, first, "REFUSE")
    assert "request" in await asking.put(execute, state, service, subjectId=subject)


async def test_a_service_has_a_bounded_number_of_open_requests(
    execute: Execute, client: httpx2.AsyncClient, service: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_asking, "MAX_OPEN", 2)
    for _ in range(2):
        assert "request" in await asking.ask(execute, service)
    given = {"query": asking.REQUEST, "variables": {"input": asking.asked()}}
    response = await client.post("/graphql", json=given, headers=service.headers)
    assert response.status_code == 429


async def test_whoever_objected_is_not_asked_and_the_service_is_not_told(
    execute: Execute,
    state: State,
    operator: Database,
    accounts: Accounts,
    owner: Account,
    subject: str,
) -> None:
    asker = await accounts.open(PrincipalKind.SERVICE, tier=0)
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await execute(owner, acts.OBJECT, input={"subjectId": subject})
    denied = await acts.check(execute, asker, acts.question(picture))
    assert denied["outcome"] == "NOT_CLEARED"
    made = await asking.put(execute, state, asker, decisionId=denied["id"])
    assert made["request"]["state"] == "REQUESTED"
    assert await reached(operator, made["request"]["id"]) == []
    contract = await accounts.open(PrincipalKind.SERVICE, tier=2)
    told = await acts.check(execute, contract, acts.question(picture))
    assert told["outcome"] == "PROHIBITED"
    refused = await asking.ask(execute, contract, decisionId=told["id"])
    assert refusal(refused) == ("INVALID", "decisionId")


async def test_a_decision_of_another_or_that_permits_asks_nobody(
    execute: Execute,
    accounts: Accounts,
    owner: Account,
    service: Account,
    subject: str,
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    denied = await acts.check(execute, service, acts.question(picture))
    other = await accounts.open(PrincipalKind.SERVICE)
    for account, id in ((other, denied["id"]), (service, asking.unlike()), (service, "x")):
        done = await asking.ask(execute, account, decisionId=id)
        assert refusal(done) == ("NOT_FOUND", "decisionId")
    for person in (-1, 1):
        done = await asking.ask(execute, service, decisionId=denied["id"], person=person)
        assert refusal(done) == ("INVALID", "person")
    both = await asking.ask(execute, service, decisionId=denied["id"], subjectId=subject)
    assert refusal(both) == ("INVALID", "decisionId")
    await acts.grant(execute, owner, subject, service)
    permitted = await acts.check(execute, service, acts.question(picture))
    done = await asking.ask(execute, service, decisionId=permitted["id"])
    assert refusal(done) == ("INVALID", "decisionId")


async def test_each_person_of_a_decision_is_asked_for_themselves(
    execute: Execute, state: State, operator: Database, owner: Account, service: Account
) -> None:
    people = [await acts.subject(execute, owner) for _ in range(2)]
    pictures = [acts.random_hash() for _ in people]
    for one, picture in zip(people, pictures, strict=True):
        await acts.asset(execute, owner, [one], picture)
    denied = await acts.check(execute, service, acts.question(*pictures))
    for index, one in enumerate(people):
        made = await asking.put(execute, state, service, decisionId=denied["id"], person=index)
        assert await reached(operator, made["request"]["id"]) == [one]


async def test_a_picture_of_several_asks_nobody(
    execute: Execute, state: State, operator: Database, owner: Account, service: Account
) -> None:
    """Nobody is asked in place of another."""
    people = [await acts.subject(execute, owner) for _ in range(2)]
    picture = acts.random_hash()
    await acts.asset(execute, owner, people, picture)
    denied = await acts.check(execute, service, acts.question(picture))
    made = await asking.put(execute, state, service, decisionId=denied["id"])
    assert await reached(operator, made["request"]["id"]) == []


async def test_a_link_works_once_and_for_a_subject_of_ones_own(
    execute: Execute, accounts: Accounts, operator: Database, owner: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    made = await asking.ask(execute, service)
    token = made["linkToken"]
    other = await accounts.open(PrincipalKind.PERSON)
    for given in (subject, asking.unlike(), "x"):
        done = await asking.claim(execute, other, token, given)
        assert refusal(done) == ("NOT_FOUND", "subjectId")
    for wrong in ("", "x", token[:-1], secrets.token_urlsafe(32)):
        done = await asking.claim(execute, owner, wrong, subject)
        assert refusal(done) == ("NOT_FOUND", None)
    claimed = await asking.claim(execute, owner, token, subject)
    assert claimed["subjectIds"] == [subject]
    assert refusal(await asking.claim(execute, owner, token, subject)) == ("NOT_FOUND", None)
    theirs = await acts.subject(execute, other)
    assert refusal(await asking.claim(execute, other, token, theirs)) == ("NOT_FOUND", None)
    async with operator.reading() as session:
        request = await session.get_one(ConsentRequest, UUID(made["request"]["id"]))
        assert request.link_sha256 == hashlib.sha256(token.encode()).digest()
        kept = await session.scalar(text("select t::text from consent_requests t where id = :id"),
                                    {"id": request.id})  # fmt: skip
    assert token not in kept


async def test_of_many_who_open_a_link_at_once_one_has_it(
    execute: Execute, accounts: Accounts, operator: Database, service: Account
) -> None:
    made = await asking.ask(execute, service)
    people = [await accounts.open(PrincipalKind.PERSON) for _ in range(4)]
    subjects = [await acts.subject(execute, one) for one in people]
    token = made["linkToken"]
    done = await asyncio.gather(
        *(
            asking.claim(execute, one, token, subject)
            for one, subject in zip(people, subjects, strict=True)
        )
    )
    assert sorted(one.get("code", "") for one in done) == ["", *["NOT_FOUND"] * 3]
    assert len(await reached(operator, made["request"]["id"])) == 1


async def test_of_many_answers_at_once_one_counts(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    done = await asyncio.gather(*(asking.answer(execute, owner, id, "GRANT") for _ in range(4)))
    assert sorted(one.get("code", "") for one in done) == ["", *["CONFLICT"] * 3]
    given = await execute(owner, "{ grants(first: 9) { edges { node { id } } } }")
    assert len(given["grants"]["edges"]) == 1


async def test_the_running_server_lets_people_be_asked_without_being_told_to(
    execute: Execute, owner: Account, service: Account, subject: str
) -> None:
    id = (await asking.ask(execute, service, subjectId=subject))["request"]["id"]

    async def is_told() -> bool:
        return await asking.told(execute, owner, id) == ["CONSENT_REQUESTED"]

    await until(is_told)


async def test_a_request_that_cannot_be_looked_up_holds_up_nobody_else(
    execute: Execute, state: State, service: Account, owner: Account, operator: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whom = [await acts.subject(execute, owner) for _ in range(2)]
    made = [await asking.ask(execute, service, subjectId=one) for one in whom]
    first, second = [one["request"]["id"] for one in made]
    reach = consent_lookups._reach

    async def broken(session: WriteSession, request: ConsentRequest, subject_id: UUID) -> None:
        if str(request.id) == first:
            raise RuntimeError("a damaged request")
        await reach(session, request, subject_id)

    async def failing(*_: object) -> None:
        raise RuntimeError("the whole errand")

    async def delivered(*_: object, **_more: object) -> None:
        done.set()

    done = asyncio.Event()
    with monkeypatch.context() as patched:
        patched.setattr(consent_lookups, "_reach", broken)
        await consent_lookups.look_up(operator, state.keys)
        patched.setattr(consent_lookups, "look_up", failing)
        patched.setattr(deliveries, "deliver", delivered)
        running = asyncio.create_task(errands.run(operator, state.keys, private=True))
        await asyncio.wait_for(done.wait(), 5)
        running.cancel()
    assert [await reached(operator, one) for one in (first, second)] == [[], [whom[1]]]
    await consent_lookups.look_up(operator, state.keys)
    assert await reached(operator, first) == [whom[0]]


async def test_nobody_known_is_asked_by_link(
    execute: Execute, state: State, operator: Database, service: Account
) -> None:
    unknown = await acts.check(execute, service, acts.question(acts.random_hash()))
    assert "REQUEST_CONSENT" in {one["action"] for one in unknown["reasons"]}
    made = await asking.put(execute, state, service, decisionId=unknown["id"])
    assert (made["request"]["state"], await reached(operator, made["request"]["id"])) == (
        "REQUESTED", [],
    )  # fmt: skip


async def test_a_link_reaches_another_than_the_registry_knew_and_each_answers_alone(
    execute: Execute,
    state: State,
    accounts: Accounts,
    owner: Account,
    service: Account,
    subject: str,
) -> None:
    """The service cannot tell by a link whether the registry found anybody."""
    made = await asking.put(execute, state, service, subjectId=subject)
    id = made["request"]["id"]
    customer = await accounts.open(PrincipalKind.PERSON)
    theirs = await acts.subject(execute, customer)
    claimed = await asking.claim(execute, customer, made["linkToken"], theirs)
    assert claimed["subjectIds"] == [theirs]
    assert (await asking.answer(execute, owner, id, "REFUSE"))["state"] == "REFUSED"
    assert (await asking.show(execute, customer, id))["state"] == "REQUESTED"
    grant = (await asking.answer(execute, customer, id, "GRANT"))["grant"]["id"]
    await execute(customer, acts.SIGN, id=grant)
    assert (await asking.show(execute, customer, id))["state"] == "GRANTED"
    assert (await asking.show(execute, service, id))["state"] == "GRANTED"
    seen = await asking.show(execute, owner, id)
    assert (seen["state"], seen["subjectIds"]) == ("REFUSED", [subject])


async def test_who_keeps_two_of_those_asked_says_for_whom_they_answer(
    execute: Execute, state: State, owner: Account, service: Account, subject: str
) -> None:
    made = await asking.put(execute, state, service, subjectId=subject)
    id, other = made["request"]["id"], await acts.subject(execute, owner)
    claimed = await asking.claim(execute, owner, made["linkToken"], other)
    assert claimed["subjectIds"] == [subject, other]
    assert refusal(await asking.answer(execute, owner, id, "DEFER")) == ("INVALID", "subjectId")
    third = await acts.subject(execute, owner)
    wrong = await asking.answer(execute, owner, id, "DEFER", subjectId=third)
    assert refusal(wrong) == ("NOT_FOUND", "subjectId")
    done = await asking.answer(execute, owner, id, "DEFER", subjectId=other)
    assert done["state"] == "DEFERRED"


async def test_only_who_answers_for_the_person_answers(
    execute: Execute, accounts: Accounts, state: State, owner: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    id = (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
    for kind, code in (
        (PrincipalKind.PERSON, "NOT_FOUND"),
        (PrincipalKind.SERVICE, "NOT_FOUND"),
        (PrincipalKind.REGULATOR, "NOT_FOUND"),
        (PrincipalKind.AUDITOR, "NOT_FOUND"),
        (PrincipalKind.ATTESTER, "FORBIDDEN"),
        (PrincipalKind.REVIEWER, "FORBIDDEN"),
    ):
        other = await accounts.open(kind)
        for answer in ("GRANT", "REFUSE", "DEFER"):
            assert refusal(await asking.answer(execute, other, id, answer))[0] == code
    assert refusal(await asking.answer(execute, service, id, "GRANT")) == ("FORBIDDEN", None)
    assert refusal(await asking.answer(execute, owner, asking.unlike(), "GRANT"))[0] == "NOT_FOUND"
    forged = text(
        "insert into consent_request_events (id, request_id, kind, subject_id, actor_id)"
        " values (:id, :request, 'PROPOSED', :subject, :by)"
    )
    stranger = await accounts.open()
    theirs = await acts.subject(execute, stranger)
    for account, whom in ((stranger, subject), (stranger, theirs), (service, subject)):
        given = {"id": new_id(), "request": UUID(id), "subject": UUID(whom), "by": account.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(forged, given)
    assert (await asking.show(execute, service, id))["state"] == "REQUESTED"


async def test_a_verified_guardian_is_told_and_answers(
    execute: Execute, state: State, accounts: Accounts, owner: Account, service: Account
) -> None:
    child = await acts.subject(execute, owner, birthDate="2018-01-01")
    attester = await accounts.open(PrincipalKind.ATTESTER)
    guardian = await accounts.open(PrincipalKind.PERSON)
    await make(
        execute, attester, "appointRepresentative", subjectId=child, principalId=str(guardian.id),
        role="GUARDIAN", source="Birth certificate",
    )  # fmt: skip
    id = (await asking.put(execute, state, service, subjectId=child))["request"]["id"]
    assert await asking.told(execute, guardian, id) == ["CONSENT_REQUESTED"]
    assert (await asking.answer(execute, guardian, id, "REFUSE"))["state"] == "REFUSED"


async def test_an_agent_is_told_and_answers_within_the_mandate(
    execute: Execute, state: State, accounts: Accounts, owner: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    agent = await accounts.open(PrincipalKind.PERSON)
    named = await make(
        execute, owner, "appointRepresentative", subjectId=subject, principalId=str(agent.id),
        role="AGENT", source="Contract", scope={"purposes": ["FILM_TV"]},
    )  # fmt: skip
    confirm = """mutation ($id: ID!) { confirmRepresentative(id: $id) { __typename } }"""
    await execute(owner, confirm, id=named["id"])
    films, games = [
        (await asking.put(execute, state, service, subjectId=subject, scope=scope))["request"]["id"]
        for scope in (asking.FILMS, {**asking.FILMS, "purposes": ["GAMES"]})
    ]
    assert await asking.told(execute, agent, films) == ["CONSENT_REQUESTED"]
    outside = await asking.answer(execute, agent, games, "REFUSE")
    assert refusal(outside) == ("FORBIDDEN", None)
    assert (await asking.answer(execute, agent, films, "REFUSE"))["state"] == "REFUSED"


async def test_nobody_answers_their_own_service(
    execute: Execute, state: State, accounts: Accounts, owner: Account, subject: str
) -> None:
    registered = await execute(owner, REGISTER_SERVICE, input={"name": secrets.token_hex(8)})
    id = UUID(registered["registerService"]["service"]["id"])
    own = Account(id, PrincipalKind.SERVICE, await accounts.token(id), "own")
    made = await asking.put(execute, state, own, subjectId=subject)
    for answer in ("GRANT", "REFUSE", "DEFER"):
        done = await asking.answer(execute, owner, made["request"]["id"], answer)
        assert refusal(done) == ("FORBIDDEN", None)
    assert refusal(await asking.claim(execute, owner, made["linkToken"], subject))[0] == "FORBIDDEN"


async def test_only_a_working_service_asks(
    execute: Execute, accounts: Accounts, operator: Database, service: Account
) -> None:
    for kind in ("ORGANISATION", "PERSON", "REGULATOR", "REVIEWER", "OPERATOR"):
        other = await accounts.open(PrincipalKind(kind))
        assert refusal(await asking.ask(execute, other)) == ("FORBIDDEN", None)
    async with operator.writing() as session:
        await services.suspend(session, service_id=service.id, actor_id=OPERATOR_ID)
    assert refusal(await asking.ask(execute, service)) == ("FORBIDDEN", None)


async def test_a_token_needs_the_scope(
    execute: Execute, client: httpx2.AsyncClient, accounts: Accounts
) -> None:
    other = await accounts.open(PrincipalKind.SERVICE, scopes=frozenset({Scope.CHECK}))
    assert refusal(await asking.ask(execute, other)) == ("FORBIDDEN", None)
    for document, variables in (
        (asking.SHOW, {"id": asking.unlike()}),
        (asking.LIST, {"first": 1}),
    ):
        given = {"query": document, "variables": variables}
        body = (await client.post("/graphql", json=given, headers=other.headers)).json()
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"message": "x" * 501}, "message"),
        ({"message": ""}, "message"),
        ({"message": "a\nb"}, "message"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2090-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2027-01-01T00:00:00"}, "expiresAt"),
        ({"terms": {"endsAt": "2020-01-01T00:00:00Z"}}, "endsAt"),
        ({"terms": {"endsAt": "2030-01-01T00:00:00"}}, "endsAt"),
        ({"terms": {"maxUses": 0}}, "maxUses"),
        ({"terms": {"termsSha256": "AA=="}}, "termsSha256"),
        ({"scope": {"uses": []}}, "uses"),
        ({"scope": {"territories": ["Narnia"]}}, "territories"),
        ({"notice": {**asking.NOTICE, "sha256": "x"}}, "notice.sha256"),
        ({"notice": {**asking.NOTICE, "version": ""}}, "notice.version"),
        ({"notice": {**asking.NOTICE, "language": "x" * 101}}, "notice.language"),
        ({"notice": {**asking.NOTICE, "url": "http://studio.example/"}}, "notice.url"),
        ({"notice": {**asking.NOTICE, "url": "https://[x"}}, "notice.url"),
        ({"notice": {**asking.NOTICE, "url": "javascript:alert(1)"}}, "notice.url"),
    ],
)
async def test_a_request_that_cannot_be_is_a_problem(
    execute: Execute, service: Account, change: Json, field: str
) -> None:
    assert refusal(await asking.ask(execute, service, **change)) == ("INVALID", field)


async def test_the_same_key_asks_once_and_does_not_show_the_secret_again(
    execute: Execute, state: State, service: Account, owner: Account, subject: str
) -> None:
    given = {"subjectId": subject, "idempotencyKey": secrets.token_hex(8)}
    first = await asking.put(execute, state, service, **given)
    again = await asking.put(execute, state, service, **given)
    assert again["request"] == first["request"]
    assert (again["link"], again["linkToken"]) == (None, None)
    id = first["request"]["id"]
    assert await asking.told(execute, owner, id) == ["CONSENT_REQUESTED"]
    other = await asking.ask(execute, service, **given, message="Other")
    assert refusal(other) == ("CONFLICT", "idempotencyKey")


async def test_requests_are_paged_and_seen_by_those_they_concern(
    execute: Execute,
    state: State,
    accounts: Accounts,
    owner: Account,
    service: Account,
    subject: str,
) -> None:
    ids = [
        (await asking.put(execute, state, service, subjectId=subject))["request"]["id"]
        for _ in "abc"
    ]
    for account in (owner, service):
        seen, cursor = [], None
        while True:
            page = (await execute(account, asking.LIST, first=2, after=cursor))["consentRequests"]
            seen += [edge["node"]["id"] for edge in page["edges"]]
            cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == ids
    for other in (await accounts.open(), await accounts.open(PrincipalKind.SERVICE)):
        assert (await execute(other, asking.LIST, first=5))["consentRequests"]["edges"] == []


async def test_an_account_reads_its_own_notices_with_any_token(
    execute: Execute, accounts: Accounts, state: State, owner: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    made = await asking.put(execute, state, service, subjectId=subject)
    id = made["request"]["id"]
    token = await accounts.token(owner.id, scopes=frozenset({Scope.CHECK}))
    [told] = (await execute(replace(owner, token=token), asking.NOTICES))["notices"]["edges"]
    assert (told["node"]["kind"], told["node"]["about"]) == ("CONSENT_REQUESTED", id)
    assert told["node"]["dueAt"] == made["request"]["expiresAt"]
    other = await accounts.open(PrincipalKind.OPERATOR)
    assert (await execute(other, asking.NOTICES))["notices"]["edges"] == []


async def test_listing_requests_costs_the_same_however_many_they_are(
    execute: Execute, state: State, owner: Account, service: Account
) -> None:
    document = """query ($first: Int!) { consentRequests(first: $first) { edges { node {
      state serviceName subjectIds grant { id state } } } } }"""
    counts = []
    for _ in range(2):
        for _ in range(2):
            one = await acts.subject(execute, owner)
            id = (await asking.put(execute, state, service, subjectId=one))["request"]["id"]
            await asking.answer(execute, owner, id, "GRANT")
        with counted(state) as statements:
            await execute(owner, document, first=50)
        counts.append(len([one for one in statements if "consent_request" in one]))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("keep", [True, False])
async def test_what_a_service_wrote_goes_with_whom_it_was_written_to(
    execute: Execute,
    state: State,
    accounts: Accounts,
    operator: Database,
    owner: Account,
    service: Account,
    *,
    keep: bool,
) -> None:
    people = [await acts.subject(execute, owner) for _ in range(2)]
    ids = [
        (await asking.put(execute, state, service, subjectId=one, message="Dear Ada,"))["request"]
        for one in people
    ]
    first, second = [one["id"] for one in ids]
    reviewer = await accounts.open(PrincipalKind.REVIEWER)
    assert [one["message"] for one in ids] == [None, None]
    for account, seen in ((owner, "Dear Ada,"), (service, None), (reviewer, None)):
        assert (await asking.show(execute, account, second))["message"] == seen
    await execute(owner, ERASE, input={"subjectId": people[0], "keepBlocking": keep})
    async with operator.reading() as session:
        rows = await session.scalars(
            select(RequestMessage.request_id).where(
                RequestMessage.request_id.in_([UUID(first), UUID(second)])
            )
        )
        assert [str(one) for one in rows] == [second]
    assert (await asking.show(execute, owner, first))["message"] is None
