"""The notice: what was read is on record by its exact words, its version and its language."""

import hashlib
import re
from html import unescape

import pytest
from starlette.types import ASGIApp

from api.web import notices
from api.web.languages import Language
from registry.database import Database
from registry.objections import Objection
from tests.api.web.conftest import kept
from tests.api.web.reading import reading

ITEM = re.compile(r"^<li>([^<]+)</li>$", re.MULTILINE)
# A change of a word without another version fails here: then write both anew.
PINNED = ("object-2026-11", "1151362f86491674d23bd93183cc5882cc1d8e12739d6abd02f6b9431ed66708")


def test_other_words_are_another_version() -> None:
    _, said = notices.notice(Language.ENGLISH)
    assert said.sha256 is not None
    assert (said.version, said.sha256.hex()) == PINNED


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("path", ["/object", "/report"])
async def test_the_words_that_are_shown_are_those_on_record(
    app: ASGIApp, operator: Database, language: Language, path: str
) -> None:
    async with reading(app, language) as reader:
        await reader.open(path)
        assert reader.page is not None
        shown = [
            unescape(one)
            for one in re.findall(r"^<li>([^<]+)</li>$", reader.page.text, re.MULTILINE)
        ]
        assert len(shown) == len(notices.SENTENCES)
        given = {"name": "Reader", "age_group": "ADULT", "level": "ALL", "confirmed": "yes"}
        said = {"kind": "OTHER", "statement": "It is me.", "territory": "001"}
        await reader.send(path, {**given, **said}, [("photo", ("", b""))])
        number, _ = reader.secrets()
    known = await kept(operator, number)
    async with operator.reading() as session:
        objection = await session.get(Objection, known.objection)
    assert objection is not None
    assert objection.notice is not None
    digest = hashlib.sha256("\n".join(shown).encode()).digest()
    assert (objection.notice.sha256, objection.notice.language) == (digest, language)
    assert objection.notice.version == notices.VERSION
