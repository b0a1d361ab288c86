"""The languages of the pages: which one somebody reads, and the messages in it.

English is what the sources say; the others are `locales/<locale>/LC_MESSAGES/messages.po`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, dates, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALES: Final = Path(__file__).parent / "locales"
COOKIE: Final = "language"
QUERY: Final = "lang"
_MOST_ASKED: Final = 10  # of the languages in a header


class Language(StrEnum):
    """A language that pages are written in (BCP 47)."""

    ENGLISH = "en"
    SIMPLIFIED_CHINESE = "zh-Hans"

    @property
    def locale(self) -> Locale:
        """The same for Babel."""
        return Locale.parse(self, sep="-")

    @property
    def name_of_itself(self) -> str:
        """What its readers call it."""
        return _NAMES[self]


_NAMES: Final = {Language.ENGLISH: "English", Language.SIMPLIFIED_CHINESE: "简体中文"}
# Whoever asks for any Chinese reads this one sooner than English.
_ASKED_AS: Final = {"en": Language.ENGLISH, "zh": Language.SIMPLIFIED_CHINESE}


def chosen(query: str | None, cookie: str | None, header: str) -> Language:
    """What somebody chose, now or before; else the first that their browser asks for."""
    for said in (query, cookie):
        if said in set(Language):
            return Language(said)
    found = negotiate_locale(_asked(header), list(_ASKED_AS), sep="-")
    return _ASKED_AS[found] if found else Language.ENGLISH


def _asked(header: str) -> Sequence[str]:
    """The primary languages of an Accept-Language header (RFC 9110, 12.5.4), best first."""
    weighted = []
    for entry in header.split(",")[:_MOST_ASKED]:
        tag, _, quality = entry.strip().partition(";")
        primary = tag.strip().partition("-")[0].lower()
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if primary and weight > 0:
            weighted.append((weight, primary))
    return [tag for _, tag in sorted(weighted, key=lambda one: -one[0])]


@cache
def translations(language: Language) -> NullTranslations:
    """The messages of a language."""
    file = LOCALES / str(language.locale) / "LC_MESSAGES" / "messages.po"
    if language is Language.ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language.locale))
    compiled.seek(0)
    return Translations(compiled)


def moment(at: datetime, language: Language) -> str:
    """A time as its reader writes it, to the minute, in UTC and saying so."""
    clock = dates.format_time(at, "short", tzinfo=dates.UTC, locale=language.locale)
    both = str(dates.get_datetime_format("medium", locale=language.locale))
    return both.format(clock, dates.format_date(at, "medium", locale=language.locale)) + " UTC"


def day(at: date, language: Language) -> str:
    """A date as its reader writes it."""
    return dates.format_date(at, "long", locale=language.locale)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name: marks what is translated later
    """The message itself, marked for the catalogue."""
    return message
