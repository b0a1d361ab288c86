"""What somebody says was done with a voice or a face: kinds, words, where it was seen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from registry import links
from registry.errors import InvalidError
from registry.policy import territories

MAX_STATEMENT: Final = 4000
MAX_PLACE: Final = 200


class ComplaintKind(StrEnum):
    """What a voice or face was misused for."""

    IMPERSONATION = "IMPERSONATION"
    INTIMATE = "INTIMATE"
    FRAUD = "FRAUD"
    ADVERTISING = "ADVERTISING"
    HARASSMENT = "HARASSMENT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class SeenMedia:
    """A file that was shown: which one, never the file itself. `sha256` is hex."""

    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Misuse:
    """What happened. `place`: where it was seen, for example a platform."""

    kinds: tuple[ComplaintKind, ...]
    territory: str
    statement: str
    links: tuple[str, ...] = ()
    place: str | None = None
    seen_on: date | None = None
    media: SeenMedia | None = None

    def checked(self, today: date) -> "Misuse":
        """The same without blanks and repetitions; InvalidError names the first that cannot be."""
        if not self.kinds:
            raise InvalidError("Say what it was misused for.", field="kinds")
        [territory] = territories.check([self.territory], field="territory")
        statement = _statement(self.statement)
        # Clocks ahead of the registry's see a day that has not begun here.
        if self.seen_on is not None and self.seen_on > today + timedelta(days=1):
            raise InvalidError("What was seen is not in the future.", field="seenOn")
        return replace(
            self,
            kinds=tuple(one for one in ComplaintKind if one in self.kinds),
            territory=territory,
            statement=statement,
            links=links.checked(self.links),
            place=_place(self.place),
        )

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """What was serialised field by field."""
        seen_on, media = body["seen_on"], body["media"]
        return cls(
            kinds=tuple(map(ComplaintKind, body["kinds"])),
            territory=body["territory"],
            statement=body["statement"],
            links=tuple(body["links"]),
            place=body["place"],
            seen_on=None if seen_on is None else date.fromisoformat(seen_on),
            media=None if media is None else SeenMedia(**media),
        )


def _statement(text: str) -> str:
    text = text.strip()
    whole = not any("\ud800" <= one <= "\udfff" for one in text)  # halves cannot be stored
    if not text or len(text) > MAX_STATEMENT or not whole:
        raise InvalidError(f"A statement has 1 to {MAX_STATEMENT} characters.", field="statement")
    return text


def _place(place: str | None) -> str | None:
    place = " ".join((place or "").split())
    if len(place) > MAX_PLACE or not place.isprintable():
        raise InvalidError(f"At most {MAX_PLACE} printable characters.", field="whereSeen")
    return place or None
