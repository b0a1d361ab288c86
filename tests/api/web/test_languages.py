from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from api.web.languages import LOCALES, Language, chosen, day, moment, translations

WEB = LOCALES.parent
OTHERS = [one for one in Language if one is not Language.ENGLISH]


@pytest.mark.parametrize(
    ("query", "cookie", "header", "expected"),
    [
        (None, None, "", Language.ENGLISH),
        (None, None, "zh-CN,zh;q=0.9,en;q=0.8", Language.SIMPLIFIED_CHINESE),
        (None, None, "zh-TW", Language.SIMPLIFIED_CHINESE),
        (None, None, "fr-FR, en;q=0.5, zh;q=0.7", Language.SIMPLIFIED_CHINESE),
        (None, None, "de, fr", Language.ENGLISH),
        (None, None, "en;q=0, zh", Language.SIMPLIFIED_CHINESE),
        (None, None, "zh;q=often, en", Language.ENGLISH),
        (None, "zh-Hans", "en", Language.SIMPLIFIED_CHINESE),
        ("en", "zh-Hans", "zh", Language.ENGLISH),
        ("xx", "yy", "zh", Language.SIMPLIFIED_CHINESE),
    ],
)
def test_a_choice_beats_an_earlier_one_and_that_the_browser(
    query: str | None, cookie: str | None, header: str, expected: Language
) -> None:
    assert chosen(query, cookie, header) is expected


def said() -> Catalog:
    """Every message of the pages."""
    with (WEB / "messages.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    catalogue = Catalog()
    found = extract_from_dir(
        str(WEB),
        methods,
        options,
        keywords={"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)},
    )
    for _, _, message, _, _ in found:
        catalogue.add(message)
    return catalogue


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: Language) -> None:
    file = LOCALES / str(language.locale) / "LC_MESSAGES" / "messages.po"
    with file.open("rb") as source:
        known = read_po(source, locale=language.locale)
    missing = []
    for message in said():
        found = known.get(message.id) if message.id else None
        strings = (
            []
            if found is None
            else [found.string]
            if isinstance(found.string, str)
            else found.string
        )
        if message.id and (not strings or not all(strings) or found.fuzzy):
            missing.append(message.id)
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_kept(language: Language) -> None:
    file = LOCALES / str(language.locale) / "LC_MESSAGES" / "messages.po"
    with file.open("rb") as source:
        known = read_po(BytesIO(source.read()), locale=language.locale)
    wrong = {one.id: errors for one in known if (errors := list(one.check(known)))}
    assert wrong == {}


def test_times_say_that_they_are_in_utc() -> None:
    at = datetime(2026, 11, 25, 13, 5, tzinfo=UTC)
    assert moment(at, Language.ENGLISH) == "Nov 25, 2026, 1:05\u202fPM UTC"
    assert moment(at, Language.SIMPLIFIED_CHINESE).startswith("2026年11月25日")
    assert day(date(2026, 11, 25), Language.SIMPLIFIED_CHINESE) == "2026年11月25日"


def test_english_is_what_the_sources_say() -> None:
    assert translations(Language.ENGLISH).gettext("Object") == "Object"
