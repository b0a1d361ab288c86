"""Urgent help as a pack says it: where to turn, and by when others must act.

It is for people in need, so it is said in English and Chinese, and nothing is decided by it.
"""

import re
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from registry.policy.pack_words import Evidence, Party, Whom
from registry.policy.statement import Part, Statement
from registry.policy.vocabulary import ContentFlag

_PHONE: Final = re.compile(r"[0-9+*#](?:[ -]?[0-9+*#])*")


def _number(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise ValueError("a number is digits, + * and #, with single spaces or hyphens between")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme == "https" and "." in (parts.hostname or "") and parts.port is None
    except ValueError as error:
        raise ValueError(f"url: {error}") from error
    if not fine or parts.username is not None or re.search(r"\s", text):
        raise ValueError("an address begins with https:// and the name of a site")
    return text


Phone = Annotated[str, AfterValidator(_number)]
Url = Annotated[str, AfterValidator(_address)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Words(Part):
    """A short text in English and, where somebody wrote it, in Simplified Chinese."""

    en: Annotated[str, Field(min_length=1)]
    zh: str = ""

    def in_language(self, tag: str) -> str:
        """The text for `zh` and what begins with it, if there is one, and else in English."""
        return self.zh if self.zh and tag.lower().split("-")[0] == "zh" else self.en


class HelpLine(Statement):
    """Where to turn. `text`: what one gets there; `hours` left out: nobody has said.

    `emergency`: the number of police and ambulance; the nearest one is shown, and no wider one.
    """

    is_law: ClassVar[bool] = False

    name: Words
    whom: Whom
    text: Words
    phone: Phone | None = None
    url: Url | None = None
    hours: Words | None = None
    languages: tuple[Language, ...] = ()
    emergency: bool = False
    source: str = ""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.phone is None and self.url is None:
            raise ValueError("say phone, url or both")
        if self.evidence is Evidence.READ and not self.source:
            raise ValueError("say in `source` what was read")
        return self


class Deadline(Statement):
    """By when somebody must act. `within_hours` left out: the law sets no number of hours.

    `content`: only for such content; left out, for any.
    """

    text: Words
    who: Party
    within_hours: Annotated[int, Field(ge=1)] | None = None
    content: frozenset[ContentFlag] = frozenset()
