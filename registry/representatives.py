"""Representatives: who acts for a minor, and who holds and exercises the rights of the dead.

An owner names them; they act once an office of the registry has verified it. A holder without an
account is on record too: where the law asks for every signature, theirs is missed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import CheckConstraint, ForeignKey, func, select
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
from registry.errors import ConflictError, ForbiddenError, NotFoundError
from registry.keys import Keys
from registry.policy.vocabulary import GrantorRole, Kinship
from registry.principals import OFFICES
from registry.scopes import Scope, Scoped, scope_in

# They sign for a grown-up person who gave them a mandate, within it.
AGENTS: Final = frozenset({GrantorRole.AGENT, GrantorRole.AGENCY})
OF_THE_DEAD = frozenset({GrantorRole.RIGHTS_HOLDER, GrantorRole.ESTATE_REPRESENTATIVE})


class RepresentativeEventKind(StrEnum):
    """What may become of a representation."""

    VERIFIED = "VERIFIED"
    CONFIRMED = "CONFIRMED"
    ENDED = "ENDED"


class Representative(Scoped, Base):
    """Somebody named to act for a subject, or to hold their rights. `sealed`: name and source.

    The scope is that of an agent's mandate.
    """

    __tablename__ = "representatives"
    __table_args__ = (CheckConstraint("share > 0 and share <= 1", name="share"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    principal_id: Mapped[UUID | None] = mapped_column(ForeignKey("principals.id"), index=True)
    role: Mapped[GrantorRole]
    kinship: Mapped[Kinship | None]
    share: Mapped[float | None]
    sealed: Mapped[bytes]
    ends_at: Mapped[datetime | None]
    appointed_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RepresentativeEvent(Event):
    """What became of a representation."""

    __tablename__ = "representative_events"

    representative_id: Mapped[UUID] = mapped_column(ForeignKey("representatives.id"), index=True)
    kind: Mapped[RepresentativeEventKind]


@dataclass(frozen=True, slots=True)
class Record:
    """A representation as whoever sees the subject sees it."""

    id: UUID
    subject_id: UUID
    principal_id: UUID | None
    name: str | None
    role: GrantorRole
    kinship: Kinship | None
    share: float | None
    source: str
    created_at: datetime
    ends_at: datetime | None
    scope: Scope
    verified: bool
    confirmed: bool
    ended: bool


async def verify(session: WriteSession, *, representative_id: UUID, actor: Actor) -> Representative:
    """Answer for a representation, as an office of the registry."""
    if actor.kind not in OFFICES:
        raise ForbiddenError("An attester, reviewer or operator verifies representatives.")
    representative, kinds = await locked(session, representative_id)
    if not {RepresentativeEventKind.VERIFIED, RepresentativeEventKind.ENDED}.isdisjoint(kinds):
        raise ConflictError(f"This representation is {kinds[-1]} already.")
    await add_event(session, representative_id, RepresentativeEventKind.VERIFIED, actor)
    return representative


async def end(
    session: WriteSession, *, representative_id: UUID, actor: Actor, reason: str | None = None
) -> Representative:
    """End a representation: the subject's owner, the representative, or an office."""
    representative, kinds = await locked(session, representative_id)
    owner = (await subjects.mine(session, representative.subject_id)).owner_id
    if actor.kind not in OFFICES and actor.principal_id not in {
        owner,
        representative.principal_id,
    }:
        raise ForbiddenError("The owner, the representative or an attester ends this.")
    if RepresentativeEventKind.ENDED in kinds:
        raise ConflictError("This representation has ended already.")
    await add_event(session, representative_id, RepresentativeEventKind.ENDED, actor, reason)
    return representative


async def of_subject(session: ReadSession, subject_id: UUID, *, keys: Keys) -> list[Record]:
    """Everybody ever named for a subject, oldest first."""
    return (await by_subject(session, [subject_id], keys=keys))[subject_id]


async def by_subject(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, list[Record]]:
    """Everybody ever named for each visible subject, oldest first."""
    rows = list(
        await session.scalars(
            select(Representative)
            .where(Representative.subject_id.in_(ids))
            .order_by(Representative.id)
        )
    )
    at = await now(session)
    kinds = await event_kinds(session, [one.id for one in rows])
    wrapped = await subjects.wrapped_keys(session, ids)
    found: dict[UUID, list[Record]] = {one: [] for one in ids}
    for one in rows:
        if one.subject_id in wrapped:
            key = keys.open_key(one.subject_id, wrapped[one.subject_id])
            body = orjson.loads(key.open(one.sealed, context=context_of(one.id)))
            found[one.subject_id].append(_opened(one, body, kinds[one.id], at))
    return found


def _opened(
    one: Representative, body: dict[str, str | None], kinds: list[str], at: datetime
) -> Record:
    over = one.ends_at is not None and one.ends_at <= at
    return Record(
        id=one.id,
        subject_id=one.subject_id,
        principal_id=one.principal_id,
        name=body["name"],
        role=one.role,
        kinship=one.kinship,
        share=one.share,
        source=body["source"] or "",
        created_at=one.created_at,
        ends_at=one.ends_at,
        scope=scope_in(one),
        verified=RepresentativeEventKind.VERIFIED in kinds,
        confirmed=RepresentativeEventKind.CONFIRMED in kinds,
        ended=over or RepresentativeEventKind.ENDED in kinds,
    )


async def event_kinds(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """What became of each representation, oldest first."""
    rows = await session.execute(
        select(RepresentativeEvent.representative_id, RepresentativeEvent.kind)
        .where(RepresentativeEvent.representative_id.in_(ids))
        .order_by(RepresentativeEvent.at, RepresentativeEvent.id)
    )
    found: dict[UUID, list[str]] = {one: [] for one in ids}
    for representative_id, kind in rows:
        found[representative_id].append(kind)
    return found


async def mine(session: ReadSession, representative_id: UUID) -> Representative:
    """The representation, if the caller may see it; absent and not yours look the same."""
    representative = await session.get(Representative, representative_id)
    if representative is None:
        raise NotFoundError("No such representative.")
    return representative


async def locked(
    session: WriteSession, representative_id: UUID
) -> tuple[Representative, list[str]]:
    """A representation and what became of it, with its changes to oneself until the end."""
    await take_turns(session, representative_id)
    representative = await mine(session, representative_id)
    return representative, (await event_kinds(session, [representative_id]))[representative_id]


async def add_event(
    session: WriteSession,
    representative_id: UUID,
    kind: RepresentativeEventKind,
    actor: Actor,
    reason: str | None = None,
) -> None:
    """Put on record what became of a representation."""
    session.add(
        RepresentativeEvent(
            representative_id=representative_id,
            kind=kind,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too


def context_of(representative_id: UUID) -> bytes:
    """What the sealed name and source of a representation are bound to."""
    return b"representative:" + representative_id.bytes
