"""Somebody who walks through the pages: is counted, takes pictures, and sees what is wrong."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote_plus, urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    Request,
    Response,
)

from tests.browser.audit import findings
from tests.browser.ways import Way

SCREENSHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
_FAILED_LOAD = "Failed to load resource"  # Chromium says so of every answer that is a refusal
_REFUSED, _BROKEN = 400, 500
_OWN_SCHEMES = {"data", "blob", "about"}
_OUTLINE = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return [one.tagName, one.outerHTML.slice(0, 120), shown];
}"""

Target = str | Locator


class Walker:
    """One person with one browser window, on one journey.

    As a context manager it closes the window and fails with everything that was wrong on the way.
    """

    context: BrowserContext
    page: Page

    def __init__(self, browser: Browser, site: str, way: Way, journey: str) -> None:
        self.way, self.site, self.journey = way, site, journey
        self.interactions = 0
        self.wrong: list[str] = []
        self._browser = browser
        self._secrets: set[str] = set()
        self._requested: list[str] = []
        self._answered: dict[str, int] = {}  # pages and forms, of which some are refusals
        self._pictures = 0
        self._moved = False
        self._devtools: CDPSession

    async def __aenter__(self) -> Self:
        """Open the window."""
        self.context = await self._browser.new_context(
            base_url=self.site, permissions=["camera", "microphone"], **self.way.context
        )
        self.context.set_default_timeout(15_000)
        self.page = await self.context.new_page()
        self._devtools = await self.context.new_cdp_session(self.page)
        self.context.on("request", self._note_request)
        self.context.on("response", self._note_response)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        await self._scripts(on=self.way.scripts)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it, and say what was wrong."""
        if error is None:
            await self._look_at_cookies()
            self._look_at_addresses()
        else:
            await self.picture("failed")
        await self.context.close()
        if error is None:
            assert self.wrong == [], "\n".join(self.wrong)
        elif self.wrong:
            error.add_note("\n".join(self.wrong))

    # What a person does; each counts.

    async def open(self, path: str) -> Response:
        """Type an address, which is where a journey begins."""
        self._moved = False
        return _answered(await self.page.goto(path))

    async def click(self, target: Target) -> None:
        """Press or tap it."""
        self.interactions += 1
        await self.at(target).click()

    async def send(self, target: Target = "main form [type=submit]") -> Response:
        """Press what leads to another page, and wait for that: the answer it came with."""
        self.interactions += 1
        async with self.page.expect_navigation() as going:
            await self.at(target).click()
        self._moved = False
        return _answered(await going.value)

    async def fill(self, target: Target, text: str, *, secret: bool = True) -> None:
        """Write into a field. `secret`: no address may ever hold it."""
        self.interactions += 1
        if secret:
            self.keeps(text)
        await self.at(target).fill(text)

    async def choose(self, target: Target, value: str | Sequence[str]) -> None:
        """Choose from a list."""
        self.interactions += 1
        await self.at(target).select_option(value)

    async def tick(self, target: Target) -> None:
        """Tick a box, or choose one of several."""
        self.interactions += 1
        await self.at(target).check()

    async def upload(self, target: Target, *files: tuple[str, str, bytes]) -> None:
        """Choose files: name, media type, content."""
        self.interactions += 1
        given = [FilePayload(name=name, mimeType=kind, buffer=data) for name, kind, data in files]
        await self._choose_files(target, given)

    async def choose_file(self, target: Target, path: Path) -> None:
        """Choose a file of the disk."""
        self.interactions += 1
        await self._choose_files(target, path)

    async def press(self, key: str) -> None:
        """Press a key."""
        self.interactions += 1
        await self.page.keyboard.press(key)

    async def enter(self) -> Response:
        """Press Enter where that leads to another page: the answer it came with."""
        self.interactions += 1
        async with self.page.expect_navigation() as going:
            await self.page.keyboard.press("Enter")
        self._moved = False
        return _answered(await going.value)

    async def tab_to(self, target: Target, most: int = 60) -> None:
        """Go there by Tab alone, seeing at each step where one is."""
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            tag, text, shown = await self._asked(_OUTLINE)
            if tag != "BODY" and not shown:
                self.wrong.append(f"focus is not visible on {text}")
            if await self.is_focused(target):
                return
        raise AssertionError(f"Tab does not lead to {target}.")

    async def _choose_files(self, target: Target, files: Path | list[FilePayload]) -> None:
        await self.at(target).set_input_files(files)
        self._moved = True  # to show them; a browser would know that a person did this

    # What is looked at.

    @property
    def path(self) -> str:
        """Where one is."""
        return urlsplit(self.page.url).path

    def at(self, target: Target) -> Locator:
        """The element."""
        return self.page.locator(target) if isinstance(target, str) else target

    async def text(self, target: Target = "main") -> str:
        """What is written there."""
        return await self.at(target).inner_text()

    async def is_focused(self, target: Target) -> bool:
        """Whether one is there."""
        for one in await self.at(target).all():
            if await one.evaluate("one => one === document.activeElement"):
                return True
        return False

    async def until(self, question: str, seconds: float = 15) -> None:
        """Wait until the page answers yes; asked from outside, as its policy allows no eval."""
        async with asyncio.timeout(seconds):
            while not await self.page.evaluate(question):
                await self.page.wait_for_timeout(50)

    async def look(self, name: str) -> None:
        """Take a picture of the page, and look for what is wrong with it."""
        await self.page.wait_for_load_state()
        if self.way.scripts and await self.at("script[src^='/static/app.js']").count():
            await self.until("document.documentElement.classList.contains('ready')")
        await self.picture(name)
        await self._scripts(on=True)
        found = await findings(
            self.page, self.way.language, moves=self.way.scripts and not self._moved
        )
        await self._scripts(on=self.way.scripts)
        self.wrong += [
            f"{name} ({urlsplit(self.page.url).path}, {self.way}): {one}" for one in found
        ]

    async def picture(self, name: str) -> None:
        """A picture of the whole page."""
        self._pictures += 1
        folder = SCREENSHOTS / str(self.way)
        file = f"{self.journey}-{self._pictures:02}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"
        await self.page.screenshot(path=folder / file, full_page=True)

    def keeps(self, *secrets: str) -> None:
        """These belong to the person: no address may ever hold them."""
        self._secrets |= {one.casefold() for one in secrets if one}

    # How it is looked at.

    async def _scripts(self, *, on: bool) -> None:
        """Whether pages run scripts; the protocol's own questions need them on."""
        await self._devtools.send("Emulation.setScriptExecutionDisabled", {"value": not on})

    async def _asked(self, question: str) -> list[object]:
        answer: list[object] = await self.page.evaluate(question)
        return answer

    def _note_request(self, request: Request) -> None:
        self._requested.append(request.url)

    def _note_response(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() or request.method != "GET":
            self._answered[response.url] = response.status

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        where = message.location["url"]
        if _FAILED_LOAD in message.text and self._answered.get(where, 0) >= _REFUSED:
            return
        self.wrong.append(f"console {message.type}: {message.text} ({where})")

    def _look_at_addresses(self) -> None:
        for url in self._requested:
            read = unquote_plus(url).casefold()
            self.wrong += [f"an address holds {one!r}" for one in self._secrets if one in read]
            parts = urlsplit(url)
            if parts.scheme not in _OWN_SCHEMES and not url.startswith(f"{self.site}/"):
                self.wrong.append(f"{parts.netloc} was asked")

    async def _look_at_cookies(self) -> None:
        for one in await self.context.cookies():
            if not one["httpOnly"] or one["sameSite"] not in {"Lax", "Strict"}:
                self.wrong.append(f"cookie {one['name']} is open: {one}")


def _answered(answer: Response | None) -> Response:
    """An answer that came; what the server could not answer ends the journey."""
    assert answer is not None
    assert answer.status < _BROKEN, f"{answer.url}: {answer.status}"
    return answer
