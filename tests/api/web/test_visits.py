"""Visits: a form counts only from our own page, in the browser that was shown it."""

from html import unescape

import pytest
from starlette.types import ASGIApp, Message

from api.runtime import Runtime
from api.state import State
from registry.encoders.media import HELD_BYTES
from registry.settings import Settings
from tests.api.web.conftest import Holder
from tests.api.web.reading import HTML, Reader, reading
from tests.conftest import ISSUER, served

FOREIGN = "This form was sent from another site."
STALE = "This form is too old, or your browser keeps no cookies."
ADDRESS = "taken@example.test"


async def saved(holder: Holder) -> bool:
    """Whether a contact came to be on record."""
    holder.reader.client.headers.clear()
    await holder.reader.open("/case")
    assert holder.name in holder.reader.text
    return ADDRESS in holder.reader.text


@pytest.mark.parametrize("token", ["", "x", "\u00e9", "x" * 43])
async def test_a_token_that_is_not_the_pages_own_sends_nothing(holder: Holder, token: str) -> None:
    await holder.reader.send("/case/contact", {"contact": ADDRESS, "form_token": token})
    assert holder.reader.status == 403
    assert STALE in holder.reader.text
    assert not await saved(holder)


async def test_a_form_without_any_token_sends_nothing(holder: Holder) -> None:
    page = await holder.reader.client.post("/case/contact", data={"contact": ADDRESS}, headers=HTML)
    assert page.status_code == 403
    assert not await saved(holder)


async def test_the_token_of_another_browser_sends_nothing(holder: Holder, other: Reader) -> None:
    await other.open("/object")
    token = other.hidden()["form_token"]
    assert token != holder.reader.hidden()["form_token"]
    await holder.reader.send("/case/contact", {"contact": ADDRESS, "form_token": token})
    assert holder.reader.status == 403
    assert not await saved(holder)


async def test_a_token_goes_with_its_cookie(holder: Holder) -> None:
    client = holder.reader.client
    anchor = client.cookies["visit"]
    del client.cookies["visit"]
    await holder.reader.send("/case/contact", {"contact": ADDRESS})
    assert holder.reader.status == 403
    # A cookie that somebody else set stands for no token that they could compute.
    client.cookies.delete("visit")
    client.cookies.set("visit", "0" * 32)
    await holder.reader.send("/case/contact", {"contact": ADDRESS})
    assert holder.reader.status == 403
    client.cookies.delete("visit")
    client.cookies.set("visit", anchor)
    assert not await saved(holder)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "unheard-of"},
        {"sec-fetch-site": "cross-site", "origin": ISSUER},
        {"origin": "https://elsewhere.test"},
        {"origin": "null"},
        {"origin": f"{ISSUER}.elsewhere.test"},
        {"origin": f"{ISSUER}:8080"},
        {"origin": ""},
    ],
)
async def test_a_form_from_elsewhere_sends_nothing(holder: Holder, headers: dict[str, str]) -> None:
    holder.reader.client.headers.update(headers)
    await holder.reader.send("/case/contact", {"contact": ADDRESS})
    assert holder.reader.status == 403
    assert FOREIGN in holder.reader.text
    assert not await saved(holder)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": ISSUER},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": ISSUER},
    ],
)
async def test_our_own_form_is_sent(holder: Holder, headers: dict[str, str]) -> None:
    holder.reader.client.headers.update(headers)
    await holder.reader.send("/case/contact", {"contact": ADDRESS})
    assert holder.reader.status == 200
    assert await saved(holder)


# Every form, so that none forgets to ask: nothing but the token is wrong.
@pytest.mark.parametrize(
    "path",
    [
        "/object",
        "/report",
        "/sign-in",
        "/sign-out",
        "/case/sign-in",
        "/case/evidence",
        "/case/contact",
        "/case/pin",
        "/case/samples/00000000-0000-7000-8000-000000000000/remove",
        "/case/objections/00000000-0000-7000-8000-000000000000/withdraw",
        "/case/people/00000000-0000-7000-8000-000000000000/leave",
    ],
)
async def test_no_form_is_taken_without_the_token(holder: Holder, path: str) -> None:
    await holder.reader.send(path, {"form_token": "x", "how": "FORGET", "sure": "yes"})
    assert holder.reader.status == 403
    assert STALE in holder.reader.text
    assert f'href="{path}">Open the page again<' in holder.reader.text
    assert not await saved(holder)


async def test_a_browser_keeps_its_cookie_and_language(reader: Reader) -> None:
    await reader.open("/object?lang=zh-Hans")
    anchor = reader.client.cookies["visit"]
    await reader.open("/object")
    assert reader.client.cookies["visit"] == anchor
    assert reader.client.cookies["language"] == "zh-Hans"
    assert reader.page is not None
    assert "set-cookie" not in reader.page.headers
    assert '<html lang="zh-Hans">' in reader.page.text


@pytest.mark.parametrize("anchor", ["x", "<script>", "0" * 31, "0" * 33, "'" * 32])
async def test_a_cookie_that_we_never_set_is_replaced(reader: Reader, anchor: str) -> None:
    reader.client.cookies.set("visit", anchor, domain="registry.test")
    await reader.open("/object")
    assert reader.page is not None
    assert anchor not in reader.page.text.replace("x", "") or anchor == "x"
    assert f"visit={anchor};" not in reader.page.headers["set-cookie"]


async def test_a_page_before_everything_is_open_asks_to_come_back(settings: Settings) -> None:
    async with reading(served(settings, Runtime(settings))) as reader:
        for path in ("/", "/object", "/case", "/help", "/report"):
            await reader.open(path)
            assert reader.status == 503
            assert "The registry is not ready yet." in reader.text
            assert reader.page is not None
            assert reader.page.headers["retry-after"] == "1"


async def test_what_a_visitor_chose_survives_a_refusal(app: ASGIApp) -> None:
    async with reading(app) as reader:
        await reader.open("/help?lang=zh-Hans")
        await reader.open("/nowhere")
        assert reader.status == 404
        assert reader.page is not None
        assert '<html lang="zh-Hans">' in reader.page.text


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/object", "?lang=zh-Hans"),
        ("/object?young", "?young=&lang=zh-Hans"),
        ("/help?territory=US&young=yes&lang=en", "?territory=US&young=yes&lang=zh-Hans"),
        ("/case/lost?done=asked", "?lang=zh-Hans"),
        ("/sign-in?next=/desk", "?next=%2Fdesk&lang=zh-Hans"),
        ('/help?x="><script>', "?x=%22%3E%3Cscript%3E&lang=zh-Hans"),
    ],
)
async def test_another_language_shows_the_same_page(reader: Reader, path: str, leads: str) -> None:
    await reader.open(path)
    assert reader.page is not None
    assert f'<a href="{leads}" lang="zh-Hans"' in unescape(reader.page.text)
    assert "<script>" not in reader.page.text
    before = reader.path
    await reader.open(f"{before}{leads}")
    assert (reader.status, reader.path) == (200, before)
    assert '<html lang="zh-Hans">' in reader.page.text if reader.page else False


async def test_a_form_that_breaks_off_holds_nothing(app: ASGIApp, state: State) -> None:
    sent: list[Message] = []
    arriving: list[Message] = [
        {"type": "http.request", "body": b"--b\r\n", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/object",
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    assert not sent or sent[0]["status"] == 400
    state.uploads.hold(HELD_BYTES)  # all of it: nothing of the broken form is held
    state.uploads.release(HELD_BYTES)
