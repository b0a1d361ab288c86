"""Filing numbers by the service's page: declared and taken back, by whoever may over GraphQL."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from registry.database import Database
from registry.filings import Filing
from registry.principals import PrincipalKind, Scope
from tests.api.web.offices import Browser, browsing, element, has
from tests.conftest import Account, Accounts

NUMBER = {"territory": "no", "number": "NO-2026-1188"}


@pytest.fixture
async def browser(app: ASGIApp) -> AsyncGenerator[Browser]:
    async with browsing(app) as browser:
        yield browser


async def of(operator: Database, service: Account) -> list[UUID]:
    """The filings of a service, oldest first."""
    async with operator.reading() as session:
        query = select(Filing.id).where(Filing.service_id == service.id).order_by(Filing.id)
        return list(await session.scalars(query))


async def test_a_number_is_declared_and_taken_back(
    browser: Browser, service: Account, operator: Database
) -> None:
    page = await browser.sign_in(service)
    assert "None is declared." in page.text
    page = await browser.post("/service/filings", **NUMBER)
    assert (page.status_code, page.url.path) == (200, "/service")
    assert "is on record" in element(page, "done")
    assert "NO NO-2026-1188 Declared by you" in element(page, "filing-list")
    [filing] = await of(operator, service)
    page = await browser.post("/service/filings", **NUMBER)
    assert page.status_code == 409
    assert "declared already" in element(page, "wrong")
    page = await browser.post(f"/service/filings/{filing}/revoke")
    assert "taken back" in element(page, "done")
    assert "Taken back. It does not count." in element(page, "filing-list")
    assert "/revoke" not in page.text
    page = await browser.post(f"/service/filings/{filing}/revoke")
    assert page.status_code == 409
    assert "revoked already" in element(page, "wrong")
    for path in ("/service/filings", f"/service/filings/{filing}/revoke"):
        assert (await browser.get(path)).url.path == "/service"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"territory": "XX"}, "Territory 'XX' does not exist"),
        ({"number": " "}, "printable characters"),
        ({"number": "x" * 101}, "printable characters"),
        ({"territory": "CN", "number": "<b>1</b>"}, "number"),
    ],
)
async def test_a_number_that_cannot_be_is_said_and_stays_in_its_field(
    browser: Browser, service: Account, operator: Database, given: dict[str, str], said: str
) -> None:
    await browser.sign_in(service)
    page = await browser.post("/service/filings", **{**NUMBER, **given})
    assert page.status_code == 400
    assert said in element(page, "wrong")
    assert "<details open>" in page.text
    assert "<b>1" not in page.text
    assert await of(operator, service) == []


async def test_a_number_of_another_service_is_out_of_reach(
    app: ASGIApp, browser: Browser, service: Account, accounts: Accounts, operator: Database
) -> None:
    await browser.sign_in(service)
    await browser.post("/service/filings", **NUMBER)
    [filing] = await of(operator, service)
    async with browsing(app) as other:
        await other.sign_in(await accounts.open(PrincipalKind.SERVICE))
        for one in (str(filing), "x"):
            await other.get("/service")
            page = await other.post(f"/service/filings/{one}/revoke")
            assert page.status_code == 404
    assert "/revoke" in (await browser.get("/service")).text


async def test_who_may_not_declares_nothing(
    app: ASGIApp, accounts: Accounts, owner: Account, operator: Database
) -> None:
    mute = await accounts.open(PrincipalKind.SERVICE, scopes=frozenset({Scope.CHECK}))
    for one in (owner, mute):
        async with browsing(app) as browser:
            await browser.sign_in(one)
            page = await browser.get("/service")
            assert "/service/filings" not in page.text
            page = await browser.post("/service/filings", **NUMBER)
            assert page.status_code == 403
            assert await of(operator, one) == []
    async with browsing(app) as nobody:
        await nobody.get("/sign-in")
        assert (await nobody.post("/service/filings", **NUMBER)).url.path == "/sign-in"


async def test_a_form_of_another_site_changes_nothing(
    browser: Browser, service: Account, operator: Database
) -> None:
    await browser.sign_in(service)
    await browser.post("/service/filings", **NUMBER)
    [filing] = await of(operator, service)
    for path in ("/service/filings", f"/service/filings/{filing}/revoke"):
        given = {"territory": "DE", "number": "1"}
        assert (await browser.client.post(path, data=given)).status_code == 403
        await browser.get("/service")
        page = await browser.post(path, form_token="x" * 43, **given)
        assert page.status_code == 403
    assert await of(operator, service) == [filing]
    assert not has(await browser.get("/service"), "wrong")
    assert "Declared by you" in element(await browser.get("/service"), "filing-list")
