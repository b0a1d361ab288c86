from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from registry.database import ReadSession, create_engine, new_id
from registry.errors import InvalidError
from registry.key_files import KeyRole
from registry.keys import Keys
from registry.log import audit as audits
from registry.log import entries, merkle
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.entries import LogCheckpoint, LogLeaf, LogNode
from tests.conftest import State

ORIGIN = "audit.test/log"
BATCHES = (1, 3, 1, 5, 2, 7)
SIZE = sum(BATCHES)


def _verifier_keys(keys: Keys) -> list[str]:
    return [str(VerifierKey(ORIGIN, one)) for one in keys.public_keys(KeyRole.LOG).values()]


@asynccontextmanager
async def _alone(admin_url: str) -> AsyncIterator[AsyncSession]:
    """The schema's owner in a transaction that never happens, its log empty and unguarded."""
    engine = create_engine(admin_url, role=None, size=1)
    async with AsyncSession(engine) as session:
        for table in ("log_leaves", "log_nodes", "checkpoints"):
            await session.execute(text(f"alter table {table} disable trigger user"))
            await session.execute(text(f"delete from {table}"))
        yield session
        await session.rollback()
    await engine.dispose()


@pytest.fixture
async def session(urls: tuple[str, str], state: State) -> AsyncIterator[AsyncSession]:
    """A log of SIZE leaves, appended batch by batch as checks do."""
    async with _alone(urls[0]) as session:
        frontier = merkle.Frontier()
        for count in BATCHES:
            leaves = [new_id().bytes * 2 for _ in range(count)]
            grown = entries.extend(frontier, leaves, origin=ORIGIN, keys=state.keys)
            session.add_all(
                LogLeaf(index=grown.first_index + at, entry=one) for at, one in enumerate(leaves)
            )
            session.add_all(
                LogNode(level=level, index=index, hash=value) for level, index, value in grown.nodes
            )
            stored = b"".join(grown.frontier.hashes)
            size = grown.frontier.size
            await session.execute(
                text("insert into checkpoints values (:size, :root, :frontier, :note, now())"),
                {"size": size, "root": grown.root, "frontier": stored, "note": grown.note},
            )
            frontier = grown.frontier
        await session.flush()
        session.expunge_all()
        yield session


async def _audit(
    session: AsyncSession, keys: Keys, held: dict[str, Checkpoint] | None = None
) -> tuple[audits.Audit, list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    found = await audits.audit(
        ReadSession(session),
        verifier_keys=_verifier_keys(keys),
        held=held or {},
        progress=lambda done, total: seen.append((done, total)),
    )
    return found, seen


@pytest.mark.parametrize("batch", [1, 4, 4096])
async def test_a_log_that_was_only_appended_to_holds(
    session: AsyncSession, state: State, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(audits, "BATCH", batch)
    found, seen = await _audit(session, state.keys)
    assert found == audits.Audit(leaves=SIZE, checkpoints=len(BATCHES), held=0)
    assert seen[0] == (0, SIZE)
    assert seen[-1] == (SIZE, SIZE)


async def test_an_empty_log_holds(urls: tuple[str, str], state: State) -> None:
    async with _alone(urls[0]) as session:
        found, seen = await _audit(session, state.keys)
    assert found == audits.Audit(leaves=0, checkpoints=0, held=0)
    assert seen == [(0, 0)]


@pytest.mark.parametrize("batch", [4, 4096])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("update log_leaves set entry = '\\x00' where index = 2", "Checkpoint 4 has another root"),
        ("delete from log_leaves where index = 6", "Leaf 6 is missing"),
        (f"delete from log_leaves where index = {SIZE - 1}", f"Leaf {SIZE - 1} is missing"),
        (f"insert into log_leaves values ({SIZE}, '\\x00')", f"Leaf {SIZE} is in no checkpoint"),
        (f"delete from checkpoints where size = {SIZE}", "Leaf 12 is in no checkpoint"),
        (
            "update checkpoints set root = sha256('x') where size = 5",
            "Checkpoint 5: its note signs another size or root",
        ),
        (
            "update checkpoints c set note = o.note from checkpoints o where c.size=5 and o.size=4",
            "Checkpoint 5: its note signs another size or root",
        ),
        (
            "update checkpoints set note = replace(note, 'audit', 'other') where size = 5",
            "Checkpoint 5: No known key signed the note",
        ),
        (
            "update checkpoints set frontier = sha256('x') where size = 4",
            "The frontier of checkpoint 4 is not that of its leaves",
        ),
        (
            "update log_nodes set hash = sha256('x') where level = 2 and index = 1",
            "Node 1 of level 2 is not that of its leaves",
        ),
        (
            "delete from log_nodes where level = 0 and index = 9",
            "Node 9 of level 0 is not that of its leaves",
        ),
    ],
)
async def test_every_change_is_found_where_it_was_made(
    session: AsyncSession,
    state: State,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    why: str,
    batch: int,
) -> None:
    monkeypatch.setattr(audits, "BATCH", batch)
    await session.execute(text(change))
    with pytest.raises(InvalidError, match=why):
        await _audit(session, state.keys)


async def test_a_log_rewritten_as_a_whole_is_found_by_who_kept_a_checkpoint(
    session: AsyncSession, state: State
) -> None:
    stored = await session.get(LogCheckpoint, 5)
    assert stored is not None
    kept = audits.read_held(stored.note, _verifier_keys(state.keys))
    empty = Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)
    found, _ = await _audit(session, state.keys, {"kept": kept, "first": empty})
    assert found.held == 2
    with pytest.raises(InvalidError, match="kept has another root than the 5 leaves before it"):
        await _audit(session, state.keys, {"kept": Checkpoint(ORIGIN, 5, b"\1" * 32)})
    with pytest.raises(InvalidError, match=f"The log has {SIZE} leaves; kept signs {SIZE + 1}"):
        await _audit(session, state.keys, {"kept": Checkpoint(ORIGIN, SIZE + 1, b"\1" * 32)})
