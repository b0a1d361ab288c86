"""The docket: the reviews that a reviewer lists, in the order they came or are due."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, tuple_
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


class Whose(StrEnum):
    """Which part of the docket: what waits, by who has it; or what was decided."""

    WAITING = "WAITING"
    MINE = "MINE"
    NOBODYS = "NOBODYS"
    DECIDED = "DECIDED"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits: all of it, what should have been decided by now, and a reviewer's own."""

    waiting: int
    overdue: int
    mine: int


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


async def queue(
    session: ReadSession,
    *,
    whose: Whose,
    reviewer: UUID,
    kind: ReviewKind | None,
    first: int,
    after: UUID | None,
) -> Page[Review]:
    """A part of the docket: what is due first comes first; of what was decided the newest."""
    query = select(Review).where(_part(whose, reviewer))
    if kind is not None:
        query = query.where(Review.kind == kind)
    key = tuple_(Review.due_at, Review.id)
    if after is not None:
        at = select(Review.due_at, Review.id).where(Review.id == after).scalar_subquery()
        query = query.where(key < at if whose is Whose.DECIDED else key > at)
    order = (Review.due_at, Review.id)
    newest_first = [one.desc() for one in order]
    rows = await session.scalars(
        query.order_by(*(newest_first if whose is Whose.DECIDED else order)).limit(first + 1)
    )
    found = list(rows)
    return Page(items=found[:first], more=len(found) > first)


async def counts(session: ReadSession, *, reviewer: UUID) -> Counts:
    """How much waits for the desk now, as far as the caller may see it."""
    late = Review.due_at < func.clock_timestamp()
    row = (
        await session.execute(
            select(
                func.count(),
                func.count().filter(late),
                func.count().filter(_taken_by(reviewer)),
            )
            .select_from(Review)
            .where(~_decided())
        )
    ).one()
    return Counts(*row)


def _part(whose: Whose, reviewer: UUID) -> ColumnElement[bool]:
    match whose:
        case Whose.WAITING:
            return ~_decided()
        case Whose.MINE:
            return ~_decided() & _taken_by(reviewer)
        case Whose.NOBODYS:
            return ~_decided() & _last(ReviewEvent.kind).is_distinct_from(ReviewEventKind.ASSIGNED)
        case Whose.DECIDED:
            return _decided()


def _decided() -> ColumnElement[bool]:
    """Whether nobody waits for it any more: what is appealed or closed was decided."""
    over = (ReviewEventKind.DECIDED, ReviewEventKind.WITHDRAWN)
    return (
        select(ReviewEvent.id)
        .where(ReviewEvent.review_id == Review.id, ReviewEvent.kind.in_(over))
        .exists()
    )


def _taken_by(reviewer: UUID) -> ColumnElement[bool]:
    taken = _last(ReviewEvent.kind) == ReviewEventKind.ASSIGNED
    return taken & (_last(ReviewEvent.actor_id) == reviewer)


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
