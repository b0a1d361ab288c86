"""What a complaint's events add up to, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from registry.complaint_states import WAITING, ComplaintEventKind, ComplaintState, state_of

HISTORIES = st.lists(st.sampled_from(ComplaintEventKind), max_size=10)
FINDINGS = {ComplaintEventKind.CONFIRMED, ComplaintEventKind.NOT_CONFIRMED}


@given(HISTORIES)
def test_only_a_finding_or_a_withdrawal_ends_the_wait(history: list[ComplaintEventKind]) -> None:
    ended = set(history) - {ComplaintEventKind.TAKEN_UP}
    assert (state_of(history) in WAITING) == (not ended)


@given(HISTORIES)
def test_the_latest_finding_counts_unless_it_was_withdrawn_first(
    history: list[ComplaintEventKind],
) -> None:
    ends = [one for one in history if one is not ComplaintEventKind.TAKEN_UP]
    if not ends:
        return
    if ends[0] is ComplaintEventKind.WITHDRAWN:
        assert state_of(history) is ComplaintState.WITHDRAWN
    else:
        latest = [one for one in ends if one in FINDINGS][-1]
        assert state_of(history) == latest


@given(HISTORIES, HISTORIES)
def test_withdrawn_is_final(
    before: list[ComplaintEventKind], after: list[ComplaintEventKind]
) -> None:
    if state_of(before) is ComplaintState.WITHDRAWN:
        assert state_of([*before, *after]) is ComplaintState.WITHDRAWN


@given(st.integers(1, 5))
def test_it_is_in_review_from_when_it_was_first_taken_up(times: int) -> None:
    assert state_of([]) is ComplaintState.RECEIVED
    assert state_of([ComplaintEventKind.TAKEN_UP] * times) is ComplaintState.IN_REVIEW
