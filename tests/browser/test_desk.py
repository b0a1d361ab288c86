"""The review desk: from the queue to a ruling, and what the person it is about sees of it."""

import pytest

from registry.principals import PrincipalKind
from registry.reviews import ReviewKind
from tests.browser import desk, people
from tests.browser.conftest import Walk
from tests.browser.people import Kept
from tests.browser.records import Records
from tests.browser.walker import Walker
from tests.browser.ways import PAIRS, Way
from tests.conftest import Accounts

STATEMENT = "A shop on this platform sells with my face. I never agreed."
REASON = "The picture is theirs, and the shop asked nobody."
MOST_KEYS = 40


async def report(walker: Walker) -> Kept:
    """Somebody reports a misuse by words alone."""
    await walker.open("/report")
    await walker.tick(walker.at("[name=kind]").first)
    await walker.fill("#statement", STATEMENT)
    await walker.fill("#name", "Anna Blume")
    await walker.tick(people.CONFIRMED)
    await walker.send()
    return await people.written_down(walker)


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_take_a_report_and_decide_it(
    walk: Walk, way: Way, records: Records, accounts: Accounts
) -> None:
    async with walk(way) as walker:
        kept = await report(walker)
        async with walk(way) as reviewer:
            await desk.sign_in(reviewer, await accounts.open(PrincipalKind.REVIEWER))
            await reviewer.look("queue")
            await desk.take(reviewer, await records.review(ReviewKind.MISUSE, kept.number))
            await reviewer.look("taken")
            assert STATEMENT in await reviewer.text("#misuse")
            await desk.decide(reviewer, "CONFIRM", REASON)
            await reviewer.look("decided")
            assert REASON in await reviewer.text("#history")
            await reviewer.send("main a[href='/desk']")
            await reviewer.send("form[action='/sign-out'] [type=submit]")
            await reviewer.open("/desk")
            assert reviewer.path == "/sign-in"
        await people.sign_in(walker, kept)
        await walker.send("main a[href^='/case/reports/']")
        await walker.look("confirmed report")
    assert await records.report_states(kept) == ["CONFIRMED"]


async def test_review_by_keyboard_alone(walk: Walk, records: Records, accounts: Accounts) -> None:
    account = await accounts.open(PrincipalKind.REVIEWER)
    async with walk(Way("en", "desktop")) as walker:
        kept = await report(walker)
        review = await records.review(ReviewKind.MISUSE, kept.number)
        await walker.context.clear_cookies()
        await walker.open("/desk")
        walker.keeps(account.token)
        await walker.tab_to("#access_token")
        await walker.page.keyboard.insert_text(account.token)
        await walker.enter()
        await walker.press("?")
        assert await walker.at("[data-keys-dialog]").is_visible()
        await walker.look("keys")
        await walker.press("Escape")
        await walker.tab_to("#kind")
        await walker.press("End")
        for _ in range(MOST_KEYS):
            if await walker.at("#kind").input_value() == ReviewKind.MISUSE:
                break
            await walker.press("ArrowUp")
        await walker.tab_to("form.filter [type=submit]")
        await walker.enter()
        for _ in range(MOST_KEYS):
            await walker.press("j")
            if await walker.is_focused(f"main a[href='/desk/{review}']"):
                break
        await walker.picture("row")
        await walker.enter()
        assert walker.path == f"/desk/{review}"
        await walker.tab_to("form[action$='/take'] [type=submit]")
        await walker.enter()
        await walker.tab_to("[name=ruling]")
        await walker.press("Space")
        await walker.tab_to("#reason")
        await walker.page.keyboard.type(REASON)
        await walker.tab_to("form[action$='/decide'] [type=submit]")
        await walker.enter()
        await walker.look("decided")
    assert set(await records.report_states(kept)) < {"CONFIRMED", "NOT_CONFIRMED"}
