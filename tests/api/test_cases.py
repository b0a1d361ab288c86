"""Cases: whoever has no account opens one with a number and a PIN, and forbids at once (W01)."""

import base64
import re
import secrets
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from api.runtime import Runtime
from api.state import State
from registry.case_numbers import checked_number, new_number
from registry.cases import Case, CaseContact, CasePin
from registry.database import Database
from registry.encoders.identity import FACE
from registry.errors import InvalidError
from registry.pins import NOBODYS, checked_pin
from registry.principals import PrincipalKind, Scope
from registry.samples import Verdict
from registry.settings import Settings
from registry.throttles import Arrival, source_of
from tests import acts
from tests.conftest import Account, Accounts, Execute, served
from tests.registry.enrolling import Person, face, unit
from tests.without_accounts import VIEWER, Visitor, coming, open_case

CHANGE = """
mutation ($input: ChangePinInput!) { changePin(input: $input) {
  ... on PinChanged { case { number } } ... on Problem { code message field } } }
"""
CONTACT = """
mutation ($input: AddContactInput!) { addContact(input: $input) {
  ... on ContactAdded { case { contacts { kind contact } } }
  ... on Problem { code message field } } }
"""
SAMPLES = "query ($id: ID!) { subject(id: $id) { registration samples { state } } }"


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


async def test_a_case_is_an_account_that_is_known_by_number_and_pin(
    visitor: Visitor, execute: Execute
) -> None:
    assert checked_number(visitor.number) == visitor.number
    assert re.fullmatch(r"\d{8}", visitor.pin)
    answer = await visitor.ask()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    viewer = (await execute(await visitor.account(execute), VIEWER))["viewer"]
    assert (viewer["handle"], viewer["kind"], viewer["ial"]) == (visitor.number, "PERSON", 1)
    assert viewer["scopes"] == sorted(body["scope"].split())
    assert "grants:write" not in viewer["scopes"]
    assert viewer["case"]["number"] == visitor.number
    assert viewer["case"]["contacts"] == []


async def test_an_account_that_is_no_case_has_none(execute: Execute, owner: Account) -> None:
    assert (await execute(owner, VIEWER))["viewer"]["case"] is None
    made = await execute(owner, CONTACT, input={"kind": "EMAIL", "contact": "a@example.org"})
    assert made["addContact"]["code"] == "NOT_FOUND"


async def test_nothing_of_a_pin_is_kept_but_its_hash(visitor: Visitor, operator: Database) -> None:
    async with operator.reading() as session:
        rows = list(await session.scalars(select(CasePin.pin_hash)))
    assert all(one.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for one in rows)
    assert NOBODYS.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not any(visitor.pin in one for one in rows)


async def test_an_objection_without_an_account_bites_at_once(
    case: Account, execute: Execute, service: Account
) -> None:
    """W01: PROVISIONAL, effective at once, by hash."""
    subject, hash = await acts.subject(execute, case), acts.random_hash()
    await acts.asset(execute, case, [subject], hash)
    filed = await execute(case, acts.OBJECT, input={"subjectId": subject})
    objection = filed["fileObjection"]["objection"]
    assert objection["state"] == "PROVISIONAL"
    decision = await acts.check(execute, service, acts.question(hash))
    assert decision["outcome"] == "PROHIBITED"
    assert "OBJECTION" in acts.codes(decision)
    withdrawn = await execute(case, acts.WITHDRAW, id=objection["id"])
    assert withdrawn["withdrawObjection"]["objection"]["state"] == "WITHDRAWN"
    decision = await acts.check(execute, service, acts.question(hash))
    assert "OBJECTION" not in acts.codes(decision)


async def test_an_objection_without_an_account_bites_for_a_face(
    case: Account, execute: Execute, accounts: Accounts, state: State
) -> None:
    """W01: by vector; and what a comparison brought out is not told below IAL2."""
    subject = await acts.subject(execute, case)
    vector = unit()
    person = Person(state, case, UUID(subject), ial=1)
    await person.enrol(face(vector))
    await person.enrol(face(), verdict=Verdict.HOLD_NEAR_OTHERS)
    shown = (await execute(case, SAMPLES, id=subject))["subject"]
    assert shown["registration"] == "PROVISIONAL"
    assert [one["state"] for one in shown["samples"]] == ["RECEIVED", "RECEIVED"]
    await execute(case, acts.OBJECT, input={"subjectId": subject})
    service = await accounts.open(PrincipalKind.SERVICE)
    probe = {"faceVector": {"encoder": FACE, "base64": base64.b64encode(vector.tobytes()).decode()}}
    asked = {**acts.question(), "persons": [{"probes": [probe]}]}
    decision = await acts.check(execute, service, asked)
    assert decision["outcome"] == "PROHIBITED"
    assert "OBJECTION" in acts.codes(decision)


async def test_a_child_objects_alone(case: Account, execute: Execute, service: Account) -> None:
    twelve = (datetime.now(UTC) - timedelta(days=12 * 365.25 + 30)).date().isoformat()
    subject, hash = await acts.subject(execute, case, birthDate=twelve), acts.random_hash()
    await acts.asset(execute, case, [subject], hash)
    filed = await execute(case, acts.OBJECT, input={"subjectId": subject})
    assert filed["fileObjection"]["objection"]["state"] == "PROVISIONAL"
    decision = await acts.check(execute, service, acts.question(hash))
    assert decision["outcome"] == "PROHIBITED"
    assert "OBJECTION" in acts.codes(decision)


async def test_a_case_gives_no_right_to_grant(
    case: Account,
    execute: Execute,
    service: Account,
    accounts: Accounts,
    client: httpx2.AsyncClient,
) -> None:
    """W01: neither with its own token nor, at this level, with one that has the scope."""
    subject = await acts.subject(execute, case)
    given = {"subjectId": subject, "scope": {"modalities": ["FACE"]}, "grantees": [str(service.id)]}
    refused = await client.post(
        "/graphql",
        json={"query": acts.PROPOSE, "variables": {"input": given}},
        headers=case.headers,
    )
    assert "grants:write" in refused.text
    more = await accounts.token(case.id, scopes=frozenset(Scope), ial=1)
    able = Account(case.id, case.kind, more, case.handle)
    proposed = (await execute(able, acts.PROPOSE, input=given))["proposeGrant"]["grant"]
    assert proposed["state"] == "PENDING"
    signed = (await execute(able, acts.SIGN, id=proposed["id"]))["signGrant"]
    assert signed["code"] == "FORBIDDEN"


async def test_a_pin_is_changed_by_whoever_knows_it(
    visitor: Visitor, case: Account, execute: Execute, client: httpx2.AsyncClient
) -> None:
    other = await visitor.account(execute)
    for new, field in (("1234", "newPin"), ("12345678", "newPin"), ("11112222", "newPin")):
        made = await execute(case, CHANGE, input={"currentPin": visitor.pin, "newPin": new})
        assert (made["changePin"]["code"], made["changePin"]["field"]) == ("INVALID", field)
    new = "correct horse 7"
    made = await execute(case, CHANGE, input={"currentPin": "00000000", "newPin": new})
    assert made["changePin"]["code"] == "FORBIDDEN"
    made = await execute(case, CHANGE, input={"currentPin": visitor.pin, "newPin": new})
    assert made["changePin"] == {"case": {"number": visitor.number}}
    assert (await visitor.ask()).status_code == 400
    assert (await visitor.ask(pin=new)).status_code == 200
    await execute(case, VIEWER)  # the token that changed it holds; others have ended
    ended = await client.post("/graphql", json={"query": VIEWER}, headers=other.headers)
    assert ended.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("pin", ["7391", "1" * 8, "12345678", "98765432", "a\nbcdefgh", "x" * 65])
def test_a_pin_that_is_guessed_first_is_none(pin: str) -> None:
    with pytest.raises(InvalidError):
        checked_pin(pin)


async def test_a_contact_is_sealed_and_takes_the_place_of_a_former_one(
    case: Account, execute: Execute, operator: Database
) -> None:
    for given in ("anna@example.org", "anna@example.net"):
        made = await execute(case, CONTACT, input={"kind": "EMAIL", "contact": given})
    made = await execute(case, CONTACT, input={"kind": "PHONE", "contact": "+49 30  1234"})
    assert made["addContact"]["case"]["contacts"] == [
        {"kind": "EMAIL", "contact": "anna@example.net"},
        {"kind": "PHONE", "contact": "+49 30 1234"},
    ]
    async with operator.reading() as session:
        kept = list(
            await session.scalars(
                select(CaseContact.sealed).where(CaseContact.principal_id == case.id)
            )
        )
    assert len(kept) == 2
    assert not any(b"example" in one for one in kept)
    made = await execute(case, CONTACT, input={"kind": "EMAIL", "contact": "nobody"})
    assert made["addContact"]["code"] == "INVALID"


async def test_an_address_opens_so_many_cases_a_day(
    app: ASGIApp, settings: Settings, operator: Database, state: State
) -> None:
    source = "198.51.100.7"
    async with operator.writing() as session:
        for _ in range(settings.cases_per_source - 1):
            session.add(Arrival(source=source_of(source, state.keys), kind="OPENED"))
    async with coming(app, source) as client:
        await open_case(client)
        async with operator.reading() as session:
            before = await session.scalar(select(func.count()).select_from(Case))
        refused = await client.post("/v1/cases")
        assert (refused.status_code, refused.json()["code"]) == (429, "BUSY")
        assert int(refused.headers["retry-after"]) > 0
        async with operator.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Case)) == before
    async with coming(app, "198.51.100.8") as client:
        await open_case(client)


def test_neighbours_of_an_ipv6_address_are_one_customer(state: State) -> None:
    one, same, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
    assert source_of(one, state.keys) == source_of(same, state.keys)
    assert source_of(one, state.keys) != source_of(other, state.keys)
    assert b"\x20\x01\x0d\xb8" not in source_of(one, state.keys)


def test_a_case_number_is_read_however_it_is_typed_and_a_slip_is_found() -> None:
    for _ in range(50):
        number = new_number()
        typed = number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert checked_number(typed.replace("lr", "LR", 1)) == number
        symbols = number.replace("-", "")[2:]
        at = secrets.randbelow(len(symbols))
        wrong = symbols[:at] + ("A" if symbols[at] != "A" else "B") + symbols[at + 1 :]
        with pytest.raises(InvalidError):
            checked_number(wrong)


@pytest.mark.parametrize(
    "text", ["", "LR-", "LR-7K3M-9QXV", "LR-7K3M-9QXV-2C4T-1", "LR-UUUU-UUUU-UUUU"]
)
def test_what_is_no_case_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        checked_number(text)


async def test_a_token_for_something_else_shows_neither_contacts_nor_attestations(
    client: httpx2.AsyncClient, execute: Execute, visitor: Visitor, case: Account
) -> None:
    await execute(case, CONTACT, input={"kind": "EMAIL", "contact": "ada@example.org"})
    token = (await visitor.ask(scope="grants:read")).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for fields in ("case { contacts { contact } }", "attestations { id }"):
        asked = {"query": f"{{ viewer {{ {fields} }} }}"}
        answer = (await client.post("/graphql", json=asked, headers=headers)).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", answer
        assert "ada@" not in str(answer)
