"""The log's audit: every leaf is hashed anew, and everything stored or signed held against that.

A log that was rewritten as a whole, checkpoints and all, is only found by a checkpoint somebody
else kept: give it as `held`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from registry.database import ReadSession
from registry.errors import InvalidError
from registry.log import checkpoint, entries, merkle
from registry.log.checkpoint import Checkpoint
from registry.log.entries import LogCheckpoint, LogLeaf, LogNode

BATCH = 4096

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Audit:
    """How much was found to be as it should: leaves, own checkpoints, and checkpoints held."""

    leaves: int
    checkpoints: int
    held: int


async def audit(
    session: ReadSession,
    *,
    verifier_keys: Sequence[str],
    held: Mapping[str, Checkpoint],
    progress: Progress,
) -> Audit:
    """Return only if the whole log is what its checkpoints say.

    `progress` is told (leaves done, leaves in all).
    Recomputes the tree from its leaves and compares each stored 32-byte node, each frontier, and
    the root and signature of each stored checkpoint (RFC 9162, 2.1; C2SP tlog-checkpoint). All are
    then heads of one growing tree, hence consistent with one another. `held` are checkpoints from
    elsewhere by a name for them, their signatures verified already. Raises InvalidError with the
    first place that differs.
    """
    last_leaf = await session.scalar(select(func.max(LogLeaf.index)))  # before: the log may grow
    newest = await entries.latest(session)
    total = 0 if newest is None else newest.size
    if last_leaf is not None and last_leaf >= total:
        raise InvalidError(f"Leaf {total} is in no checkpoint.")
    for name, head in held.items():
        if head.size > total:
            raise InvalidError(f"The log has {total} leaves; {name} signs {head.size}.")
    frontier, checkpoints = merkle.Frontier(), 0
    while frontier.size < total:
        progress(frontier.size, total)
        end = min(frontier.size + BATCH, total)
        signed = await _checkpoints(session, frontier.size, end)
        for one in signed:
            _check_note(one, verifier_keys)
        frontier = await _grow(session, frontier, end, signed, held)
        checkpoints += len(signed)
    progress(total, total)
    return Audit(total, checkpoints, len(held))


def read_held(note: str, verifier_keys: Sequence[str]) -> Checkpoint:
    """A checkpoint somebody kept; InvalidError unless one of these keys signed it."""
    return checkpoint.parse_and_verify(note, verifier_keys)


async def _grow(
    session: ReadSession,
    frontier: merkle.Frontier,
    end: int,
    signed: Iterable[LogCheckpoint],
    held: Mapping[str, Checkpoint],
) -> merkle.Frontier:
    """The tree grown to `end`, compared at each size that somebody signed, and node by node."""
    start = frontier.size
    hashes = await _leaves(session, start, end)
    heads = [(f"Checkpoint {one.size}", one.size, one.root) for one in signed]
    heads += [(name, one.size, one.root) for name, one in held.items() if start < one.size <= end]
    stored_frontiers = {one.size: one.frontier for one in signed}
    nodes = list[merkle.Node]()
    for size in sorted({size for _, size, _ in heads} | {end}):
        frontier, closed = merkle.append(frontier, hashes[frontier.size - start : size - start])
        nodes += closed
        for name, _, root in (one for one in heads if one[1] == size):
            if root != merkle.root(frontier):
                raise InvalidError(f"{name} has another root than the {size} leaves before it.")
        if stored_frontiers.get(size, b"".join(frontier.hashes)) != b"".join(frontier.hashes):
            raise InvalidError(f"The frontier of checkpoint {size} is not that of its leaves.")
    await _check_nodes(session, nodes, start, end)
    return frontier


async def _leaves(session: ReadSession, start: int, end: int) -> list[bytes]:
    rows = await session.execute(
        select(LogLeaf.index, LogLeaf.entry)
        .where(LogLeaf.index >= start, LogLeaf.index < end)
        .order_by(LogLeaf.index)
    )
    hashes = []
    for expected, (index, entry) in enumerate(rows, start):
        if index != expected:
            raise InvalidError(f"Leaf {expected} is missing.")
        hashes.append(merkle.leaf_hash(entry))
    if len(hashes) < end - start:
        raise InvalidError(f"Leaf {start + len(hashes)} is missing.")
    return hashes


async def _checkpoints(session: ReadSession, start: int, end: int) -> list[LogCheckpoint]:
    """The checkpoints of trees of more than `start` and at most `end` leaves, smallest first."""
    rows = await session.scalars(
        select(LogCheckpoint)
        .where(LogCheckpoint.size > start, LogCheckpoint.size <= end)
        .order_by(LogCheckpoint.size)
    )
    return list(rows)


def _check_note(stored: LogCheckpoint, verifier_keys: Sequence[str]) -> None:
    try:
        head = checkpoint.parse_and_verify(stored.note, verifier_keys)
    except InvalidError as error:
        raise InvalidError(f"Checkpoint {stored.size}: {error}") from error
    if (head.size, head.root) != (stored.size, stored.root):
        raise InvalidError(f"Checkpoint {stored.size}: its note signs another size or root.")


async def _check_nodes(
    session: ReadSession, nodes: Sequence[merkle.Node], start: int, end: int
) -> None:
    """Compare the nodes that leaves `start` to `end` closed with those that are stored."""
    levels = [level for level in range(end.bit_length()) if end >> level > start >> level]
    spans = [
        and_(LogNode.level == level, LogNode.index >= start >> level, LogNode.index < end >> level)
        for level in levels
    ]
    rows = await session.execute(
        select(LogNode.level, LogNode.index, LogNode.hash).where(or_(*spans))
    )
    stored = {(level, index): hash_ for level, index, hash_ in rows}
    for level, index, hash_ in nodes:
        if stored.get((level, index)) != hash_:
            raise InvalidError(f"Node {index} of level {level} is not that of its leaves.")
