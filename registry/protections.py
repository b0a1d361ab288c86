"""What the law may see in a person beside consent: classes, death, relatives, residence.

Each is a statement with its source, sealed under the person's key; a retraction is an event. What
an office of the registry says is assured; what others say may protect a person, and opens nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import subjects
from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    now,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.policy import territories
from registry.policy.vocabulary import SubjectClass
from registry.principals import OFFICES
from registry.standing import ProtectionKind, Stated

MAX_SOURCE: Final = 500
MAX_PER_SUBJECT: Final = 100  # every check of a subject folds them all
_DERIVED = frozenset({SubjectClass.MINOR, SubjectClass.PRIVATE})
OPENING = frozenset({SubjectClass.DECEASED, SubjectClass.HISTORICAL})


class ProtectionEventKind(StrEnum):
    """What may become of a statement."""

    RETRACTED = "RETRACTED"


class Protection(Base):
    """One statement about a subject, as it was made; what it says is sealed."""

    __tablename__ = "protections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    kind: Mapped[ProtectionKind]
    sealed: Mapped[bytes]
    assured: Mapped[bool]
    asserted_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ProtectionEvent(Event):
    """What became of a statement."""

    __tablename__ = "protection_events"

    protection_id: Mapped[UUID] = mapped_column(ForeignKey("protections.id"), index=True)
    kind: Mapped[ProtectionEventKind]


def seal_body(
    body: dict[str, Any], *, protection_id: UUID, subject_id: UUID, wrapped: bytes, keys: Keys
) -> bytes:
    """A statement's words under the subject's key."""
    key = keys.open_key(subject_id, wrapped)
    return key.seal(orjson.dumps(body), context=_context(protection_id))


def open_body(
    sealed: bytes, *, protection_id: UUID, subject_id: UUID, wrapped: bytes, keys: Keys
) -> dict[str, Any]:
    """A statement's words again."""
    key = keys.open_key(subject_id, wrapped)
    body: dict[str, Any] = orjson.loads(key.open(sealed, context=_context(protection_id)))
    return body


def _context(protection_id: UUID) -> bytes:
    return b"protection:" + protection_id.bytes


@dataclass(frozen=True, slots=True)
class Saying:
    """Who says something about whom, and which document says so."""

    protection_id: UUID
    subject_id: UUID
    source: str
    actor: Actor
    keys: Keys

    @property
    def assured(self) -> bool:
        """Whether an office of the registry says it."""
        return self.actor.kind in OFFICES


async def assert_class(
    session: WriteSession, saying: Saying, *, subject_class: SubjectClass
) -> Protection:
    """Say what kind of person this is.

    Only an office says what may open a use: that they are dead or historical.
    """
    if subject_class in _DERIVED:
        raise InvalidError(
            f"{subject_class} is derived: from the birth date, or from no other class.",
            field="class",
        )
    if subject_class in OPENING and not saying.assured:
        raise ForbiddenError(f"{subject_class} is recorded by an attester, reviewer or operator.")
    return await _state(session, saying, ProtectionKind.CLASS, {"class": subject_class})


async def record_death(
    session: WriteSession,
    saying: Saying,
    *,
    died_on: date | None,
    domicile: str | None,
    relatives_living: bool | None,
) -> Protection:
    """Put a death on record. It holds from the next check on."""
    await take_turns(session, saying.subject_id)  # of two reports at once the second is told
    earlier = await of_subject(session, saying.subject_id, keys=saying.keys)
    await _check_death(session, saying, died_on)
    if domicile is not None:
        [domicile] = territories.check([domicile], field="domicile")
    if any(
        one.stands and one.kind is ProtectionKind.DEATH and (one.assured or not saying.assured)
        for one in earlier
    ):
        raise ConflictError("A death is on record already; retract it first.", field="subjectId")
    body = {"died_on": died_on.isoformat() if died_on else None, "domicile": domicile}
    protection = await _state(session, saying, ProtectionKind.DEATH, body)
    if relatives_living is not None:
        also = replace(saying, protection_id=new_id())
        await record_relatives(session, also, living=relatives_living)
    return protection


async def _check_death(session: ReadSession, saying: Saying, died_on: date | None) -> None:
    records = await subjects.records(session, [saying.subject_id], keys=saying.keys)
    known = records.get(saying.subject_id)
    if known is None:
        raise NotFoundError("No such subject.", field="subjectId")
    if died_on is None:
        return
    if known.birth_date is not None and died_on < known.birth_date:
        raise InvalidError("Nobody dies before they are born.", field="diedOn")
    if died_on > (await now(session)).date() + timedelta(days=1):
        raise InvalidError("A death is not in the future.", field="diedOn")


async def record_relatives(session: WriteSession, saying: Saying, *, living: bool) -> Protection:
    """Say whether close relatives live. That none do may end a protection: an office says it."""
    if not living and not saying.assured:
        raise ForbiddenError(
            "That no close relative lives is recorded by an attester, reviewer or operator."
        )
    return await _state(session, saying, ProtectionKind.RELATIVES, {"living": living})


async def record_residence(session: WriteSession, saying: Saying, *, territory: str) -> Protection:
    """Say where somebody lives: that law protects them elsewhere too. The latest word counts."""
    [territory] = territories.check([territory], field="territory")
    return await _state(session, saying, ProtectionKind.RESIDENCE, {"territory": territory})


async def retract(
    session: WriteSession, *, protection_id: UUID, actor: Actor, reason: str | None = None
) -> Protection:
    """Take a statement back: by whoever made it, or by an office; an assured one by an office."""
    await take_turns(session, protection_id)
    protection = await session.get(Protection, protection_id)
    if protection is None:
        raise NotFoundError("No such statement.")
    own = protection.asserted_by == actor.principal_id and not protection.assured
    if not own and actor.kind not in OFFICES:
        raise ForbiddenError("An attester, reviewer or operator takes this statement back.")
    if protection_id in await _retracted(session, [protection_id]):
        raise ConflictError("This statement was taken back already.")
    session.add(
        ProtectionEvent(
            protection_id=protection_id,
            kind=ProtectionEventKind.RETRACTED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return protection


async def _state(
    session: WriteSession, saying: Saying, kind: ProtectionKind, body: dict[str, Any]
) -> Protection:
    subject_id = saying.subject_id
    await subjects.mine(session, subject_id)
    so_many = await session.scalar(select(func.count()).where(Protection.subject_id == subject_id))
    if (so_many or 0) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} statements.")
    wrapped = (await subjects.wrapped_keys(session, [subject_id])).get(subject_id)
    if wrapped is None:
        raise NotFoundError("No such subject.", field="subjectId")
    sealed = seal_body(
        {**body, "source": checked_source(saying.source)},
        protection_id=saying.protection_id,
        subject_id=subject_id,
        wrapped=wrapped,
        keys=saying.keys,
    )
    protection = Protection(
        id=saying.protection_id,
        subject_id=subject_id,
        kind=kind,
        sealed=sealed,
        assured=saying.assured,
        asserted_by=saying.actor.principal_id,
    )
    session.add(protection)
    await session.flush()  # a statement that may not be made fails here
    return protection


def checked_source(source: str) -> str:
    """What a statement rests on: short and printable."""
    source = source.strip()
    if not source or len(source) > MAX_SOURCE or not source.isprintable():
        raise InvalidError(
            f"Say in 1 to {MAX_SOURCE} printable characters which document says so.",
            field="source",
        )
    return source


async def _retracted(session: ReadSession, ids: Collection[UUID]) -> set[UUID]:
    rows = await session.scalars(
        select(ProtectionEvent.protection_id).where(ProtectionEvent.protection_id.in_(ids))
    )
    return set(rows)


@dataclass(frozen=True, slots=True)
class Record:
    """A statement as whoever sees the subject sees it."""

    id: UUID
    subject_id: UUID
    kind: ProtectionKind
    assured: bool
    created_at: datetime
    stands: bool
    body: dict[str, Any]

    @property
    def stated(self) -> Stated:
        """What it says."""
        return Stated(self.kind, self.assured, self.body)


async def of_subject(session: ReadSession, subject_id: UUID, *, keys: Keys) -> list[Record]:
    """Every statement about a subject, oldest first, also those that were taken back."""
    return (await by_subject(session, [subject_id], keys=keys))[subject_id]


async def by_subject(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, list[Record]]:
    """Every statement about each visible subject, oldest first."""
    rows = list(
        await session.scalars(
            select(Protection)
            .where(Protection.subject_id.in_(ids))
            .order_by(Protection.created_at, Protection.id)
        )
    )
    wrapped = await subjects.wrapped_keys(session, ids)
    gone = await _retracted(session, [one.id for one in rows])
    found: dict[UUID, list[Record]] = {one: [] for one in ids}
    for one in rows:
        if one.subject_id in wrapped:
            found[one.subject_id].append(_opened(one, wrapped[one.subject_id], gone, keys))
    return found


def _opened(one: Protection, wrapped: bytes, gone: set[UUID], keys: Keys) -> Record:
    body = open_body(
        one.sealed, protection_id=one.id, subject_id=one.subject_id, wrapped=wrapped, keys=keys
    )
    return Record(
        one.id, one.subject_id, one.kind, one.assured, one.created_at, one.id not in gone, body
    )
