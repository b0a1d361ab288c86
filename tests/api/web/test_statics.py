"""Static files: kept for good under the name of what is in them, and nothing else is served."""

import re

import pytest
from starlette.types import ASGIApp

from api.web.rendering import STATIC, version
from tests.api.web.reading import Reader
from tests.without_accounts import coming

FILES = sorted(one.name for one in STATIC.iterdir() if one.is_file())
TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_kept_under_its_version_only(app: ASGIApp, name: str) -> None:
    async with coming(app) as client:
        exact = await client.get(version(name))
        bare = await client.get(f"/static/{name}")
        stale = await client.get(f"/static/{name}?v=0123456789ab")
    for one in (exact, bare, stale):
        assert (one.status_code, one.content) == (200, (STATIC / name).read_bytes())
        assert one.headers["content-type"] == TYPES[name.rpartition(".")[2]]
        assert one.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in one.headers
    assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
    # What another release named, and what scripts load without a version, is asked for again.
    assert bare.headers["cache-control"] == stale.headers["cache-control"] == "no-cache"


async def test_what_a_browser_has_already_is_not_sent_again(app: ASGIApp) -> None:
    async with coming(app) as client:
        first = await client.get("/static/app.js")
        tag = first.headers["etag"]
        for known, status in ((tag, 304), (f'"x", {tag}', 304), ('"x"', 200), (tag[1:-1], 200)):
            again = await client.get("/static/app.js", headers={"if-none-match": known})
            assert again.status_code == status
            assert again.headers["etag"] == tag
            assert (again.content == b"") is (status == 304)


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/nothing.css",
        "/static/..%2Frouting.py",
        "/static/%2e%2e%2frendering.py",
        "/static/../rendering.py",
        "/static//etc/passwd",
        "/static/app.css%00.js",
        "/static/APP.CSS",
        "/static/app.css/",
        "/static/.",
    ],
)
async def test_nothing_else_is_served(app: ASGIApp, path: str) -> None:
    async with coming(app) as client:
        assert (await client.get(path)).status_code == 404


async def test_a_page_names_its_files_by_version(reader: Reader) -> None:
    await reader.open("/object")
    assert reader.page is not None
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', reader.page.text)
    assert set(named) == {version("app.css"), version("app.js"), version("icon.svg")}


def test_scripts_load_only_what_there_is() -> None:
    for file in STATIC.glob("*.js"):
        for name in re.findall(r"""(?:from|import)\s*\(?["']([^"']+)["']""", file.read_text()):
            assert name.startswith("./"), f"{file.name} loads {name}"
            assert (STATIC / name).is_file(), f"{file.name} loads {name}"
