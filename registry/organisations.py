"""Organisations and their members: who acts where an organisation is named.

A member sees what the organisation keeps, and acts in the representations it holds, with an
account of their own: every signature names the person who made it.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, NotFoundError
from registry.principals import PrincipalKind


class MemberEventKind(StrEnum):
    """What may become of a membership."""

    ENDED = "ENDED"


class Member(Base):
    """Somebody who acts for an organisation."""

    __tablename__ = "organisation_members"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    added_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class MemberEvent(Event):
    """What became of a membership."""

    __tablename__ = "organisation_member_events"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("organisation_members.id"), index=True)
    kind: Mapped[MemberEventKind]


async def add(
    session: WriteSession, *, member_id: UUID, organisation_id: UUID, principal_id: UUID, by: Actor
) -> Member:
    """Let somebody act for the organisation, from now on; one of an office by the operator only."""
    if by.kind not in {PrincipalKind.ORGANISATION, PrincipalKind.OPERATOR}:
        raise ForbiddenError("An organisation names its members.")
    await take_turns(session, organisation_id)
    if principal_id == organisation_id:
        raise ConflictError("An organisation is no member of itself.", field="principalId")
    if principal_id in {one.principal_id for one in await members(session, organisation_id)}:
        raise ConflictError("They are a member already.", field="principalId")
    absent = NotFoundError("No such account.", field="principalId")
    # Whoever is a member has an interest: an office whom anybody could name would have every one.
    may = select(func.likeness_may_be_attested(principal_id))
    if by.kind != PrincipalKind.OPERATOR and not await session.scalar(may):
        raise absent
    member = Member(
        id=member_id,
        organisation_id=organisation_id,
        principal_id=principal_id,
        added_by=by.principal_id,
    )
    session.add(member)
    try:
        await session.flush()  # other people's accounts cannot be read: the foreign key tells
    except IntegrityError as error:
        raise absent from error
    return member


async def end(
    session: WriteSession, *, member_id: UUID, by: Actor, reason: str | None = None
) -> Member:
    """End a membership: the organisation does, or the member."""
    await take_turns(session, member_id)
    member = await get(session, member_id)
    if member_id in await _ended(session, [member_id]):
        raise ConflictError("This membership has ended already.")
    session.add(
        MemberEvent(
            member_id=member_id,
            kind=MemberEventKind.ENDED,
            actor_id=by.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # a row that may not be added fails here
    return member


async def get(session: ReadSession, member_id: UUID) -> Member:
    """The membership, if it is the caller's or of their organisation."""
    member = await session.get(Member, member_id)
    if member is None:
        raise NotFoundError("No such member.")
    return member


async def members(session: ReadSession, organisation_id: UUID) -> list[Member]:
    """Who acts for an organisation now, as far as the caller may know."""
    rows = await session.scalars(
        select(Member).where(Member.organisation_id == organisation_id).order_by(Member.id)
    )
    return await _current(session, list(rows))


async def of(session: ReadSession, principal_id: UUID) -> frozenset[UUID]:
    """The organisations that an account is a member of now."""
    rows = await session.scalars(select(Member).where(Member.principal_id == principal_id))
    return frozenset(one.organisation_id for one in await _current(session, list(rows)))


async def _current(session: ReadSession, found: list[Member]) -> list[Member]:
    gone = await _ended(session, [one.id for one in found])
    return [one for one in found if one.id not in gone]


async def _ended(session: ReadSession, ids: Collection[UUID]) -> set[UUID]:
    rows = await session.scalars(
        select(MemberEvent.member_id).where(MemberEvent.member_id.in_(ids))
    )
    return set(rows)
