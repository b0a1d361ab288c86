"""How a service asks for consent, and whom its request reaches, of which it learns nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from registry import decisions, grant_terms, organisations, request_messages, services
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
    take_turns,
)
from registry.errors import (
    BusyError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from registry.grant_terms import MAX_NOTICE, Terms
from registry.keys import Keys
from registry.policy.decision import Reason
from registry.policy.vocabulary import ReasonAction
from registry.scopes import Scope, columns

LASTS: Final = timedelta(days=14)
LASTS_AT_MOST: Final = timedelta(days=90)
MAX_OPEN: Final = 1_000  # of one service
MAX_OPEN_FOR_ONE: Final = 3  # of one service about one person
URL_LENGTH = 500
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
    terms: Terms
    notice: PrivacyNotice
    message: str | None = None
    expires_at: datetime | None = None
    named_subject: UUID | None = None
    decision_id: UUID | None = None
    person: int | None = None


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
    asked.terms.check(at)
    await take_turns(session, service_id)
    await _require_room(session, service_id, asked, at)
    await _require_asking(session, service_id, asked, keys)
    token = secrets.token_urlsafe(32)
    notice = asked.notice
    session.add(
        ConsentRequest(
            id=request_id,
            service_id=service_id,
            service_owner_id=service.owner_id,
            named_subject=asked.named_subject,
            decision_id=asked.decision_id,
            person=asked.person,
            link_sha256=link_digest(token),
            **columns(asked.scope),
            **grant_terms.columns(asked.terms),
            notice_version=_word(notice.version, "notice.version"),
            notice_language=_word(notice.language, "notice.language"),
            notice_sha256=notice.sha256,
            notice_url=_address(notice.url),
            expires_at=_expiry(asked.expires_at, at),
        )
    )
    await session.flush()  # its message, and whom it reaches, refer to it
    await request_messages.write(session, request_id, asked.message, keys=keys)
    return token


def link_digest(token: str) -> bytes:
    """How the secret of a link is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _word(given: str, field: str) -> str:
    if not 0 < len(given) <= MAX_NOTICE or not given.isprintable():
        raise InvalidError(f"Give 1 to {MAX_NOTICE} printable characters.", field=field)
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


async def _require_room(session: ReadSession, service_id: UUID, asked: Asked, at: datetime) -> None:
    open_ones = (
        select(func.count())
        .select_from(ConsentRequest)
        .where(ConsentRequest.service_id == service_id, *waiting(at))
    )
    if (await session.scalar(open_ones) or 0) >= MAX_OPEN:
        raise BusyError(
            f"A service has at most {MAX_OPEN} open requests.", retry_after=_BUSY_SECONDS
        )
    if asked.named_subject is None and asked.decision_id is None:
        return
    same = await session.scalar(
        open_ones.where(
            ConsentRequest.named_subject.is_not_distinct_from(asked.named_subject),
            ConsentRequest.decision_id.is_not_distinct_from(asked.decision_id),
            ConsentRequest.person.is_not_distinct_from(asked.person),
        )
    )
    if (same or 0) >= MAX_OPEN_FOR_ONE:
        raise BusyError(
            f"At most {MAX_OPEN_FOR_ONE} requests wait for one person.", retry_after=_BUSY_SECONDS
        )


def waiting(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Neither over nor answered with yes or no."""
    answered = select(ConsentRequestEvent.id).where(
        ConsentRequestEvent.request_id == ConsentRequest.id,
        ConsentRequestEvent.kind != RequestEventKind.DEFERRED,
    )
    return ConsentRequest.expires_at > at, ~answered.exists()


async def _require_asking(session: ReadSession, service_id: UUID, asked: Asked, keys: Keys) -> None:
    """Refuse a decision that is not the service's, or did not tell it to ask.

    Follows from what the service was answered alone: nothing sealed is opened here.
    """
    if asked.decision_id is None:
        return
    row = await decisions.get(session, asked.decision_id)
    if row is None or row.service_id != service_id:
        raise NotFoundError("No such decision.", field="decisionId")
    answer, person = decisions.opened(row, keys=keys), asked.person or 0
    if not 0 <= person < len(answer.persons):
        raise InvalidError("The decision has no such person.", field="person")
    if not says_to_ask(answer.persons[person].reasons, answer.reasons, person):
        raise InvalidError("This decision does not say to ask for consent.", field="decisionId")


def says_to_ask(own: tuple[Reason, ...], common: tuple[Reason, ...], person: int) -> bool:
    """Whether one of a person's reasons is answered by asking them."""
    reasons = (*own, *(one for one in common if one.person in {None, person}))
    return any(one.action is ReasonAction.REQUEST_CONSENT for one in reasons)


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
    await require_not_self_dealing(session, request, actor)
    session.add(
        RequestAddressee(
            request_id=request.id, subject_id=subject_id, by_link=True, added_by=actor.principal_id
        )
    )
    await session.flush()  # the claimer reads it next
    return request.id


async def require_not_self_dealing(
    session: ReadSession, request: ConsentRequest, actor: Actor
) -> None:
    """Nobody answers a request of a service of their own, or of their organisation's."""
    sides = {actor.principal_id, *await organisations.of(session, actor.principal_id)}
    if not sides.isdisjoint({request.service_id, request.service_owner_id}):
        raise ForbiddenError("Nobody answers a request of their own service.")
