"""Enrolment: judged first, the same to see for all below IAL2, and taken back at any time."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import event, func, select

from api.state import State
from registry import enrolment, samples
from registry.database import Database
from registry.encoders.identity import FACE, VOICE, Condition
from registry.errors import (
    BusyError,
    ConflictError,
    InvalidError,
    NotFoundError,
    RegistryError,
    UnavailableError,
)
from registry.policy.vocabulary import Modality
from registry.principals import OPERATOR_ID
from registry.samples import Sample, SampleState, Verdict
from tests.conftest import Accounts
from tests.registry.enrolling import Judge, Person, another, face, person, unit, voice

PHOTO = (FACE, Condition.PHOTO)
STATES = {
    Verdict.JOIN: SampleState.ENROLLED,
    Verdict.HOLD_FAR_FROM_OWN: SampleState.IN_REVIEW,
    Verdict.HOLD_NEAR_OTHERS: SampleState.IN_REVIEW,
    Verdict.REFUSE: SampleState.REFUSED,
}


@pytest.fixture
async def ada(state: State, accounts: Accounts) -> Person:
    """Known at IAL2."""
    return await person(state, accounts)


@pytest.fixture
async def weak(state: State, accounts: Accounts) -> Person:
    """Known at IAL1."""
    return await person(state, accounts, ial=1)


async def true_state(somebody: Person, sample: Sample) -> SampleState:
    async with somebody.db.reading() as session:
        return (await samples.states(session, [sample.id]))[sample.id]


async def test_the_judge_sees_the_sample_and_its_subjects_own_templates(ada: Person) -> None:
    judge, first, second = Judge(), face(), face()
    await ada.enrol(first, judge=judge)
    await ada.enrol(second, judge=judge)
    assert judge.asked[0] == (ada.subject, Modality.FACE, first, {})
    subject, modality, vectors, own = judge.asked[1]
    assert (subject, modality, vectors) == (ada.subject, Modality.FACE, second)
    raw, count = own[PHOTO]
    assert count == 1
    given = np.frombuffer(first[PHOTO], "<f4")
    assert np.frombuffer(raw, "<f4") == pytest.approx(given, abs=1e-6)


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.REFUSE])
async def test_a_sample_joins_or_waits_as_it_is_judged(ada: Person, verdict: Verdict) -> None:
    sample = await ada.enrol(verdict=verdict)
    assert await true_state(ada, sample) is STATES[verdict]
    assert len(await ada.live()) == (verdict is Verdict.JOIN)


async def test_what_is_near_to_everybody_is_refused_without_a_word_about_whom(
    ada: Person,
) -> None:
    with pytest.raises(ConflictError) as refused:
        await ada.enrol(verdict=Verdict.REFUSE)
    assert not any(one.isdigit() for one in str(refused.value))
    async with ada.db.reading() as session:
        assert (await samples.by_subject(session, [ada.subject]))[ada.subject] == []


@contextmanager
def counted(state: State) -> Generator[list[str]]:
    """The first words of the statements that run inside the block."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(" ".join(statement.split()[:3]))

    engine = state.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def test_below_ial2_every_verdict_looks_the_same(weak: Person) -> None:
    await weak.enrol()
    shown, work = [], []
    for verdict in Verdict:
        with counted(weak.state) as statements:
            sample = await weak.enrol(verdict=verdict)
        true = await true_state(weak, sample)
        assert true is STATES[verdict]
        shown.append((samples.shown(true, ial=1), sample.modality, sample.encoders, sample.ial))
        work.append(len([one for one in statements if one.startswith("SELECT")]))
    assert shown == [shown[0]] * len(Verdict)
    assert work == [work[0]] * len(Verdict)
    assert (await weak.own())[PHOTO][1] == 2  # only what joined counts, in truth


@pytest.mark.parametrize(
    "vectors",
    [
        {},
        {PHOTO: b""},
        {PHOTO: unit().tobytes()[:-1]},
        {PHOTO: unit(64).tobytes()},
        {PHOTO: (2 * unit()).tobytes()},
        {PHOTO: (1.002 * unit()).astype(np.float32).tobytes()},
        {PHOTO: np.full(128, 128**-0.5, np.float32).tobytes()},
        {PHOTO: np.full(128, np.nan, np.float32).tobytes()},
        {PHOTO: np.full(128, np.inf, np.float32).tobytes()},
        {PHOTO: np.zeros(128, np.float32).tobytes()},
        {PHOTO: unit().tobytes(), ("own/1", Condition.PHOTO): np.zeros(9, np.float32).tobytes()},
        {(FACE, Condition.WIDE): unit().tobytes()},
        {(VOICE, Condition.WIDE): unit(192).tobytes(), PHOTO: unit().tobytes()},
    ],
    ids=range(13),
)
async def test_what_no_encoder_makes_is_refused(
    ada: Person, vectors: dict[tuple[str, Condition], bytes]
) -> None:
    judge = Judge()
    with pytest.raises(InvalidError):
        await ada.enrol(vectors, judge=judge)
    assert judge.asked == []


async def test_a_sample_is_of_a_face_or_of_a_voice() -> None:
    with pytest.raises(InvalidError):
        enrolment.check(face(), Modality.BODY)
    enrolment.check(face(), Modality.FACE)
    enrolment.check(voice(), Modality.VOICE)


async def test_only_the_owner_enrols_and_retires(
    state: State, accounts: Accounts, ada: Person
) -> None:
    stranger = await person(state, accounts)
    sample = await ada.enrol()
    posing = Person(state, stranger.account, ada.subject, 2)
    judge = Judge()
    with pytest.raises(NotFoundError):
        await posing.enrol(judge=judge)
    with pytest.raises(NotFoundError):
        await posing.retire(sample)
    assert judge.asked == []
    assert await true_state(ada, sample) is SampleState.ENROLLED


async def test_what_is_retired_no_longer_counts_and_stays_so(ada: Person) -> None:
    first, second = unit(), unit()
    await ada.enrol(face(first))
    gone = await ada.enrol(face(second))
    await ada.retire(gone)
    raw, count = (await ada.own())[PHOTO]
    assert count == 1
    assert np.frombuffer(raw, "<f4") == pytest.approx(first, abs=1e-6)
    with pytest.raises(ConflictError):
        await ada.retire(gone)


async def decide(operator: Database, ada: Person, sample: Sample, what: str) -> Sample:
    """The operator releases or refuses it."""
    async with operator.writing() as session:
        act = {"release": enrolment.release, "refuse": enrolment.refuse}[what]
        return await act(session, sample_id=sample.id, actor_id=OPERATOR_ID, keys=ada.state.keys)


async def test_the_operator_lets_a_sample_count_or_not(ada: Person, operator: Database) -> None:
    held = await ada.enrol(verdict=Verdict.HOLD_NEAR_OTHERS)
    await decide(operator, ada, held, "release")
    assert (await ada.own())[PHOTO][1] == 1
    with pytest.raises(ConflictError):
        await decide(operator, ada, held, "release")
    await decide(operator, ada, held, "refuse")
    assert await ada.own() == {}
    with pytest.raises(ConflictError):
        await decide(operator, ada, held, "refuse")
    await ada.retire(held)
    for what in ("release", "refuse"):
        with pytest.raises(ConflictError):
            await decide(operator, ada, held, what)
    assert await true_state(ada, held) is SampleState.RETIRED


async def test_many_enrolled_at_once_are_judged_one_after_another_and_all_count(
    ada: Person,
) -> None:
    judge = Judge()
    made = await asyncio.gather(*(ada.enrol(judge=judge) for _ in range(4)))
    assert sorted(own[PHOTO][1] if own else 0 for *_, own in judge.asked) == [0, 1, 2, 3]
    (template,) = await ada.live()
    assert template.samples == 4
    await asyncio.gather(*(ada.retire(one) for one in made))
    assert await ada.live() == []


async def test_a_sample_that_cannot_be_judged_is_not_enrolled(ada: Person) -> None:
    async def away(*_: object) -> Verdict:
        raise UnavailableError("The registry is not ready.")

    with pytest.raises(UnavailableError):
        await ada.enrol(judge=away)  # type: ignore[arg-type]  # a judge as good as any
    async with ada.db.reading() as session:
        assert (
            await session.scalar(select(func.count()).where(Sample.subject_id == ada.subject)) == 0
        )


async def outcomes(*tries: object) -> list[type | None]:
    """The class of each refusal; None where it went through."""
    done = await asyncio.gather(*tries, return_exceptions=True)  # type: ignore[call-overload]
    assert all(isinstance(one, (Sample, RegistryError)) for one in done), done
    return [type(one) if isinstance(one, RegistryError) else None for one in done]


async def test_below_ial2_an_account_has_a_budget_over_all_its_subjects(
    state: State, weak: Person
) -> None:
    other = await another(state, weak.account, ial=1)
    done = await outcomes(
        *(one.enrol(daily=3, verdict=Verdict.REFUSE) for one in (weak, other, weak, other, weak))
    )
    assert done.count(None) == 3
    assert done.count(BusyError) == 2
    with pytest.raises(BusyError) as refused:
        await weak.enrol(daily=3)
    assert refused.value.retry_after is not None
    assert 86_000 < refused.value.retry_after <= 86_400
    await weak.enrol(daily=4)


async def test_from_ial2_on_there_is_no_budget(ada: Person) -> None:
    for _ in range(3):
        await ada.enrol(daily=1)


async def test_a_subject_has_room_for_so_many_samples_of_a_modality(
    ada: Person, weak: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MAX_LIVE", 3)
    for somebody in (ada, weak):
        done = await outcomes(*(somebody.enrol() for _ in range(5)))
        assert done.count(None) == 3
        assert done.count(InvalidError) == 2
        await somebody.enrol(voice())
    async with weak.db.reading() as session:
        first, *_ = (await samples.by_subject(session, [weak.subject]))[weak.subject]
    await weak.retire(first)
    await weak.enrol(verdict=Verdict.REFUSE)
    with pytest.raises(InvalidError, match="retire one"):
        await weak.enrol()  # what was refused unseen takes room as well


async def test_samples_that_contradict_each_other_are_refused(ada: Person) -> None:
    vector = unit()
    await ada.enrol(face(vector))
    with pytest.raises(InvalidError, match="contradict"):
        await ada.enrol(face(-vector))
    assert (await ada.own())[PHOTO][1] == 1
