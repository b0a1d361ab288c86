"""The start page leads to everything, without a promise that the registry cannot keep."""

import re

from starlette.types import ASGIApp

from api.web.languages import Language
from tests.api.web.reading import Reader, reading


async def test_every_way_is_two_steps_from_the_start(reader: Reader) -> None:
    await reader.open("/")
    assert reader.page is not None
    ways = set(re.findall(r'<a [^>]*href="(/[^"?#]*)"', reader.page.text))
    assert ways >= {"/object", "/report", "/case", "/help", "/service", "/desk"}
    for way in ways:
        await reader.open(way)
        assert reader.status == 200, way


async def test_it_says_what_the_registry_cannot_do(reader: Reader) -> None:
    await reader.open("/")
    assert "We cannot delete what is on the internet already" in reader.text
    assert "without an account, free of charge, and at any age" in reader.text


async def test_it_is_there_in_every_language_and_says_which(app: ASGIApp) -> None:
    for one in Language:
        async with reading(app, one) as reader:
            await reader.open("/")
            assert reader.page is not None
            assert f'<html lang="{one}">' in reader.page.text
            for other in set(Language) - {one}:
                assert f'hreflang="{other}"' in reader.page.text
