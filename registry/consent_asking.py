"""How a service asks for consent, and whom its request reaches, of which it learns nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from registry import decisions, grants, notices, replay, representatives, services, subjects
from registry.consent_requests import (
    ConsentRequest,
    ConsentRequestEvent,
    RequestAddressee,
    RequestEventKind,
)
from registry.database import (
    Actor,
    ReadSession,
    WriteSession,
    checked_time,
    now,
    ordered,
    take_turns,
)
from registry.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.policy.decision import Reason
from registry.policy.facts import Person
from registry.policy.vocabulary import Band, ReasonAction
from registry.representatives import Representative
from registry.scopes import Scope, columns
from registry.sealing import SealError

LASTS: Final = timedelta(days=14)
LASTS_AT_MOST: Final = timedelta(days=90)
MAX_OPEN: Final = 1_000  # of one service
MAX_OPEN_FOR_ONE: Final = 3  # of one service about one person
MESSAGE_LENGTH, WORD_LENGTH, URL_LENGTH = 500, 100, 500
_BUSY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """The notice that the service shows whom it asks: which one, and its exact text's digest."""

    version: str
    language: str
    sha256: bytes
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service asks for, and how."""

    scope: Scope
    terms: grants.Terms
    notice: PrivacyNotice
    message: str | None = None
    expires_at: datetime | None = None
    target: bytes | None = None


async def ask(
    session: WriteSession, *, request_id: UUID, service_id: UUID, asked: Asked, keys: Keys
) -> str:
    """Put a request on record and return the secret of its link, which is kept as a digest only.

    In a session of the registry's own: a service may not read who owns it. BusyError once it has
    asked too much that is not answered yet.
    """
    service = await services.mine(session, service_id)
    if not (await services.standings(session, [service_id]))[service_id].active:
        raise ForbiddenError("This service is suspended.")
    at = await now(session)
    grants.check_terms(asked.terms, at)
    await take_turns(session, service_id)
    await _require_room(session, service_id, asked.target, at)
    token = secrets.token_urlsafe(32)
    terms, notice = asked.terms, asked.notice
    session.add(
        ConsentRequest(
            id=request_id,
            service_id=service_id,
            service_owner_id=service.owner_id,
            target=asked.target,
            link_sha256=link_digest(token),
            **columns(asked.scope),
            ends_at=terms.ends_at,
            content_allowed=ordered(terms.content_allowed),
            commercial=terms.commercial,
            max_uses=terms.max_uses,
            written=terms.written,
            separate=terms.separate,
            represented=terms.represented,
            replaces_performance=terms.replaces_performance,
            obligations=ordered(terms.obligations),
            terms_sha256=terms.terms_sha256,
            notice_version=_word(notice.version, "notice.version"),
            notice_language=_word(notice.language, "notice.language"),
            notice_sha256=notice.sha256,
            notice_url=_address(notice.url),
            message=_sealed(request_id, asked.message, keys),
            expires_at=_expiry(asked.expires_at, at),
        )
    )
    await session.flush()  # whom it reaches refers to it
    return token


def link_digest(token: str) -> bytes:
    """How the secret of a link is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def message_of(request: ConsentRequest, keys: Keys) -> str | None:
    """What the service wrote to the person."""
    if request.message is None:
        return None
    return keys.deployment_key.open(request.message, context=_context(request.id)).decode()


def _sealed(request_id: UUID, message: str | None, keys: Keys) -> bytes | None:
    if message is None:
        return None
    if not 0 < len(message) <= MESSAGE_LENGTH or not message.isprintable():
        raise InvalidError(
            f"A message has 1 to {MESSAGE_LENGTH} printable characters.", field="message"
        )
    return keys.deployment_key.seal(message.encode(), context=_context(request_id))


def _context(request_id: UUID) -> bytes:
    return b"consent-request:" + request_id.bytes


def _word(given: str, field: str) -> str:
    if not 0 < len(given) <= WORD_LENGTH or not given.isprintable():
        raise InvalidError(f"Give 1 to {WORD_LENGTH} printable characters.", field=field)
    return given


def _address(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        fits = parts.scheme == "https" and bool(parts.hostname) and url.isprintable()
    except ValueError:
        fits = False
    if not fits or len(url) > URL_LENGTH:
        raise InvalidError("The notice is at an https address.", field="notice.url")
    return url


def _expiry(given: datetime | None, at: datetime) -> datetime:
    if given is None:
        return at + LASTS
    if not at < checked_time(given, "expiresAt") <= at + LASTS_AT_MOST:
        raise InvalidError(
            f"A request ends within {LASTS_AT_MOST.days} days, and not before now.",
            field="expiresAt",
        )
    return given


async def _require_room(
    session: ReadSession, service_id: UUID, target: bytes | None, at: datetime
) -> None:
    waiting = (
        select(func.count())
        .select_from(ConsentRequest)
        .where(ConsentRequest.service_id == service_id, *_waiting(at))
    )
    if (await session.scalar(waiting) or 0) >= MAX_OPEN:
        raise BusyError(
            f"A service has at most {MAX_OPEN} open requests.", retry_after=_BUSY_SECONDS
        )
    if target is None:
        return
    same = await session.scalar(waiting.where(ConsentRequest.target == target))
    if (same or 0) >= MAX_OPEN_FOR_ONE:
        raise BusyError(
            f"At most {MAX_OPEN_FOR_ONE} requests wait for one person.", retry_after=_BUSY_SECONDS
        )


def _waiting(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Neither over nor answered with yes or no."""
    answered = select(ConsentRequestEvent.id).where(
        ConsentRequestEvent.request_id == ConsentRequest.id,
        ConsentRequestEvent.kind != RequestEventKind.DEFERRED,
    )
    return ConsentRequest.expires_at > at, ~answered.exists()


async def about_subject(session: ReadSession, subject_id: UUID) -> UUID | None:
    """The subject of this id, if there is one; in a session of the registry's own."""
    found: UUID | None = await session.scalar(
        select(subjects.SubjectKey.subject_id).where(subjects.SubjectKey.subject_id == subject_id)
    )
    return found


async def about_decision(
    session: ReadSession, *, service_id: UUID, decision_id: UUID, person: int, keys: Keys
) -> UUID | None:
    """Who a person of a decision is, if one registered person is told to be asked.

    In a session of the registry's own. Refusals follow from what the service was answered alone.
    """
    row = await decisions.get(session, decision_id)
    if row is None or row.service_id != service_id:
        raise NotFoundError("No such decision.", field="decisionId")
    answer = decisions.opened(row, keys=keys)
    if not 0 <= person < len(answer.persons):
        raise InvalidError("The decision has no such person.", field="person")
    if not _asks(answer.persons[person].reasons, answer.reasons, person):
        raise InvalidError("This decision does not say to ask for consent.", field="decisionId")
    try:
        recorded = await replay.opened(session, row, keys=keys)
    except (SealError, ConflictError):
        return None  # somebody in it was erased, or an older release recorded it
    decision = recorded.decision
    if not _asks(decision.persons[person].reasons, decision.reasons, person):
        return None  # they said no already, or nobody may consent to it
    found = _who(recorded.facts.persons[person])
    return None if found is None else await about_subject(session, UUID(found))


def _asks(own: tuple[Reason, ...], common: tuple[Reason, ...], person: int) -> bool:
    reasons = (*own, *(one for one in common if one.person in {None, person}))
    return any(one.action is ReasonAction.REQUEST_CONSENT for one in reasons)


def _who(person: Person) -> str | None:
    """The one registered person it is, surely enough to let them be asked."""
    near = {
        candidate.subject_id
        for sighting in person.sightings
        for candidate in sighting.candidates
        if candidate.band.rank >= Band.MATCH.rank
    }
    if person.sightings:
        found = near
    else:
        found = {one for one in (person.claimed_subject, person.name_hit) if one is not None}
    if person.claimed_subject in found:
        return person.claimed_subject
    return found.pop() if len(found) == 1 else None


async def reach(
    session: WriteSession, *, request_id: UUID, subject_id: UUID, added_by: UUID
) -> None:
    """Let a person be asked, and tell who answers for them; in a session of the registry's own.

    One who has enough open requests of this service is not asked again, and the service not told.
    """
    request = await session.get_one(ConsentRequest, request_id)
    so_many = await session.scalar(
        select(func.count())
        .select_from(RequestAddressee)
        .join(ConsentRequest, ConsentRequest.id == RequestAddressee.request_id)
        .where(
            RequestAddressee.subject_id == subject_id,
            ConsentRequest.service_id == request.service_id,
            *_waiting(await now(session)),
        )
    )
    if (so_many or 0) >= MAX_OPEN_FOR_ONE:
        return
    session.add(
        RequestAddressee(
            request_id=request_id, subject_id=subject_id, by_link=False, added_by=added_by
        )
    )
    for one in await _answering(session, subject_id):
        await notices.tell(
            session, one, NoticeKind.CONSENT_REQUESTED, about=request_id, due_at=request.expires_at
        )


async def _answering(session: ReadSession, subject_id: UUID) -> set[UUID]:
    """The accounts that may answer for a person: who keeps the record, and who acts for them."""
    subject = await subjects.mine(session, subject_id)
    named = await session.scalars(
        select(Representative.principal_id)
        .where(Representative.subject_id == subject_id, Representative.principal_id.is_not(None))
        .distinct()
    )
    acting = {
        one
        for one in named
        if one is not None
        and await representatives.acting(session, subject_id=subject_id, principal_id=one)
    }
    return {subject.owner_id, *acting}


async def claim(session: WriteSession, *, token: str, subject_id: UUID, actor: Actor) -> UUID:
    """Take the request of a link for a subject; once. The id of the request.

    In a session of the registry's own: whether the actor answers for the subject was checked.
    """
    absent = NotFoundError("No such request: the link is wrong, was used, or has ended.")
    request: ConsentRequest | None = await session.scalar(
        select(ConsentRequest).where(ConsentRequest.link_sha256 == link_digest(token))
    )
    if request is None:
        raise absent
    await take_turns(session, request.id)
    used = await session.scalar(
        select(RequestAddressee.id).where(
            RequestAddressee.request_id == request.id, RequestAddressee.by_link
        )
    )
    if used is not None or request.expires_at <= await now(session):
        raise absent
    require_not_self_dealing(request, actor)
    session.add(
        RequestAddressee(
            request_id=request.id, subject_id=subject_id, by_link=True, added_by=actor.principal_id
        )
    )
    await session.flush()  # the claimer reads it next
    return request.id


def require_not_self_dealing(request: ConsentRequest, actor: Actor) -> None:
    """Nobody answers a request of a service of their own."""
    if actor.principal_id in {request.service_id, request.service_owner_id}:
        raise ForbiddenError("Nobody answers a request of their own service.")
