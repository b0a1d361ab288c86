"""Addresses on the web that somebody gives: kept as they were written, never followed."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from registry.errors import InvalidError

MOST: Final = 20
LENGTH: Final = 2000
_SCHEMES: Final = frozenset({"http", "https"})


def checked(links: Iterable[str]) -> tuple[str, ...]:
    """The links without repetitions; InvalidError for one that is none, or for too many."""
    found = tuple(dict.fromkeys(one.strip() for one in links))
    if len(found) > MOST:
        raise InvalidError(f"At most {MOST} links.", field="links")
    if not all(map(_is_link, found)):
        raise InvalidError(
            f"A link begins with https:// or http:// and has at most {LENGTH} characters.",
            field="links",
        )
    return found


def _is_link(text: str) -> bool:
    if len(text) > LENGTH or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in _SCHEMES and bool(parts.hostname)
    except ValueError:
        return False
