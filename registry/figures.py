"""Public and historical figures from named lists: whom everybody knows, and nobody registered.

What is here is public knowledge, in plain text. A list that is loaded again adds versions; of each
row of a source the latest counts, until it is removed. Figures give no consent and take none back:
they protect.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import (
    ForeignKey,
    Select,
    UniqueConstraint,
    any_,
    cast,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.types import Text

from registry.database import (
    Actor,
    Base,
    EnumList,
    Event,
    ReadSession,
    WriteSession,
    Xid8,
    checked_reason,
    new_id,
    take_turns,
)
from registry.errors import ForbiddenError, NotFoundError
from registry.figure_rows import FigureRow
from registry.keys import Keys
from registry.paging import Page, page_of
from registry.policy.vocabulary import SubjectClass
from registry.principals import PrincipalKind

BATCH: Final = 5000  # rows of one transaction
IMPORTERS: Final = frozenset({PrincipalKind.ATTESTER, PrincipalKind.OPERATOR})
_TURNS: Final = UUID("00000000-0000-7000-8000-0000f1900e50")  # imports wait for one another


class FigureEventKind(StrEnum):
    """What may become of a figure."""

    REMOVED = "REMOVED"


class Figure(Base):
    """One version of what a source says of a figure. `born` and `died`: a day or a year.

    `xid`: the transaction that wrote it, by which a search finds what became visible since.
    """

    __tablename__ = "figures"
    __table_args__ = (UniqueConstraint("source", "source_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    source: Mapped[str]
    source_id: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    born: Mapped[str | None]
    died: Mapped[str | None]
    citizenship: Mapped[str | None]
    domicile: Mapped[str | None]
    classes: Mapped[list[SubjectClass]] = mapped_column(EnumList(SubjectClass))
    digest: Mapped[bytes]
    xid: Mapped[int] = mapped_column(Xid8(), server_default=func.pg_current_xact_id(), index=True)
    imported_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class FigureName(Base):
    """A name of a figure in the form in which exact names are looked up: see Keys.blind_index."""

    __tablename__ = "figure_names"

    name_key: Mapped[bytes] = mapped_column(primary_key=True)
    figure_id: Mapped[UUID] = mapped_column(ForeignKey("figures.id"), primary_key=True)


class FigureEvent(Event):
    """What became of a version of a figure. `xid`: as for a figure."""

    __tablename__ = "figure_events"

    figure_id: Mapped[UUID] = mapped_column(ForeignKey("figures.id"), index=True)
    kind: Mapped[FigureEventKind]
    xid: Mapped[int] = mapped_column(Xid8(), server_default=func.pg_current_xact_id(), index=True)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of some rows."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        """Both together."""
        return Loaded(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class _Latest:
    version: int
    digest: bytes
    removed: bool


_ADD_FIGURES = text("""
insert into figures (id, source, source_id, version, name, aliases, born, died, citizenship,
  domicile, classes, digest, imported_by)
select id, source, source_id, version, name, aliases, born, died, citizenship, domicile, classes,
  decode(digest, 'hex'), :actor
from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, source text, source_id text,
  version int, name text, aliases text[], born text, died text, citizenship text, domicile text,
  classes text[], digest text)
""")
_ADD_NAMES = text("""
insert into figure_names (name_key, figure_id)
select decode(key, 'hex'), id from jsonb_to_recordset(cast(:rows as jsonb)) as r(key text, id uuid)
""")


async def load(
    session: WriteSession, rows: Sequence[FigureRow], *, actor: Actor, keys: Keys
) -> Loaded:
    """Put rows of a list on record, no source's row twice among them; what is known already stays.

    Loading the same rows again changes nothing.
    """
    if actor.kind not in IMPORTERS:
        raise ForbiddenError("An attester or the operator imports figures.")
    await take_turns(session, _TURNS)
    known = await _latest(session, rows)
    new = [one for one in rows if _is_news(known.get((one.source, one.source_id)), one)]
    plain, names = [], []
    for one in new:
        before, id = known.get((one.source, one.source_id)), str(new_id())
        plain.append(_plain(one, id, 1 if before is None else before.version + 1))
        names += [{"key": key, "id": id} for key in _keys_of(one, keys)]
    if new:
        parameters = {"rows": orjson.dumps(plain).decode(), "actor": actor.principal_id}
        await session.execute(_ADD_FIGURES, parameters)
        await session.execute(_ADD_NAMES, {"rows": orjson.dumps(names).decode()})
    added = sum((one.source, one.source_id) not in known for one in new)
    return Loaded(added, len(new) - added, len(rows) - len(new))


def _is_news(known: _Latest | None, row: FigureRow) -> bool:
    return known is None or known.removed or known.digest != row.digest


def _plain(row: FigureRow, id: str, version: int) -> dict[str, Any]:
    return {
        "id": id,
        "source": row.source,
        "source_id": row.source_id,
        "version": version,
        "name": row.name,
        "aliases": row.aliases,
        "born": row.born,
        "died": row.died,
        "citizenship": row.citizenship,
        "domicile": row.domicile,
        "classes": row.classes,
        "digest": row.digest.hex(),
    }


def _keys_of(row: FigureRow, keys: Keys) -> Iterable[str]:
    return dict.fromkeys(keys.blind_index(one).hex() for one in row.names)


async def _latest(
    session: ReadSession, rows: Sequence[FigureRow]
) -> dict[tuple[str, str], _Latest]:
    """The latest version of each of these rows that is on record, removed ones too."""
    by_source: dict[str, list[str]] = {}
    for one in rows:
        by_source.setdefault(one.source, []).append(one.source_id)
    found = {}
    for source, ids in by_source.items():
        query = (
            select(Figure.source_id, Figure.version, Figure.digest, _removed())
            .where(Figure.source == source, Figure.source_id == any_(cast(ids, ARRAY(Text))))
            .ext(distinct_on(Figure.source_id))
            .order_by(Figure.source_id, Figure.version.desc())
        )
        for source_id, version, digest, removed in await session.execute(query):
            found[source, source_id] = _Latest(version, digest, removed)
    return found


def _removed() -> Any:
    return exists().where(FigureEvent.figure_id == Figure.id)


def counting() -> Select[Figure]:
    """The figures that count: of each source's row the latest version, unless it was removed."""
    later = aliased(Figure)
    return select(Figure).where(
        ~exists().where(
            later.source == Figure.source,
            later.source_id == Figure.source_id,
            later.version > Figure.version,
        ),
        ~_removed(),
    )


async def page(
    session: ReadSession, *, name: str | None, first: int, after: UUID | None, keys: Keys
) -> Page[Figure]:
    """The figures that count, oldest import first; only those of this name, if one is given."""
    query = counting()
    if name is not None:
        named = select(FigureName.figure_id).where(FigureName.name_key == keys.blind_index(name))
        query = query.where(Figure.id.in_(named))
    return await page_of(session, query, key=Figure.id, first=first, after=after)


async def remove(
    session: WriteSession, *, source: str, source_id: str, actor: Actor, reason: str | None = None
) -> Figure:
    """Take a figure off the record: from now on it counts nowhere. Importing it again brings it."""
    if actor.kind not in IMPORTERS:
        raise ForbiddenError("An attester or the operator removes figures.")
    await take_turns(session, _TURNS)
    query = counting().where(Figure.source == source, Figure.source_id == source_id)
    figure: Figure | None = await session.scalar(query)
    if figure is None:
        raise NotFoundError("No such figure.")
    session.add(
        FigureEvent(
            figure_id=figure.id,
            kind=FigureEventKind.REMOVED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    return figure


async def today(session: ReadSession) -> date:
    """The database's date, UTC."""
    found: date = (await session.execute(select(func.current_date()))).scalar_one()
    return found
