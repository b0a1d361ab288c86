"""Replay: stored decisions made again from what they were made of, under the packs of that time.

The same facts and packs must give the same decision, whatever release decides; what differs is
told. Decisions about somebody who was erased cannot be opened any more, and are counted.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select

from registry import subjects
from registry.database import ReadSession
from registry.decisions import Decision, Recorded, open_recorded
from registry.errors import ConflictError, NotFoundError
from registry.keys import Keys
from registry.policy.decision import Decision as EngineDecision
from registry.policy.engine import decide
from registry.policy.packs import PackSet
from registry.policy.shelf import Shelf
from registry.sealing import SealError

_BATCH = 500


class Fate(StrEnum):
    """What came of deciding again."""

    SAME = "SAME"
    OTHER = "OTHER"
    ERASED = "ERASED"  # somebody it speaks of was erased, so nobody can open it
    OLDER = "OLDER"  # an earlier release kept too little
    NO_PACK = "NO_PACK"  # a pack it was made under is on no shelf any more


@dataclass(frozen=True, slots=True)
class Replayed:
    """One stored decision, made again; `differences` in words."""

    id: UUID
    decided_at: datetime
    fate: Fate
    differences: tuple[str, ...] = ()


async def count(session: ReadSession, *, since: datetime | None) -> int:
    """How many decisions there are to replay."""
    query = select(func.count()).select_from(Decision)
    if since is not None:
        query = query.where(Decision.decided_at >= since)
    return await session.scalar(query) or 0


async def replay(
    session: ReadSession,
    *,
    shelf: Shelf,
    packs: PackSet | None,
    since: datetime | None,
    keys: Keys,
) -> AsyncIterator[Replayed]:
    """Every decision since then, oldest first, made again; with `packs`, under these instead."""
    after: UUID | None = None
    while True:
        query = select(Decision).order_by(Decision.id).limit(_BATCH)
        if after is not None:
            query = query.where(Decision.id > after)
        if since is not None:
            query = query.where(Decision.decided_at >= since)
        rows = list(await session.scalars(query))
        for row in rows:
            yield await again(session, row, shelf=shelf, packs=packs, keys=keys)
        session.expunge_all()
        if len(rows) < _BATCH:
            return
        after = rows[-1].id


async def again(
    session: ReadSession,
    row: Decision,
    *,
    shelf: Shelf,
    packs: PackSet | None,
    keys: Keys,
) -> Replayed:
    """One decision, made again."""
    fate = Fate.SAME
    differences: tuple[str, ...] = ()
    try:
        recorded = await opened(session, row, keys=keys)
        differences = _differences(
            recorded.decision, decide(recorded.facts, packs or shelf.at(recorded.packs))
        )
    except SealError:
        fate = Fate.ERASED
    except ConflictError:
        fate = Fate.OLDER
    except NotFoundError:
        fate = Fate.NO_PACK
    return Replayed(row.id, row.decided_at, Fate.OTHER if differences else fate, differences)


async def opened(session: ReadSession, row: Decision, *, keys: Keys) -> Recorded:
    """What a decision was made of. SealError if somebody it speaks of was erased."""
    wrapped = await subjects.wrapped_keys(session, row.sealed_for)
    if not wrapped.keys() >= set(row.sealed_for):
        raise SealError
    return open_recorded(
        row.sealed_facts,
        decision_id=row.id,
        subjects=[(one, wrapped[one]) for one in row.sealed_for],
        keys=keys,
    )


def _differences(then: EngineDecision, now: EngineDecision) -> tuple[str, ...]:
    found = []
    if then.outcome is not now.outcome:
        found.append(f"outcome {then.outcome}, now {now.outcome}")
    for what, old, new in (
        ("reason", {one.code for one in then.reasons}, {one.code for one in now.reasons}),
        ("duty", {one.code for one in then.obligations}, {one.code for one in now.obligations}),
    ):
        found += [f"{what} {one} is gone" for one in sorted(old - new)]
        found += [f"{what} {one} is new" for one in sorted(new - old)]
    if not found and (then.basis, then.valid_until) != (now.basis, now.valid_until):
        found.append("basis or validity differ")
    return tuple(found)
