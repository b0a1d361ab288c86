"""The log in the database: leaves, the complete nodes above them, and signed checkpoints.

The database function likeness_append appends, together with what is logged, one process at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, SmallInteger, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, ReadSession
from registry.errors import InvalidError, NotFoundError
from registry.keys import Keys
from registry.log import checkpoint, merkle


class LogLeaf(Base):
    """One entry of the log, in order. The entry is a salted commitment, never personal data."""

    __tablename__ = "log_leaves"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[bytes]
    decision_id: Mapped[UUID | None] = mapped_column(index=True)


class LogNode(Base):
    """The hash of a complete subtree of 2^level leaves."""

    __tablename__ = "log_nodes"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class LogCheckpoint(Base):
    """A tree head this registry signed. It never signs one that is inconsistent with another."""

    __tablename__ = "checkpoints"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    frontier: Mapped[bytes]
    note: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Appended:
    """What one batch adds to the log."""

    first_index: int
    frontier: merkle.Frontier
    nodes: Sequence[tuple[int, int, bytes]]
    root: bytes
    note: str


def load_head(size: int, hashes: bytes) -> merkle.Frontier:
    """Where the log stands, from the row of its newest checkpoint."""
    step = merkle.HASH_BYTES
    return merkle.Frontier(
        size, tuple(hashes[at : at + step] for at in range(0, len(hashes), step))
    )


def extend(
    before: merkle.Frontier, entries: Sequence[bytes], *, origin: str, keys: Keys
) -> Appended:
    """The log with these entries appended, and its signed checkpoint."""
    frontier, nodes = merkle.append(before, [merkle.leaf_hash(one) for one in entries])
    root = merkle.root(frontier)
    note = checkpoint.sign(
        checkpoint.Checkpoint(origin=origin, size=frontier.size, root=root),
        name=origin,
        signer=keys.log_signer,
    )
    return Appended(before.size, frontier, nodes, root, note)


async def latest(session: ReadSession) -> LogCheckpoint | None:
    """The newest signed checkpoint; none while the log is empty."""
    found: LogCheckpoint | None = await session.scalar(
        select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)
    )
    return found


async def inclusion_proof(session: ReadSession, *, index: int, tree_size: int) -> list[bytes]:
    """The audit path of a leaf in the tree of that size (RFC 9162, 2.1.3)."""
    await _require_size(session, tree_size)
    if not 0 <= index < tree_size:
        raise InvalidError(f"The tree of size {tree_size} has no leaf {index}.", field="index")
    nodes = await _nodes(session, merkle.inclusion_nodes(index, tree_size))
    return list(merkle.inclusion_proof(index, tree_size, nodes))


async def consistency_proof(session: ReadSession, *, first: int, second: int) -> list[bytes]:
    """Proof that the tree of size `first` is a prefix of that of size `second` (2.1.4)."""
    await _require_size(session, second)
    if not 0 < first <= second:
        raise InvalidError("A consistency proof needs 0 < first <= second.", field="first")
    nodes = await _nodes(session, merkle.consistency_nodes(first, second))
    return list(merkle.consistency_proof(first, second, nodes))


async def _require_size(session: ReadSession, size: int) -> None:
    newest = await latest(session)
    if newest is None or not 0 < size <= newest.size:
        raise NotFoundError(f"The log has no tree of size {size}.", field="treeSize")


async def _nodes(
    session: ReadSession, wanted: Collection[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    rows = await session.execute(
        select(LogNode.level, LogNode.index, LogNode.hash).where(
            tuple_(LogNode.level, LogNode.index).in_(list(wanted))
        )
    )
    return {(level, index): hash_ for level, index, hash_ in rows}
