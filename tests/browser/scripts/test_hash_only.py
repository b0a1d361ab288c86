"""Hash only: no photo leaves the device."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.scripts.opening import (
    Opens,
    file,
    hash_of,
    picture,
    plain,
)
from tests.browser.scripts.pages import Site


async def test_hash_only_sends_hashes_and_no_photo(opens: Opens, site: Site) -> None:
    files = [file("a.png", picture("astronaut")), file("b.jpg", picture("obama"), "JPEG")]
    async with opens("photos") as page:
        word = page.get_by_text("A hash finds only this picture.")
        await expect(word).to_be_hidden()
        await page.get_by_label("Hash only").check()
        await expect(word).to_be_visible()
        await page.get_by_label("Photos").set_input_files(files)
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    (sent,) = site.sent
    assert set(sent) == {"imageHash", "who", "act"}
    assert sent["act"] == ["send"]
    assert [len(one) for one in sent["imageHash"]] == [64, 64]
    for one, hexed in zip(files, sent["imageHash"], strict=True):
        assert (int(hexed, 16) ^ hash_of(one["buffer"])).bit_count() < 6


async def test_without_hash_only_the_photos_are_sent(opens: Opens, site: Site) -> None:
    one = file("a.png", picture("astronaut"))
    async with opens("photos") as page:
        await page.get_by_label("Photos").set_input_files([one])
        await page.get_by_label("Hash only").check()
        await page.get_by_label("Hash only").uncheck()
        await page.get_by_label("Who").press("Enter")
        await expect(page.get_by_text("Sent.")).to_be_visible()
    assert site.sent[0]["photos"] == [("a.png", "image/png", one["buffer"])]
    assert "imageHash" not in site.sent[0]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (plain("white.png"), "FLAT white.png"),
        ({"name": "no.png", "mimeType": "image/png", "buffer": b"no"}, "UNHASHABLE no.png"),
    ],
    ids=["flat", "unreadable"],
)
async def test_a_photo_without_a_hash_holds_the_form_back(
    opens: Opens, site: Site, bad: dict[str, Any], said: str
) -> None:
    async with opens("photos") as page:
        await page.get_by_label("Hash only").check()
        await page.get_by_label("Photos").set_input_files([file("a.png", picture("coffee")), bad])
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-status]")).to_have_text(said)
        assert site.sent == []
        await page.get_by_role("button", name=f"Remove {bad['name']}").click()
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    assert len(site.sent[0]["imageHash"]) == 1
    assert "photos" not in site.sent[0]


async def test_a_browser_that_falsifies_pixels_makes_no_hash(opens: Opens, site: Site) -> None:
    noise = """CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => {
      const data = new Uint8ClampedArray(4 * width * height);
      return { data: data.map(() => 256 * Math.random()) };
    }"""
    async with opens("photos") as page:
        await page.evaluate(noise)
        await page.get_by_label("Hash only").check()
        await page.get_by_label("Photos").set_input_files([file("a.png", picture("coffee"))])
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-status]")).to_have_text("BLOCKED")
        await expect(page.locator("[data-chosen] .hint")).to_have_count(0)
    assert site.sent == []


async def test_no_photo_leaves_however_the_form_is_sent(opens: Opens, site: Site) -> None:
    async with opens("photos") as page:
        await page.get_by_label("Hash only").check()
        await page.get_by_label("Photos").set_input_files([file("a.png", picture("coffee"))])
        await page.evaluate("document.querySelector('form').submit()")  # asks no script
        await expect(page.get_by_text("Sent.")).to_be_visible()
    assert set(site.sent[0]) == {"who"}


async def test_a_form_found_invalid_is_hashed_anew(opens: Opens, site: Site) -> None:
    async with opens("photos") as page:
        await page.get_by_label("Hash only").check()
        await page.get_by_label("Photos").set_input_files([file("a.png", picture("retina"))])
        await page.evaluate(  # it turns invalid while the photo is hashed
            """document.querySelector("form").addEventListener("submit", () => {
              document.querySelector("[name=who]").value = "";
            }, { capture: true, once: true })"""
        )
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-hashed]")).to_have_count(1)
        assert site.sent == []
        await page.get_by_label("Who").fill("me again")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    assert len(site.sent[0]["imageHash"]) == 1
    assert site.sent[0]["who"] == ["me again"]
