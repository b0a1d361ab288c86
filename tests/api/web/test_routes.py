"""What holds of every address: its headers, its refusals of strangers, and that it never fails."""

import re
from urllib.parse import urlsplit

import pytest
from starlette.routing import Route
from starlette.types import ASGIApp

from api.app import ROUTES
from api.web.routes import UPLOADS, routes
from registry.principals import PrincipalKind
from tests.api.web.conftest import Holder
from tests.api.web.reading import HTML, Reader
from tests.conftest import Accounts
from tests.without_accounts import coming

NOBODY = "00000000-0000-7000-8000-000000000000"
OPEN = {"/", "/help", "/object", "/report", "/case", "/case/lost", "/sign-in"}
PAGES = [one for one in routes if not one.path.startswith("/static/")]


def filled(path: str) -> str:
    """The path with an id that nobody has."""
    return re.sub(r"\{\w+\}", NOBODY, path)


def gets(route: Route) -> bool:
    return route.methods is not None and "GET" in route.methods


READ = sorted({filled(one.path) for one in PAGES if gets(one)})
SENT = sorted({filled(one.path) for one in PAGES if not gets(one)})


def is_safe(headers: dict[str, str]) -> None:
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert "server" not in headers
    if headers.get("content-type", "").startswith("text/html"):
        for directive in ("script-src 'self'", "form-action 'self'", "base-uri 'none'"):
            assert directive in policy
        assert "geolocation=()" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["vary"] == "Cookie, Accept-Language"


@pytest.mark.parametrize("path", READ)
async def test_a_stranger_sees_open_pages_and_is_asked_who_they_are(
    app: ASGIApp, path: str
) -> None:
    async with coming(app) as client:
        page = await client.get(path, headers=HTML)
    is_safe(dict(page.headers))
    if path in OPEN:
        assert page.status_code == 200
    else:
        assert page.status_code == 303
        where = urlsplit(page.headers["location"]).path
        assert where == "/sign-in" or where in READ or path.startswith(where)


@pytest.mark.parametrize("path", SENT)
async def test_a_stranger_who_sends_nothing_of_ours_is_refused(app: ASGIApp, path: str) -> None:
    async with coming(app) as client:
        page = await client.post(path, headers=HTML, data={"sure": "yes"})
    is_safe(dict(page.headers))
    assert page.status_code == 403 or urlsplit(page.headers["location"]).path == "/sign-in"


@pytest.mark.parametrize("kind", [None, PrincipalKind.SERVICE, PrincipalKind.REVIEWER])
async def test_whoever_is_signed_in_meets_no_defect(
    holder: Holder, other: Reader, accounts: Accounts, kind: PrincipalKind | None
) -> None:
    reader = holder.reader
    if kind is not None:
        reader = other
        await reader.open("/sign-in")
        await reader.send("/sign-in", {"access_token": (await accounts.open(kind)).token})
    reader.client.follow_redirects = False
    for path in READ:
        await reader.open(path)
        assert reader.status in {200, 303, 403, 404}, path
        assert reader.page is not None
        is_safe(dict(reader.page.headers))
        assert reader.status != 303 or not reader.page.headers["location"].startswith("http")
    for path in SENT:
        if path == "/sign-out":
            continue
        await reader.open("/object")
        await reader.send(path, {"x": "y"}, [("x", ("", b""))] if path in UPLOADS else None)
        assert reader.status < 500, path
        assert reader.page is not None
        is_safe(dict(reader.page.headers))


def test_no_address_is_taken_twice() -> None:
    taken = [(one.path, method) for one in ROUTES for method in one.methods or ()]
    assert len(taken) == len(set(taken))


def test_every_form_with_files_may_take_its_time() -> None:
    assert {one.path for one in routes} >= UPLOADS
