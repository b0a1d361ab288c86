"""The review desk: what waits for a person, who looks at it, and what they ruled.

A review is never edited: who took it, what was proposed, decided and appealed are its events, and
where it stands is their fold.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import (
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    now,
    ordered,
)
from registry.errors import NotFoundError


class ReviewKind(StrEnum):
    """Why a person must look."""

    GREY_MATCH = "GREY_MATCH"
    AMBIGUOUS_MATCH = "AMBIGUOUS_MATCH"
    CLAIM_CONFLICT = "CLAIM_CONFLICT"
    DISPUTED_OBJECTION = "DISPUTED_OBJECTION"
    FALSE_MATCH = "FALSE_MATCH"
    SUSPICIOUS_ENROLMENT = "SUSPICIOUS_ENROLMENT"
    IDENTITY_DISCLOSURE = "IDENTITY_DISCLOSURE"
    MISUSE = "MISUSE"
    APPEAL = "APPEAL"


class Ruling(StrEnum):
    """What a reviewer may find. DENY refuses a disclosure, or an appeal: the decision stands."""

    NOT_THE_SAME_PERSON = "NOT_THE_SAME_PERSON"
    SAME_PERSON = "SAME_PERSON"
    COEXISTING = "COEXISTING"
    FIRST_HOLDER = "FIRST_HOLDER"
    SECOND_HOLDER = "SECOND_HOLDER"
    UPHOLD = "UPHOLD"
    LAPSE = "LAPSE"
    RELEASE = "RELEASE"
    REFUSE = "REFUSE"
    DISCLOSE = "DISCLOSE"
    DENY = "DENY"
    CONFIRM = "CONFIRM"
    NOT_CONFIRM = "NOT_CONFIRM"


class ReviewState(StrEnum):
    """Where a review stands. AWAITING_SECOND: one reviewer has ruled, another must agree."""

    OPEN = "OPEN"
    ASSIGNED = "ASSIGNED"
    AWAITING_SECOND = "AWAITING_SECOND"
    DECIDED = "DECIDED"
    APPEALED = "APPEALED"
    CLOSED = "CLOSED"


class ReviewEventKind(StrEnum):
    """What may become of a review. ADDED: more came; APPLIED: it took its effect."""

    ASSIGNED = "ASSIGNED"
    RELEASED = "RELEASED"
    PROPOSED = "PROPOSED"
    DECIDED = "DECIDED"
    APPEALED = "APPEALED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"  # by whoever brought it
    ADDED = "ADDED"
    APPLIED = "APPLIED"


DUE: Final = {
    ReviewKind.GREY_MATCH: timedelta(days=3),
    ReviewKind.AMBIGUOUS_MATCH: timedelta(days=3),
    ReviewKind.CLAIM_CONFLICT: timedelta(days=14),  # the evidence window
    ReviewKind.DISPUTED_OBJECTION: timedelta(days=14),
    ReviewKind.FALSE_MATCH: timedelta(days=3),
    ReviewKind.SUSPICIOUS_ENROLMENT: timedelta(days=7),
    ReviewKind.IDENTITY_DISCLOSURE: timedelta(days=3),
    ReviewKind.MISUSE: timedelta(days=3),
    ReviewKind.APPEAL: timedelta(days=30),
}
APPEAL_PERIOD: Final = timedelta(days=30)
WAITING: Final = frozenset({ReviewState.OPEN, ReviewState.ASSIGNED, ReviewState.AWAITING_SECOND})


class Review(Base):
    """One thing that waits for a person. `same_as`: two of one digest are one review."""

    __tablename__ = "reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ReviewKind]
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    about: Mapped[UUID | None] = mapped_column(index=True)
    same_as: Mapped[bytes | None] = mapped_column(index=True, unique=True)
    sealed: Mapped[bytes | None]
    due_at: Mapped[datetime]
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ReviewEvent(Event):
    """What became of a review. `subject_id`: whom alone a ruling is about; `about`: what came."""

    __tablename__ = "review_events"

    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"), index=True)
    kind: Mapped[ReviewEventKind]
    ruling: Mapped[Ruling | None]
    subject_id: Mapped[UUID | None]
    about: Mapped[UUID | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a review's events add up to."""

    state: ReviewState = ReviewState.OPEN
    assignee: UUID | None = None
    ruling: Ruling | None = None  # proposed, or decided
    subject_id: UUID | None = None  # whom alone the ruling is about
    ruled_by: UUID | None = None
    reviewers: frozenset[UUID] = frozenset()  # who proposed or decided
    decided_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody still has to rule."""
        return self.state in WAITING


def standing_of(history: Iterable[ReviewEvent], *, at: datetime) -> Standing:
    """Where these events, oldest first, leave a review at that moment.

    A decision is final once it was not appealed for 30 days, or the appeal was decided.
    """
    stands = Standing()
    for event in history:
        stands = _after(stands, event)
    decided = stands.decided_at
    if (
        stands.state is ReviewState.DECIDED
        and decided is not None
        and decided + APPEAL_PERIOD <= at
    ):
        return replace(stands, state=ReviewState.CLOSED)
    return stands


def _after(stands: Standing, event: ReviewEvent) -> Standing:
    second = stands.ruling is not None
    match event.kind:
        case ReviewEventKind.ASSIGNED if stands.waits:
            state = ReviewState.AWAITING_SECOND if second else ReviewState.ASSIGNED
            stands = replace(stands, state=state, assignee=event.actor_id)
        case ReviewEventKind.RELEASED if stands.waits:
            state = ReviewState.AWAITING_SECOND if second else ReviewState.OPEN
            stands = replace(stands, state=state, assignee=None)
        case ReviewEventKind.PROPOSED if stands.waits:
            stands = _ruled(stands, event, ReviewState.AWAITING_SECOND)
        case ReviewEventKind.DECIDED if stands.waits:
            stands = replace(_ruled(stands, event, ReviewState.DECIDED), decided_at=event.at)
        case ReviewEventKind.APPEALED if stands.state is ReviewState.DECIDED:
            stands = replace(stands, state=ReviewState.APPEALED)
        case ReviewEventKind.CLOSED if not stands.waits:
            stands = replace(stands, state=ReviewState.CLOSED)
        case ReviewEventKind.WITHDRAWN if stands.waits:
            stands = replace(stands, state=ReviewState.CLOSED, assignee=None)
    return stands


def _ruled(stands: Standing, event: ReviewEvent, state: ReviewState) -> Standing:
    return replace(
        stands,
        state=state,
        assignee=None,
        ruling=event.ruling,
        subject_id=event.subject_id,
        ruled_by=event.actor_id,
        reviewers=stands.reviewers | {event.actor_id},
    )


async def open_review(
    session: WriteSession,
    kind: ReviewKind,
    *,
    subject_ids: Collection[UUID],
    opened_by: UUID,
    about: UUID | None = None,
    same_as: bytes | None = None,
    sealed: bytes | None = None,
    review_id: UUID | None = None,
    within: timedelta | None = None,
) -> UUID:
    """Put something before the desk; where `same_as` waits or was decided already, nothing new.

    `within`: when it is due, if not as its kind. Returns the id it was given, which is that of no
    review if it was not new.
    """
    review_id = review_id or new_id()
    await session.execute(
        insert(Review)
        .inline()
        .values(
            id=review_id,
            kind=kind,
            subject_ids=ordered(set(subject_ids)),
            about=about,
            same_as=same_as,
            sealed=sealed,
            due_at=func.clock_timestamp() + (within or DUE[kind]),
            opened_by=opened_by,
        )
        .on_conflict_do_nothing()
    )
    return review_id


async def record(
    session: WriteSession,
    review_id: UUID,
    kind: ReviewEventKind,
    actor_id: UUID,
    *,
    ruling: Ruling | None = None,
    subject_id: UUID | None = None,
    about: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Put on record what became of a review."""
    session.add(
        ReviewEvent(
            review_id=review_id,
            kind=kind,
            actor_id=actor_id,
            ruling=ruling,
            subject_id=subject_id,
            about=about,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too


async def mine(session: ReadSession, review_id: UUID) -> Review:
    """The review, if the caller may see it; absent and not yours look the same."""
    review = await session.get(Review, review_id)
    if review is None:
        raise NotFoundError("No such review.")
    return review


async def same(session: ReadSession, same_as: bytes) -> Review | None:
    """The review of this digest, if the caller may see it."""
    found: Review | None = await session.scalar(select(Review).where(Review.same_as == same_as))
    return found


async def events(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[ReviewEvent]]:
    """What became of each review, oldest first."""
    found: dict[UUID, list[ReviewEvent]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(ReviewEvent)
        .where(ReviewEvent.review_id.in_(ids))
        .order_by(ReviewEvent.at, ReviewEvent.id)
    )
    for row in rows:
        found[row.review_id].append(row)
    return found


async def standings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where each review stands now, by the database's clock."""
    at = await now(session)
    history = await events(session, ids)
    return {one: standing_of(history[one], at=at) for one in ids}


async def standing(session: ReadSession, review_id: UUID) -> Standing:
    """Where this review stands now."""
    return (await standings(session, [review_id]))[review_id]
