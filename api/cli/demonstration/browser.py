"""A browser without scripts: it keeps cookies, fills in the forms that a page has, and sends them.

Whatever a form carries hidden goes along, as its token against other sites does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self

import httpx2

from api.cli.demonstration.client import SECONDS, RefusedError

File = tuple[str, tuple[str, bytes, str]]  # the field; the file's name, bytes and type
_PAGE: Final = "text/html"


@dataclass(slots=True)
class Form:
    """A form as it stands on its page: where it goes, and what is filled in already."""

    action: str
    values: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """Where the browser is, and what it was sent."""

    status: int
    path: str
    query: str
    html: str

    def find(self, pattern: str) -> list[str]:
        """Everything on the page that the pattern's group says."""
        return re.findall(pattern, self.html)

    @property
    def trouble(self) -> str:
        """What the page says is wrong."""
        notice = re.search(r'<div class="notice bad".*?</div>', self.html, re.DOTALL)
        words = "" if notice is None else re.sub(r"<[^>]*>", " ", notice[0])
        return unescape(" ".join(words.split())) or "it is not as it must be."

    def first(self, pattern: str) -> str:
        """The first of these; RefusedError if there is none."""
        found = self.find(pattern)
        if not found:
            raise RefusedError(f"{self.path}, HTTP {self.status}: {self.trouble}")
        return found[0]


class Browser:
    """One person's, from the first page until it is closed."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=SECONDS, follow_redirects=True)
        self._url = url
        self.page = Page(0, "", "", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._http.close()

    def open(self, path: str) -> Page:
        """Go to a page."""
        return self._seen(self._http.get(path, headers={"accept": _PAGE}))

    def send(
        self,
        action: str,
        values: Mapping[str, str | Sequence[str]] | None = None,
        files: Iterable[File] = (),
    ) -> Page:
        """Fill in the form of this page that goes there, and send it; RefusedError without one."""
        form = next((one for one in forms_in(self.page.html) if one.action == action), None)
        if form is None:
            raise RefusedError(f"No form {action} on {self.page.path}: {self.page.trouble}")
        sent: dict[str, list[str]] = {}
        for name, value in form.values:
            sent.setdefault(name, []).append(value)
        for name, chosen in (values or {}).items():
            sent[name] = [chosen] if isinstance(chosen, str) else list(chosen)
        headers = {"accept": _PAGE, "origin": self._url, "sec-fetch-site": "same-origin"}
        return self._seen(
            self._http.post(action, data=sent, files=list(files) or None, headers=headers)
        )

    def _seen(self, answer: httpx2.Response) -> Page:
        at = answer.url
        self.page = Page(answer.status_code, at.path, at.query.decode(), answer.text)
        return self.page


def forms_in(html: str) -> list[Form]:
    """The forms of a page that send something, filled in as a browser would send them."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


_TICKED: Final = frozenset({"radio", "checkbox"})
_NOT_SENT: Final = frozenset({"file", "submit", "button"})


class _Reader(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._writes = False  # inside a text area
        self._selects: list[tuple[str, bool]] = []  # the options of a list: value, whether chosen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self._form = Form(given["action"])
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind not in _NOT_SENT and (kind not in _TICKED or "checked" in given):
                self._form.values.append((given["name"], given.get("value", "")))
        elif tag in {"textarea", "select"}:
            self._form.values.append((given["name"], ""))
            self._writes, self._selects = tag == "textarea", []
        elif tag == "option":
            self._selects.append((given.get("value", ""), "selected" in given))

    def handle_endtag(self, tag: str) -> None:
        """Note what ends."""
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._writes = False
        elif tag == "select" and self._selects:
            chosen = [value for value, one in self._selects if one]
            self._fill(chosen[0] if chosen else self._selects[0][0])

    def handle_data(self, data: str) -> None:
        """What a text area holds."""
        if self._writes:
            self._fill(data)

    def _fill(self, value: str) -> None:
        """The field that came last."""
        if self._form is not None:
            name, before = self._form.values.pop()
            self._form.values.append((name, before + value))
