"""What cannot be done is said on a page that reads well and leads on, in one's own language."""

import pytest

from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.records import Records
from tests.browser.ways import ENDS, LANGUAGES, Way

NOWHERE = (
    "/nowhere",
    "/case/objections/nothing",
    "/case/reports/01a21308-b94b-73e3-8ee2-8ff42e43461d",
    "/static/none.js",
)


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_an_address_that_leads_nowhere(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await walker.open("/object")
        await walker.fill("#name", "Anna Blume")
        await people.send_objection(walker)
        for path in NOWHERE:
            answer = await walker.open(path)
            assert answer.status == 404, path
            assert await walker.at(f"html[lang='{way.language}'] main h1").count() == 1, path
        await walker.look("nowhere")
        await walker.send("main a[href='/']")
        assert walker.path == "/"


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_a_form_that_is_too_old(walk: Walk, way: Way, records: Records) -> None:
    before = await records.cases()
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.context.clear_cookies()
        await walker.fill("#name", "Anna Blume")
        await walker.tick(people.CONFIRMED)
        answer = await walker.send()
        assert answer.status == 403
        await walker.look("too old")
    assert await records.cases() == before


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_a_session_that_ended_leads_back_into_the_case(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await walker.open("/object")
        await walker.fill("#name", "Anna Blume")
        kept = await people.send_objection(walker)
        await walker.open("/case")
        await walker.context.clear_cookies(name="session")  # as its end clears it
        await walker.fill("#contact", "anna.blume@example.org")
        await walker.send("[action='/case/contact'] [type=submit]")
        await walker.look("ended")
        await walker.fill("#number", kept.number)
        await walker.fill("#pin", kept.pin)
        await walker.send("[action='/case/sign-in'] [type=submit]")
        assert walker.path == "/case"
        assert await walker.at("#contact").count() == 1


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_the_language_can_be_changed_where_a_form_was_refused(walk: Walk, way: Way) -> None:
    [other] = set(LANGUAGES) - {way.language}
    async with walk(way) as walker:
        await walker.open("/case")
        await walker.fill("#number", "LR-7K3M-9QXV-2C4T", secret=False)
        await walker.fill("#pin", "12345678")
        await walker.send("[action='/case/sign-in'] [type=submit]")
        assert walker.path == "/case/sign-in"
        answer = await walker.send(f"footer a[lang='{other}']")
        assert answer.status == 200
        assert walker.path == "/case"
        assert await walker.at(f"html[lang='{other}'] #pin").count() == 1


async def test_too_many_wrong_pins_are_answered_by_a_page(walk: Walk, records: Records) -> None:
    case = (await records.client.post("/v1/cases")).json()
    async with walk(Way("en", "phone")) as walker:
        for at in range(6):
            await walker.open("/case")
            await walker.fill("#number", case["caseNumber"])
            await walker.fill("#pin", f"1234567{at}")
            answer = await walker.send("[action='/case/sign-in'] [type=submit]")
            assert answer.status == 422
        assert await walker.at("[role=alert]").count() == 1
        await walker.look("too often")
