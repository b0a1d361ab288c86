"""How often somebody may try: a PIN before waits begin, an address before it is asked to come back.

Numbers and addresses are kept as keyed digests: addresses for a day, attempts for thirty.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, WriteSession, new_id, now, take_turns_on
from registry.errors import BusyError
from registry.keys import Keys

DAY: Final = timedelta(days=1)
ATTEMPTS_KEPT: Final = timedelta(days=30)
FREE_ATTEMPTS: Final = 5
FIRST_WAIT: Final = timedelta(seconds=15)
LONGEST_WAIT: Final = DAY
_DOUBLINGS: Final = 13  # from 15 seconds to more than a day
_NEIGHBOURS: Final = 64  # bits of an IPv6 address that one customer is given


class AttemptKind(StrEnum):
    """What happened with a number and a PIN. TRIED is on record before the PIN is looked at."""

    TRIED = "TRIED"
    SUCCEEDED = "SUCCEEDED"


class CaseAttempt(Base):
    """One attempt with a case number, whether or not there is such a case."""

    __tablename__ = "case_attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[bytes] = mapped_column(index=True)
    kind: Mapped[AttemptKind]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


class ArrivalKind(StrEnum):
    """What an address without an account asked for."""

    OPENED = "OPENED"
    TRIED = "TRIED"
    LOST_PIN = "LOST_PIN"


class Arrival(Base):
    """That somebody came from an address."""

    __tablename__ = "arrivals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    source: Mapped[bytes] = mapped_column(index=True)
    kind: Mapped[ArrivalKind]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


def wait_until(failures: Sequence[datetime]) -> datetime | None:
    """When the next attempt is looked at, after these failures, oldest first."""
    beyond = len(failures) - FREE_ATTEMPTS
    if beyond < 0:
        return None
    doubled: timedelta = FIRST_WAIT * 2 ** min(beyond, _DOUBLINGS)
    return failures[-1] + min(doubled, LONGEST_WAIT)


async def attempt(session: WriteSession, *, number: bytes) -> bool:
    """Put an attempt on record; False if it comes too early to be looked at, which adds none."""
    await take_turns_on(session, f"attempts:{number.hex()}")
    at = await now(session)
    rows = await session.execute(
        select(CaseAttempt.kind, CaseAttempt.created_at)
        .where(CaseAttempt.number == number, CaseAttempt.created_at > at - ATTEMPTS_KEPT)
        .order_by(CaseAttempt.created_at, CaseAttempt.id)
    )
    failures: list[datetime] = []
    for kind, when in rows:
        if kind is AttemptKind.SUCCEEDED:
            failures.clear()
        else:
            failures.append(when)
    until = wait_until(failures)
    if until is not None and at < until:
        return False
    session.add(CaseAttempt(number=number, kind=AttemptKind.TRIED))
    return True


def succeeded(session: WriteSession, *, number: bytes) -> None:
    """Let the next failures count from none."""
    session.add(CaseAttempt(number=number, kind=AttemptKind.SUCCEEDED))


async def arrive(
    session: WriteSession,
    kind: ArrivalKind,
    *,
    source: bytes,
    daily: int,
    overall: int | None = None,
) -> None:
    """Count somebody who comes from this address; BusyError if it was too often today."""
    await take_turns_on(session, f"arrivals:{kind}:{'all' if overall else source.hex()}")
    today = select(func.count()).where(
        Arrival.kind == kind, Arrival.created_at > await now(session) - DAY
    )
    if (await session.scalar(today.where(Arrival.source == source)) or 0) >= daily:
        raise BusyError("Too many from this address today.", retry_after=_SOME_HOURS)
    if overall is not None and (await session.scalar(today) or 0) >= overall:
        raise BusyError("Too many today.", retry_after=_SOME_HOURS)
    session.add(Arrival(source=source, kind=kind))


_SOME_HOURS: Final = 4 * 3600


def source_of(address: str | None, keys: Keys) -> bytes:
    """An address as it is kept; of IPv6 the part that one customer is given."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        found = ipaddress.ip_address(0)  # a socket without addresses: all who come by it are one
    if found.version == 6:  # noqa: PLR2004  # of the internet protocol
        found = ipaddress.ip_network((found, _NEIGHBOURS), strict=False).network_address
    return keys.request_digest(b"arrival:" + found.packed)


async def forget_old(session: WriteSession) -> None:
    """Drop what is kept for a while only."""
    await session.execute(delete(Arrival).where(Arrival.created_at < func.now() - DAY))
    await session.execute(
        delete(CaseAttempt).where(CaseAttempt.created_at < func.now() - ATTEMPTS_KEPT)
    )
