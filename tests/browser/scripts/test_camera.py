"""The camera: a photo is taken, and the camera let go in any case."""

import io

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.browser.scripts.opening import (
    LIVE,
    Opens,
    chosen,
    file,
    in_input,
    launched,
    opened,
    picture,
    until,
)
from tests.browser.scripts.pages import Site


async def test_the_camera_adds_a_photo_and_is_let_go(opens: Opens, site: Site) -> None:
    async with opens("photos") as page:
        await page.get_by_label("Photos").set_input_files([file("a.png", picture("coffee"))])
        button = page.get_by_role("button", name="Camera", exact=True)
        await button.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await until(page, "document.querySelector('video').videoWidth > 0")
        assert await page.evaluate(LIVE) == 1
        await page.get_by_role("button", name="Take").press("Space")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(button).to_be_focused()
        await expect(page.locator("[data-camera-status]")).to_have_text("TAKEN")
        assert await page.evaluate(LIVE) == 0
        assert len(await chosen(page)) == 2
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    name, kind, content = site.sent[0]["photos"][1]
    image = Image.open(io.BytesIO(content))
    assert (name[:7], name[-4:], kind, image.format) == ("camera-", ".jpg", "image/jpeg", "JPEG")
    assert max(image.size) <= 1600
    red, green, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert min(red, green, blue) > 40  # a picture, not a black frame


@pytest.mark.parametrize("way", ["Cancel", "Escape", "leave"])
async def test_the_camera_is_let_go_when_nothing_is_taken(opens: Opens, way: str) -> None:
    async with opens("photos") as page:
        button = page.get_by_role("button", name="Camera", exact=True)
        await button.click()
        await until(page, "document.querySelector('video').videoWidth > 0")
        if way == "leave":
            await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
        elif way == "Escape":
            await page.keyboard.press("Escape")
        else:
            await page.get_by_role("button", name="Cancel").click()
        await until(page, f"{LIVE} === 0")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(button).to_be_focused()
        assert await in_input(page) == []
        await button.click()  # and can be opened again
        await until(page, "document.querySelector('video').videoWidth > 0")


LATE = """() => {
  const ask = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.dispatchEvent(new PageTransitionEvent("pagehide"));
    window.late = true;
    return stream;
  };
}"""


@pytest.mark.parametrize(("name", "button"), [("photos", "Camera"), ("voice", "Record")])
async def test_a_device_granted_after_the_page_was_left_is_let_go(
    opens: Opens, name: str, button: str
) -> None:
    async with opens(name) as page:
        await page.evaluate(LATE)
        await page.get_by_role("button", name=button).click()
        await until(page, f"window.late && {LIVE} === 0")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()


FAILS = """(name) => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
}"""


@pytest.mark.parametrize(
    ("error", "said"), [("NotReadableError", "IN USE"), ("InvalidStateError", "FAILED")]
)
async def test_why_there_is_no_device_is_said(opens: Opens, error: str, said: str) -> None:
    async with opens("photos") as page:
        await page.evaluate(FAILS, error)
        await page.get_by_role("button", name="Camera", exact=True).click()
        await expect(page.locator("[data-camera-status]")).to_have_text(said)
        await expect(page.get_by_role("dialog")).to_be_hidden()
    async with opens("voice") as page:
        await page.evaluate(FAILS, error)
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-record-status]")).to_have_text(said)


async def test_a_person_may_say_no(opens: Opens) -> None:
    async with opens("photos", may=[]) as page:
        await page.get_by_role("button", name="Camera", exact=True).click()
        await expect(page.locator("[data-camera-status]")).to_have_text("DENIED")
    async with opens("voice", may=[]) as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-record-status]")).to_have_text("DENIED")
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()


async def test_a_device_without_camera_and_microphone_says_so(site: Site) -> None:
    async with launched() as bare:
        async with opened(bare, site, "photos") as page:
            await page.get_by_role("button", name="Camera", exact=True).click()
            await expect(page.locator("[data-camera-status]")).to_have_text("NONE")
        async with opened(bare, site, "voice") as page:
            await page.get_by_role("button", name="Record").click()
            await expect(page.locator("[data-record-status]")).to_have_text("NONE")
