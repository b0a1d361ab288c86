"""My case: come back with number and PIN, add, withdraw, change, take home, leave."""

from itertools import product

import pytest

from registry.policy.vocabulary import ObjectionState
from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.people import Kept
from tests.browser.records import Records
from tests.browser.walker import Walker
from tests.browser.ways import ENDS, PAIRS, Way
from tests.without_accounts import Visitor

PHOTO = "me.jpg"
MAIL = "anna.blume@example.org"


async def with_a_case(walker: Walker, photo: bytes | None = None) -> Kept:
    """Somebody who has objected, by a name and perhaps a photo, and has come back."""
    await walker.open("/object")
    if photo is not None:
        await walker.upload("#photo", (PHOTO, "image/jpeg", photo))
    await walker.fill("#name", "Anna Blume")
    await walker.tick(people.CONFIRMED)
    await walker.send()
    kept = await people.written_down(walker)
    await people.sign_in(walker, kept)
    return kept


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_add_a_photo_and_withdraw(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(way) as walker:
        kept = await with_a_case(walker)
        await walker.click("details:has([action='/case/evidence']) > summary")
        await walker.upload("#photo", (PHOTO, "image/jpeg", photos["obama"]))
        await walker.send("[action='/case/evidence'] [type=submit]")
        await walker.look("added")
        assert await records.forbids(photos["obama2"])
        await walker.send("main a[href$='/withdraw']")
        await walker.look("withdraw")
        await walker.send("[action$='/withdraw'] [type=submit]")
        assert walker.path == "/case"
        await walker.look("withdrawn")
    assert await records.standing(kept.number) == [ObjectionState.WITHDRAWN]
    assert not await records.forbids(photos["obama2"])


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_remove_a_photo(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(way) as walker:
        kept = await with_a_case(walker, photos["obama"])
        assert await records.forbids(photos["obama2"])
        await walker.send("[action^='/case/samples/'] [type=submit]")
        await walker.look("removed")
    assert not await records.forbids(photos["obama2"])
    assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_leave_a_contact_and_change_the_pin(walk: Walk, way: Way, records: Records) -> None:
    new = "correct horse 7"
    async with walk(way) as walker:
        kept = await with_a_case(walker)
        await walker.fill("#contact", "nobody")
        await walker.send("[action='/case/contact'] [type=submit]")
        await walker.look("no contact")
        await walker.fill("#contact", MAIL)
        await walker.send("[action='/case/contact'] [type=submit]")
        await walker.look("contact")
        assert await walker.at("#contact").input_value() == MAIL
        await walker.click("#pin-title")
        await walker.fill("#current_pin", kept.pin)
        await walker.fill("#new_pin", new)
        await walker.send("[action='/case/pin'] [type=submit]")
        await walker.look("pin changed")
    visitor = Visitor(records.client, kept.number, kept.pin)
    assert (await visitor.ask()).status_code == 400
    assert (await visitor.ask(pin=new)).status_code == 200


@pytest.mark.parametrize(
    ("way", "how"),
    [*product(PAIRS[:2], ["FORGET"]), *product(PAIRS[2:], ["KEEP_BLOCKING"])],
    ids=str,
)
async def test_leave(
    walk: Walk, way: Way, how: str, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(way) as walker:
        await with_a_case(walker, photos["obama"])
        await walker.send("main a[href$='/leave']")
        await walker.look(f"leave {how}")
        await walker.tick(f"[name=how][value={how}]")
        await walker.tick("[name=sure]")
        await walker.send("[action$='/leave'] [type=submit]")
        await walker.look(f"left {how}")
    assert await records.forbids(photos["obama2"]) is (how == "KEEP_BLOCKING")
    assert "Anna Blume" not in await records.names()


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_take_the_receipt_home(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        kept = await with_a_case(walker)
        await walker.send("main a[href^='/case/objections/']:not([href$='/withdraw'])")
        await walker.look("receipt")
        assert kept.number in await walker.text()
        async with walker.page.expect_download() as coming:
            await walker.click("main a[download]")
        file = await (await coming.value).path()
        assert '"token"' in file.read_text("utf-8")
        await walker.page.emulate_media(media="print")
        await walker.picture("receipt printed")
        assert not await walker.at("header nav").is_visible()
        assert not await walker.at("main a[download]").is_visible()
        assert await walker.at("main dl").is_visible()


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_sign_out_ends_the_session_everywhere(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await with_a_case(walker)
        copied = await walker.context.cookies()
        await walker.send("[action='/sign-out'] [type=submit]")
        await walker.open("/case")
        assert await walker.at("#pin").is_visible()
        await walker.context.add_cookies(copied)  # as whoever copied them would
        await walker.open("/case")
        assert await walker.at("#pin").is_visible()


async def test_nobody_opens_the_case_of_another(walk: Walk) -> None:
    async with walk(Way("en", "phone", scripts=False)) as walker:
        await with_a_case(walker)
        theirs = [
            await walker.at(f"main a[href$='/{page}']").first.get_attribute("href")
            for page in ("withdraw", "leave")
        ]
        token = await walker.at("main [name=form_token]").first.input_value()
        await walker.context.clear_cookies()
        for path in theirs:
            await walker.open(path or "")
            assert await walker.at("#pin, #client").count() >= 1, path
        await with_a_case(walker)
        token = await walker.at("main [name=form_token]").first.input_value()
        for path in theirs:
            answer = await walker.open(path or "")
            assert answer.status == 404
            sent = await walker.context.request.post(
                path or "", form={"form_token": token, "how": "FORGET", "sure": "yes"}
            )
            assert sent.status in {403, 404}
        await walker.look("of another")
