"""Reports of misuse by the desk's pages: what was seen where, and how near a file comes."""

from collections.abc import AsyncGenerator

import httpx2
import pytest

from api.runtime import Runtime
from registry.settings import Settings
from tests import acts
from tests.api.graphql import complaining
from tests.api.graphql.complaining import LINK, STATEMENT
from tests.api.web.offices import Browser, browsing, element, has
from tests.conftest import Account, served
from tests.desk import Desk, near
from tests.registry.enrolling import unit


@pytest.fixture
async def browser(settings: Settings, runtime: Runtime, desk: Desk) -> AsyncGenerator[Browser]:
    """Of a reviewer."""
    async with browsing(served(settings, runtime)) as browser:
        await browser.sign_in(await desk.reviewer())
        yield browser


async def take(browser: Browser, review: str) -> httpx2.Response:
    await browser.get(f"/desk/{review}")
    return await browser.post(f"/desk/{review}/take")


async def test_what_is_reported_is_shown_once_it_is_taken(
    browser: Browser, desk: Desk, owner: Account
) -> None:
    subject = await acts.subject(desk.execute, owner)
    statement = f"{STATEMENT} <b>Soon.</b>"
    review = await complaining.filed(desk.execute, owner, subject, statement=statement)
    page = await browser.get(f"/desk/{review}")
    assert not has(page, "misuse")
    for secret in (STATEMENT, LINK, "Example Video"):
        assert secret not in page.text
    page = await browser.post(f"/desk/{review}/take")
    said = element(page, "misuse")
    assert statement in said
    assert "<b>Soon" not in page.text
    assert page.text.count(STATEMENT) == 1
    assert "advertise something" in said
    assert element(page, "where") == "DE, Example Video"
    assert "20" in said.partition("Seen on")[2]
    assert f'<a href="{LINK}" rel="noopener noreferrer nofollow external">' in page.text
    assert "Take care" in said
    assert has(page, "no-file")
    assert not has(page, "resemblance")


@pytest.mark.parametrize(
    ("cosine", "words"),
    [(0.99, {"Alike", "Very alike"}), (0.0, {"Not alike"})],
    ids=["alike", "unlike"],
)
async def test_how_near_a_file_comes_is_said_in_a_word(
    browser: Browser, desk: Desk, owner: Account, cosine: float, words: set[str]
) -> None:
    face = unit()
    subject = await desk.somebody(owner, face)
    handle = await desk.upload(owner, near(face, cosine))
    review = await complaining.filed(desk.execute, owner, subject, mediaHandle=handle)
    assert not has(await browser.get(f"/desk/{review}"), "resemblance")
    page = await take(browser, review)
    assert element(page, "resemblance") in words
    assert "That is no ruling" in element(page, "misuse")
    assert "A picture" in element(page, "misuse")


async def test_a_file_without_anything_to_compare_says_so(
    browser: Browser, desk: Desk, owner: Account
) -> None:
    subject = await acts.subject(desk.execute, owner)
    handle = await desk.upload(owner, unit())
    review = await complaining.filed(desk.execute, owner, subject, mediaHandle=handle)
    page = await take(browser, review)
    assert element(page, "resemblance") == "Nothing to compare it with"


async def test_a_ruling_is_what_the_page_says(browser: Browser, desk: Desk, owner: Account) -> None:
    subject = await acts.subject(desk.execute, owner)
    review = await complaining.filed(desk.execute, owner, subject)
    page = await take(browser, review)
    assert 'value="DENY"' not in page.text
    page = await browser.post(f"/desk/{review}/decide", ruling="CONFIRM", reason="I saw it.")
    assert element(page, "state") == "Decided: It shows a misuse"
    assert STATEMENT in element(page, "statement")
