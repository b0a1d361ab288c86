"""The docket: the reviews that a reviewer lists, in the order they came."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from registry.database import ReadSession, now
from registry.paging import Page, page_of
from registry.reviews import (
    APPEAL_PERIOD,
    Review,
    ReviewEvent,
    ReviewEventKind,
    ReviewKind,
    ReviewState,
    standings,
)

T = TypeVar("T")

_MOVES = (
    ReviewEventKind.ASSIGNED,
    ReviewEventKind.RELEASED,
    ReviewEventKind.PROPOSED,
    ReviewEventKind.DECIDED,
    ReviewEventKind.APPEALED,
    ReviewEventKind.CLOSED,
    ReviewEventKind.WITHDRAWN,
)
_CLOSING = (ReviewEventKind.CLOSED, ReviewEventKind.WITHDRAWN)


async def page(
    session: ReadSession,
    *,
    kind: ReviewKind | None,
    state: ReviewState | None,
    assignee: UUID | None,
    first: int,
    after: UUID | None,
) -> Page[Review]:
    """The reviews the caller may see, oldest first. `assignee`: only those this one has taken."""
    query = select(Review)
    if kind is not None:
        query = query.where(Review.kind == kind)
    if state is not None:
        query = _in_state(query, state)
    if assignee is not None:
        query = query.where(
            _last(ReviewEvent.kind) == ReviewEventKind.ASSIGNED,
            _last(ReviewEvent.actor_id) == assignee,
        )
    return await page_of(session, query, key=Review.id, first=first, after=after)


def _last(column: InstrumentedAttribute[T]) -> ScalarSelect[T]:
    """Of what moved a review last."""
    return (
        select(column)
        .where(ReviewEvent.review_id == Review.id, ReviewEvent.kind.in_(_MOVES))
        .order_by(ReviewEvent.at.desc(), ReviewEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _in_state(query: Select[Review], state: ReviewState) -> Select[Review]:
    """The fold of `standing_of` as SQL; a test holds the two to the same answers."""
    last = _last(ReviewEvent.kind)
    proposed = (
        select(ReviewEvent.id)
        .where(ReviewEvent.review_id == Review.id, ReviewEvent.kind == ReviewEventKind.PROPOSED)
        .exists()
    )
    final = _last(ReviewEvent.at) + APPEAL_PERIOD <= func.clock_timestamp()
    decided = last == ReviewEventKind.DECIDED
    match state:
        case ReviewState.OPEN:
            return query.where(last.is_(None) | ((last == ReviewEventKind.RELEASED) & ~proposed))
        case ReviewState.ASSIGNED:
            return query.where(last == ReviewEventKind.ASSIGNED, ~proposed)
        case ReviewState.AWAITING_SECOND:
            waits = (
                ReviewEventKind.ASSIGNED,
                ReviewEventKind.RELEASED,
                ReviewEventKind.PROPOSED,
            )
            return query.where(last.in_(waits), proposed)
        case ReviewState.DECIDED:
            return query.where(decided, ~final)
        case ReviewState.APPEALED:
            return query.where(last == ReviewEventKind.APPEALED)
        case ReviewState.CLOSED:
            return query.where(last.in_(_CLOSING) | (decided & final))


async def overdue(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether each review waits though it should have been decided by now."""
    at = await now(session)
    stands = await standings(session, ids)
    rows = await session.execute(select(Review.id, Review.due_at).where(Review.id.in_(ids)))
    return {id: stands[id].waits and due_at < at for id, due_at in rows}
