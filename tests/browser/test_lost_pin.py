"""A lost PIN: asked for on a page, looked at by the desk, and a new one set with its code."""

import pytest

from registry.principals import PrincipalKind
from registry.reviews import ReviewKind
from tests.browser import desk, people
from tests.browser.conftest import Walk
from tests.browser.people import Kept
from tests.browser.records import Records
from tests.browser.ways import ENDS, Way
from tests.conftest import Accounts

MAIL = "anna.blume@example.org"
NEW_PIN = "correct horse 7"
STATEMENT = "My telephone with the PIN fell into the sea."


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_come_back_without_the_pin(
    walk: Walk, way: Way, records: Records, accounts: Accounts
) -> None:
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.fill("#name", "Anna Blume")
        await walker.fill("#contact", MAIL)
        kept = await people.send_objection(walker)
        await walker.context.clear_cookies()
        await walker.open("/case")
        await walker.send("main a[href='/case/lost']")
        await walker.look("lost PIN")
        await walker.fill("#number", kept.number)
        await walker.fill("#statement", STATEMENT)
        await walker.send("form[action='/case/lost'] [type=submit]")
        await walker.look("asked")
        async with walk(way) as reviewer:
            await desk.sign_in(reviewer, await accounts.open(PrincipalKind.REVIEWER))
            await desk.take(reviewer, await records.review(ReviewKind.LOST_PIN, kept.number))
            assert MAIL in await reviewer.text("#contacts")
            await reviewer.look("taken")
            await desk.decide(reviewer, "RENEW", "Called the number on record.")
            await reviewer.look("code")
            code = await reviewer.text("#once .code")
            reviewer.keeps(code)
        await walker.fill("#own-number", kept.number)
        await walker.fill("#code", "7K3M-9QXV-2C4T-08WD")
        await walker.fill("#new_pin", NEW_PIN)
        answer = await walker.send("form[action='/case/lost/code'] [type=submit]")
        assert answer.status in {400, 403}
        await walker.look("wrong code")
        assert await walker.at("#own-number").input_value() == kept.number
        await walker.fill("#code", code)
        await walker.fill("#new_pin", NEW_PIN)
        await walker.send("form[action='/case/lost/code'] [type=submit]")
        await walker.look("new PIN set")
        await people.sign_in(walker, Kept(kept.number, NEW_PIN))
