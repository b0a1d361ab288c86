"""Samples: what is kept of a photograph or recording, what became of it, and who may see it."""

import asyncpg
import pytest
from sqlalchemy import select

from api.state import State
from registry import samples
from registry.database import Database, new_id
from registry.errors import NotFoundError
from registry.principals import OPERATOR_ID
from registry.samples import SampleEventKind, SampleState, Verdict
from registry.sealing import SealError
from registry.templates import Template, TemplateEvent, TemplateEventKind, key_of
from tests.conftest import Accounts
from tests.registry.enrolling import Person, face, person, unit, voice


@pytest.fixture
async def ada(state: State, accounts: Accounts) -> Person:
    return await person(state, accounts)


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ("", "ENROLLED"),
        ("HELD", "IN_REVIEW"),
        ("HELD RELEASED", "ENROLLED"),
        ("HELD REFUSED", "REFUSED"),
        ("REFUSED RELEASED", "ENROLLED"),
        ("HELD RELEASED HELD", "IN_REVIEW"),
        ("RETIRED", "RETIRED"),
        ("HELD RETIRED RELEASED", "RETIRED"),
    ],
)
def test_the_state_is_what_its_events_add_up_to(kinds: str, state: str) -> None:
    assert samples.state_of(kinds.split()) is SampleState(state)


def test_every_kind_of_event_leads_somewhere() -> None:
    assert {samples.state_of([kind]) for kind in SampleEventKind} == {
        SampleState.IN_REVIEW,
        SampleState.ENROLLED,
        SampleState.REFUSED,
        SampleState.RETIRED,
    }


@pytest.mark.parametrize("state", SampleState)
def test_below_ial2_no_state_tells_what_was_compared(state: SampleState) -> None:
    for ial in (0, 1):
        is_retired = state is SampleState.RETIRED
        assert samples.shown(state, ial=ial) is (
            SampleState.RETIRED if is_retired else SampleState.RECEIVED
        )
    assert samples.shown(state, ial=2) is state
    assert samples.shown(state, ial=3) is state


async def test_vectors_open_again_and_only_in_their_own_row(ada: Person) -> None:
    given = voice()
    sample = await ada.enrol(given)
    async with ada.db.reading() as session:
        key = await key_of(session, ada.subject, keys=ada.state.keys)
    assert samples.opened(sample, key) == given
    with pytest.raises(SealError):
        key.open(sample.sealed_vectors, context=samples.vectors_context(new_id()))


async def test_no_column_holds_a_vector_in_the_clear(ada: Person, urls: tuple[str, str]) -> None:
    vector = unit()
    sample = await ada.enrol(face(vector))
    connection = await asyncpg.connect(urls[0])
    row = await connection.fetchrow("select * from samples where id = $1", sample.id)
    await connection.close()
    raw = vector.tobytes()
    for value in row.values():
        held = value if isinstance(value, bytes) else str(value).encode()
        assert raw[:8] not in held
        assert b"vectors" not in held
    assert row["encoders"] == ["dlib-resnet/1"]


async def test_samples_are_listed_by_subject_oldest_first(
    state: State, accounts: Accounts, ada: Person
) -> None:
    grace = await person(state, accounts)
    made = [await ada.enrol() for _ in range(3)]
    hers = await grace.enrol()
    async with ada.db.reading() as session:
        found = await samples.by_subject(session, [ada.subject, grace.subject])
    assert [one.id for one in found[ada.subject]] == [one.id for one in made]
    assert found[grace.subject] == []
    async with grace.db.reading() as session:
        assert (await samples.mine(session, hers.id)).id == hers.id


async def test_a_list_has_every_live_sample_and_the_latest_of_the_retired(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MAX_LISTED", 4)
    made = [await ada.enrol() for _ in range(6)]
    for gone in (made[1], made[2], made[5]):
        await ada.retire(gone)
    async with ada.db.reading() as session:
        found = (await samples.by_subject(session, [ada.subject]))[ada.subject]
    assert [made.index(one) for one in made if one.id in {two.id for two in found}] == [0, 3, 4, 5]
    assert [one.id for one in found] == sorted(one.id for one in found)


async def test_another_owner_sees_nothing(state: State, accounts: Accounts, ada: Person) -> None:
    stranger = await person(state, accounts)
    sample = await ada.enrol(verdict=Verdict.HOLD_NEAR_OTHERS)
    await ada.enrol()
    assert len(await ada.live()) == 1
    async with stranger.db.reading() as session:
        with pytest.raises(NotFoundError):
            await samples.mine(session, sample.id)
        assert (await samples.held(session, first=100, after=None)).items == []
        mine = await session.scalars(select(Template).where(Template.subject_id == ada.subject))
        assert list(mine) == []
        assert await samples.states(session, [sample.id]) == {sample.id: SampleState.ENROLLED}


async def test_another_owner_adds_nothing(state: State, accounts: Accounts, ada: Person) -> None:
    stranger = await person(state, accounts)
    sample = await ada.enrol()
    (template,) = await ada.live()
    columns = {one.name for one in Template.__table__.columns} - {"id", "created_at", "xid"}
    for row in (
        samples.Sample(
            subject_id=ada.subject, modality=sample.modality, encoders=[], sealed_vectors=b"",
            enrolled_by=stranger.account.id, ial=2,
        ),
        samples.SampleEvent(
            sample_id=sample.id, kind=SampleEventKind.RETIRED, actor_id=stranger.account.id
        ),
        Template(**{name: getattr(template, name) for name in columns}),
        TemplateEvent(
            template_id=template.id, kind=TemplateEventKind.RETIRED,
            actor_id=stranger.account.id,
        ),
    ):  # fmt: skip
        with pytest.raises(Exception, match="row-level security"):
            async with stranger.db.writing() as session:
                session.add(row)


@pytest.mark.parametrize("forged", ["released", "as somebody else"])
async def test_an_owner_forges_no_event(ada: Person, forged: str) -> None:
    sample = await ada.enrol(verdict=Verdict.HOLD_NEAR_OTHERS)
    event = (
        {"kind": SampleEventKind.RELEASED, "actor_id": ada.account.id}
        if forged == "released"
        else {"kind": SampleEventKind.RETIRED, "actor_id": OPERATOR_ID}
    )
    with pytest.raises(Exception, match="row-level security"):
        async with ada.db.writing() as session:
            session.add(samples.SampleEvent(sample_id=sample.id, **event))


async def test_the_operator_sees_what_waits_and_why(ada: Person, operator: Database) -> None:
    held = await ada.enrol(verdict=Verdict.HOLD_NEAR_OTHERS)
    far = await ada.enrol(verdict=Verdict.HOLD_FAR_FROM_OWN)
    gone = await ada.enrol(verdict=Verdict.HOLD_FAR_FROM_OWN)
    joined = await ada.enrol()
    await ada.retire(gone)
    async with operator.reading() as session:
        page = await samples.held(session, first=2, after=None)
        seen = [one.id for one in page.items]
        while page.more:
            page = await samples.held(session, first=2, after=seen[-1])
            seen += [one.id for one in page.items]
        why = await samples.why_held(session, [held.id, far.id])
    assert [one for one in seen if one in {held.id, far.id, gone.id, joined.id}] == [
        held.id,
        far.id,
    ]
    assert why == {held.id: "HOLD_NEAR_OTHERS", far.id: "HOLD_FAR_FROM_OWN"}
