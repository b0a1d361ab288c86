"""Refusals: a page in its reader's language, JSON for a program, and secrets for nobody."""

import logging
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from starlette.types import ASGIApp

from api.web.languages import Language, translations
from api.web.said import said
from api.web.visits import SIGNED_OUT
from tests.api.web.conftest import Holder
from tests.api.web.reading import HTML, Reader, reading
from tests.without_accounts import coming

CASES = [
    ("GET", "/nowhere", {}, 404, "Not Found.", "NOT_FOUND"),
    ("GET", "/static/../api/app.py", {}, 404, "Not Found.", "NOT_FOUND"),
    ("PUT", "/object", {}, 405, "Method Not Allowed.", "UNSUPPORTED"),
    ("DELETE", "/case", {}, 405, "Method Not Allowed.", "UNSUPPORTED"),
    ("POST", "/help", {}, 405, "Method Not Allowed.", "UNSUPPORTED"),
    ("GET", "/case/pin/x", {}, 404, "Not Found.", "NOT_FOUND"),
    (
        "POST",
        "/sign-in",
        {"content-encoding": "gzip"},
        415,
        "Send the body without a Content-Encoding.",
        "UNSUPPORTED",
    ),
    ("POST", "/sign-in", {"content-length": "-1"}, 400, "Content-Length is not", "INVALID"),
    ("GET", "/object", {"x-long": "x" * 40_000}, 431, "A request has at most", "TOO_LARGE"),
]


@pytest.mark.parametrize(("method", "path", "headers", "status", "sentence", "code"), CASES)
async def test_a_browser_is_shown_a_page_and_a_program_json(
    app: ASGIApp,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    sentence: str,
    code: str,
) -> None:
    async with coming(app) as client:
        page = await client.request(method, path, headers={**HTML, **headers})
        body = await client.request(method, path, headers={"accept": "application/json", **headers})
        anything = await client.request(method, path, headers=headers)
    assert page.status_code == body.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src")
    assert "This did not work" in page.text
    assert sentence in page.text
    assert body.headers["content-type"] == "application/json"
    assert (body.json()["code"], sentence in body.json()["message"]) == (code, True)
    assert anything.headers["content-type"] == "application/json"
    if status == 405:
        assert page.headers["allow"] == body.headers["allow"]


@pytest.mark.parametrize(
    ("path", "sentence"), [("/nowhere", "Not Found."), ("/case/objections/x", SIGNED_OUT)]
)
async def test_it_is_said_in_the_readers_language(app: ASGIApp, path: str, sentence: str) -> None:
    chinese = Language.SIMPLIFIED_CHINESE
    async with reading(app, "zh-CN") as reader:
        await reader.open(path)
        assert reader.page is not None
        assert '<html lang="zh-Hans">' in reader.page.text
        assert said(sentence, chinese) in reader.text
        assert translations(chinese).gettext("Urgent help") in reader.text


@pytest.mark.parametrize("path", ["/graphql", "/v1/check", "/oauth/token", "/log/checkpoint/x"])
async def test_where_programs_ask_they_are_answered_as_programs(app: ASGIApp, path: str) -> None:
    async with coming(app) as client:
        answer = await client.delete(path, headers=HTML)
    assert answer.status_code in {404, 405}
    assert answer.headers["content-type"] == "application/json"


async def test_a_head_says_as_much_as_a_get_without_the_page(app: ASGIApp) -> None:
    async with coming(app) as client:
        for path in ("/", "/object", "/help"):
            answer = await client.head(path, headers=HTML)
            assert (answer.status_code, answer.content) == (200, b"")


async def test_a_defect_shows_a_number_and_the_log_says_the_rest(
    app: ASGIApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("api.web.helping.help_for", broken)
    async with reading(app, "zh-CN") as reader:
        await reader.open("/help?territory=CN")
        assert reader.status == 500
        assert reader.page is not None
        for secret in ("RuntimeError", "secret reason", "Traceback", "helping.py"):
            assert secret not in reader.page.text
        [line] = [one for one in caplog.records if one.exc_info]
        assert line.getMessage().split()[-1] in reader.text
        reader.client.headers["accept"] = "application/json"
        answer = await reader.client.get("/help")
    assert answer.json().keys() == {"code", "message", "errorId"}


async def test_no_log_line_and_no_address_names_anybody(
    reader: Reader, other: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    personal = ["Zacharias Quibble", "zq@example.test", "quibble.example", "It says I am a crook."]
    pages: list[httpx2.Response] = []
    for one in (reader, other):
        one.client.event_hooks["response"] = [_kept_in(pages)]
    person = {"name": personal[0], "contact": personal[1], "links": f"https://{personal[2]}/"}
    number, pin = await reader.object(**person)
    await other.open("/case")
    await other.send("/case/sign-in", {"number": number, "pin": "12121212"})
    await other.send("/case/sign-in", {"number": number, "pin": pin})
    await other.open("/report")
    given = {"kind": "FRAUD", "statement": personal[3], "territory": "001"}
    await other.send("/report", {**given, "level": "ALL", "name": ""}, [("seen", ("", b""))])
    await other.open("/case")
    await other.send("/case/pin", {"current_pin": pin, "new_pin": "12345678"})
    await other.send("/case/contact", {"contact": "nobody"})
    secrets = [*personal, number, pin]
    assert len(pages) > 10
    for page in pages:
        asked = f"{page.request.url} {page.headers.get('location', '')}"
        assert not [one for one in secrets if one in asked], asked
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    for line in ours:
        told = f"{line.getMessage()} {line.exc_info or ''}"
        assert not [one for one in secrets if one in told], told


def _kept_in(pages: list[httpx2.Response]) -> Callable[[httpx2.Response], Awaitable[None]]:
    async def keep(page: httpx2.Response) -> None:
        pages.append(page)

    return keep


async def test_a_conflict_is_a_page_too(holder: Holder) -> None:
    await holder.reader.send("/case/samples/00000000-0000-7000-8000-000000000000/remove", {})
    assert holder.reader.status == 404
    assert "To the start page" in holder.reader.text
