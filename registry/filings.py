"""Filings of services: numbers an authority gave, as declared; and the authority's own lists.

A number that fits the format proves nothing. It counts until the territory's official list is
loaded; from then on only what stands on the list does.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Select, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from registry import services
from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.policy import territories
from registry.policy.packs import PackSet
from registry.principals import PrincipalKind
from registry.protections import checked_source

MAX_NUMBER: Final = 100
MAX_LIVE: Final = 20  # of one service
MAX_LISTED: Final = 200_000
OTHER: Final = "OTHER"  # the kind of a number where no format is known


class FilingStatus(StrEnum):
    """How far a filing is proved."""

    SELF_DECLARED = "SELF_DECLARED"
    FORMAT_OK = "FORMAT_OK"
    LIST_VERIFIED = "LIST_VERIFIED"
    REVOKED = "REVOKED"


class FilingEventKind(StrEnum):
    """What may become of a filing."""

    REVOKED = "REVOKED"


class Filing(Base):
    """A number that a service declared for a territory. `kind`: the format it fits."""

    __tablename__ = "filings"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    territory: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str]
    declared_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class FilingEvent(Event):
    """What became of a filing."""

    __tablename__ = "filing_events"

    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"), index=True)
    kind: Mapped[FilingEventKind]


class FilingList(Base):
    """An official list of a territory as it was loaded; the latest speaks."""

    __tablename__ = "filing_lists"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    territory: Mapped[str] = mapped_column(index=True)
    source: Mapped[str]
    sha256: Mapped[bytes]
    loaded_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class FilingListNumber(Base):
    """A number on an official list."""

    __tablename__ = "filing_list_numbers"

    list_id: Mapped[UUID] = mapped_column(ForeignKey("filing_lists.id"), primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a filing stands, and whether the duty to file counts as met by it."""

    status: FilingStatus
    counts: bool


def standing_of(*, kind: str, revoked: bool, listed: bool, list_loaded: bool) -> Standing:
    """How a filing of this kind stands, given the latest list of its territory."""
    if revoked:
        return Standing(FilingStatus.REVOKED, counts=False)
    if listed:
        return Standing(FilingStatus.LIST_VERIFIED, counts=True)
    status = FilingStatus.SELF_DECLARED if kind == OTHER else FilingStatus.FORMAT_OK
    return Standing(status, counts=not list_loaded)


async def set_filing(
    session: WriteSession,
    *,
    filing_id: UUID,
    service_id: UUID,
    territory: str,
    number: str,
    actor: Actor,
    packs: PackSet,
) -> Filing:
    """Declare a service's filing number. It must have the form that the territory's pack knows."""
    service = await services.mine(session, service_id)
    own = actor.principal_id in {service.id, service.owner_id}
    if not own and actor.kind != PrincipalKind.OPERATOR:
        raise ForbiddenError("The service or its owner declares its filings.")
    [territory] = territories.check([territory], field="territory")
    number = number.strip()
    if not 0 < len(number) <= MAX_NUMBER or not number.isprintable():
        raise InvalidError(f"A number has 1 to {MAX_NUMBER} printable characters.", field="number")
    kind = _kind(territory, number, packs)
    live = await _live(session, service_id)
    if any((one.territory, one.number) == (territory, number) for one in live):
        raise ConflictError("This number is declared already.", field="number")
    if len(live) >= MAX_LIVE:
        raise ConflictError(f"A service has at most {MAX_LIVE} filings; revoke one first.")
    filing = Filing(
        id=filing_id,
        service_id=service_id,
        territory=territory,
        kind=kind,
        number=number,
        declared_by=actor.principal_id,
    )
    session.add(filing)
    await session.flush()  # a filing that may not be declared fails here
    return filing


def _kind(territory: str, number: str, packs: PackSet) -> str:
    pack = packs.packs.get(territory)
    formats = pack.filing_formats if pack is not None else ()
    for one in formats:
        if re.fullmatch(one.pattern, number):
            return one.kind
    if formats:
        examples = " or ".join(one.example for one in formats)
        raise InvalidError(f"A number of {territory} looks like {examples}.", field="number")
    return OTHER


async def _live(session: ReadSession, service_id: UUID) -> list[Filing]:
    revoked = select(FilingEvent.filing_id).where(FilingEvent.filing_id == Filing.id)
    rows = await session.scalars(
        select(Filing).where(Filing.service_id == service_id, ~revoked.exists())
    )
    return list(rows)


async def revoke(
    session: WriteSession, *, filing_id: UUID, actor: Actor, reason: str | None = None
) -> Filing:
    """Take a filing back: the service, its owner, a regulator or the operator."""
    filing = await mine(session, filing_id)
    await take_turns(session, filing_id)
    if actor.kind == PrincipalKind.AUDITOR:
        raise ForbiddenError("An auditor changes nothing.")
    if (await standings(session, [filing_id]))[filing_id].status is FilingStatus.REVOKED:
        raise ConflictError("This filing was revoked already.")
    session.add(
        FilingEvent(
            filing_id=filing_id,
            kind=FilingEventKind.REVOKED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return filing


async def mine(session: ReadSession, filing_id: UUID) -> Filing:
    """The filing, if the caller may see it; absent and not yours look the same."""
    filing = await session.get(Filing, filing_id)
    if filing is None:
        raise NotFoundError("No such filing.")
    return filing


async def load_list(
    session: WriteSession,
    *,
    territory: str,
    numbers: Collection[str],
    source: str,
    sha256: bytes,
    actor: Actor,
) -> FilingList | None:
    """Put an authority's list on record; None if it is the one that speaks already."""
    if actor.kind != PrincipalKind.OPERATOR:
        raise ForbiddenError("The operator loads official lists.")
    [territory] = territories.check([territory], field="territory")
    wanted = sorted({one.strip() for one in numbers} - {""})
    if not 1 <= len(wanted) <= MAX_LISTED:
        raise InvalidError(f"A list has 1 to {MAX_LISTED} numbers.", field="numbers")
    if any(len(one) > MAX_NUMBER or not one.isprintable() for one in wanted):
        raise InvalidError(
            f"A number has at most {MAX_NUMBER} printable characters.", field="numbers"
        )
    current = await session.scalar(_latest(territory))
    if current is not None and current.sha256 == sha256:
        return None
    made = FilingList(
        id=new_id(),
        territory=territory,
        source=checked_source(source),
        sha256=sha256,
        loaded_by=actor.principal_id,
    )
    session.add(made)
    await session.flush()  # its numbers refer to it
    for some in _batches(wanted):
        await session.execute(
            insert(FilingListNumber), [{"list_id": made.id, "number": one} for one in some]
        )
    return made


def _batches(numbers: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(numbers), 5000):
        yield numbers[start : start + 5000]


def _latest(territory: str | InstrumentedAttribute[str]) -> Select[FilingList]:
    """The list of a territory that speaks."""
    return (
        select(FilingList)
        .where(FilingList.territory == territory)
        .order_by(FilingList.created_at.desc(), FilingList.id.desc())
        .limit(1)
    )


async def by_service(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[Filing]]:
    """The filings of each visible service, oldest first."""
    found: dict[UUID, list[Filing]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(Filing).where(Filing.service_id.in_(ids)).order_by(Filing.id)
    )
    for row in rows:
        found[row.service_id].append(row)
    return found


async def standings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """How each of these filings stands now."""
    latest = _latest(Filing.territory).with_only_columns(FilingList.id).scalar_subquery()
    listed = (
        select(FilingListNumber.number)
        .where(FilingListNumber.list_id == latest, FilingListNumber.number == Filing.number)
        .exists()
    )
    revoked = select(FilingEvent.id).where(FilingEvent.filing_id == Filing.id).exists()
    rows = await session.execute(
        select(Filing.id, Filing.kind, revoked, listed, latest.is_not(None)).where(
            Filing.id.in_(ids)
        )
    )
    return {
        id: standing_of(kind=kind, revoked=gone, listed=on_list, list_loaded=loaded)
        for id, kind, gone, on_list, loaded in rows
    }
