"""Choosing photos: listed, judged, removed; too many and too large."""

import pytest
from PIL import ImageEnhance, ImageFilter
from playwright.async_api import expect

from tests.browser.scripts.opening import (
    Opens,
    chosen,
    file,
    in_input,
    picture,
)
from tests.browser.scripts.pages import Site


async def test_chosen_photos_are_listed_judged_and_removed(opens: Opens) -> None:
    astronaut = picture("astronaut")
    async with opens("photos") as page:
        field = page.get_by_label("Photos")
        await field.set_input_files([file("a.png", astronaut)])
        await field.set_input_files([file("b.png", astronaut.resize((200, 200)))])
        assert await chosen(page) == await in_input(page) == ["a.png", "b.png"]
        await expect(page.locator("[data-chosen] .hint")).to_have_text(["GOOD", "SMALL"])
        preview = page.locator("[data-chosen] img").first
        assert await preview.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 512
        await page.get_by_role("button", name="Remove a.png").press("Enter")
        assert await chosen(page) == await in_input(page) == ["b.png"]
        await expect(page.get_by_role("button", name="Remove b.png")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-chosen]")).to_be_hidden()
        await expect(field).to_be_focused()
        assert await in_input(page) == []


@pytest.mark.parametrize("name", ["astronaut", "obama", "biden", "chelsea"])
async def test_a_photo_is_called_good_dark_or_blurred(opens: Opens, name: str) -> None:
    image = picture(name)
    files = [
        file("good.png", image),
        file("dark.png", ImageEnhance.Brightness(image).enhance(0.2)),
        file("soft.png", image.filter(ImageFilter.GaussianBlur(min(image.size) / 60))),
    ]
    async with opens("photos") as page:
        await page.get_by_label("Photos").evaluate(
            "(input) => input.closest('fieldset').removeAttribute('data-max-bytes')"
        )
        await page.get_by_label("Photos").set_input_files(files)
        hints = page.locator("[data-chosen] .hint")
        await expect(hints).to_have_text(["GOOD", "DARK", "BLURRED"])


async def test_a_photo_that_the_browser_cannot_read_is_sent_with_a_word(
    opens: Opens, site: Site
) -> None:
    unknown = {"name": "x.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}
    async with opens("photos") as page:
        await page.get_by_label("Photos").set_input_files([unknown])
        await expect(page.locator("[data-chosen] .hint")).to_have_text("UNREADABLE")
        await expect(page.locator("[data-chosen] img")).to_have_count(0)
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    assert [one[0] for one in site.sent[0]["photos"]] == ["x.heic"]


async def test_too_many_and_too_large_files_are_not_taken(opens: Opens) -> None:
    small = [file(f"{at}.png", picture("coffee")) for at in range(4)]
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(3_000_001)}
    async with opens("photos") as page:
        field, status = page.get_by_label("Photos"), page.locator("[data-status]")
        await field.set_input_files([large, small[0]])
        await expect(status).to_have_text("TOO LARGE large.png")
        assert await in_input(page) == ["0.png"]
        await field.set_input_files(small[1:])
        await expect(status).to_have_text("TOO MANY 3")
        assert await chosen(page) == await in_input(page) == ["0.png", "1.png", "2.png"]
