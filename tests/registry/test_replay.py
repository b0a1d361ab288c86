"""Decisions made again: the same facts and packs decide the same; what differs is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select

from api.state import State
from registry import decisions, replay, subjects
from registry.database import Database
from registry.decisions import Decision
from registry.policy.packs import PackSet
from registry.policy.shelf import Shelf, load_packs
from registry.policy.vocabulary import Outcome
from registry.replay import Fate, Replayed
from tests import acts
from tests.conftest import Account, Execute


@pytest.fixture
async def decision(execute: Execute, owner: Account, service: Account) -> tuple[UUID, str]:
    """A permission that was just given, and whom it is about."""
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)
    made = await acts.check(execute, service, acts.question(picture))
    assert made["mayProceed"], made
    return UUID(made["id"]), subject


async def again(
    state: State,
    operator: Database,
    decision_id: UUID,
    *,
    shelf: Shelf | None = None,
    packs: PackSet | None = None,
) -> Replayed:
    async with operator.reading() as session:
        row = await decisions.get(session, decision_id)
        assert row is not None
        return await replay.again(
            session, row, shelf=shelf or Shelf.of(None), packs=packs, keys=state.keys
        )


def silenced(packs: PackSet) -> PackSet:
    """These packs, of which none asks for any duty."""
    return PackSet({id: one.model_copy(update={"emits": ()}) for id, one in packs.packs.items()})


async def test_the_same_facts_and_packs_decide_the_same(
    state: State, operator: Database, decision: tuple[UUID, str]
) -> None:
    found = await again(state, operator, decision[0])
    assert (found.id, found.fate, found.differences) == (decision[0], Fate.SAME, ())
    assert (await again(state, operator, decision[0], packs=load_packs())).fate is Fate.SAME


async def test_what_other_packs_would_change_is_told(
    state: State, operator: Database, decision: tuple[UUID, str]
) -> None:
    found = await again(state, operator, decision[0], packs=silenced(load_packs()))
    assert found.fate is Fate.OTHER
    assert "duty LABEL_EXPLICIT is gone" in found.differences


async def test_a_decision_about_somebody_who_was_erased_cannot_be_opened(
    state: State, operator: Database, decision: tuple[UUID, str], urls: tuple[str, str]
) -> None:
    connection = await asyncpg.connect(urls[0])
    await connection.execute("delete from subject_keys where subject_id = $1", UUID(decision[1]))
    await connection.close()
    assert (await again(state, operator, decision[0])).fate is Fate.ERASED


async def test_a_pack_that_is_on_no_shelf_is_told(
    state: State, operator: Database, decision: tuple[UUID, str], tmp_path: Path
) -> None:
    found = await again(state, operator, decision[0], shelf=Shelf((tmp_path,)))
    assert (found.fate, found.differences) == (Fate.NO_PACK, ())


async def test_what_an_earlier_release_kept_is_told(
    state: State, operator: Database, decision: tuple[UUID, str], urls: tuple[str, str]
) -> None:
    id, subject = decision
    async with operator.reading() as session:
        row = await decisions.get(session, id)
        assert row is not None
        wrapped = (await subjects.wrapped_keys(session, [UUID(subject)]))[UUID(subject)]
    context = decisions.facts_context(id)
    inner = state.keys.open_key(UUID(subject), wrapped).seal(b"{}", context=context)
    sealed = state.keys.deployment_key.seal(inner, context=context)
    connection = await asyncpg.connect(urls[0])
    await connection.execute("set session_replication_role = replica")
    await connection.execute(
        "update decisions set sealed_facts = $1, sealed_for = $2 where id = $3",
        sealed, [UUID(subject)], id,
    )  # fmt: skip
    await connection.close()
    assert (await again(state, operator, id)).fate is Fate.OLDER


async def test_all_decisions_since_then_are_made_again_in_order(
    state: State, operator: Database, decision: tuple[UUID, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(replay, "_BATCH", 3)
    since = datetime.now(UTC) - timedelta(hours=1)
    async with operator.reading() as session:
        wanted = list(
            await session.scalars(
                select(Decision.id).where(Decision.decided_at >= since).order_by(Decision.id)
            )
        )
        assert await replay.count(session, since=since) == len(wanted)
        assert await replay.count(session, since=None) >= len(wanted)
        found = [
            one
            async for one in replay.replay(
                session, shelf=Shelf.of(None), packs=None, since=since, keys=state.keys
            )
        ]
        none = replay.replay(
            session,
            shelf=Shelf.of(None),
            packs=None,
            since=datetime.now(UTC) + timedelta(days=1),
            keys=state.keys,
        )
        assert [one async for one in none] == []
    assert [one.id for one in found] == wanted
    assert {one.id: one.fate for one in found}[decision[0]] is Fate.SAME
    assert all(one.fate is not Fate.OTHER for one in found)


async def test_differences_are_told_in_words(
    state: State, operator: Database, decision: tuple[UUID, str]
) -> None:
    async with operator.reading() as session:
        row = await decisions.get(session, decision[0])
        assert row is not None
        then = (await replay.opened(session, row, keys=state.keys)).decision
    assert replay._differences(then, then) == ()
    later = replace(then, valid_until=then.valid_until + timedelta(days=1))
    assert replay._differences(then, later) == ("basis or validity differ",)
    assert replay._differences(replace(then, obligations=()), then) == (
        "duty LABEL_EXPLICIT is new",
        "duty LABEL_MACHINE_READABLE is new",
        "duty REPORT_USAGE is new",
    )
    forbidden = replace(then, outcome=Outcome.PROHIBITED)
    assert replay._differences(then, forbidden) == (f"outcome {then.outcome}, now PROHIBITED",)
