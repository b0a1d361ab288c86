"""Objections: a person, or somebody for them, forbids uses. They bite at once, proved or not.

While it stands, an objection beats earlier grants in its scope but those it carves out (there is
no "last write wins"). Withdrawing it is an event; nothing is edited.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry import mandates, subjects
from registry.database import (
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    ordered,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.paging import Page, page_of
from registry.policy.authority import RANK
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole, ObjectionState
from registry.principals import OPERATOR_ID
from registry.scopes import Scope, Scoped, columns

MAX_CARVE_OUTS = 100
MAX_PER_SUBJECT = 500  # every check of a subject weighs them all


class ObjectionEventKind(StrEnum):
    """What may become of an objection."""

    VERIFIED = "VERIFIED"
    DISPUTED = "DISPUTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"


class Objection(Scoped, Base):
    """One refusal, as it was filed."""

    __tablename__ = "objections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    role: Mapped[GrantorRole]
    since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    carve_out_grants: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class ObjectionEvent(Event):
    """What became of an objection."""

    __tablename__ = "objection_events"

    objection_id: Mapped[UUID] = mapped_column(ForeignKey("objections.id"), index=True)
    kind: Mapped[ObjectionEventKind]


ENDED = frozenset({ObjectionState.WITHDRAWN, ObjectionState.LAPSED})


def state_of(kinds: Sequence[str]) -> ObjectionState:
    """The state these event kinds, oldest first, add up to. Withdrawn and lapsed are final."""
    state = ObjectionState.PROVISIONAL
    for kind in kinds:
        state = ObjectionState(kind)
        if state in ENDED:
            return state
    return state


async def file(
    session: WriteSession,
    *,
    objection_id: UUID,
    subject_id: UUID,
    filed_by: UUID,
    ial: int,
    scope: Scope,
    carve_out_grants: frozenset[UUID] = frozenset(),
) -> Objection:
    """Forbid the scope from now on. It holds for every check that starts after the commit."""
    subject = await subjects.mine(session, subject_id)
    known = await session.scalar(select(func.count()).where(Objection.subject_id == subject_id))
    if (known or 0) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} objections.")
    if len(carve_out_grants) > MAX_CARVE_OUTS:
        raise InvalidError(f"At most {MAX_CARVE_OUTS} grants.", field="carveOutGrants")
    objection = Objection(
        id=objection_id,
        subject_id=subject_id,
        filed_by=filed_by,
        role=await _role(session, subject, filed_by),
        **columns(scope),
        carve_out_grants=ordered(carve_out_grants),
    )
    session.add(objection)
    await session.flush()  # its event refers to it
    if ial >= ASSURED_IAL:
        await _record(session, objection_id, ObjectionEventKind.VERIFIED, filed_by)
    return objection


async def _role(session: ReadSession, subject: subjects.Subject, actor_id: UUID) -> GrantorRole:
    """In what right somebody objects: as the person, or in the highest role they act in."""
    if actor_id in {subject.owner_id, OPERATOR_ID}:
        return GrantorRole.SELF
    roles = await mandates.acting(session, subject_id=subject.id, principal_id=actor_id)
    if not roles:
        raise ForbiddenError("Whoever keeps the person's record, or acts for them, objects.")
    return max(roles, key=RANK.__getitem__)


async def withdraw(
    session: WriteSession,
    *,
    objection_id: UUID,
    actor_id: UUID,
    ial: int,
    reason: str | None = None,
) -> Objection:
    """End an objection; grants it stood against count again for checks that start afterwards.

    What was said at IAL2 is taken back at IAL2: less would undo a proved no.
    """
    await take_turns(session, objection_id)
    objection = await mine(session, objection_id)
    subject = await subjects.mine(session, objection.subject_id)
    role = await _role(session, subject, actor_id)
    if RANK[role] < RANK[objection.role]:
        raise ForbiddenError(f"A {role} does not take back what a {objection.role} said.")
    state = (await states(session, [objection_id]))[objection_id]
    if state in ENDED:
        raise ConflictError(f"Objection {objection_id} is {state}.")
    if state is not ObjectionState.PROVISIONAL and ial < ASSURED_IAL:
        raise ForbiddenError(
            f"This objection was proved: taking it back needs identity assurance {ASSURED_IAL}."
        )
    await _record(session, objection_id, ObjectionEventKind.WITHDRAWN, actor_id, reason)
    return objection


async def mine(session: ReadSession, objection_id: UUID) -> Objection:
    """The objection, if the caller may see it; absent and not yours look the same."""
    objection = await session.get(Objection, objection_id)
    if objection is None:
        raise NotFoundError("No such objection.")
    return objection


async def _record(
    session: WriteSession,
    objection_id: UUID,
    kind: ObjectionEventKind,
    actor_id: UUID,
    reason: str | None = None,
) -> None:
    session.add(
        ObjectionEvent(
            objection_id=objection_id, kind=kind, actor_id=actor_id, reason=checked_reason(reason)
        )
    )
    await session.flush()  # the answer folds this event too


async def events(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[ObjectionEvent]]:
    """What became of each objection, oldest first."""
    found: dict[UUID, list[ObjectionEvent]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(ObjectionEvent)
        .where(ObjectionEvent.objection_id.in_(ids))
        .order_by(ObjectionEvent.at, ObjectionEvent.id)
    )
    for row in rows:
        found[row.objection_id].append(row)
    return found


async def states(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, ObjectionState]:
    """Where each objection stands."""
    history = await events(session, ids)
    return {one: state_of([event.kind for event in history[one]]) for one in ids}


async def page(
    session: ReadSession, *, subject_id: UUID | None, first: int, after: UUID | None
) -> Page[Objection]:
    """The objections of the caller's subjects, oldest first."""
    query = select(Objection)
    if subject_id is not None:
        query = query.where(Objection.subject_id == subject_id)
    return await page_of(session, query, key=Objection.id, first=first, after=after)
