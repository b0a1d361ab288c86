"""Lost PINs by the desk's pages: whom to reach, and a code that one answer shows once."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from registry import reviews
from registry.accesses import Access, AccessKind
from registry.database import Database
from registry.principals import PrincipalKind, Scope
from registry.recoveries import RecoveryCode
from tests import acts
from tests.api.test_recovery_http import CONTACT, LOST, NEW_PIN, ask, asked, redeem
from tests.api.web.offices import Browser, Browsers, element, has
from tests.conftest import Account, Accounts, Execute
from tests.desk import Desk
from tests.without_accounts import Visitor, coming, open_case

MAIL = "anna@example.org"
REASON = "Called the number on record."
CODE = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{2,4}){2,}\b")


@pytest.fixture
async def visitor(app: ASGIApp) -> AsyncGenerator[Visitor]:
    async with coming(app) as client:
        yield await open_case(client)


@pytest.fixture
async def case(visitor: Visitor, execute: Execute) -> Account:
    return await visitor.account(execute)


@pytest.fixture
async def review(visitor: Visitor, case: Account, execute: Execute, operator: Database) -> str:
    """Of a case whose holder could be reached before."""
    await execute(case, CONTACT, input={"kind": "EMAIL", "contact": MAIL})
    await ask(visitor)
    [review] = await asked(operator, case)
    return review


@pytest.fixture
async def unreached(visitor: Visitor, case: Account, execute: Execute, operator: Database) -> str:
    """Of a case with a contact that came after somebody asked."""
    await ask(visitor)
    await execute(case, CONTACT, input={"kind": "PHONE", "contact": "+49 30 999999"})
    [review] = await asked(operator, case)
    return review


async def taken(browser: Browser, reviewer: Account, review: str) -> httpx2.Response:
    await browser.sign_in(reviewer)
    await browser.get(f"/desk/{review}")
    return await browser.post(f"/desk/{review}/take")


async def ruled(browser: Browser, review: str, ruling: str, **more: str) -> httpx2.Response:
    given = {"ruling": ruling, "reason": REASON, **more}
    return await browser.post(f"/desk/{review}/decide", **given)


async def codes(operator: Database, case: Account) -> int:
    async with operator.reading() as session:
        query = select(func.count()).select_from(RecoveryCode)
        return await session.scalar(query.where(RecoveryCode.principal_id == case.id)) or 0


async def test_how_somebody_is_reached_is_shown_to_who_has_taken_it_alone(
    browsers: Browsers,
    desk: Desk,
    execute: Execute,
    operator: Database,
    visitor: Visitor,
    case: Account,
) -> None:
    subject = await acts.subject(execute, case)
    await execute(case, CONTACT, input={"kind": "EMAIL", "contact": MAIL})
    await ask(visitor)
    [review] = await asked(operator, case)
    browser, reviewer = await browsers(), await desk.reviewer()
    await browser.sign_in(reviewer)
    for path in ("/desk?kind=LOST_PIN", f"/desk/{review}"):
        page = await browser.get(path)
        assert MAIL not in page.text
        assert LOST not in page.text
        assert visitor.number not in page.text
    assert "Take it first" in element(page, "papers")
    page = await browser.post(f"/desk/{review}/take")
    assert f"E-mail {MAIL}" in element(page, "contacts")
    assert element(page, "statement") == LOST
    assert visitor.number in element(page, "papers")
    async with operator.reading() as session:
        rows = await session.execute(
            select(Access.principal_id, Access.what)
            .where(Access.subject_id == UUID(subject))
            .order_by(Access.id)
        )
        assert (reviewer.id, AccessKind.CONTACT) in [tuple(row) for row in rows]
    other = await browsers()
    await other.sign_in(await desk.reviewer())
    assert MAIL not in (await other.get(f"/desk/{review}")).text
    await browser.post(f"/desk/{review}/release")
    assert MAIL not in (await browser.get(f"/desk/{review}")).text


async def test_a_code_is_shown_once_and_sets_a_new_pin(
    browsers: Browsers,
    desk: Desk,
    visitor: Visitor,
    review: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await browsers()
    page = await taken(browser, await desk.reviewer(), review)
    assert not has(page, "once")
    page = await ruled(browser, review, "RENEW")
    assert page.status_code == 200
    code = element(page, "code")
    assert CODE.fullmatch(code), code
    assert page.text.count(code) == 1
    assert element(page, "state") == "Decided: Give out a code for a new PIN"
    assert MAIL in element(page, "contacts")
    assert page.headers["cache-control"] == "no-store"
    assert page.history == []
    assert code not in str(page.url) + str(page.headers) + str(dict(browser.client.cookies))
    assert code not in caplog.text
    for path in (f"/desk/{review}", f"/desk/{review}/decide", f"/desk/{review}?done=decided"):
        again = await browser.get(path)
        assert (again.status_code, again.url.path) == (200, f"/desk/{review}")
        assert code not in again.text
        assert not has(again, "once")
    again = await ruled(browser, review, "RENEW")
    assert again.status_code in {403, 409}
    assert code not in again.text
    assert not has(again, "once")
    assert (await redeem(visitor, code)).status_code == 200
    assert (await redeem(visitor, code, pin=f"{NEW_PIN} 8")).status_code == 403


async def test_a_refusal_makes_no_code(
    browsers: Browsers, desk: Desk, operator: Database, case: Account, review: str
) -> None:
    browser = await browsers()
    await taken(browser, await desk.reviewer(), review)
    page = await ruled(browser, review, "DENY")
    assert page.url.path == f"/desk/{review}"
    assert element(page, "state") == "Decided: Refuse"
    assert not has(page, "once")
    assert await codes(operator, case) == 0


async def test_two_must_agree_where_nobody_can_be_reached(
    browsers: Browsers,
    desk: Desk,
    operator: Database,
    visitor: Visitor,
    case: Account,
    unreached: str,
) -> None:
    first, second = await browsers(), await browsers()
    page = await taken(first, await desk.reviewer(), unreached)
    assert "999999" not in page.text
    assert has(page, "no-contacts")
    assert "two reviewers must agree" in page.text
    page = await ruled(first, unreached, "RENEW")
    assert element(page, "state") == "Waits for a second reviewer"
    assert "proposal is on record" in element(page, "done")
    assert not has(page, "once")
    assert await codes(operator, case) == 0
    page = await taken(second, await desk.reviewer(), unreached)
    assert REASON in element(page, "proposal")
    page = await ruled(second, unreached, "RENEW")
    code = element(page, "code")
    assert code not in (await first.get(f"/desk/{unreached}")).text
    assert (await redeem(visitor, code)).status_code == 200


async def test_of_two_forms_at_once_one_is_answered_with_a_code(
    browsers: Browsers, desk: Desk, operator: Database, case: Account, review: str
) -> None:
    browser, reviewer = await browsers(), await desk.reviewer()
    await taken(browser, reviewer, review)
    pages = await asyncio.gather(*(ruled(browser, review, "RENEW") for _ in range(3)))
    assert sorted(one.status_code == 200 for one in pages) == [False, False, True]
    assert sum(has(one, "once") for one in pages) == 1
    assert await codes(operator, case) == 1


async def test_of_two_reviewers_at_once_one_takes_it(
    browsers: Browsers, desk: Desk, review: str
) -> None:
    rivals = [await browsers(), await browsers()]
    for one in rivals:
        await one.sign_in(await desk.reviewer())
        await one.get(f"/desk/{review}")
    pages = await asyncio.gather(*(one.post(f"/desk/{review}/take") for one in rivals))
    assert sorted(one.status_code for one in pages) == [200, 409]
    assert sorted(MAIL in one.text for one in pages) == [False, True]


async def test_a_form_of_another_site_makes_no_code(
    browsers: Browsers, desk: Desk, operator: Database, case: Account, review: str
) -> None:
    browser = await browsers()
    await taken(browser, await desk.reviewer(), review)
    page = await ruled(browser, review, "RENEW", form_token="x" * 43)
    assert page.status_code == 403
    answer = await browser.client.post(
        f"/desk/{review}/decide", data={"ruling": "RENEW", "reason": REASON}
    )
    assert answer.status_code == 403
    assert await codes(operator, case) == 0
    async with operator.reading() as session:
        events = (await reviews.events(session, [UUID(review)]))[UUID(review)]
    assert [one.kind for one in events] == ["ASSIGNED"]


async def test_who_is_no_reviewer_sees_and_decides_nothing(
    browsers: Browsers,
    accounts: Accounts,
    operator: Database,
    visitor: Visitor,
    case: Account,
    service: Account,
    review: str,
) -> None:
    reads = await accounts.open(PrincipalKind.REVIEWER, scopes=frozenset({Scope.REVIEWS_READ}))
    holder = await browsers()
    await holder.get("/case")
    await holder.post("/case/sign-in", number=visitor.number, pin=visitor.pin)
    assert holder.path == "/case"
    strangers = [holder]
    for account in (service, await accounts.open(), await accounts.open(PrincipalKind.ATTESTER)):
        strangers.append(await browsers())
        await strangers[-1].sign_in(account)
    for one in strangers:
        page = await one.get(f"/desk/{review}")
        assert page.status_code == 403
        assert MAIL not in page.text
    strangers.append(await browsers())
    await strangers[-1].sign_in(reads)
    assert (await strangers[-1].get(f"/desk/{review}")).status_code == 200
    for one in strangers:
        for act in ("take", "decide", "release"):
            page = await one.post(f"/desk/{review}/{act}", ruling="RENEW", reason=REASON)
            assert page.status_code == 403
    nobody = await browsers()
    for path in (f"/desk/{review}", f"/desk/{review}/decide"):
        page = await nobody.get(path)
        assert MAIL not in page.text
        assert page.url.path == "/sign-in"
    page = await nobody.post(f"/desk/{review}/decide", ruling="RENEW", reason=REASON)
    assert page.url.path == "/sign-in"
    assert await codes(operator, case) == 0
