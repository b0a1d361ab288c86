"""What goes wrong on the way: twice, back and again, too large, no picture, from elsewhere."""

from pathlib import Path

import pytest

from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.people import written_down
from tests.browser.records import Records
from tests.browser.ways import ENDS, Way
from tests.without_accounts import Visitor

TOO_LARGE = 26 * 2**20
SIMPLE = Way("en", "phone", scripts=False)


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_a_reload_of_the_answer_files_nothing_twice(
    walk: Walk, way: Way, records: Records
) -> None:
    before = await records.cases()
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.fill("#name", "Anna Blume")
        kept = await people.send_objection(walker)
        await walker.page.reload()
        assert await written_down(walker) == kept
    assert await records.cases() == before + 1


async def test_what_is_sent_twice_is_one_case_and_other_content_another(
    walk: Walk, records: Records
) -> None:
    """A line that breaks files nothing twice; the next person here gets a case of their own."""
    before = await records.cases()
    async with walk(SIMPLE) as walker:
        await people.to_the_form(walker)
        fields = {
            name: await walker.at(f"main [name={name}]").input_value()
            for name in ("once", "form_token")
        }
        shown = []
        for name in ("Anna Blume", "Anna Blume", "Ben Nevis"):
            given = {**fields, "name": name, "confirmed": "yes", "level": "ALL"}
            sent = await walker.context.request.post("/object", multipart=given)
            assert sent.status == 200
            await walker.open("/object/done")
            shown.append(await written_down(walker))
    first, again, other = shown
    assert first.number == again.number != other.number
    assert (await records.person(again))["name"] == "Anna Blume"
    assert (await records.person(other))["name"] == "Ben Nevis"
    assert await records.cases() == before + 2


async def test_back_and_sent_again_is_answered(walk: Walk, records: Records) -> None:
    async with walk(SIMPLE) as walker:
        await people.to_the_form(walker)
        await walker.fill("#name", "Anna Blume")
        await people.send_objection(walker)
        await walker.page.go_back()
        await walker.fill("#name", "Anna Blume")
        await walker.tick(people.CONFIRMED)
        await walker.send()
        again = await written_down(walker)
    assert (await records.person(again))["name"] == "Anna Blume"


async def test_a_file_that_is_too_large_is_refused(
    walk: Walk, photos: dict[str, bytes], records: Records, tmp_path: Path
) -> None:
    before = await records.cases()
    large = tmp_path / "large.jpg"
    large.write_bytes(photos["obama"].ljust(TOO_LARGE, b"\0"))
    async with walk(SIMPLE) as walker:
        await people.to_the_form(walker)
        await walker.choose_file("#photo", large)
        await walker.tick(people.CONFIRMED)
        answer = await walker.send()
        assert answer.status == 413
        await walker.look("too large")
    assert await records.cases() == before


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_a_file_that_is_no_picture_is_named_and_the_name_counts(
    walk: Walk, way: Way, records: Records
) -> None:
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", ("letter.jpg", "image/jpeg", b"Dear registry, " * 100))
        await walker.fill("#name", "Anna Blume")
        kept = await people.send_objection(walker)
        await walker.look("done with a trouble")
        assert "letter.jpg" in await walker.text()
    assert await records.samples(kept.number) == 0


async def test_no_picture_and_nothing_else_is_refused(walk: Walk, records: Records) -> None:
    before = await records.cases()
    async with walk(SIMPLE) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", ("letter.jpg", "image/jpeg", b"Dear registry, " * 100))
        await walker.tick(people.CONFIRMED)
        answer = await walker.send()
        assert answer.status == 422
        assert "letter.jpg" in await walker.text()
        await walker.look("no picture")
    assert await records.cases() == before


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_a_picture_without_a_face_counts_as_that_picture(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    assert not await records.forbids(photos["coffee"])
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", ("coffee.png", "image/png", photos["coffee"]))
        kept = await people.send_objection(walker)
        assert "coffee.png" in await walker.text()
    assert await records.samples(kept.number) == 0
    assert await records.forbids(photos["coffee"])


async def test_a_form_from_elsewhere_changes_nothing(walk: Walk, records: Records) -> None:
    before = await records.cases()
    given = {"name": "Anna Blume", "confirmed": "yes", "level": "ALL", "age_group": "ADULT"}
    async with walk(SIMPLE) as walker:
        await people.to_the_form(walker)
        token = await walker.at("main [name=form_token]").input_value()
        once = await walker.at("main [name=once]").input_value()
        whole = {**given, "once": once, "form_token": token}
        post = walker.context.request.post
        foreign = {"Origin": "https://elsewhere.example"}
        for fields, headers in (
            (given, {}),
            ({**whole, "form_token": "x" * len(token)}, {}),
            (whole, foreign),
            (whole, {"Sec-Fetch-Site": "cross-site"}),
        ):
            answer = await post("/object", multipart=fields, headers=headers, max_redirects=0)
            assert answer.status == 403, (fields, headers)
        assert await records.cases() == before
        answer = await post("/object", multipart=whole, max_redirects=0)
        assert answer.status == 303
    assert await records.cases() == before + 1
    async with walk(SIMPLE) as walker:  # a browser that keeps no cookie of ours
        answer = await walker.context.request.post("/object", multipart=whole, max_redirects=0)
        assert answer.status == 403


async def test_a_wrong_pin_opens_nothing(walk: Walk, records: Records) -> None:
    case = (await records.client.post("/v1/cases")).json()
    wrong = f"{(int(case['pin']) + 1) % 10**8:08}"
    async with walk(Way("zh-Hans", "phone")) as walker:
        await walker.open("/case")
        await walker.fill("#number", case["caseNumber"])
        await walker.fill("#pin", wrong)
        answer = await walker.send("main form[action='/case/sign-in'] [type=submit]")
        assert answer.status == 422
        await walker.look("wrong PIN")
        assert case["caseNumber"] == await walker.at("#number").input_value()
    visitor = Visitor(records.client, case["caseNumber"], case["pin"])
    assert (await visitor.ask()).status_code == 200
