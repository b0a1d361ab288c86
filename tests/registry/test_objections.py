"""What an objection's events add up to: no act of somebody less sure takes a proved right away."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from registry.objections import CONTEST_PERIOD, ENDED, ObjectionEventKind, standing_of
from registry.policy.vocabulary import ObjectionState

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Happened = list[tuple[str, datetime]]
_DAYS = st.integers(0, 60)
# What others may bring about, and what the objector's own side may.
OTHERS = st.sampled_from([ObjectionEventKind.CONTESTED, ObjectionEventKind.DISPUTED])
ANY = st.sampled_from(
    [
        ObjectionEventKind.CONTESTED,
        ObjectionEventKind.DISPUTED,
        ObjectionEventKind.VERIFIED,
        ObjectionEventKind.WITHDRAWN,
    ]
)


def histories(kinds: st.SearchStrategy[ObjectionEventKind]) -> st.SearchStrategy[Happened]:
    """Events in the order of time."""
    return st.lists(st.tuples(kinds, _DAYS), max_size=8).map(
        lambda events: [
            (str(kind), BEGIN + timedelta(days=day))
            for kind, day in sorted(events, key=lambda one: one[1])
        ]
    )


@given(histories(OTHERS), _DAYS, _DAYS)
def test_a_proved_objection_is_ended_by_nobody_else(
    after: Happened, proved: int, more: int
) -> None:
    at = BEGIN + timedelta(days=proved)
    events = [(str(ObjectionEventKind.VERIFIED), at)]
    events += [one for one in after if one[1] >= at]
    assert standing_of(events, at=BEGIN + timedelta(days=60 + more)).state not in ENDED


@given(histories(OTHERS), _DAYS)
def test_an_unproved_one_stands_until_fourteen_days_after_it_was_contested(
    events: Happened, day: int
) -> None:
    at = BEGIN + timedelta(days=day)
    known = [one for one in events if one[1] <= at]
    contested = [when for kind, when in known if kind == ObjectionEventKind.CONTESTED]
    found = standing_of(known, at=at)
    if contested and at >= contested[0] + CONTEST_PERIOD:
        assert (found.state, found.ended_at) == (
            ObjectionState.LAPSED,
            contested[0] + CONTEST_PERIOD,
        )
    else:
        assert found.state not in ENDED


@given(histories(ANY), st.lists(_DAYS, min_size=2, max_size=2))
def test_what_ended_stays_ended(events: Happened, days: list[int]) -> None:
    earlier, later = (BEGIN + timedelta(days=day) for day in sorted(days))
    before = standing_of([one for one in events if one[1] <= earlier], at=earlier)
    after = standing_of([one for one in events if one[1] <= later], at=later)
    if before.state in ENDED:
        assert after == before


@given(histories(ANY))
def test_only_a_contest_and_time_or_its_own_side_end_it(events: Happened) -> None:
    ended = standing_of(events, at=BEGIN + timedelta(days=90))
    kinds = {kind for kind, _ in events}
    if ended.state is ObjectionState.LAPSED:
        assert ObjectionEventKind.CONTESTED in kinds
    if ended.state is ObjectionState.WITHDRAWN:
        assert ObjectionEventKind.WITHDRAWN in kinds
    assert ended.state not in ENDED or ended.ended_at is not None


def test_proved_in_time_it_stays_and_too_late_it_does_not() -> None:
    contested = (str(ObjectionEventKind.CONTESTED), BEGIN)
    late = BEGIN + 2 * CONTEST_PERIOD
    in_time = (str(ObjectionEventKind.VERIFIED), BEGIN + CONTEST_PERIOD - timedelta(seconds=1))
    too_late = (str(ObjectionEventKind.VERIFIED), BEGIN + CONTEST_PERIOD)
    assert standing_of([contested, in_time], at=late).state is ObjectionState.VERIFIED
    assert standing_of([contested, too_late], at=late).state is ObjectionState.LAPSED
