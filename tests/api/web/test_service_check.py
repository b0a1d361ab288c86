"""Checks tried with a recording, a name, or a photo without a face; and answers in plain words."""

from collections.abc import AsyncGenerator, Iterable
from enum import StrEnum

import httpx2
import pytest
from starlette.types import ASGIApp

from api.web import decision_labels, office_labels
from registry.policy.pack_words import Parameter
from registry.policy.vocabulary import ObligationCode, Outcome, ReasonAction
from registry.principals import PrincipalKind, Scope
from registry.recordings import spoken
from tests import acts
from tests.api.web.offices import Browser, browsing, element
from tests.conftest import Account, Accounts, Execute

SENTENCE = "I say no to every use of my voice, in plain words, for as long as it takes to be heard."
ASK = {"purpose": "ADVERTISING", "territories": "no, de"}


@pytest.fixture
async def browser(app: ASGIApp, service: Account) -> AsyncGenerator[Browser]:
    """Of a service."""
    async with browsing(app) as browser:
        await browser.sign_in(service)
        yield browser


async def tried(
    browser: Browser, file: tuple[str, bytes] = ("", b""), **fields: str
) -> httpx2.Response:
    await browser.get("/service/check")
    given = {"name": "", **ASK, **fields}
    return await browser.post("/service/check", files=[("file", file)], **given)


async def test_a_voice_that_objected_is_known_again(browser: Browser, app: ASGIApp) -> None:
    recording = spoken(SENTENCE)
    async with browsing(app) as person:
        await person.object(files=[("voice", ("me.wav", recording))])
    page = await tried(browser, ("me.wav", recording), use="SYNTHESIZE_SPEECH")
    assert element(page, "outcome") == "Do not generate: it is forbidden"
    assert "The person objects to this." in element(page, "main")


async def test_a_name_alone_is_asked_about_and_permits_nothing(browser: Browser) -> None:
    page = await tried(browser, name="Nobody Known At All", use="GENERATE_IMAGE")
    assert page.url.path.startswith("/service/decisions/")
    assert element(page, "outcome") != "You may"
    assert "NO, DE" in element(page, "main") or "DE, NO" in element(page, "main")


async def test_what_cannot_be_asked_about_says_what_to_do(browser: Browser) -> None:
    page = await tried(browser, ("a.wav", spoken(SENTENCE)[:40]), use="SYNTHESIZE_SPEECH")
    assert page.status_code == 422
    said = element(page, "wrong")
    assert "Nothing was decided." in said
    assert "Send" in said
    assert 'value="SYNTHESIZE_SPEECH" selected' in page.text


async def test_a_refusal_says_what_it_means_and_what_to_do(
    browser: Browser, execute: Execute, service: Account
) -> None:
    asked = acts.question(acts.random_hash(), territories=["NO"])
    decision = await acts.check(execute, service, asked)
    page = await browser.get(f"/service/decisions/{decision['id']}")
    assert decision["outcome"] == "UNKNOWN"
    assert "is no permission" in element(page, "meaning")
    assert "you need a lawful basis of your own. Ask the person" in element(page, "main")


async def test_a_duty_says_how_and_who_asks_for_it(
    browser: Browser, execute: Execute, owner: Account, service: Account
) -> None:
    hex, subject = acts.random_hash(), await acts.subject(execute, owner)
    await acts.asset(execute, owner, [subject], hex)
    await acts.grant(execute, owner, subject, service, obligations=["DELETE_AFTER_USE"])
    decision = await acts.check(execute, service, acts.question(hex, territories=["NO"]))
    assert decision["outcome"] == "PERMITTED", decision
    page = await browser.get(f"/service/decisions/{decision['id']}")
    assert "Go ahead" in element(page, "meaning")
    said = element(page, "main")
    assert (
        "Delete the material after use . As soon as the work is done. Asked for by grant:" in said
    )
    assert "Asked for by ZZ · LABEL_EXPLICIT" in said


async def test_nobody_else_tries_a_check(app: ASGIApp, accounts: Accounts) -> None:
    for kind in (PrincipalKind.REVIEWER, PrincipalKind.ATTESTER):
        async with browsing(app) as browser:
            await browser.sign_in(await accounts.open(kind))
            page = await tried(browser, name="X", use="GENERATE_IMAGE")
            assert page.status_code == 403
    async with browsing(app) as browser:
        assert (await browser.get("/service/check")).url.path == "/sign-in"
        page = await browser.post("/service/check", files=[("file", ("", b""))], **ASK)
        assert page.url.path == "/sign-in"


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (decision_labels.OUTCOMES, Outcome),
        (decision_labels.MEANINGS, Outcome),
        (decision_labels.ACTIONS, ReasonAction),
        (decision_labels.DUTIES, ObligationCode),
        (decision_labels.HOW, ObligationCode),
        (decision_labels.MEASURES, Parameter),
        (office_labels.ALLOWS, Scope),
    ],
)
def test_every_word_is_explained(words: dict[StrEnum, str], members: Iterable[StrEnum]) -> None:
    assert set(words) == set(members)
