"""What holds of every page: in both languages and colours, and on paper."""

import pytest

from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.ways import ENDS, LANGUAGES, NARROW, SCRIPTED, Way

PUBLIC = (
    "/",
    "/object",
    "/report",
    "/case",
    "/help",
    "/help?young",
    "/case/lost",
    "/service",
    "/desk",
    "/nowhere",
)
DARK = 60
INK = """() => Math.max(...getComputedStyle(document.body).color.match(/[0-9]+/g).map(Number))"""


@pytest.mark.parametrize("way", [Way("zh-Hans", "desktop"), *NARROW], ids=str)
async def test_every_page_is_well_made(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        for path in PUBLIC:
            await walker.open(path)
            await walker.look(path.strip("/").replace("?", " ") or "start")


@pytest.mark.parametrize("way", [Way("en", "phone"), Way("zh-Hans", "desktop", scripts=False)])
async def test_another_language_keeps_the_page_and_stays(walk: Walk, way: Way) -> None:
    [other] = set(LANGUAGES) - {way.language}
    async with walk(way) as walker:
        for path in PUBLIC[:5]:
            await walker.open(path)
            await walker.send(f"footer a[lang='{other}']")
            assert walker.path == path
            assert await walker.at(f"html[lang='{other}']").count() == 1
            await walker.open(path)
            assert await walker.at(f"html[lang='{other}']").count() == 1
            await walker.send(f"footer a[lang='{way.language}']")
            assert await walker.at(f"html[lang='{way.language}']").count() == 1


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_the_number_and_the_pin_are_printed(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await walker.open("/object")
        await walker.fill("#name", "Anna Blume")
        await people.send_objection(walker)
        await walker.page.emulate_media(media="print")
        await walker.picture("printed")
        for gone in ("header nav", "footer", "main a.button"):
            assert not await walker.at(gone).first.is_visible(), gone
        assert await walker.at("dl.secret").is_visible()
        assert await walker.page.evaluate(INK) < DARK  # also by night


@pytest.mark.parametrize("way", SCRIPTED, ids=str)
async def test_the_number_and_the_pin_are_saved_on_the_device(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await walker.open("/object")
        await walker.fill("#name", "Anna Blume")
        kept = await people.send_objection(walker)
        async with walker.page.expect_download() as coming:
            await walker.click("[data-save]")
        file = await (await coming.value).path()
        saved = file.read_text("utf-8")
        assert kept.number in saved
        assert kept.pin in saved
        assert "/case" in saved
        await walker.look("saved")


async def test_the_first_tab_skips_to_the_content(walk: Walk) -> None:
    async with walk(Way("en", "desktop")) as walker:
        for path in PUBLIC[:5]:
            await walker.open(path)
            await walker.tab_to("a.skip", most=1)
            assert await walker.at("a.skip").is_visible()
            await walker.picture("skip")
            await walker.press("Enter")
            await walker.until("document.activeElement.id === 'main'")
