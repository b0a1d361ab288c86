"""Somebody who reads pages and fills in their forms, as a browser without scripts does."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import httpx2
from starlette.types import ASGIApp

from tests.without_accounts import coming

HTML = {"accept": "text/html,application/xhtml+xml"}
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
Files = Sequence[tuple[str, tuple[str, bytes]]]


@dataclass(slots=True)
class Reader:
    """A browser: cookies are kept, redirects followed."""

    client: httpx2.AsyncClient
    page: httpx2.Response | None = None

    @property
    def text(self) -> str:
        """What the page says."""
        assert self.page is not None
        return unescape(self.page.text)

    @property
    def path(self) -> str:
        """Where the reader is."""
        assert self.page is not None
        return self.page.url.path

    @property
    def status(self) -> int:
        """How the page was answered."""
        assert self.page is not None
        return self.page.status_code

    async def open(self, path: str) -> "Reader":
        """Go to a page."""
        self.page = await self.client.get(path, headers=HTML)
        return self

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page's first form that has a token, and of those after it."""
        assert self.page is not None
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.page.text)}

    async def send(
        self, path: str, fields: Mapping[str, str | list[str]], files: Files | None = None
    ) -> "Reader":
        """Fill in a form of the page and send it; the page's own hidden fields go with it."""
        data = {**self.hidden(), **fields}
        multipart = files if files is not None else None
        self.page = await self.client.post(path, data=data, files=multipart, headers=HTML)
        return self

    async def object(self, *, files: Files = (), **fields: str | list[str]) -> tuple[str, str]:
        """Object by the page: the case number and the PIN."""
        await self.open("/object")
        given = {"level": "ALL", "age_group": "ADULT", "confirmed": "yes", **fields}
        await self.send("/object", given, files or [("photo", ("", b""))])
        assert self.path == "/object/done", self.text
        return self.secrets()

    def secrets(self) -> tuple[str, str]:
        """The number and the PIN that the page shows."""
        number = re.search(r"LR-[0-9A-Z-]{14}", self.text)
        pin = re.search(r">(\d{8})<", self.text)
        assert number is not None
        assert pin is not None
        return number[0], pin[1]


@asynccontextmanager
async def reading(app: ASGIApp, language: str = "en") -> AsyncGenerator[Reader]:
    """A reader from an address that nobody came from before."""
    async with coming(app) as client:
        client.follow_redirects = True
        client.headers["accept-language"] = language
        yield Reader(client)
