"""The references held in memory, true as of one snapshot, and how they catch up with the database.

PostgreSQL is the only truth. `snapshot` says what the arrays contain; every check asks for what
became visible since, so a reference committed before a check began is searched by it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np

from registry.assets import hash_context
from registry.encoders.identity import IMAGE_HASH, IMAGE_HASH_BYTES
from registry.keys import Keys
from registry.matching.bands import GREY_BITS
from registry.matching.index import HashIndex, Hit
from registry.sealing import SealError

_ROWS = """
select r.id, r.subject_id, r.sealed_hash, k.wrapped
from asset_references r
join assets a on a.id = r.asset_id and a.encoder = $1
join subject_keys k on k.subject_id = r.subject_id
where not exists (select 1 from asset_events e where e.asset_id = r.asset_id and e.kind = 'RETIRED')
"""
_NEW_ROWS = (
    _ROWS
    + """
  and r.xid >= pg_snapshot_xmin($2::text::pg_snapshot)
  and not pg_visible_in_snapshot(r.xid, $2::text::pg_snapshot)
"""
)
_BATCH = 8192
# The pool is set up for look-ups by key; this reads everything, however long it takes.
_WHOLE_TABLES = ("statement_timeout = 0", "enable_seqscan = on", "enable_hashjoin = on")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SealedReference:
    """A reference as it is stored."""

    id: UUID
    subject_id: UUID
    sealed_hash: bytes
    wrapped_key: bytes


class References:
    """Every live picture hash, and the snapshot it is complete as of."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._index = HashIndex()
        self.snapshot = ""
        self.unreadable = 0

    def __len__(self) -> int:
        return len(self._index)

    async def load(self, connection: asyncpg.Connection) -> None:
        """Read everything visible now, anew."""
        index = HashIndex()
        self.snapshot = await self._read(connection, index, _WHOLE_TABLES, _ROWS, IMAGE_HASH)
        self._index = index

    async def refresh(self, connection: asyncpg.Connection) -> None:
        """Take in what became visible since, however much it is."""
        self.snapshot = await self._read(
            connection, self._index, _WHOLE_TABLES[:1], _NEW_ROWS, IMAGE_HASH, self.snapshot
        )

    async def _read(
        self,
        connection: asyncpg.Connection,
        index: HashIndex,
        settings: Sequence[str],
        query: str,
        *arguments: str,
    ) -> str:
        """Add what the query gives, part by part; the snapshot it is true as of."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for setting in settings:
                await connection.execute(f"set local {setting}")
            snapshot: str = await connection.fetchval("select pg_current_snapshot()::text")
            cursor = await connection.cursor(query, *arguments)
            while rows := await cursor.fetch(_BATCH):
                sealed = [SealedReference(*row) for row in rows]
                await asyncio.to_thread(self._open, index, sealed)
        return snapshot

    def catch_up(self, new: list[SealedReference], snapshot: str) -> None:
        """Take in what became visible since; the arrays are then true as of `snapshot`."""
        if new:
            self._open(self._index, new)
        self.snapshot = snapshot

    def forget(self, reference_id: UUID) -> None:
        """A check found that this reference no longer counts."""
        self._index.retire(reference_id)

    async def search(self, hashes: list[bytes]) -> list[list[Hit]]:
        """Every reference within reach of each hash. Runs beside the event loop."""
        if not hashes:
            return []
        queries = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1)
        return await asyncio.to_thread(self._index.search, queries, GREY_BITS)

    def _open(self, index: HashIndex, rows: list[SealedReference]) -> None:
        ids, plain = [], []
        for row in rows:
            try:
                key = self._keys.open_key(row.subject_id, row.wrapped_key)
                plain.append(key.open(row.sealed_hash, context=hash_context(row.id)))
            except SealError:
                # One damaged row must not blind the registry to all the others.
                self.unreadable += 1
                logger.exception("Reference %s cannot be opened: damaged, or other keys.", row.id)
            else:
                ids.append(row.id)
        hashes = np.frombuffer(b"".join(plain), np.uint8).reshape(len(ids), IMAGE_HASH_BYTES)
        index.add(ids, hashes)
