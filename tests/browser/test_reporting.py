"""Reporting misuse, and whom to call."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from registry.policy.vocabulary import ObjectionState
from registry.recordings import as_video
from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.people import Kept
from tests.browser.records import Records
from tests.browser.ways import ENDS, PAIRS, Way

LINK = "https://video.example/watch?v=anna"
STATEMENT = "A shop on this platform sells with my face. I never agreed."


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_report_misuse_with_a_link_and_a_file(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(way) as walker:
        walker.keeps(LINK, STATEMENT)
        await walker.open("/")
        await walker.send("main a.button[href='/report']")
        await walker.look("report")
        await walker.tick(walker.at("[name=kind]").first)
        await walker.fill("#statement", STATEMENT)
        await walker.fill("#where", LINK)
        await walker.choose("#territory", "DE")
        await walker.upload("#seen", ("shop.jpg", "image/jpeg", photos["biden"]))
        await walker.fill("#name", "Anna Blume")
        await walker.tick(people.CONFIRMED)
        await walker.send()
        kept: Kept = await people.written_down(walker)
        await walker.look("reported")
        await walker.send("main a.button[href='/case']")
        await walker.look("my case")
        await walker.send("main a[href^='/case/reports/']")
        await walker.look("letter")
        assert LINK in await walker.text("pre.letter")
        async with walker.page.expect_download() as coming:
            await walker.click("main a[download]")
        file = await (await coming.value).path()
        assert LINK in file.read_text("utf-8")
    assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]
    assert await records.complaints(kept) == [STATEMENT]


async def test_report_misuse_with_a_video(
    walk: Walk, photos: dict[str, bytes], records: Records
) -> None:
    shown = video(photos["biden"])
    async with walk(Way("en", "phone", scripts=False)) as walker:
        await walker.open("/report")
        await walker.tick(walker.at("[name=kind]").first)
        await walker.fill("#statement", STATEMENT)
        await walker.upload("#seen", ("seen.mp4", "video/mp4", shown))
        await walker.fill("#name", "Anna Blume")
        await walker.tick(people.CONFIRMED)
        await walker.send()
        kept = await people.written_down(walker)
        await walker.open("/case")
        await walker.send("main a[href^='/case/reports/']")
        await walker.look("letter about a video")
        assert hashlib.sha256(shown).hexdigest() in await walker.text("pre.letter")
    assert await records.complaints(kept) == [STATEMENT]


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_report_another_misuse_from_within_the_case(
    walk: Walk, way: Way, records: Records
) -> None:
    async with walk(way) as walker:
        await walker.open("/object")
        await walker.fill("#name", "Anna Blume")
        kept = await people.send_objection(walker)
        await people.sign_in(walker, kept)
        await walker.send("main a[href='/report']")
        await walker.look("report from within")
        assert await walker.at("#name").count() == 0  # who it is about is known
        await walker.tick(walker.at("[name=kind]").first)
        await walker.fill("#statement", STATEMENT)
        await walker.fill("#where", LINK)
        await walker.send()
        assert walker.path == "/case"
        await walker.look("reported from within")
    assert await records.complaints(kept) == [STATEMENT]


def video(photo: bytes) -> bytes:
    """A second of this photograph."""
    still = Image.open(io.BytesIO(photo)).convert("RGB").resize((320, 320))
    return as_video([np.asarray(still)] * 10, None, "mp4")


async def test_a_report_needs_to_say_what_happened(walk: Walk, records: Records) -> None:
    before = await records.cases()
    async with walk(Way("zh-Hans", "phone", scripts=False)) as walker:
        await walker.open("/report")
        await walker.fill("#statement", STATEMENT)
        await walker.fill("#name", "Anna Blume")
        await walker.tick(people.CONFIRMED)
        answer = await walker.send()
        assert answer.status == 422
        await walker.look("no kind")
        assert await walker.at("#statement").input_value() == STATEMENT
    assert await records.cases() == before


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_help_where_somebody_lives(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await walker.open("/")
        await walker.send("main a.button[href='/help']")
        await walker.look("help")
        await walker.choose("#territory", "DE")
        await walker.send()
        await walker.look("help in Germany")
        assert await walker.at("main a[href^='tel:']").count() >= 1
        await walker.open("/help?young")
        await walker.look("help for young people")
