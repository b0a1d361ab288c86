"""The services' pages: what a service sees of itself, and a check tried with a real photo."""

import io
import re
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx2
import pytest
from PIL import Image, ImageOps
from sqlalchemy import func, select, text
from starlette.types import ASGIApp

from api.state import State
from registry import client_secrets, decisions, services
from registry.client_secrets import Made
from registry.database import Database
from registry.policy.vocabulary import ObligationCode
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.probes import Probe
from tests import acts
from tests.api.web.offices import Browser, browsing, element, has
from tests.conftest import Account, Accounts, Execute

FILE = """
mutation ($input: SetFilingInput!) { setFiling(input: $input) {
  ... on FilingSet { filing { id } } ... on Problem { code message } } }
"""
FORBIDDEN = "Do not generate: it is forbidden"
ASK = {"use": "SWAP_FACE", "purpose": "ADVERTISING", "territories": "NO"}


@pytest.fixture
async def browser(app: ASGIApp) -> AsyncGenerator[Browser]:
    async with browsing(app) as browser:
        yield browser


@pytest.fixture
async def secret(service: Account, operator: Database) -> Made:
    async with operator.writing() as session:
        return await client_secrets.make(
            session,
            principal_id=service.id,
            scopes=frozenset({Scope.CHECK}),
            made_by=OPERATOR_ID,
        )


def upside_down(photo: bytes) -> bytes:
    """A picture that no other test shows."""
    turned = io.BytesIO()
    ImageOps.flip(Image.open(io.BytesIO(photo))).save(turned, "PNG")
    return turned.getvalue()


async def tried(browser: Browser, photo: bytes) -> httpx2.Response:
    """The page that a check of this photo leads to."""
    await browser.get("/service/check")
    return await browser.post("/service/check", files=[("file", ("a", photo))], **ASK)


async def told(operator: Database, service: Account) -> int:
    """How many decisions this service was given."""
    async with operator.reading() as session:
        query = select(func.count()).select_from(decisions.Decision)
        return await session.scalar(query.where(decisions.Decision.service_id == service.id)) or 0


async def test_a_service_sees_how_it_is_known(
    browser: Browser, service: Account, secret: Made, operator: Database
) -> None:
    async with operator.writing() as session:
        gone = await client_secrets.make(
            session, principal_id=service.id, scopes=frozenset({Scope.CHECK}), made_by=OPERATOR_ID
        )
        await client_secrets.revoke(session, secret_id=gone.id, actor_id=OPERATOR_ID)
    await browser.get("/sign-in")
    page = await browser.post("/sign-in", client=str(service.id), secret=secret.secret)
    assert page.url.path == "/service"
    assert element(page, "client-id") == str(service.id)
    assert element(page, "standing") == "Active"
    assert "Tier 2: Under contract" in element(page, "tier")
    listed = element(page, "secret-list")
    assert f"{secret.id} Holds until the operator ends it" in listed
    assert f"{gone.id} Ended" in listed
    assert "Allows: Ask for decisions check" in listed
    assert secret.secret not in page.text
    assert gone.secret not in page.text
    assert len(re.findall("<li>", page.text.partition('id="duty-list"')[2])) >= len(ObligationCode)
    assert "You have asked nothing yet." in element(page, "nothing")
    assert len(page.content) < 100_000


async def test_filings_and_a_suspension_are_shown(
    browser: Browser, service: Account, execute: Execute, operator: Database
) -> None:
    given = {"serviceId": str(service.id), "territory": "NO", "number": "NO-<b>1</b>"}
    answer = await execute(service, FILE, input=given)
    assert "filing" in answer["setFiling"], answer
    async with operator.writing() as session:
        await services.suspend(session, service_id=service.id, actor_id=OPERATOR_ID)
    page = await browser.sign_in(service)
    assert has(page, "suspended")
    assert "NO NO-<b>1</b> Declared by you" in element(page, "filing-list")
    assert "<b>1</b>" not in page.text


async def test_an_account_that_is_no_service_is_told_what_to_do(
    browser: Browser, owner: Account, accounts: Accounts
) -> None:
    assert (await browser.get("/service")).url.path == "/sign-in"
    for one in (owner, await accounts.open(PrincipalKind.OPERATOR)):
        await browser.sign_in(one)
        for path in ("/service", "/service/check"):
            page = await browser.get(path)
            assert page.status_code == 200
            assert "likeness token secret" in page.text
        page = await browser.post("/service/check", files=[("file", ("", b""))], **ASK)
        assert page.status_code == 403


async def test_a_token_that_may_not_ask_asks_nothing(
    browser: Browser, accounts: Accounts, operator: Database
) -> None:
    mute = await accounts.open(PrincipalKind.SERVICE, scopes=frozenset({Scope.SERVICES_WRITE}))
    page = await browser.sign_in(mute)
    assert "scope check" in page.text
    assert (await browser.get("/service/check")).status_code == 403
    await browser.get("/service")
    page = await browser.post("/service/check", files=[("file", ("", b""))], name="X", **ASK)
    assert page.status_code == 403
    assert await told(operator, mute) == 0


async def test_an_objection_forbids_what_is_tried_with_a_real_photo(
    browser: Browser,
    app: ASGIApp,
    service: Account,
    photos: dict[str, bytes],
) -> None:
    await browser.sign_in(service)
    photo = upside_down(photos["coffee"])
    before = element(await tried(browser, photo), "outcome")
    async with browsing(app) as person:
        await person.object(files=[("photo", ("cup.png", photo))])
    assert before != FORBIDDEN
    assert element(await tried(browser, photo), "outcome") == FORBIDDEN


async def test_a_face_that_objected_is_known_again_and_the_answer_is_on_record(
    browser: Browser,
    app: ASGIApp,
    service: Account,
    operator: Database,
    state: State,
    photos: dict[str, bytes],
) -> None:
    await browser.sign_in(service)
    async with browsing(app) as person:
        await person.object(files=[("photo", ("me.jpg", photos["biden"]))])
    page = await tried(browser, photos["biden"])
    assert re.fullmatch("/service/decisions/[0-9a-f-]{36}", page.url.path)
    assert element(page, "outcome") == FORBIDDEN
    assert "The person objects to this. Stop here." in element(page, "main")
    made = UUID(element(page, "decision-id"))
    async with state.db.acting_for(service.actor).reading() as session:
        row = await decisions.get(session, made)
    assert row is not None
    assert (row.outcome, str(row.log_index)) == ("PROHIBITED", element(page, "log-index"))
    answer = decisions.opened(row, keys=state.keys)
    assert answer.token in page.text
    assert answer.salt in page.text
    page = await browser.get("/service")
    assert f"{FORBIDDEN} The person objects to this. Swap a face Advertising" in element(
        page, "recent"
    )
    assert await told(operator, service) == 1


async def test_what_was_permitted_is_shown_with_its_duties(
    browser: Browser, execute: Execute, owner: Account, service: Account
) -> None:
    hex = acts.random_hash()
    subject = await acts.subject(execute, owner)
    await acts.asset(execute, owner, [subject], hex)
    await acts.grant(execute, owner, subject, service)
    decision = await acts.check(execute, service, acts.question(hex, territories=["NO"]))
    assert decision["outcome"] == "PERMITTED", decision
    await browser.sign_in(service)
    page = await browser.get(f"/service/decisions/{decision['id']}")
    assert element(page, "outcome") == "You may"
    assert "Say visibly or audibly that AI made it" in element(page, "main")
    assert len(page.content) < 100_000


async def test_a_decision_is_shown_to_its_service_only(
    browser: Browser, execute: Execute, accounts: Accounts, service: Account
) -> None:
    other = await accounts.open(PrincipalKind.SERVICE)
    decision = await acts.check(execute, other, acts.question(acts.random_hash()))
    await browser.sign_in(service)
    assert (await browser.get(f"/service/decisions/{decision['id']}")).status_code == 404
    assert (await browser.get("/service/decisions/x")).status_code == 404
    assert decision["id"] not in (await browser.get("/service")).text


@pytest.mark.parametrize(
    ("fields", "file", "said"),
    [
        ({}, b"", "Choose a photo or a recording, or write a name."),
        ({"use": "FLY"}, b"", "Choose what you want to do."),
        ({"purpose": ""}, b"", "Choose what it is for."),
        ({"name": "X", "territories": "XX"}, b"", "Territory 'XX' does not exist"),
        ({}, b"no picture", "Not a type read here."),
        ({"name": "x" * 300}, b"", ""),
    ],
)
async def test_what_cannot_be_asked_is_said_and_nothing_is_decided(
    browser: Browser,
    service: Account,
    operator: Database,
    fields: dict[str, str],
    file: bytes,
    said: str,
) -> None:
    await browser.sign_in(service)
    await browser.get("/service/check")
    sent = {**ASK, "name": "", **fields}
    page = await browser.post(
        "/service/check", files=[("file", ("n.txt" if file else "", file))], **sent
    )
    assert 400 <= page.status_code < 500
    assert said in element(page, "wrong")
    assert await told(operator, service) == 0


async def test_below_contract_the_page_tells_no_more_than_the_answer(
    browser: Browser, app: ASGIApp, accounts: Accounts, photos: dict[str, bytes]
) -> None:
    low = await accounts.open(PrincipalKind.SERVICE, tier=0)
    async with browsing(app) as person:
        await person.object(files=[("photo", ("me.jpg", photos["obama"]))])
    await browser.sign_in(low)
    page = await tried(browser, photos["obama"])
    assert element(page, "outcome") == "Do not generate: it is not cleared"
    assert "OBJECTION" not in page.text


async def test_a_form_of_another_site_asks_nothing(
    browser: Browser, service: Account, operator: Database, photos: dict[str, bytes]
) -> None:
    await browser.sign_in(service)
    await browser.get("/service/check")
    page = await browser.post(
        "/service/check",
        files=[("file", ("a.png", photos["astronaut"]))],
        form_token="x" * 43,
        **ASK,
    )
    assert page.status_code == 403
    assert await told(operator, service) == 0
    async with operator.reading() as session:
        kept = await session.scalar(
            select(func.count()).select_from(Probe).where(Probe.principal_id == service.id)
        )
    assert kept == 0


async def test_the_newest_decisions_are_found_by_an_index(
    operator: Database, execute: Execute, service: Account
) -> None:
    for _ in range(3):
        await acts.check(execute, service, acts.question(acts.random_hash()))
    async with operator.reading() as session:
        found = await decisions.recent(session, service.id, first=2)
        # So few rows are sorted sooner than an index is read in order, if one may be.
        for other in ("enable_seqscan", "enable_bitmapscan"):
            await session.execute(text(f"set local {other} = off"))
        plan = await session.execute(
            text(
                "explain select * from decisions where service_id = :id order by id desc limit 20"
            ),
            {"id": service.id},
        )
        lines = [row[0] for row in plan]
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)
    assert len(found) == 2
    assert not any("Sort  (" in one or "Seq Scan" in one for one in lines), lines
    assert any("Index Scan Backward" in one for one in lines), lines
