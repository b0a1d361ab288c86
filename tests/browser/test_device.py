"""The scripts of the pages, in a Chromium whose camera and microphone play files."""

import asyncio
import io
import re
import wave
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from playwright.async_api import Browser, Page, async_playwright, expect

from registry.encoders import image_hash
from registry.photos import photos as photos_of
from tests.browser import devices
from tests.browser.device_pages import PAGES, STATIC, Site, served
from tests.browser.ways import chromium

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = photos_of(ROOT / ".likeness" / "packages")
EVERYTHING = ["camera", "microphone", "clipboard-read", "clipboard-write"]
# What the page's scripts opened, so that a test can see whether it was let go.
WATCHED = """
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
"""
LIVE = "window.tracks.filter((one) => one.readyState === 'live').length"

Opens = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture(autouse=True)
def untroubled() -> None:
    """These pages need no registry that serves."""


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    with served() as site:
        yield site


@pytest.fixture(scope="module")
async def chrome(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Browser]:
    folder = tmp_path_factory.mktemp("devices")
    async with launched(
        devices.camera(PHOTOS["astronaut"], folder / "camera.y4m"),
        devices.microphone(folder / "voice.wav"),
    ) as browser:
        yield browser


@asynccontextmanager
async def launched(*media: Path) -> AsyncGenerator[Browser]:
    """Without media there is neither a camera nor a microphone."""
    flags = {".y4m": "video", ".wav": "audio"}
    files = [f"--use-file-for-fake-{flags[one.suffix]}-capture={one}" for one in media]
    fake = ["--use-fake-device-for-media-stream"] if media else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", *fake, *files]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, site: Site, name: str, *, may: list[str] | None = None, **context: Any
) -> AsyncGenerator[Page]:
    """A page that nothing goes wrong on: no error of a script, nothing that its policy forbids."""
    allowed = EVERYTHING if may is None else may
    visit = await browser.new_context(permissions=allowed, **context)
    visit.set_default_timeout(20_000)
    page = await visit.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    if context.get("java_script_enabled", True):
        await page.add_init_script(WATCHED)
    await page.goto(f"{site.url}/{name}", wait_until="networkidle")
    yield page
    await visit.close()
    assert wrong == []


@pytest.fixture
def opens(chrome: Browser, site: Site) -> Opens:
    site.sent.clear()
    return lambda name, **how: opened(chrome, site, name, **how)


def picture(name: str) -> Image.Image:
    return Image.open(io.BytesIO(PHOTOS[name])).convert("RGB")


def file(name: str, image: Image.Image, kind: str = "PNG", **how: Any) -> dict[str, Any]:
    content = io.BytesIO()
    image.save(content, kind, **how)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": content.getvalue()}


def plain(name: str) -> dict[str, Any]:
    return file(name, Image.new("RGB", (300, 300), "white"))


def hash_of(data: bytes) -> int:
    return int.from_bytes(image_hash.encode(Image.open(io.BytesIO(data))))


async def until(page: Page, condition: str) -> None:
    """Playwright's own way of waiting for this needs what the policy forbids."""
    await page.evaluate(
        f"""async () => {{
          for (let tries = 0; !({condition}); tries += 1) {{
            if (tries === 400) throw new Error("never");
            await new Promise((next) => setTimeout(next, 50));
          }}
        }}"""
    )


async def chosen(page: Page) -> list[str]:
    return await page.locator("[data-chosen] li > span:first-of-type").all_inner_texts()


async def in_input(page: Page) -> list[str]:
    return await page.locator("input[type=file]").evaluate(
        "(input) => [...input.files].map((one) => one.name)"
    )


async def hashed(page: Page, data: bytes) -> dict[str, Any]:
    await page.evaluate("document.querySelector('input[type=file]').value = ''")
    await page.locator("input[type=file]").set_input_files(
        {"name": "it", "mimeType": "image/png", "buffer": data}
    )
    return await page.evaluate(
        """async () => {
          const { phash } = await import("/static/phash.js");
          return phash([...document.querySelector("input[type=file]").files].at(-1));
        }"""
    )


# ---- the hash


def versions(name: str) -> dict[str, bytes]:
    image = picture(name)
    turned = Image.Exif()
    turned[0x0112] = 6
    return {
        "as it is": PHOTOS[name],
        "PNG": file("", image)["buffer"],
        "JPEG": file("", image, "JPEG", quality=85)["buffer"],
        "fine JPEG": file("", image, "JPEG", quality=95, subsampling=0)["buffer"],
        "turned JPEG": file("", image, "JPEG", quality=90, exif=turned)["buffer"],
        "WebP": file("", image, "WEBP", quality=90)["buffer"],
    }


@pytest.mark.parametrize("name", sorted(PHOTOS))
async def test_a_hash_made_on_the_device_is_the_server_s(opens: Opens, name: str) -> None:
    bits = {}
    async with opens("plain") as page:
        await page.evaluate(
            "document.body.append(Object.assign(document.createElement('input'), {type: 'file'}))"
        )
        for kind, data in versions(name).items():
            made = await hashed(page, data)
            assert made["flat"] is False
            bits[kind] = (int(made["hex"], 16) ^ hash_of(data)).bit_count()
    # Measured: not a bit of difference, in JPEG neither; other versions may decode it otherwise.
    assert bits["PNG"] == 0, bits
    assert max(bits.values()) < 6, bits


@pytest.mark.parametrize("size", [(64, 64), (40, 50), (16, 16), (65, 3000), (5000, 64), (700, 257)])
async def test_any_size_is_hashed_as_the_server_does(opens: Opens, size: tuple[int, int]) -> None:
    data = file("", picture("astronaut").resize(size))["buffer"]
    async with opens("photos") as page:
        made = await hashed(page, data)
    assert int(made["hex"], 16) == hash_of(data)
    assert made["flat"] == image_hash.is_flat(Image.open(io.BytesIO(data)))


async def test_what_is_transparent_is_seen_on_white(opens: Opens) -> None:
    image = picture("astronaut").convert("RGBA")
    image.putalpha(picture("coffee").resize(image.size).convert("L"))
    data = file("", image)["buffer"]
    async with opens("photos") as page:
        made = await hashed(page, data)
    assert (int(made["hex"], 16) ^ hash_of(data)).bit_count() <= 2


@pytest.mark.parametrize(
    "image",
    [Image.new("RGB", (300, 300), "white"), Image.linear_gradient("L"), Image.new("L", (15, 300))],
    ids=["white", "gradient", "narrow"],
)
async def test_what_is_too_plain_is_called_flat(opens: Opens, image: Image.Image) -> None:
    assert image_hash.is_flat(image)
    async with opens("photos") as page:
        assert (await hashed(page, file("", image)["buffer"]))["flat"] is True


# ---- choosing


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


@pytest.mark.parametrize("name", ["astronaut", "obama", "obama3", "biden", "chelsea"])
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


# ---- hash only


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


# ---- camera


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


# ---- microphone


async def test_a_voice_is_recorded_heard_again_and_sent(opens: Opens, site: Site) -> None:
    async with opens("voice") as page:
        record, stop = (page.get_by_role("button", name=one) for one in ("Record", "Stop"))
        await record.press("Enter")
        await expect(stop).to_be_focused()
        await expect(record).to_be_hidden()
        meter = "document.querySelector('meter').value"
        await until(page, f"{meter} > 0.4")
        await expect(page.locator("[data-seconds]")).to_have_text("8", timeout=15_000)
        assert await page.evaluate(LIVE) == 1
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-record-status]")).to_have_text("GOOD")
        await expect(record).to_be_focused()
        await expect(page.locator("meter")).to_be_hidden()
        assert await page.evaluate(LIVE) == 0
        await page.locator("audio").evaluate("(one) => one.play()")
        await until(page, "document.querySelector('audio').currentTime > 0.2")
        assert len(await chosen(page)) == 1
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    ((name, kind, content),) = site.sent[0]["voice"]
    assert (name[:6], name[-5:], kind) == ("voice-", ".webm", "audio/webm")
    assert 6 < seconds_of(content) < 11


async def test_a_recording_ends_by_itself_and_can_be_discarded(opens: Opens) -> None:
    async with opens("voice-short") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-record-status]")).to_have_text("SHORT")
        assert await page.evaluate(LIVE) == 0
        discard = page.get_by_role("button", name="Discard")
        for remove in (discard, page.get_by_role("button", name="Remove voice")):
            if await discard.is_hidden():
                await page.get_by_role("button", name="Record").click()
            await expect(discard).to_be_visible()
            await remove.press("Enter")
            assert await in_input(page) == await chosen(page) == []
            await expect(discard).to_be_hidden()
            await expect(page.locator("audio")).to_be_hidden()
            await expect(page.locator("[data-record-status]")).to_have_text("")


async def test_another_file_takes_the_recording_s_place(opens: Opens) -> None:
    other = {"name": "other.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    async with opens("voice-short") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("audio")).to_be_visible()
        await page.get_by_label("Voice").set_input_files([other])
        assert await chosen(page) == await in_input(page) == ["other.wav"]
        await expect(page.locator("audio")).to_be_hidden()


async def test_leaving_the_page_ends_a_recording(opens: Opens) -> None:
    async with opens("voice") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
        assert await page.evaluate(LIVE) == 0
        assert await in_input(page) == []
        await expect(page.get_by_role("button", name="Record")).to_be_visible()


@pytest.mark.parametrize(("gain", "said"), [(0.002, "QUIET"), (40.0, "CLIPPING")])
async def test_a_recording_too_quiet_or_too_loud_is_told(
    site: Site, tmp_path: Path, gain: float, said: str
) -> None:
    async with (
        launched(louder(devices.microphone(tmp_path / "voice.wav"), gain)) as browser,
        opened(browser, site, "voice") as page,
    ):
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-seconds]")).to_have_text("6", timeout=15_000)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("[data-record-status]")).to_have_text(said)


def louder(path: Path, gain: float) -> Path:
    """The same recording, cut off where it is too loud."""
    with wave.open(str(path), "rb") as recording:
        how = recording.getparams()
        samples = np.frombuffer(recording.readframes(how.nframes), dtype=np.int16)
    with wave.open(str(path), "wb") as recording:
        recording.setparams(how)
        recording.writeframes((samples * gain).clip(-32768, 32767).astype(np.int16).tobytes())
    return path


def seconds_of(content: bytes) -> float:
    """How long the sound is, decoded by what the server decodes it with."""
    with av.open(io.BytesIO(content)) as sound:
        return sum(frame.samples / frame.sample_rate for frame in sound.decode(audio=0))


# ---- saving, sending once, loading only what is needed


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
