"""That a walker sees what is wrong with a page, shown one with everything wrong."""

import pytest
from playwright.async_api import Route

from tests.browser.conftest import Walk
from tests.browser.walker import Walker
from tests.browser.ways import Way

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Good</h1><form action="/there"><label>Word <input name="word"></label>
<button type="submit">Send</button></form><noscript>No scripts run.</noscript></main></body></html>
"""
# A shift, a wide block, a picture without words, faint text, another host, a script that throws.
BAD = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Bad</title>
<style>:focus {outline: none}</style></head><body>
<p id="first" style="color: #ccc">Faint</p><div style="width: 900px">Wide</div>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><a href="/" id="link">Link</a>
<img src="http://127.0.0.9:9/x.png" alt=""><img src="/lost.png" alt=""><script>
setTimeout(() => { document.getElementById('first').style.marginTop = '200px'; }, 100);
setTimeout(() => { throw new Error('Broken') }, 500);
document.cookie = 'open=1';
</script>%s</body></html>
"""


async def serve(walker: Walker, html: str) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html")

    await walker.context.route("**/a-page*", answer)


@pytest.mark.parametrize("way", [Way("en", "phone"), Way("en", "narrow", scripts=False)])
async def test_a_good_page_passes(walk: Walk, way: Way) -> None:
    async with walk(way) as walker:
        await serve(walker, GOOD)
        await walker.open("/a-page")
        await walker.look("good")
        await walker.tab_to("[name=word]")
        shown = await walker.page.locator("noscript").is_visible()
        assert shown is not way.scripts


async def look_at_everything_wrong(walk: Walk) -> None:
    async with walk(Way("en", "desktop")) as walker:
        walker.keeps("Anna Blume")
        await serve(walker, BAD % ("<!-- -->" * 20_000))
        await walker.open("/a-page?name=anna+blume")
        await walker.page.wait_for_function("document.getElementById('first').style.marginTop")
        await walker.page.wait_for_event("pageerror")
        await walker.look("bad")
        await walker.tab_to("#link")


async def test_everything_wrong_is_seen(walk: Walk) -> None:
    with pytest.raises(AssertionError) as failed:
        await look_at_everything_wrong(walk)
    for said in (
        "axe image-alt",
        "axe color-contrast",
        "layout shift",
        "bytes are loaded",
        "lang is 'de'",
        "wider than 320 px",
        "script error: Broken",
        "an address holds 'anna blume'",
        "127.0.0.9:9 was asked",
        "/lost.png",
        "cookie open is open",
        "focus is not visible",
    ):
        assert said in str(failed.value), said
