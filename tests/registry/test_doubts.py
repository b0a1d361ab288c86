"""Doubtful matches: read off the records of decisions, none missed and none doubled."""

from dataclasses import replace
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy import func, select

from api.state import State
from registry import decisions, doubts, replay, upkeep
from registry.database import Database
from registry.decisions import Recorded
from registry.doubts import LogScan
from registry.log.entries import LogLeaf
from registry.reviews import Review, ReviewKind
from tests import acts
from tests.conftest import Account, Accounts, Execute

GREY_BITS = 54


def nearly(hex: str) -> str:
    """A hash so far from this one that it is unsure whether it is the same picture."""
    return f"{int(hex, 16) ^ ((1 << GREY_BITS) - 1):064x}"


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> tuple[str, str]:
    """Somebody with a registered picture, and a hash that is nearly that of it."""
    id, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [id], picture)
    return id, nearly(picture)


async def recorded(state: State, operator: Database, decision_id: str) -> Recorded:
    async with operator.reading() as session:
        row = await decisions.get(session, UUID(decision_id))
        assert row is not None
        return await replay.opened(session, row, keys=state.keys)


async def about(operator: Database, subject: str) -> list[Review]:
    async with operator.reading() as session:
        rows = await session.scalars(
            select(Review).where(Review.subject_ids.contains([UUID(subject)]))
        )
        return list(rows)


async def ask(execute: Execute, service: Account, hash: str) -> str:
    made = await acts.check(execute, service, acts.question(hash))
    assert acts.codes(made) == {"GREY_ZONE_MATCH"}, made
    id: str = made["id"]
    return id


async def test_the_upkeep_brings_each_doubt_once(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    subject: tuple[str, str],
) -> None:
    id, hash = subject
    for _ in range(3):
        for _ in range(2):
            await ask(execute, service, hash)
        await upkeep.run(operator, state.keys, state.checker.packs)
    (review,) = await about(operator, id)
    assert (review.kind, review.subject_ids) == (ReviewKind.GREY_MATCH, [UUID(id)])


async def test_how_far_the_log_was_read_is_remembered_and_batches_end_where_it_does(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    subject: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doubts, "BATCH", 2)
    for _ in range(5):
        await ask(execute, service, subject[1])
    await upkeep.run(operator, state.keys, state.checker.packs)
    async with operator.reading() as session:
        end = await session.scalar(select(func.max(LogLeaf.index)))
        read = await session.scalar(select(func.max(LogScan.size)))
    assert end is not None
    assert read == end + 1
    assert len(await about(operator, subject[0])) == 1


async def test_another_service_has_a_review_of_its_own(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    accounts: Accounts,
    subject: tuple[str, str],
) -> None:
    other = await accounts.open(service.kind)
    for one in (service, other):
        await ask(execute, one, subject[1])
    await upkeep.run(operator, state.keys, state.checker.packs)
    assert len(await about(operator, subject[0])) == 2


async def test_a_decision_keeps_what_its_probes_were(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    subject: tuple[str, str],
) -> None:
    found = await recorded(state, operator, await ask(execute, service, subject[1]))
    assert found.media == ((f"hash:{subject[1]}",),)
    (doubt,) = doubts.doubts(found)
    assert doubt.probe == f"hash:{subject[1]}/FACE"
    assert doubt.subject_ids == {UUID(subject[0])}
    (match,) = doubts.matches(found)
    assert replace(match, kind=doubt.kind) == doubt


async def test_a_record_of_an_earlier_release_opens_and_names_no_probe(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    subject: tuple[str, str],
) -> None:
    found = await recorded(state, operator, await ask(execute, service, subject[1]))
    adapter = decisions._RECORDED  # as it was stored
    stored = orjson.loads(adapter.dump_json(found))
    del stored["media"]
    older = adapter.validate_json(orjson.dumps(stored))
    assert older == replace(found, media=())
    (doubt,) = doubts.doubts(older)
    assert doubt.probe is None
    assert doubts.as_seen([doubt]) == ()


async def test_what_is_about_an_erased_person_is_passed_over(
    state: State,
    operator: Database,
    execute: Execute,
    service: Account,
    subject: tuple[str, str],
    urls: tuple[str, str],
) -> None:
    await ask(execute, service, subject[1])
    connection = await asyncpg.connect(urls[0])
    await connection.execute("delete from subject_keys where subject_id = $1", UUID(subject[0]))
    await connection.close()
    await upkeep.run(operator, state.keys, state.checker.packs)
    assert await about(operator, subject[0]) == []
