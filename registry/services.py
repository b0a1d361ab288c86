"""AI services: who may ask, how far they are trusted, and which duties they can fulfil."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import principals
from registry.database import Base, EnumList, Event, ReadSession, WriteSession, ordered
from registry.errors import InvalidError, NotFoundError
from registry.paging import Page, page_of
from registry.policy import territories
from registry.policy.vocabulary import ObligationCode

MAX_TIER = 2


class ServiceEventKind(StrEnum):
    """What may become of a service."""

    SUSPENDED = "SUSPENDED"
    REINSTATED = "REINSTATED"
    TIER_SET = "TIER_SET"


class Service(Base):
    """An AI service. Its id is the id of the principal that it acts as."""

    __tablename__ = "services"

    id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    name: Mapped[str]
    established_in: Mapped[str | None]
    supported_obligations: Mapped[list[ObligationCode]] = mapped_column(EnumList(ObligationCode))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ServiceEvent(Event):
    """What became of a service."""

    __tablename__ = "service_events"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    kind: Mapped[ServiceEventKind]
    tier: Mapped[int | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a service's events add up to. Tier 0 registered, 1 organisation verified, 2 contract."""

    active: bool
    tier: int


def standing_of(events: Sequence[tuple[str, int | None]]) -> Standing:
    """The standing these (kind, tier) events, oldest first, add up to."""
    active, tier = True, 0
    for kind, given in events:
        match ServiceEventKind(kind):
            case ServiceEventKind.SUSPENDED:
                active = False
            case ServiceEventKind.REINSTATED:
                active = True
            case ServiceEventKind.TIER_SET:
                tier = given or 0
    return Standing(active=active, tier=tier)


async def register(
    session: WriteSession,
    *,
    service_id: UUID,
    owner_id: UUID,
    name: str,
    established_in: str | None = None,
    supported_obligations: Collection[ObligationCode] = (),
) -> Service:
    """Put a service on record at tier 0, with an account of its own to hold tokens."""
    if established_in is not None:
        territories.check([established_in], field="establishedIn")
    principal = await principals.register(
        session,
        kind=principals.PrincipalKind.SERVICE,
        handle=name,
        principal_id=service_id,
    )
    service = Service(
        id=principal.id,
        owner_id=owner_id,
        name=principal.handle,
        established_in=established_in,
        supported_obligations=ordered(frozenset(supported_obligations)),
    )
    session.add(service)
    await session.flush()  # events and answers refer to it
    return service


async def set_tier(session: WriteSession, *, service_id: UUID, tier: int, actor_id: UUID) -> None:
    """Say how far a service is trusted. The caller has checked that the actor may."""
    if not 0 <= tier <= MAX_TIER:
        raise InvalidError(f"A tier is 0 to {MAX_TIER}.", field="tier")
    session.add(
        ServiceEvent(
            service_id=service_id, kind=ServiceEventKind.TIER_SET, tier=tier, actor_id=actor_id
        )
    )
    await session.flush()  # an unknown service fails here


async def suspend(
    session: WriteSession, *, service_id: UUID, actor_id: UUID, reason: str | None = None
) -> None:
    """Refuse everything this service asks, from the next check on."""
    await mine(session, service_id)
    session.add(
        ServiceEvent(
            service_id=service_id,
            kind=ServiceEventKind.SUSPENDED,
            actor_id=actor_id,
            reason=reason,
        )
    )
    await session.flush()  # the caller's answer folds it


async def existing(session: ReadSession, ids: Collection[UUID]) -> set[UUID]:
    """Which of these are services. Any caller may know: a grant must be able to name one."""
    rows = await session.scalars(
        select(principals.Principal.id).where(
            principals.Principal.id.in_(ids),
            principals.Principal.kind == principals.PrincipalKind.SERVICE,
        )
    )
    return set(rows)


async def names(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """What each of these services is called. Any caller may know: it is the name of its account."""
    rows = await session.execute(
        select(principals.Principal.id, principals.Principal.handle).where(
            principals.Principal.id.in_(ids),
            principals.Principal.kind == principals.PrincipalKind.SERVICE,
        )
    )
    return {row.id: row.handle for row in rows}


async def mine(session: ReadSession, service_id: UUID) -> Service:
    """The service, if the caller may see it; absent and not yours look the same."""
    service = await session.get(Service, service_id)
    if service is None:
        raise NotFoundError("No such service.")
    return service


async def page(session: ReadSession, *, first: int, after: UUID | None) -> Page[Service]:
    """The services the caller may see, oldest first."""
    return await page_of(session, select(Service), key=Service.id, first=first, after=after)


async def standings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """How each service stands."""
    rows = await session.execute(
        select(ServiceEvent.service_id, ServiceEvent.kind, ServiceEvent.tier)
        .where(ServiceEvent.service_id.in_(ids))
        .order_by(ServiceEvent.at, ServiceEvent.id)
    )
    events: dict[UUID, list[tuple[str, int | None]]] = {one: [] for one in ids}
    for service_id, kind, tier in rows:
        events[service_id].append((kind, tier))
    return {one: standing_of(found) for one, found in events.items()}
