"""The notice: what was read is on record by its exact words, its version and its language."""

import hashlib
import re
from html import unescape

import pytest
from starlette.types import ASGIApp

from api.web import notices
from api.web.languages import Language
from registry.database import Database
from registry.grant_terms import Notice
from registry.objections import Objection
from tests.api.web.conftest import kept
from tests.api.web.reading import Reader, reading

ITEM = re.compile(r"^<li>([^<]+)</li>$", re.MULTILINE)
# A change of a word without another version fails here: then write both anew.
PINNED = {
    "object-2026-11": "1151362f86491674d23bd93183cc5882cc1d8e12739d6abd02f6b9431ed66708",
    "object-young-2026-11": "b12d11ce0162ca535d531789ddf72666e326e30177a9e249b00a60907fa83464",
}


def test_other_words_are_another_version() -> None:
    found = {one: notices.on_record(Language.ENGLISH, one).sha256 for one in notices.SENTENCES}
    assert {one: digest and digest.hex() for one, digest in found.items()} == PINNED


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    ("path", "version", "age"),
    [
        ("/object", notices.VERSION, {"age_group": "ADULT"}),
        ("/report", notices.VERSION, {"age_group": "ADULT"}),
        ("/object?young", notices.FOR_THE_YOUNG, {"age_group": "MINOR", "age": "14"}),
    ],
)
async def test_the_words_that_are_shown_are_those_on_record(
    app: ASGIApp,
    operator: Database,
    language: Language,
    path: str,
    version: str,
    age: dict[str, str],
) -> None:
    async with reading(app, language) as reader:
        await reader.open(path)
        assert reader.page is not None
        shown = [unescape(one) for one in ITEM.findall(reader.page.text)]
        assert len(shown) == len(notices.SENTENCES[version])
        given = {"name": "Reader", "level": "ALL", "confirmed": "yes", **age}
        said = {"kind": "OTHER", "statement": "It is me.", "territory": "001"}
        await reader.send(reader.path, {**given, **said}, [("photo", ("", b""))])
        number, _ = reader.secrets()
    on_record = await noted(operator, number)
    assert (on_record.version, on_record.language) == (version, language)
    assert on_record.sha256 == hashlib.sha256("\n".join(shown).encode()).digest()


async def test_a_notice_that_nobody_wrote_is_on_record_as_the_usual_one(
    reader: Reader, operator: Database
) -> None:
    number, _ = await reader.object(name="Kim", notice="all-is-allowed")
    assert (await noted(operator, number)).version == notices.VERSION


async def noted(operator: Database, number: str) -> Notice:
    """The notice that is on record of this case's objection."""
    known = await kept(operator, number)
    async with operator.reading() as session:
        objection = await session.get(Objection, known.objection)
    assert objection is not None
    assert objection.notice is not None
    return objection.notice
