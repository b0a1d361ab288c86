"""Urgent help: for every territory and both languages, and young people are met as such."""

import re

import pytest
from starlette.types import ASGIApp

from api.state import State
from registry.policy.help import help_for, territories
from tests.api.web.reading import Reader, reading


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_every_territory_has_its_page(app: ASGIApp, state: State, language: str) -> None:
    packs = state.checker.packs
    async with reading(app, language) as reader:
        for one in territories(packs):
            await reader.open(f"/help?territory={one.code}")
            assert reader.status == 200
            found = help_for(packs, one.code)
            assert reader.page is not None
            assert f'<option value="{found.territory}" selected>' in reader.page.text
            assert one.name.in_language(language) in reader.text
            for line in found.lines:
                assert line.name.in_language(language) in reader.text
                assert line.phone is None or line.phone in reader.text
                assert line.url is None or f'href="{line.url}"' in reader.text
            for due in found.deadlines:
                assert due.deadline.text.in_language(language) in reader.text


@pytest.mark.parametrize(
    "asked", ["", "XX", "ZZ", "001", "cn", "<b>", "\x00", "x" * 5000, "US-XX", "../CN"]
)
async def test_a_territory_that_is_unknown_is_answered_for_everywhere(
    reader: Reader, state: State, asked: str
) -> None:
    reader.page = await reader.client.get("/help", params={"territory": asked})
    assert reader.status == 200
    assert "<b>" not in reader.page.text.replace("<b>", "", 0) or asked != "<b>"
    for line in help_for(state.checker.packs, "001").lines:
        if not line.emergency:
            assert line.name.en in reader.text


async def test_a_number_can_be_called(reader: Reader) -> None:
    await reader.open("/help?territory=US")
    assert reader.page is not None
    called = re.findall(r'href="tel:([^"]+)"', reader.page.text)
    assert called
    assert all(re.fullmatch(r"[0-9+%A-F*#-]+", one) for one in called)


async def test_links_to_others_tell_them_nothing_of_us(reader: Reader) -> None:
    await reader.open("/help?territory=US")
    assert reader.page is not None
    links = re.findall(r'<a href="https://[^"]+"([^>]*)>', reader.page.text)
    assert links
    assert all('rel="noopener noreferrer"' in one for one in links)
    assert reader.page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("territory", ["US", "GB", "CN", "DE"])
async def test_young_people_see_first_what_is_there_for_them(
    reader: Reader, state: State, territory: str
) -> None:
    await reader.open(f"/help?young&territory={territory}")
    text = reader.text
    assert "Help for young people" in text
    assert "You did nothing wrong." in text
    lines = [one.name.en for one in help_for(state.checker.packs, territory, minor=True).lines]
    at = [text.index(f"<strong>{one}</strong>") for one in lines]
    assert at == sorted(at)
    assert '<input type="hidden" name="young" value="yes">' in text  # choosing keeps it


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("path", ["/object?young", "/help?young", "/report?young"])
async def test_nobody_asks_the_young_for_a_guardian(app: ASGIApp, path: str, language: str) -> None:
    async with reading(app, language) as reader:
        await reader.open(path)
        text = reader.text.lower()
    for word in ("guardian", "ask your parents", "permission of", "监护"):
        assert word not in re.sub(r"<option.*?</option>", "", text), word


async def test_a_young_person_objects_alone_with_their_age(reader: Reader) -> None:
    await reader.open("/object?young")
    assert "You can do this alone, and you need nobody's permission." in reader.text
    assert reader.page is not None
    assert re.search(r'name="age_group" value="MINOR" checked', reader.page.text)
    assert 'href="/help?young"' in reader.page.text
    given = {"name": "Young", "age_group": "MINOR", "age": "", "level": "ALL", "confirmed": "yes"}
    await reader.send("/object", given, [("photo", ("", b""))])
    assert reader.status == 422
    assert "You can do this alone" in reader.text  # also where something is wrong
    await reader.send("/object", {**given, "age": "13"}, [("photo", ("", b""))])
    assert reader.path == "/object/done"
    assert "You did this well." in reader.text
