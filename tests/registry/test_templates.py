"""Templates: means of enrolled samples, sealed, replaced and never changed."""

from uuid import UUID

import asyncpg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.state import State
from registry import subjects, templates
from registry.encoders.identity import FACE, VOICE, Condition
from registry.errors import InvalidError, NotFoundError
from registry.samples import Verdict
from registry.sealing import SealError
from tests.conftest import Accounts
from tests.registry.enrolling import Person, face, person, unit, voice

PHOTO = (FACE, Condition.PHOTO)


@pytest.fixture
async def ada(state: State, accounts: Accounts) -> Person:
    return await person(state, accounts)


async def rows(urls: tuple[str, str], subject: UUID) -> list[asyncpg.Record]:
    """Every template there ever was, as the database's owner sees it."""
    connection = await asyncpg.connect(urls[0])
    found = await connection.fetch(
        "select t.*, e.id is not null as retired, t.xid::text as made_in,"
        " e.xmin::text as retired_in from templates t"
        " left join template_events e on e.template_id = t.id where subject_id = $1 order by t.id",
        subject,
    )
    await connection.close()
    return list(found)


@given(st.integers(1, 8), st.integers(2, 64), st.integers(0, 2**32 - 1))
def test_the_mean_has_unit_length_whatever_the_order(n: int, dimensions: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((n, dimensions))
    vectors[:, 0] += 20  # of one person: they point in about the same direction
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    folded = templates.fold(list(vectors))
    assert folded.dtype == np.float32
    assert np.linalg.norm(folded.astype(np.float64)) == pytest.approx(1, abs=1e-6)
    assert templates.fold(list(vectors[::-1])) == pytest.approx(folded, abs=1e-6)
    mean = vectors.astype(np.float64).mean(axis=0)
    assert folded @ mean == pytest.approx(np.linalg.norm(mean), abs=1e-6)


def test_the_mean_of_one_is_itself_and_opposites_have_none() -> None:
    one = unit()
    assert templates.fold([one]) == pytest.approx(one, abs=1e-7)
    with pytest.raises(InvalidError, match="contradict"):
        templates.fold([one, -one])


async def test_the_same_photograph_twice_counts_once(ada: Person) -> None:
    vector = unit()
    await ada.enrol(face(vector))
    await ada.enrol(face(vector))
    await ada.enrol(face())
    ((_, count),) = (await ada.own()).values()
    assert count == 2


async def test_a_template_is_the_mean_of_what_is_enrolled(ada: Person) -> None:
    base = unit()
    vectors = [templates.fold([base, base, unit()]) for _ in range(3)]
    for count in (1, 2, 3):
        await ada.enrol(face(vectors[count - 1]))
        raw, samples = (await ada.own())[PHOTO]
        assert samples == count
        expected = templates.fold(vectors[:count])
        assert np.frombuffer(raw, "<f4") == pytest.approx(expected, abs=1e-6)


async def test_a_new_template_replaces_the_former_in_one_transaction(
    ada: Person, urls: tuple[str, str]
) -> None:
    await ada.enrol()
    await ada.enrol()
    former, latter = await rows(urls, ada.subject)
    assert (former["retired"], latter["retired"]) == (True, False)
    assert int(latter["made_in"]) % 2**32 == int(former["retired_in"])
    assert [one.id for one in await ada.live()] == [latter["id"]]


async def test_what_stays_the_same_keeps_its_row(ada: Person, urls: tuple[str, str]) -> None:
    await ada.enrol()
    before = await rows(urls, ada.subject)
    for verdict in (Verdict.HOLD_FAR_FROM_OWN, Verdict.HOLD_NEAR_OTHERS):
        await ada.enrol(verdict=verdict)
    async with ada.db.writing() as session:
        await templates.derive(session, ada.subject, actor_id=ada.account.id, keys=ada.state.keys)
    assert await rows(urls, ada.subject) == before
    await ada.enrol(voice())
    now = await rows(urls, ada.subject)
    assert now[:1] == before  # a recording does not touch the face
    assert len(now) == 3


async def test_each_condition_has_a_template_of_its_own(ada: Person) -> None:
    await ada.enrol(voice())
    only_wide = {key: raw for key, raw in voice().items() if key[1] is Condition.WIDE}
    await ada.enrol(only_wide)
    found = {key: samples for key, (_, samples) in (await ada.own()).items()}
    assert found == {(VOICE, Condition.WIDE): 2, (VOICE, Condition.TELEPHONE): 1}


async def test_when_the_last_sample_goes_nothing_takes_its_place(ada: Person) -> None:
    sample = await ada.enrol()
    await ada.retire(sample)
    assert await ada.own() == {}


@pytest.mark.parametrize("ial", [1, 2])
async def test_a_template_says_whether_its_subject_was_verified(
    state: State, accounts: Accounts, ial: int
) -> None:
    somebody = await person(state, accounts, ial=ial)
    await somebody.enrol()
    assert [one.verified for one in await somebody.live()] == [ial == 2]


async def test_a_registration_that_is_disputed_moves_the_template(
    ada: Person, urls: tuple[str, str]
) -> None:
    await ada.enrol()
    async with ada.db.writing() as session:
        session.add(
            subjects.SubjectEvent(
                subject_id=ada.subject,
                kind=subjects.SubjectEventKind.DISPUTED,
                actor_id=ada.account.id,
            )
        )
        await session.flush()
        await templates.derive(session, ada.subject, actor_id=ada.account.id, keys=ada.state.keys)
    assert [one["verified"] for one in await rows(urls, ada.subject)] == [True, False]
    assert [one.verified for one in await ada.live()] == [False]


async def test_a_sealed_vector_opens_in_its_own_row_only(
    ada: Person, urls: tuple[str, str]
) -> None:
    vector = unit()
    await ada.enrol(face(vector))
    await ada.enrol(voice())
    stored = await rows(urls, ada.subject)
    raw, _ = (await ada.own())[PHOTO]
    for row in stored:
        assert vector.tobytes()[:16] not in row["sealed_vector"]
        assert raw[:16] not in row["sealed_vector"]
    async with ada.db.reading() as session:
        key = await templates.key_of(session, ada.subject, keys=ada.state.keys)
    mine, other = stored[0], stored[1]
    opened = key.open(mine["sealed_vector"], context=templates.vector_context(mine["id"]))
    assert opened == raw
    with pytest.raises(SealError):
        key.open(mine["sealed_vector"], context=templates.vector_context(other["id"]))


async def test_of_an_erased_subject_nothing_is_left_to_compare_with(
    ada: Person, urls: tuple[str, str]
) -> None:
    sample = await ada.enrol()
    connection = await asyncpg.connect(urls[0])
    await connection.execute("delete from subject_keys where subject_id = $1", ada.subject)
    await connection.close()
    with pytest.raises(NotFoundError):
        await ada.own()
    with pytest.raises(NotFoundError):
        await ada.enrol()
    await ada.retire(sample)
    assert await ada.live() == []
