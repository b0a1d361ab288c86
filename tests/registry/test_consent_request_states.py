"""What answers to a request for consent add up to, whatever they are and in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.consent_requests import RequestEventKind, RequestState, foremost, state_of
from registry.policy.vocabulary import GrantState

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)

answers = st.lists(
    st.one_of(
        st.tuples(st.just(RequestEventKind.DEFERRED), st.none()),
        st.tuples(st.just(RequestEventKind.REFUSED), st.none()),
        st.tuples(st.just(RequestEventKind.PROPOSED), st.sampled_from(GrantState) | st.none()),
    ),
    max_size=6,
)
ends = st.timedeltas(timedelta(days=-90), timedelta(days=90)).map(lambda by: NOW + by)


@given(answers, ends)
def test_granted_only_while_the_last_grant_is_active(
    said: list[tuple[str, GrantState | None]], expires_at: datetime
) -> None:
    if state_of(said, expires_at=expires_at, at=NOW) is RequestState.GRANTED:
        assert said[-1] == (RequestEventKind.PROPOSED, GrantState.ACTIVE)
        assert RequestEventKind.REFUSED not in {kind for kind, _ in said}


@given(answers, answers, ends)
def test_a_refusal_is_final(
    before: list[tuple[str, GrantState | None]],
    after: list[tuple[str, GrantState | None]],
    expires_at: datetime,
) -> None:
    said = [*before, (RequestEventKind.REFUSED, None), *after]
    assert state_of(said, expires_at=expires_at, at=NOW) is RequestState.REFUSED


@given(answers)
def test_time_ends_what_waits_and_nothing_else(
    said: list[tuple[str, GrantState | None]],
) -> None:
    waiting = state_of(said, expires_at=LATER, at=NOW)
    over = state_of(said, expires_at=NOW, at=NOW)
    if waiting in {RequestState.REQUESTED, RequestState.DEFERRED}:
        assert over is RequestState.EXPIRED
    else:
        assert over is waiting


@pytest.mark.parametrize(
    ("grant", "state"),
    [
        (None, "REQUESTED"),
        (GrantState.DRAFT, "REQUESTED"),
        (GrantState.PENDING, "REQUESTED"),
        (GrantState.ACTIVE, "GRANTED"),
        (GrantState.SUSPENDED, "DEFERRED"),
        (GrantState.REVOKED, "REFUSED"),
        (GrantState.REJECTED, "REFUSED"),
        (GrantState.EXPIRED, "EXPIRED"),
    ],
)
def test_a_yes_is_worth_what_its_grant_is_now(grant: GrantState | None, state: str) -> None:
    said = [(RequestEventKind.DEFERRED, None), (RequestEventKind.PROPOSED, grant)]
    assert state_of(said, expires_at=LATER, at=NOW) == state


def test_an_unknown_answer_is_a_defect_and_no_permission() -> None:
    with pytest.raises(ValueError, match="SHRUGGED"):
        state_of([("SHRUGGED", GrantState.ACTIVE)], expires_at=LATER, at=NOW)


@given(st.sets(st.sampled_from(RequestState)), ends)
def test_of_several_who_were_asked_one_yes_is_a_yes(
    states: set[RequestState], expires_at: datetime
) -> None:
    found = foremost(states, expires_at=expires_at, at=NOW)
    assert (found is RequestState.GRANTED) == (RequestState.GRANTED in states)
    if not states:
        expected = RequestState.EXPIRED if expires_at <= NOW else RequestState.REQUESTED
        assert found is expected


def test_a_request_that_reached_nobody_looks_like_one_that_waits() -> None:
    for at in (EARLIER, NOW, LATER):
        nobody = foremost([], expires_at=NOW, at=at)
        waits = foremost([state_of([], expires_at=NOW, at=at)], expires_at=NOW, at=at)
        assert nobody is waits
