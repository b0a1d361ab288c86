"""A browser as the pages need it: cookies of its own, and the token of the form it saw last."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.types import ASGIApp

from tests.conftest import Account
from tests.without_accounts import coming

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
PAGES = {"accept": "text/html"}


@dataclass(slots=True)
class Browser:
    """What somebody sees, and sends."""

    client: httpx2.AsyncClient
    form_token: str = field(default="", init=False)

    async def get(self, path: str) -> httpx2.Response:
        """A page, after its redirects."""
        return self._seen(await self.client.get(path, headers=PAGES, follow_redirects=True))

    async def post(self, path: str, *, files: Any = None, **fields: str) -> httpx2.Response:
        """A form with the token that the last page gave, and the page that follows."""
        data = {"form_token": self.form_token, **fields}
        sent = await self.client.post(
            path, data=data, files=files, headers=PAGES, follow_redirects=True
        )
        return self._seen(sent)

    async def sign_in(self, account: Account) -> httpx2.Response:
        """Through the page, with an access token."""
        await self.get("/sign-in")
        return await self.post("/sign-in", access_token=account.token)

    def _seen(self, page: httpx2.Response) -> httpx2.Response:
        found = _TOKEN.search(page.text)
        self.form_token = found.group(1) if found else self.form_token
        return page


@asynccontextmanager
async def browsing(app: ASGIApp) -> AsyncGenerator[Browser]:
    """A browser that nobody used before."""
    async with coming(app) as client:
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
