"""Saving, sending once, and loading only what is needed."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.scripts.opening import (
    Opens,
    until,
)
from tests.browser.scripts.pages import PAGES, STATIC, Site


async def test_the_case_is_saved_as_a_text_file(opens: Opens) -> None:
    async with opens("save") as page:
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save").press("Enter")
        saved = await download.value
        assert saved.suggested_filename == "my-case.txt"
        text = (await asyncio.to_thread(Path(await saved.path()).read_bytes)).decode()
        assert text == "Case number: LR-1 23\nPIN: 4711\nhttps://registry.example/case\n"
        await page.get_by_role("button", name="Copy").click()
        await expect(page.locator("[data-save-status]")).to_have_text("COPIED")
        assert await page.evaluate("navigator.clipboard.readText()") == text.rstrip("\n")


SHARES = """(failure) => {
  navigator.canShare = () => true;
  navigator.share = async ({ files }) => {
    window.shared = await files[0].text();
    if (failure) throw new DOMException("", failure);
  };
}"""


@pytest.mark.parametrize(("failure", "downloads"), [("", 0), ("AbortError", 0), ("DataError", 1)])
async def test_a_phone_shares_the_case(opens: Opens, failure: str, downloads: int) -> None:
    got: list[str] = []
    async with opens("save", has_touch=True, is_mobile=True) as page:
        page.on("download", lambda one: got.append(one.suggested_filename))
        await page.evaluate(SHARES, failure)
        await page.get_by_role("button", name="Save").click()
        await until(page, "window.shared")
        assert "PIN: 4711" in await page.evaluate("window.shared")
        await asyncio.sleep(0.5)
    assert len(got) == downloads


async def test_printing_prints(opens: Opens) -> None:
    async with opens("save") as page:
        await page.evaluate("window.print = () => { window.printed = true; }")
        await page.get_by_role("button", name="Print").click()
        assert await page.evaluate("window.printed")


PRESSED_TWICE = """async () => {
  const go = document.querySelector("form button");
  go.click();
  go.click();
  await new Promise((next) => setTimeout(next, 100));
  return [go.disabled, document.querySelector("[data-busy-status]").textContent];
}"""


async def test_a_form_is_sent_once(opens: Opens, site: Site) -> None:
    async with opens("save") as page:
        go = page.get_by_role("button", name="Go")
        assert await page.evaluate(PRESSED_TWICE) == [True, "BUSY"]
        await expect(page.get_by_text("Sent.")).to_be_visible()
        await page.go_back()
        await expect(go).to_be_enabled()
        await expect(page.locator("[data-busy-status]")).to_have_text("")
    assert site.sent == [{"act": ["go"]}]


async def test_a_page_loads_only_the_scripts_it_needs(opens: Opens) -> None:
    async def loaded(name: str) -> set[str]:
        async with opens(name) as page:
            names = await page.evaluate(
                "performance.getEntriesByType('resource').map((one) => one.name)"
            )
            return {one.rpartition("/")[2] for one in names} - {"none"}

    assert await loaded("plain") == {"app.js"}
    assert await loaded("save") == {"app.js", "save.js", "files.js"}
    assert "microphone.js" not in await loaded("photos")
    assert "camera.js" not in await loaded("voice")


def attributes(text: str) -> set[str]:
    return set(re.findall(r"\bdata-[a-z-]+", text))


@pytest.mark.parametrize("name", ["photos", "voice", "save"])
def test_the_real_pages_have_what_the_scripts_ask_for(name: str) -> None:
    templates = STATIC.parent / "templates"
    real = "".join(one.read_text(encoding="utf-8") for one in templates.rglob("*.html"))
    assert attributes(PAGES[name]) - attributes(real) == set()


@pytest.mark.parametrize("name", ["photos", "voice", "save"])
async def test_without_scripts_nothing_is_offered_that_needs_them(opens: Opens, name: str) -> None:
    async with opens(name, java_script_enabled=False) as page:
        shown = await page.locator("button:visible").all_inner_texts()
    assert shown == {"photos": ["Send"], "voice": ["Send"], "save": ["Go"]}[name]
