"""One of the small pages, opened in a browser; and what tests look at there."""

import io
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from registry.encoders import image_hash
from registry.photos import photos as photos_of
from tests.browser.scripts.pages import Site
from tests.browser.ways import UNBOXED, chromium

PHOTOS = photos_of(Path(__file__).resolve().parents[3] / ".likeness" / "packages")
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


@asynccontextmanager
async def launched(*media: Path) -> AsyncGenerator[Browser]:
    """Without media there is neither a camera nor a microphone."""
    flags = {".y4m": "video", ".wav": "audio"}
    files = [f"--use-file-for-fake-{flags[one.suffix]}-capture={one}" for one in media]
    fake = ["--use-fake-device-for-media-stream"] if media else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=[*UNBOXED, *fake, *files]
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
