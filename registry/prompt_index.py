"""The names of all public figures, held in memory for the search of prompts. One a process.

Every search first asks what became visible since the last: a name is found from the moment its
import was answered, through whichever process. New names are searched beside the others until there
are enough of them to build the search anew, which a thread does meanwhile.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text as sql

from registry.database import ReadSession
from registry.folding import Folded, fold, spelled
from registry.policy.vocabulary import SubjectClass
from registry.prompts import Finding, Hit, Known, Words, checked, findings

logger = logging.getLogger(__name__)

MOST_FRESH: Final = 5000  # figures beside the built search, new or gone, before it is built anew
_PAGE: Final = 5000
_NOTHING_YET: Final = "1:1:"  # the snapshot before any transaction

# Figures that became visible since a snapshot, whom they replace, and who was removed. Read in the
# order of the index on `xid`, so that it costs what is new.
_SINCE: Final = sql("""
select pg_current_snapshot()::text,
  (select coalesce(json_agg(json_build_array(f.id, f.name, f.aliases, f.classes,
      case when f.version = 1 then null else (select array_agg(p.id) from figures p
        where p.source = f.source and p.source_id = f.source_id and p.version < f.version) end,
      f.xid::text) order by f.xid, f.id), '[]')
    from (select n.* from figures n
      where n.xid >= cast(cast(:from as text) as xid8)
        and (n.xid, n.id) > (cast(cast(:from as text) as xid8), cast(:after as uuid))
        and not pg_visible_in_snapshot(n.xid, cast(cast(:since as text) as pg_snapshot))
      order by n.xid, n.id limit :most) f),
  (select coalesce(json_agg(e.figure_id), '[]') from (select n.* from figure_events n
    where n.xid >= cast(cast(:oldest as text) as xid8)
      and not pg_visible_in_snapshot(n.xid, cast(cast(:since as text) as pg_snapshot))
    order by n.xid) e)
""")


@dataclass(slots=True)
class _News:
    """What became visible: rows as they come, and ids that count no more."""

    rows: list[Any] = field(default_factory=list)
    gone: set[UUID] = field(default_factory=set)


class PromptIndex:
    """Finds figures' names in prompts."""

    def __init__(self) -> None:
        self._snapshot = _NOTHING_YET
        self._known: dict[UUID, Known] = {}
        self._built: Words[tuple[UUID, ...]] = Words({})
        self._fresh: Words[tuple[UUID, ...]] = Words({})
        self._unbuilt: set[UUID] = set()  # in `_fresh`
        self._gone = 0  # in `_built`, and known no more
        self._turn = asyncio.Lock()
        self._building: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._known)

    async def find(self, session: ReadSession, text: str) -> list[Finding]:
        """The figures that a prompt names. InvalidError for one that is too long."""
        checked(text)
        await self.refresh(session)
        return self.search(text)

    def search(self, text: str) -> list[Finding]:
        """The same by what is held already."""
        folded = fold(text)
        return findings(folded, self._hits(folded))

    def _hits(self, folded: Folded) -> Iterable[Hit[Known]]:
        return dict.fromkeys(
            Hit(hit.start, hit.end, known)
            for words in (self._built, self._fresh)
            for hit in words.hits(folded)
            for known in map(self._known.get, hit.value)
            if known is not None
        )

    async def refresh(self, session: ReadSession) -> None:
        """Take in what became visible since the last time."""
        async with self._turn:
            news, snapshot = await self._read(session)
            if news.rows or news.gone:
                await self._take_in(news)
            self._snapshot = snapshot

    async def _read(self, session: ReadSession) -> tuple[_News, str]:
        news, snapshot = _News(), None
        oldest = self._snapshot.split(":")[0]
        place = {"from": oldest, "after": UUID(int=0)}
        asked = {"since": self._snapshot, "oldest": oldest, "most": _PAGE}
        while True:
            row = (await session.execute(_SINCE, {**asked, **place})).one()
            # Of the first page: what becomes visible meanwhile is then read again, not missed.
            snapshot = snapshot or str(row[0])
            rows, gone = _plain(row[1]), _plain(row[2])
            news.rows += rows
            news.gone |= {UUID(one) for one in gone}
            news.gone |= {UUID(one) for each in rows for one in each[4] or ()}
            if len(rows) < _PAGE:
                return news, snapshot
            place = {"from": rows[-1][5], "after": UUID(rows[-1][0])}

    async def _take_in(self, news: _News) -> None:
        came = await asyncio.to_thread(_known, news.rows, news.gone)
        for id in news.gone:
            if self._known.pop(id, None) is not None:
                self._gone += id not in self._unbuilt
                self._unbuilt.discard(id)
        self._unbuilt |= came.keys() - self._known.keys()
        self._known.update(came)
        if len(self._unbuilt) >= len(self._built):  # most is new: it need not be kept apart
            known = dict(self._known)
            self._swap(known, await asyncio.to_thread(_words, list(known.values())))
            return
        self._fresh = await asyncio.to_thread(_words, self._entries(self._unbuilt))
        if len(self._unbuilt) + self._gone > MOST_FRESH and self._building is None:
            self._building = asyncio.create_task(self._build_meanwhile(), name="prompt names")

    async def _build_meanwhile(self) -> None:
        try:
            known = dict(self._known)
            built = await asyncio.to_thread(_words, list(known.values()))
            async with self._turn:
                self._swap(known, built)
        except Exception:
            logger.exception("The search of names was not built anew; new ones stay beside it.")
        finally:
            self._building = None

    def _swap(self, known: dict[UUID, Known], built: Words[tuple[UUID, ...]]) -> None:
        """Search these from now on as built, and what came meanwhile beside them."""
        self._built = built
        self._gone = len(known.keys() - self._known.keys())
        self._unbuilt = set(self._known.keys() - known.keys())
        self._fresh = _words(self._entries(self._unbuilt))

    def _entries(self, ids: Collection[UUID]) -> list[Known]:
        return [self._known[one] for one in ids]


def _plain(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


def _known(rows: Iterable[Any], gone: Collection[UUID]) -> dict[UUID, Known]:
    found = {}
    classes: dict[tuple[str, ...], tuple[SubjectClass, ...]] = {}
    for id_, name, aliases, kinds, *_ in rows:
        id = UUID(id_)
        if id in gone:
            continue
        shared = classes.setdefault(tuple(kinds), tuple(map(SubjectClass, kinds)))
        ways = dict.fromkeys(way for one in (name, *aliases) if (way := spelled(one)))
        found[id] = Known(id, name, shared, tuple(ways))
    return found


def _words(known: Iterable[Known]) -> Words[tuple[UUID, ...]]:
    ids: dict[str, tuple[UUID, ...]] = {}
    for one in known:
        for way in one.spelled:
            ids[way] = (*ids.get(way, ()), one.id)
    return Words(ids)
