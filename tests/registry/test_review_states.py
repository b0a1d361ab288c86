"""Where a review stands: the fold of its events, whatever their order, and its twin in SQL."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import dockets, reviews
from registry.database import Database, new_id
from registry.principals import OPERATOR_ID
from registry.reviews import (
    APPEAL_PERIOD,
    ReviewEvent,
    ReviewEventKind,
    ReviewKind,
    ReviewState,
    Ruling,
    standing_of,
)

START = datetime(2026, 11, 25, tzinfo=UTC)
LATER = START + timedelta(days=1)
REVIEWERS = [UUID(int=one) for one in (1, 2, 3)]
RULED = {ReviewEventKind.PROPOSED, ReviewEventKind.DECIDED}


@st.composite
def histories(draw: st.DrawFn) -> list[ReviewEvent]:
    kinds = draw(st.lists(st.sampled_from(ReviewEventKind), max_size=12))
    return [
        ReviewEvent(
            kind=kind,
            actor_id=draw(st.sampled_from(REVIEWERS)),
            ruling=draw(st.sampled_from(Ruling)) if kind in RULED else None,
            at=START + timedelta(minutes=at),
        )
        for at, kind in enumerate(kinds)
    ]


def event(kind: ReviewEventKind, ruling: Ruling | None = None) -> ReviewEvent:
    return ReviewEvent(kind=kind, actor_id=REVIEWERS[0], ruling=ruling, at=START)


def ending(history: list[ReviewEvent]) -> ReviewEventKind | None:
    """What ended the wait: the first decision, or that it was taken back before."""
    ends = (ReviewEventKind.DECIDED, ReviewEventKind.WITHDRAWN)
    return next((one.kind for one in history if one.kind in ends), None)


@given(histories())
def test_only_a_decision_or_a_withdrawal_ends_the_wait(history: list[ReviewEvent]) -> None:
    stands, end = standing_of(history, at=LATER), ending(history)
    assert stands.waits == (end is None)
    assert (stands.decided_at is not None) == (end is ReviewEventKind.DECIDED)
    if end is ReviewEventKind.WITHDRAWN:
        assert stands.state is ReviewState.CLOSED


@given(histories())
def test_the_first_decision_stands(history: list[ReviewEvent]) -> None:
    decisions = [one for one in history if one.kind is ReviewEventKind.DECIDED]
    stands = standing_of(history, at=LATER)
    if ending(history) is ReviewEventKind.DECIDED:
        first = decisions[0]
        found = (stands.ruling, stands.ruled_by, stands.decided_at)
        assert found == (first.ruling, first.actor_id, first.at)
        assert stands.assignee is None


@given(histories())
def test_whoever_ruled_is_remembered(history: list[ReviewEvent]) -> None:
    stands = standing_of(history, at=LATER)
    ruled = {one.actor_id for one in history if one.kind in RULED}
    assert stands.reviewers <= ruled
    if stands.waits:
        assert stands.reviewers == ruled
    assert (stands.state is ReviewState.AWAITING_SECOND) == (stands.waits and bool(ruled))


@given(histories())
def test_closed_is_final(history: list[ReviewEvent]) -> None:
    closed = [*history, event(ReviewEventKind.DECIDED), event(ReviewEventKind.CLOSED)]
    for kind in ReviewEventKind:
        stands = standing_of([*closed, event(kind)], at=LATER)
        assert stands.state is ReviewState.CLOSED


@given(histories())
def test_without_an_appeal_a_decision_is_final_after_thirty_days(
    history: list[ReviewEvent],
) -> None:
    early, late = standing_of(history, at=LATER), standing_of(history, at=LATER + APPEAL_PERIOD)
    if early.state is ReviewState.DECIDED:
        assert late.state is ReviewState.CLOSED
    else:
        assert late == early


@pytest.mark.parametrize(
    ("kinds", "stands"),
    [
        ([], ReviewState.OPEN),
        (["ASSIGNED"], ReviewState.ASSIGNED),
        (["ASSIGNED", "RELEASED"], ReviewState.OPEN),
        (["ADDED", "APPLIED"], ReviewState.OPEN),
        (["ASSIGNED", "PROPOSED"], ReviewState.AWAITING_SECOND),
        (["ASSIGNED", "PROPOSED", "ASSIGNED"], ReviewState.AWAITING_SECOND),
        (["ASSIGNED", "PROPOSED", "ASSIGNED", "RELEASED"], ReviewState.AWAITING_SECOND),
        (["ASSIGNED", "PROPOSED", "ASSIGNED", "DECIDED"], ReviewState.DECIDED),
        (["ASSIGNED", "DECIDED"], ReviewState.DECIDED),
        (["ASSIGNED", "DECIDED", "APPEALED"], ReviewState.APPEALED),
        (["ASSIGNED", "DECIDED", "APPEALED", "CLOSED"], ReviewState.CLOSED),
        (["ASSIGNED", "DECIDED", "CLOSED"], ReviewState.CLOSED),
        (["WITHDRAWN"], ReviewState.CLOSED),
        (["ASSIGNED", "WITHDRAWN"], ReviewState.CLOSED),
    ],
)
async def test_a_list_by_state_agrees_with_the_fold(
    operator: Database, kinds: list[str], stands: ReviewState
) -> None:
    async with operator.writing() as session:
        review = await reviews.open_review(
            session, ReviewKind.APPEAL, subject_ids=[], opened_by=OPERATOR_ID
        )
        for kind in kinds:
            given = ReviewEventKind(kind)
            ruling = Ruling.DENY if given in RULED else None
            await reviews.record(session, review, given, OPERATOR_ID, ruling=ruling)
    before = UUID(int=review.int - 1)
    async with operator.reading() as session:
        assert (await reviews.standing(session, review)).state is stands
        for one in ReviewState:
            page = await dockets.page(
                session, kind=None, state=one, assignee=None, first=1, after=before
            )
            assert ([review] == [found.id for found in page.items]) == (one is stands)
        mine = await dockets.page(
            session, kind=None, state=None, assignee=OPERATOR_ID, first=1, after=before
        )
    assert ([review] == [found.id for found in mine.items]) == (kinds[-1:] == ["ASSIGNED"])


async def test_the_same_thing_is_one_review(operator: Database) -> None:
    digest = new_id().bytes
    async with operator.writing() as session:
        ids = [
            await reviews.open_review(
                session,
                ReviewKind.GREY_MATCH,
                subject_ids=[],
                opened_by=OPERATOR_ID,
                same_as=digest,
            )
            for _ in range(2)
        ]
        found = await reviews.same(session, digest)
    assert found is not None
    assert found.id == ids[0]
