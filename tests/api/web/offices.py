"""Reviewers and services as they read pages: signed in, with what a page says by its ids."""

import html
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
from starlette.types import ASGIApp

from tests.api.web.reading import Files, Reader
from tests.conftest import Account
from tests.without_accounts import coming


class Browser(Reader):
    """A reader who signs in with a token, and looks at one page after another."""

    async def get(self, path: str) -> httpx2.Response:
        """A page, after its redirects."""
        await self.open(path)
        assert self.page is not None
        return self.page

    async def post(
        self, path: str, *, files: Files | None = None, **fields: str
    ) -> httpx2.Response:
        """A form of the page that is open, and the page that follows."""
        await self.send(path, fields, files)
        assert self.page is not None
        return self.page

    async def sign_in(self, account: Account) -> httpx2.Response:
        """Through the page, with an access token."""
        await self.open("/sign-in")
        return await self.post("/sign-in", access_token=account.token)


Browsers = Callable[[], Awaitable[Browser]]


@asynccontextmanager
async def browsing(app: ASGIApp) -> AsyncGenerator[Browser]:
    """A browser that nobody used before."""
    async with coming(app) as client:
        client.follow_redirects = True
        yield Browser(client)


def element(page: httpx2.Response, id: str) -> str:
    """The words of the element with this id, up to the end of its kind."""
    opened = re.search(rf'<(\w+)[^>]* id="{re.escape(id)}"[^>]*>', page.text)
    assert opened is not None, f"no {id} in {page.text}"
    tag, rest = opened.group(1), page.text[opened.end() :]
    depth = 1
    for mark in re.finditer(rf"<(/?){tag}\b[^>]*>", rest):
        depth += -1 if mark.group(1) else 1
        if depth == 0:
            return words(rest[: mark.start()])
    raise AssertionError(f"{id} does not end")


def words(source: str) -> str:
    """What a piece of HTML says."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", source)).split())


def has(page: httpx2.Response, id: str) -> bool:
    """Whether the page has an element of this id."""
    return f' id="{id}"' in page.text


async def queue(browser: Browser, path: str) -> list[str]:
    """The reviews of this queue in its order, over all of its pages."""
    shown = list[str]()
    while path:
        page = await browser.get(path)
        shown += re.findall(r'<tr id="review-([0-9a-f-]+)"', page.text)
        more = re.search(r'id="more" href="([^"]+)"', page.text)
        path = more.group(1).replace("&amp;", "&") if more else ""
    return shown
