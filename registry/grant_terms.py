"""What a grant says beside its scope: to whom, from when to when, and under which conditions."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from registry.database import EnumList, ordered
from registry.errors import InvalidError
from registry.policy.vocabulary import ContentFlag, ObligationCode

MAX_GRANTEES = 100
MAX_USES = 2**31 - 1
MAX_ACKNOWLEDGED = 100
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
MAX_NOTICE: Final = 40
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # BCP 47, its form


@dataclass(frozen=True, slots=True)
class Notice:
    """Which text the person was shown, in which language (BCP 47), and its SHA-256."""

    version: str
    language: str
    sha256: bytes | None = None

    def check(self) -> None:
        """InvalidError for a version or a language that cannot be."""
        if not 0 < len(self.version) <= MAX_NOTICE or not self.version.isprintable():
            raise InvalidError(f"1 to {MAX_NOTICE} printable characters.", field="notice")
        if len(self.language) > MAX_NOTICE or not _LANGUAGE.fullmatch(self.language):
            raise InvalidError("A BCP 47 tag, for example en or zh-Hans.", field="notice")


class Noticed:
    """The columns of a table whose rows say which text somebody was shown before."""

    notice_version: Mapped[str | None]
    notice_language: Mapped[str | None]
    notice_sha256: Mapped[bytes | None]

    @property
    def notice(self) -> Notice | None:
        """What was shown, where that is on record."""
        if self.notice_version is None or self.notice_language is None:
            return None
        return Notice(self.notice_version, self.notice_language, self.notice_sha256)


def notice_columns(notice: Notice | None) -> dict[str, Any]:
    """What was shown as the columns of `Noticed`."""
    return {
        "notice_version": None if notice is None else notice.version,
        "notice_language": None if notice is None else notice.language,
        "notice_sha256": None if notice is None else notice.sha256,
    }


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says beside its scope. Times are aware; `starts_at` None means now."""

    grantees: frozenset[UUID] | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    content_allowed: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    max_uses: int | None = None
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    obligations: frozenset[ObligationCode] = frozenset()
    acknowledges_objections: frozenset[UUID] = frozenset()
    terms_sha256: bytes | None = None
    exclusive: bool = False
    notice: Notice | None = None

    def check(self, at: datetime) -> None:
        """InvalidError names the first of them that cannot be."""
        if self.grantees is not None and not 1 <= len(self.grantees) <= MAX_GRANTEES:
            raise InvalidError(
                f"Name 1 to {MAX_GRANTEES} services, or leave grantees out to mean all.",
                field="grantees",
            )
        for field, time in (("startsAt", self.starts_at), ("endsAt", self.ends_at)):
            if time is not None and not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
                raise InvalidError(
                    f"A grant lies between the years {EARLIEST_YEAR} and {LATEST_YEAR}.",
                    field=field,
                )
        if self.ends_at is not None and self.ends_at <= max(at, self.starts_at or at):
            raise InvalidError("A grant ends in the future, and after it starts.", field="endsAt")
        if len(self.acknowledges_objections) > MAX_ACKNOWLEDGED:
            raise InvalidError(
                f"At most {MAX_ACKNOWLEDGED} objections.", field="acknowledgesObjections"
            )
        if self.notice is not None:
            self.notice.check()
        if self.max_uses is not None and not 1 <= self.max_uses <= MAX_USES:
            raise InvalidError(f"A quota is 1 to {MAX_USES} uses.", field="maxUses")


class Termed:
    """The columns of a table whose rows have the conditions of a grant, given or asked for."""

    ends_at: Mapped[datetime | None]
    content_allowed: Mapped[list[ContentFlag]] = mapped_column(EnumList(ContentFlag))
    commercial: Mapped[bool]
    max_uses: Mapped[int | None]
    written: Mapped[bool]
    separate: Mapped[bool]
    represented: Mapped[bool]
    replaces_performance: Mapped[bool]
    obligations: Mapped[list[ObligationCode]] = mapped_column(EnumList(ObligationCode))
    terms_sha256: Mapped[bytes | None]

    @property
    def conditions(self) -> dict[str, Any]:
        """The same as fields of `Terms`."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "content_allowed": frozenset(self.content_allowed),
            "obligations": frozenset(self.obligations),
        }


_PLAIN = (
    "ends_at",
    "commercial",
    "max_uses",
    "written",
    "separate",
    "represented",
    "replaces_performance",
    "terms_sha256",
)


def columns(terms: Terms) -> dict[str, Any]:
    """The conditions as the columns of `Termed`."""
    return {
        **{name: getattr(terms, name) for name in _PLAIN},
        "content_allowed": ordered(terms.content_allowed),
        "obligations": ordered(terms.obligations),
    }
