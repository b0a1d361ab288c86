"""The references held in memory, true as of one snapshot, and how they catch up with the database.

PostgreSQL is the only truth. `snapshot` says what the arrays contain; every check asks for what
became visible since, so a reference committed before a check began is searched by it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np

from registry.assets import hash_context
from registry.checks.galleries import Galleries, Near, Query, SealedTemplate
from registry.encoder_set import EncoderSet
from registry.encoders.identity import IMAGE_HASH, IMAGE_HASH_BYTES, Condition
from registry.keys import Keys
from registry.matching.bands import GREY_BITS
from registry.matching.index import HashIndex, Hit
from registry.policy.vocabulary import Modality
from registry.sealing import SealError

_HASHES = """
select r.id, r.subject_id, r.sealed_hash, k.wrapped
from asset_references r
join assets a on a.id = r.asset_id and a.encoder = $1
join subject_keys k on k.subject_id = r.subject_id
where not exists (select 1 from asset_events e where e.asset_id = r.asset_id and e.kind = 'RETIRED')
"""
_NEW_HASHES = (
    _HASHES
    + """
  and r.xid >= pg_snapshot_xmin($2::text::pg_snapshot)
  and not pg_visible_in_snapshot(r.xid, $2::text::pg_snapshot)
"""
)
_TEMPLATES = """
select t.id, t.subject_id, t.modality, t.encoder, t.condition, t.samples, t.verified,
  t.sealed_vector, k.wrapped
from templates t
join subject_keys k on k.subject_id = t.subject_id
where not exists (
  select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')
"""
_NEW_TEMPLATES = (
    _TEMPLATES
    + """
  and t.xid >= pg_snapshot_xmin($1::text::pg_snapshot)
  and not pg_visible_in_snapshot(t.xid, $1::text::pg_snapshot)
"""
)
_STILL_KNOWN = """
select distinct t.subject_id from templates t
join subject_keys k on k.subject_id = t.subject_id
where t.subject_id = any($1::uuid[]) and not exists (
  select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')
"""
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
    """Every live picture hash and template, and the snapshot they are complete as of."""

    def __init__(self, keys: Keys, encoders: EncoderSet) -> None:
        self._keys = keys
        self._encoders = encoders
        self._pictures = HashIndex()
        self.people = Galleries(keys, encoders)
        self.snapshot = ""
        self._unreadable = 0

    def __len__(self) -> int:
        return len(self._pictures) + len(self.people)

    @property
    def unreadable(self) -> int:
        """How many stored references could not be opened."""
        return self._unreadable + self.people.unreadable

    async def load(self, connection: asyncpg.Connection) -> None:
        """Read everything visible now, anew."""
        pictures, people = HashIndex(), Galleries(self._keys, self._encoders)
        self.snapshot = await self._read(
            connection,
            _WHOLE_TABLES,
            (_HASHES, [IMAGE_HASH], lambda rows: self._open(pictures, hashes(rows))),
            (_TEMPLATES, [], lambda rows: people.take_in(templates(rows))),
        )
        self._pictures, self.people = pictures, people

    async def refresh(self, connection: asyncpg.Connection) -> None:
        """Take in what became visible since, however much it is."""
        since = self.snapshot
        self.snapshot = await self._read(
            connection,
            _WHOLE_TABLES[:1],
            (
                _NEW_HASHES,
                [IMAGE_HASH, since],
                lambda rows: self._open(self._pictures, hashes(rows)),
            ),
            (_NEW_TEMPLATES, [since], lambda rows: self.people.take_in(templates(rows))),
        )
        if lost := self.people.only_elsewhere():
            known = {one for (one,) in await connection.fetch(_STILL_KNOWN, list(lost))}
            meanwhile = self.people.only_elsewhere() - lost
            self.people.still_only_elsewhere(known | meanwhile)

    async def _read(
        self,
        connection: asyncpg.Connection,
        settings: Sequence[str],
        *parts: "tuple[str, Sequence[str], Callable[[list[asyncpg.Record]], None]]",
    ) -> str:
        """Add what each query gives, bit by bit; the snapshot all of it is true as of."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for setting in settings:
                await connection.execute(f"set local {setting}")
            snapshot: str = await connection.fetchval("select pg_current_snapshot()::text")
            for query, arguments, take_in in parts:
                cursor = await connection.cursor(query, *arguments)
                while rows := await cursor.fetch(_BATCH):
                    await asyncio.to_thread(take_in, rows)
        return snapshot

    def catch_up(
        self,
        new_hashes: Sequence[SealedReference],
        new_templates: Sequence[SealedTemplate],
        snapshot: str,
    ) -> None:
        """Take in what became visible since; the arrays are then true as of `snapshot`."""
        if new_hashes:
            self._open(self._pictures, new_hashes)
        if new_templates:
            self.people.take_in(new_templates)
        self.snapshot = snapshot

    def forget(self, reference_id: UUID) -> None:
        """A check found that this picture no longer counts."""
        self._pictures.retire(reference_id)

    async def search(
        self, wanted: Sequence[bytes], queries: Sequence[Query]
    ) -> tuple[list[list[Hit]], list[list[Near]]]:
        """Every picture within reach of each hash, everybody within reach of each query.

        Runs beside the event loop.
        """
        if not wanted and not queries:
            return [], []
        return await asyncio.to_thread(self._search, wanted, queries)

    def _search(
        self, wanted: Sequence[bytes], queries: Sequence[Query]
    ) -> tuple[list[list[Hit]], list[list[Near]]]:
        hits: list[list[Hit]] = []
        if wanted:
            packed = np.frombuffer(b"".join(wanted), np.uint8).reshape(len(wanted), -1)
            hits = self._pictures.search(packed, GREY_BITS)
        return hits, self.people.search(queries)

    def _open(self, index: HashIndex, rows: Sequence[SealedReference]) -> None:
        ids, plain = [], []
        for row in rows:
            try:
                key = self._keys.open_key(row.subject_id, row.wrapped_key)
                plain.append(key.open(row.sealed_hash, context=hash_context(row.id)))
            except SealError:
                # One damaged row must not blind the registry to all the others.
                self._unreadable += 1
                logger.exception("Reference %s cannot be opened: damaged, or other keys.", row.id)
            else:
                ids.append(row.id)
        packed = np.frombuffer(b"".join(plain), np.uint8).reshape(len(ids), IMAGE_HASH_BYTES)
        index.add(ids, packed)


def hashes(rows: Sequence[Sequence[Any]]) -> list[SealedReference]:
    """Rows of the hashes' query."""
    return [SealedReference(*row) for row in rows]


def templates(rows: Sequence[Sequence[Any]]) -> list[SealedTemplate]:
    """Rows of the templates' query."""
    return [
        SealedTemplate(id, subject_id, Modality(modality), encoder, Condition(condition), *rest)
        for id, subject_id, modality, encoder, condition, *rest in rows
    ]
