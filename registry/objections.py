"""Objections: a person, or somebody for them, forbids uses. They bite at once, proved or not.

While it stands, an objection beats earlier grants in its scope but those it carves out (there is
no "last write wins"). Withdrawing it is an event; nothing is edited.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
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
    now,
    ordered,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.grant_terms import Notice, Noticed, notice_columns
from registry.paging import Page, page_of
from registry.policy.authority import RANK
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole, ObjectionState
from registry.principals import OPERATOR_ID
from registry.scopes import Scope, Scoped, columns, scope_in
from registry.subjects import SubjectEvent, SubjectEventKind

MAX_CARVE_OUTS = 100
MAX_PER_SUBJECT = 500  # every check of a subject weighs them all


class ObjectionEventKind(StrEnum):
    """What may become of an objection."""

    VERIFIED = "VERIFIED"
    DISPUTED = "DISPUTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    CONTESTED = "CONTESTED"


class Objection(Scoped, Noticed, Base):
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


CONTEST_PERIOD: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an objection stands; `ended_at`: since when it does so no more."""

    state: ObjectionState
    ended_at: datetime | None = None


def standing_of(happened: Sequence[tuple[str, datetime]], *, at: datetime) -> Standing:
    """What these events, oldest first, add up to at a moment. Withdrawn and lapsed are final.

    One that is contested stands for fourteen days more, and then lapses unless it was proved
    meanwhile, or had been before. Nothing else lets it lapse, and nothing hastens it.
    """
    state, lapses, proved = ObjectionState.PROVISIONAL, None, False
    for kind, when in happened:
        if lapses is not None and when >= lapses:
            break
        if kind == ObjectionEventKind.CONTESTED:
            if lapses is None and not proved:
                lapses = when + CONTEST_PERIOD
            continue
        state = ObjectionState(kind)
        if state in ENDED:
            return Standing(state, when)
        if state is ObjectionState.VERIFIED:
            proved, lapses = True, None
    if lapses is not None and at >= lapses:
        return Standing(ObjectionState.LAPSED, lapses)
    return Standing(state)


async def file(
    session: WriteSession,
    *,
    objection_id: UUID,
    subject_id: UUID,
    filed_by: UUID,
    ial: int,
    scope: Scope,
    carve_out_grants: frozenset[UUID] = frozenset(),
    notice: Notice | None = None,
) -> Objection:
    """Forbid the scope from now on. It holds for every check that starts after the commit.

    `notice`: the text that the person was shown, and in which language.
    """
    if notice is not None:
        notice.check()
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
        **notice_columns(notice),
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
    await mandates.require_cover(session, subject, actor_id=actor_id, scope=scope_in(objection))
    state = (await states(session, [objection_id]))[objection_id]
    if state in ENDED:
        raise ConflictError(f"Objection {objection_id} is {state}.")
    if state is not ObjectionState.PROVISIONAL and ial < ASSURED_IAL:
        raise ForbiddenError(
            f"This objection was proved: taking it back needs identity assurance {ASSURED_IAL}."
        )
    await _record(session, objection_id, ObjectionEventKind.WITHDRAWN, actor_id, reason)
    return objection


async def end(session: WriteSession, objection_id: UUID, *, actor_id: UUID, reason: str) -> None:
    """Withdraw an objection because its person is erased, in whatever right it was filed."""
    await _record(session, objection_id, ObjectionEventKind.WITHDRAWN, actor_id, reason)


async def file_anew(
    session: WriteSession,
    former: Objection,
    state: ObjectionState,
    *,
    subject_id: UUID,
    actor_id: UUID,
    proved_by: UUID | None = None,
) -> None:
    """The same refusal once more, for this record, in this state. It carves out nothing.

    `proved_by`: who says in which state, if not whoever files it.
    """
    objection_id = new_id()
    session.add(
        Objection(
            id=objection_id,
            subject_id=subject_id,
            filed_by=actor_id,
            role=former.role,
            modalities=former.modalities,
            uses=former.uses,
            purposes=former.purposes,
            territories=former.territories,
            carve_out_grants=[],
            **notice_columns(former.notice),
        )
    )
    await session.flush()  # its event refers to it
    if state is not ObjectionState.PROVISIONAL:
        await _record(session, objection_id, ObjectionEventKind(state), proved_by or actor_id)


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


async def contest(session: WriteSession, objection: Objection, *, actor_id: UUID) -> bool:
    """Let an objection that nobody proved lapse in time; False if this one cannot be contested."""
    await take_turns(session, objection.id)
    so_far = (await happened(session, [objection.id]))[objection.id]
    if any(kind in _NOT_CONTESTED for kind, _ in so_far):
        return False
    await _record(session, objection.id, ObjectionEventKind.CONTESTED, actor_id)
    return True


_NOT_CONTESTED = frozenset(
    {
        ObjectionEventKind.VERIFIED,
        ObjectionEventKind.CONTESTED,
        ObjectionEventKind.WITHDRAWN,
        ObjectionEventKind.LAPSED,
    }
)


async def happened(
    session: ReadSession, ids: Collection[UUID]
) -> dict[UUID, list[tuple[str, datetime]]]:
    """What became of each objection, oldest first; that its person was proved since is part of it.

    The statement of checks says the same in SQL.
    """
    proved = (
        select(Objection.id, SubjectEvent.kind, SubjectEvent.at, SubjectEvent.id)
        .join(SubjectEvent, SubjectEvent.subject_id == Objection.subject_id)
        .where(
            Objection.id.in_(ids),
            SubjectEvent.kind == SubjectEventKind.VERIFIED,
            SubjectEvent.at > Objection.since,
        )
    )
    said = select(
        ObjectionEvent.objection_id, ObjectionEvent.kind, ObjectionEvent.at, ObjectionEvent.id
    ).where(ObjectionEvent.objection_id.in_(ids))
    found: dict[UUID, list[tuple[str, datetime]]] = {one: [] for one in ids}
    rows = [*(await session.execute(said)), *(await session.execute(proved))]
    for objection_id, kind, at, _ in sorted(rows, key=lambda row: (row[2], row[3])):
        found[objection_id].append((str(kind), at))
    return found


async def states(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, ObjectionState]:
    """Where each objection stands now, by the database's clock."""
    so_far, at = await happened(session, ids), await now(session)
    return {one: standing_of(so_far[one], at=at).state for one in ids}


async def of_subject(session: ReadSession, subject_id: UUID) -> list[Objection]:
    """Every objection of a subject, oldest first."""
    rows = await session.scalars(
        select(Objection).where(Objection.subject_id == subject_id).order_by(Objection.id)
    )
    return list(rows)


async def page(
    session: ReadSession, *, subject_id: UUID | None, first: int, after: UUID | None
) -> Page[Objection]:
    """The objections of the caller's subjects, oldest first."""
    query = select(Objection)
    if subject_id is not None:
        query = query.where(Objection.subject_id == subject_id)
    return await page_of(session, query, key=Objection.id, first=first, after=after)
