"""Circumstances: facts outside any request that a rule may turn on, as an authority states them.

Where nobody has said whether one holds, it is unknown, and what depends on it is for a person.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    checked_time,
    new_id,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.orders import AUTHORITIES
from registry.paging import Page, page_of
from registry.policy import facts, territories
from registry.policy.vocabulary import CircumstanceName
from registry.principals import PrincipalKind
from registry.protections import checked_source


class CircumstanceEventKind(StrEnum):
    """What may become of a statement."""

    RETRACTED = "RETRACTED"


class Circumstance(Base):
    """A statement that something is so, or is not, in a territory from one moment to another."""

    __tablename__ = "circumstances"
    __table_args__ = (
        CheckConstraint(
            "ends_at > starts_at and isfinite(starts_at) and isfinite(ends_at)",
            name="finite_window",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[CircumstanceName]
    territory: Mapped[str]
    holds: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str]
    stated_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class CircumstanceEvent(Event):
    """What became of a statement."""

    __tablename__ = "circumstance_events"

    circumstance_id: Mapped[UUID] = mapped_column(ForeignKey("circumstances.id"), index=True)
    kind: Mapped[CircumstanceEventKind]


def fold(rows: Iterable[tuple[str, str, bool]]) -> tuple[facts.Circumstance, ...]:
    """What statements about one moment add up to: if any says that it holds, it does."""
    said: dict[tuple[str, str], bool] = {}
    for name, territory, holds in rows:
        said[name, territory] = said.get((name, territory), False) or holds
    return tuple(
        facts.Circumstance(CircumstanceName(name), territory, holds)
        for (name, territory), holds in sorted(said.items())
    )


async def state(
    session: WriteSession,
    *,
    circumstance_id: UUID,
    name: CircumstanceName,
    territory: str,
    holds: bool,
    starts_at: datetime,
    ends_at: datetime,
    source: str,
    actor: Actor,
) -> Circumstance:
    """Say what is so outside any request: by a regulator or the operator."""
    if actor.kind not in AUTHORITIES:
        raise ForbiddenError("A regulator or the operator states circumstances.")
    [territory] = territories.check([territory], field="territory")
    if checked_time(starts_at, "startsAt") >= checked_time(ends_at, "endsAt"):
        raise InvalidError("It ends after it starts.", field="endsAt")
    circumstance = Circumstance(
        id=circumstance_id,
        name=name,
        territory=territory,
        holds=holds,
        starts_at=starts_at,
        ends_at=ends_at,
        source=checked_source(source),
        stated_by=actor.principal_id,
    )
    session.add(circumstance)
    await session.flush()  # a statement that may not be made fails here
    return circumstance


async def retract(
    session: WriteSession, *, circumstance_id: UUID, actor: Actor, reason: str | None = None
) -> Circumstance:
    """Take a statement back: whoever made it, or the operator."""
    circumstance = await mine(session, circumstance_id)
    if actor.principal_id != circumstance.stated_by and actor.kind != PrincipalKind.OPERATOR:
        raise ForbiddenError("Whoever stated it, or the operator, takes it back.")
    await take_turns(session, circumstance_id)
    if (await retracted(session, [circumstance_id]))[circumstance_id]:
        raise ConflictError("This statement was taken back already.")
    session.add(
        CircumstanceEvent(
            circumstance_id=circumstance_id,
            kind=CircumstanceEventKind.RETRACTED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return circumstance


async def mine(session: ReadSession, circumstance_id: UUID) -> Circumstance:
    """The statement with this id."""
    found = await session.get(Circumstance, circumstance_id)
    if found is None:
        raise NotFoundError("No such circumstance.")
    return found


async def page(session: ReadSession, *, first: int, after: UUID | None) -> Page[Circumstance]:
    """Statements that were not taken back, oldest first."""
    gone = select(CircumstanceEvent.id).where(CircumstanceEvent.circumstance_id == Circumstance.id)
    query = select(Circumstance).where(~gone.exists())
    return await page_of(session, query, key=Circumstance.id, first=first, after=after)


async def retracted(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether each of these statements was taken back."""
    rows = await session.scalars(
        select(CircumstanceEvent.circumstance_id).where(CircumstanceEvent.circumstance_id.in_(ids))
    )
    gone = set(rows)
    return {one: one in gone for one in ids}
