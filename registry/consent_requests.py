"""Requests for consent: a service asks, and who answers for the person says yes, no or later.

The service sees the state and nothing of the person: whom a request reached is in a table of its
own, which row-level security shows to those who see that person and to nobody else.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from registry import grants, notices, services
from registry.database import (
    Base,
    Event,
    ReadSession,
    WriteSession,
    new_id,
    now,
)
from registry.errors import NotFoundError
from registry.grant_terms import Notice, Termed, Terms
from registry.notices import NoticeKind
from registry.paging import Page, page_of
from registry.policy.vocabulary import GrantState
from registry.scopes import Scope, Scoped, scope_in


class RequestState(StrEnum):
    """Where a request for consent stands."""

    REQUESTED = "REQUESTED"
    DEFERRED = "DEFERRED"
    REFUSED = "REFUSED"
    GRANTED = "GRANTED"
    EXPIRED = "EXPIRED"


class RequestEventKind(StrEnum):
    """What may become of a request. PROPOSED: the grant it asks for is on record, to be signed."""

    DEFERRED = "DEFERRED"
    REFUSED = "REFUSED"
    PROPOSED = "PROPOSED"


class ConsentRequest(Scoped, Termed, Base):
    """What a service asks for, in the words of a grant.

    `named_subject`: an id that the service gave, of a person or of nobody.
    `service_owner_id`: whose service it is, who may not answer it.
    """

    __tablename__ = "consent_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    service_owner_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    named_subject: Mapped[UUID | None]
    decision_id: Mapped[UUID | None]
    person: Mapped[int | None]
    link_sha256: Mapped[bytes] = mapped_column(index=True, unique=True)
    notice_version: Mapped[str]
    notice_language: Mapped[str]
    notice_sha256: Mapped[bytes]
    notice_url: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    @property
    def scope(self) -> Scope:
        """What is asked for, as a grant would say it."""
        return scope_in(self)

    @property
    def terms(self) -> Terms:
        """The terms of the grant: exactly those that were asked for."""
        return Terms(
            grantees=frozenset({self.service_id}),
            **self.conditions,
            notice=Notice(self.notice_version, self.notice_language, self.notice_sha256),
        )


class RequestAddressee(Base):
    """Whom a request reached: somebody the registry knew, or who opened its link."""

    __tablename__ = "consent_request_addressees"
    __table_args__ = (
        Index(
            "ix_consent_request_addressees_by_link",
            "request_id",
            unique=True,
            postgresql_where=text("by_link"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("consent_requests.id"), index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"))
    by_link: Mapped[bool]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RequestLookup(Base):
    """That the registry has looked whom a request means, and let them be asked if it found one."""

    __tablename__ = "consent_request_lookups"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("consent_requests.id"), unique=True)
    looked_up_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ConsentRequestEvent(Event):
    """What somebody it reached answered."""

    __tablename__ = "consent_request_events"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("consent_requests.id"), index=True)
    kind: Mapped[RequestEventKind]
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"))
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("grants.id"), index=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, as far as the caller sees; `subject_ids`: whom of theirs it asks."""

    state: RequestState
    grant_id: UUID | None = None
    subject_ids: tuple[UUID, ...] = ()
    service_name: str = ""


# What an answered request is worth, by what has become of its grant. Any other: not granted.
_BY_GRANT: Final = {
    GrantState.ACTIVE: RequestState.GRANTED,
    GrantState.SUSPENDED: RequestState.DEFERRED,
    GrantState.REVOKED: RequestState.REFUSED,
    GrantState.REJECTED: RequestState.REFUSED,
    GrantState.EXPIRED: RequestState.EXPIRED,
}
_OPEN = frozenset({RequestState.REQUESTED, RequestState.DEFERRED})
# Of several whom one request reached (a link may reach another than the registry), the first of:
_FOREMOST = (RequestState.GRANTED, RequestState.REFUSED, RequestState.DEFERRED)


def state_of(
    answers: Iterable[tuple[str, GrantState | None]], *, expires_at: datetime, at: datetime
) -> RequestState:
    """The state one person's answers, oldest first, add up to; each with what its grant is now.

    A refusal is final. GRANTED only while the grant is ACTIVE.
    """
    state = RequestState.REQUESTED
    for kind, grant in answers:
        match RequestEventKind(kind):
            case RequestEventKind.REFUSED:
                return RequestState.REFUSED
            case RequestEventKind.DEFERRED:
                state = RequestState.DEFERRED
            case RequestEventKind.PROPOSED:
                state = RequestState.REQUESTED if grant is None else _by_grant(grant)
    return RequestState.EXPIRED if state in _OPEN and expires_at <= at else state


def _by_grant(state: GrantState) -> RequestState:
    return _BY_GRANT.get(state, RequestState.REQUESTED)


def foremost(
    states: Collection[RequestState], *, expires_at: datetime, at: datetime
) -> RequestState:
    """What those whom a request reached said together."""
    for one in _FOREMOST:
        if one in states:
            return one
    return RequestState.EXPIRED if expires_at <= at else RequestState.REQUESTED


async def mine(session: ReadSession, request_id: UUID) -> ConsentRequest:
    """The request, if the caller may see it; absent and not yours look the same."""
    request = await session.get(ConsentRequest, request_id)
    if request is None:
        raise NotFoundError("No such request.")
    return request


async def page(session: ReadSession, *, first: int, after: UUID | None) -> Page[ConsentRequest]:
    """Requests the caller made, or that ask their subjects, oldest first."""
    return await page_of(
        session, select(ConsentRequest), key=ConsentRequest.id, first=first, after=after
    )


async def addressed(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Whom each request reached, of those the caller sees."""
    rows = await session.execute(
        select(RequestAddressee.request_id, RequestAddressee.subject_id)
        .where(RequestAddressee.request_id.in_(ids))
        .order_by(RequestAddressee.id)
    )
    found: dict[UUID, dict[UUID, None]] = {one: {} for one in ids}
    for request_id, subject_id in rows:
        found[request_id][subject_id] = None
    return {one: tuple(subjects) for one, subjects in found.items()}


async def events(
    session: ReadSession, ids: Collection[UUID]
) -> dict[UUID, list[ConsentRequestEvent]]:
    """What was answered to each request, oldest first, as far as the caller may see."""
    rows = await session.scalars(
        select(ConsentRequestEvent)
        .where(ConsentRequestEvent.request_id.in_(ids))
        .order_by(ConsentRequestEvent.at, ConsentRequestEvent.id)
    )
    found: dict[UUID, list[ConsentRequestEvent]] = {one: [] for one in ids}
    for row in rows:
        found[row.request_id].append(row)
    return found


async def standings(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where each visible request stands now."""
    rows = list(await session.scalars(select(ConsentRequest).where(ConsentRequest.id.in_(ids))))
    history = await events(session, [one.id for one in rows])
    whom = await addressed(session, [one.id for one in rows])
    names = await services.names(session, {one.service_id for one in rows})
    given = [event.grant_id for found in history.values() for event in found if event.grant_id]
    known = await grants.states_by_ids(session, given)
    at = await now(session)
    return {
        one.id: Standing(
            state=_together(one, history[one.id], known, at),
            grant_id=next((e.grant_id for e in reversed(history[one.id]) if e.grant_id), None),
            subject_ids=whom[one.id],
            service_name=names.get(one.service_id, ""),
        )
        for one in rows
    }


def _together(
    request: ConsentRequest,
    history: Sequence[ConsentRequestEvent],
    known: dict[UUID, GrantState],
    at: datetime,
) -> RequestState:
    answers: dict[UUID, list[tuple[str, GrantState | None]]] = {}
    for one in history:
        state = None if one.grant_id is None else known.get(one.grant_id)
        answers.setdefault(one.subject_id, []).append((one.kind, state))
    states = {state_of(found, expires_at=request.expires_at, at=at) for found in answers.values()}
    return foremost(states, expires_at=request.expires_at, at=at)


async def tell_service(session: WriteSession, request: ConsentRequest) -> None:
    """Let the service know that its request does not stand as it stood."""
    await notices.tell(
        session, request.service_id, NoticeKind.CONSENT_REQUEST_CHANGED, about=request.id
    )


async def grant_changed(session: WriteSession, grant_id: UUID) -> None:
    """What follows for the request that a grant answers, if it answers one."""
    request: ConsentRequest | None = await session.scalar(
        select(ConsentRequest)
        .join(ConsentRequestEvent, ConsentRequestEvent.request_id == ConsentRequest.id)
        .where(ConsentRequestEvent.grant_id == grant_id)
    )
    if request is not None:
        await tell_service(session, request)
