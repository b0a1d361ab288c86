"""The references held in memory, true as of one snapshot, and how they catch up with the database.

PostgreSQL is the only truth. `snapshot` says what the arrays contain; every check asks for what
became visible since, so a reference committed before a check began is searched by it.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np

from registry.assets import hash_context
from registry.encoders.image_hash import ENCODER_ID
from registry.keys import Keys
from registry.matching.bands import GREY_BITS
from registry.matching.index import HashIndex, Hit

_LOAD = """
select r.id, r.subject_id, r.sealed_hash, k.wrapped
from asset_references r
join assets a on a.id = r.asset_id and a.encoder = $1
join subject_keys k on k.subject_id = r.subject_id
where not exists (select 1 from asset_events e where e.asset_id = r.asset_id and e.kind = 'RETIRED')
"""
_BATCH = 8192
# The pool is set up for look-ups by key; this reads everything, however long it takes.
_WHOLE_TABLES = ("statement_timeout = 0", "enable_seqscan = on", "enable_hashjoin = on")


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

    def __len__(self) -> int:
        return len(self._index)

    async def load(self, connection: asyncpg.Connection) -> None:
        """Read everything visible now, anew."""
        index = HashIndex()
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for setting in _WHOLE_TABLES:
                await connection.execute(f"set local {setting}")
            snapshot = await connection.fetchval("select pg_current_snapshot()::text")
            cursor = await connection.cursor(_LOAD, ENCODER_ID)
            while rows := await cursor.fetch(_BATCH):
                self._open(index, [SealedReference(*row) for row in rows])
                await asyncio.sleep(0)  # a long load must not starve health checks
        self._index, self.snapshot = index, snapshot

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
        plain = b"".join(
            self._keys.open_key(row.subject_id, row.wrapped_key).open(
                row.sealed_hash, context=hash_context(row.id)
            )
            for row in rows
        )
        hashes = np.frombuffer(plain, np.uint8).reshape(len(rows), -1)
        index.add([row.id for row in rows], hashes)
