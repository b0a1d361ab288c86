"""Complaints: a voice or face was misused, and the person, or somebody for them, reports it.

Nobody is too young to report alone, and no proof of identity is asked for. A reviewer looks at each
one. What was said is sealed under the person's key; a file that was shown is not kept: only what
the encoders made of it.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import complaint_papers, mandates, review_papers, reviews, subjects
from registry.complaint_papers import Content
from registry.complaint_states import WAITING, ComplaintEventKind, ComplaintState, state_of
from registry.database import (
    Base,
    EnumList,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    now,
    take_turns,
    take_turns_on,
)
from registry.errors import BusyError, ConflictError, ForbiddenError, NotFoundError
from registry.grant_terms import Notice, Noticed, notice_columns
from registry.keys import Keys
from registry.misuse import ComplaintKind, Misuse, SeenMedia
from registry.paging import Page, page_of
from registry.policy.vocabulary import SubjectClass
from registry.probes import Opened
from registry.review_papers import Papers
from registry.reviews import ReviewEventKind, ReviewKind, Ruling

DAILY: Final = 20  # of one account
MAX_PER_SUBJECT: Final = 200
_PERIOD: Final = timedelta(days=1)
_URGENT: Final = timedelta(days=1)  # until a person must have looked


class Complaint(Noticed, Base):
    """One complaint, as it was filed. Its id is that of its review, too.

    `kinds` and `territory` are not sealed alone: what is left to count when the person is erased.
    """

    __tablename__ = "complaints"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    kinds: Mapped[list[ComplaintKind]] = mapped_column(EnumList(ComplaintKind))
    territory: Mapped[str]
    sealed: Mapped[bytes]
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ComplaintEvent(Event):
    """What became of a complaint."""

    __tablename__ = "complaint_events"

    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), index=True)
    kind: Mapped[ComplaintEventKind]


async def file(
    session: WriteSession,
    *,
    complaint_id: UUID,
    subject_id: UUID,
    filed_by: UUID,
    misuse: Misuse,
    notice: Notice | None,
    shown: Opened | None,
    keys: Keys,
) -> Complaint:
    """Put a complaint on record and before the desk. `shown`: an upload of whoever files it.

    BusyError after too many in one day.
    """
    subject = await subjects.mine(session, subject_id)
    await _require_right(session, subject, filed_by)
    if notice is not None:
        notice.check()
    if shown is not None:
        misuse = replace(misuse, media=SeenMedia(shown.kind, shown.media_sha256))
    misuse = misuse.checked((await now(session)).date())
    await _require_budget(session, subject_id, filed_by)
    complaint = Complaint(
        id=complaint_id,
        subject_id=subject_id,
        kinds=list(misuse.kinds),
        territory=misuse.territory,
        sealed=await complaint_papers.sealed(
            session,
            misuse,
            complaint_id=complaint_id,
            subject_id=subject_id,
            shown=shown,
            keys=keys,
        ),
        **notice_columns(notice),
        filed_by=filed_by,
    )
    session.add(complaint)
    await session.flush()  # what may not be filed fails here
    await _to_the_desk(session, complaint, misuse, keys)
    return complaint


async def _to_the_desk(
    session: WriteSession, complaint: Complaint, misuse: Misuse, keys: Keys
) -> None:
    whom = {complaint.subject_id}
    papers = Papers(statement=misuse.statement, misuse=misuse)
    await reviews.open_review(
        session,
        ReviewKind.MISUSE,
        subject_ids=whom,
        opened_by=complaint.filed_by,
        about=complaint.id,
        sealed=await review_papers.sealed(
            session, papers, review_id=complaint.id, subject_ids=whom, keys=keys
        ),
        review_id=complaint.id,
        within=_URGENT if await _is_urgent(session, complaint.subject_id, misuse, keys) else None,
    )


async def _require_right(session: ReadSession, subject: subjects.Subject, actor_id: UUID) -> None:
    """ForbiddenError for whoever neither keeps the person's record nor acts for them."""
    if actor_id == subject.owner_id:
        return
    if not await mandates.acting(session, subject_id=subject.id, principal_id=actor_id):
        raise ForbiddenError("Whoever keeps the person's record, or acts for them, reports.")


async def _require_budget(session: WriteSession, subject_id: UUID, filed_by: UUID) -> None:
    await take_turns_on(session, f"complaints:{filed_by}")
    since = await now(session) - _PERIOD
    known = select(func.count()).select_from(Complaint)
    mine = Complaint.filed_by == filed_by
    if (await session.scalar(known.where(mine, Complaint.created_at > since)) or 0) >= DAILY:
        raise BusyError(f"At most {DAILY} complaints a day.", retry_after=3600)
    of_subject = await session.scalar(known.where(Complaint.subject_id == subject_id))
    if (of_subject or 0) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} complaints.")


async def _is_urgent(session: ReadSession, subject_id: UUID, misuse: Misuse, keys: Keys) -> bool:
    if ComplaintKind.INTIMATE in misuse.kinds:
        return True
    record = (await subjects.records(session, [subject_id], keys=keys))[subject_id]
    return SubjectClass.MINOR in subjects.classes(record, ())


async def withdraw(
    session: WriteSession, *, complaint_id: UUID, actor_id: UUID, reason: str | None = None
) -> Complaint:
    """Take a complaint back while nobody has decided it: it is before the desk no more.

    Whoever filed it, or keeps the person's record. Needs the operator's session.
    """
    await take_turns(session, complaint_id)  # the desk waits: its review has the same id
    complaint = await mine(session, complaint_id)
    subject = await subjects.mine(session, complaint.subject_id)
    if actor_id not in {complaint.filed_by, subject.owner_id}:
        raise NotFoundError("No such complaint.")
    await _require_right(session, subject, actor_id)
    state = (await states(session, [complaint_id]))[complaint_id]
    if state not in WAITING:
        raise ConflictError(f"Complaint {complaint_id} is {state}.")
    await _record(session, complaint_id, ComplaintEventKind.WITHDRAWN, actor_id, reason)
    await reviews.record(session, complaint_id, ReviewEventKind.WITHDRAWN, actor_id)
    return complaint


async def take_up(session: WriteSession, complaint_id: UUID, *, actor_id: UUID) -> None:
    """Let it be seen that a reviewer looks at a complaint."""
    if (await states(session, [complaint_id]))[complaint_id] is ComplaintState.RECEIVED:
        await _record(session, complaint_id, ComplaintEventKind.TAKEN_UP, actor_id)


async def find(
    session: WriteSession, complaint_id: UUID, ruling: Ruling, *, actor_id: UUID
) -> None:
    """Put on record what the desk found."""
    confirmed = ruling is Ruling.CONFIRM
    kind = ComplaintEventKind.CONFIRMED if confirmed else ComplaintEventKind.NOT_CONFIRMED
    await _record(session, complaint_id, kind, actor_id)


async def _record(
    session: WriteSession,
    complaint_id: UUID,
    kind: ComplaintEventKind,
    actor_id: UUID,
    reason: str | None = None,
) -> None:
    session.add(
        ComplaintEvent(
            complaint_id=complaint_id, kind=kind, actor_id=actor_id, reason=checked_reason(reason)
        )
    )
    await session.flush()  # the answer folds this event too


async def mine(session: ReadSession, complaint_id: UUID) -> Complaint:
    """The complaint, if the caller may see it; absent and not yours look the same."""
    complaint = await session.get(Complaint, complaint_id)
    if complaint is None:
        raise NotFoundError("No such complaint.")
    return complaint


async def states(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, ComplaintState]:
    """Where each complaint stands now."""
    kinds: dict[UUID, list[str]] = {one: [] for one in ids}
    rows = await session.execute(
        select(ComplaintEvent.complaint_id, ComplaintEvent.kind)
        .where(ComplaintEvent.complaint_id.in_(ids))
        .order_by(ComplaintEvent.at, ComplaintEvent.id)
    )
    for complaint_id, kind in rows:
        kinds[complaint_id].append(kind)
    return {one: state_of(kinds[one]) for one in ids}


async def contents(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, Content]:
    """What each complaint that the caller may see says; nothing of an erased person's."""
    rows = await session.scalars(select(Complaint).where(Complaint.id.in_(ids)))
    sealed = {row.id: (row.subject_id, row.sealed) for row in rows}
    return await complaint_papers.opened(session, sealed, keys=keys)


async def of_subject(session: ReadSession, subject_id: UUID) -> list[Complaint]:
    """The complaints about misuse of this subject that the caller may see, oldest first."""
    rows = await session.scalars(
        select(Complaint).where(Complaint.subject_id == subject_id).order_by(Complaint.id)
    )
    return list(rows)


async def page(
    session: ReadSession, *, subject_id: UUID | None, first: int, after: UUID | None
) -> Page[Complaint]:
    """The complaints the caller may see, oldest first."""
    query = select(Complaint)
    if subject_id is not None:
        query = query.where(Complaint.subject_id == subject_id)
    return await page_of(session, query, key=Complaint.id, first=first, after=after)
