"""Webhooks: where a service wants to be told its notices, and the secret that signs them.

What is sent follows Standard Webhooks 1.0: a POST with `webhook-id`, `webhook-timestamp` and
`webhook-signature`. A notice is sent until the address answers 2xx, for two days.
"""

import base64
import hmac
import ipaddress
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import orjson
from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

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
from registry.keys import Keys
from registry.notices import Notice
from registry.paging import Page, page_of
from registry.principals import OPERATOR_ID

MAX_OF_A_SERVICE: Final = 10
URL_LENGTH: Final = 500
SECRET_BYTES: Final = 32
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # of Standard Webhooks, not a secret
# How long after the n-th attempt the next one is due; after the last, none.
BACKOFF: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: any IPv4 address in another's clothes


class WebhookEventKind(StrEnum):
    """What may become of a webhook."""

    ENDED = "ENDED"


class AttemptEventKind(StrEnum):
    """What may become of an attempt to deliver."""

    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Webhook(Base):
    """An address that a service is told at. `secret`: sealed."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    url: Mapped[str]
    secret: Mapped[bytes]
    registered_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WebhookEvent(Event):
    """What became of a webhook."""

    __tablename__ = "webhook_events"

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"), index=True)
    kind: Mapped[WebhookEventKind]


class WebhookAttempt(Base):
    """One attempt to deliver a notice, recorded before it is made: no two servers make the same."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (UniqueConstraint("webhook_id", "notice_id", "ordinal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"))
    ordinal: Mapped[int]
    sent_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WebhookAttemptEvent(Event):
    """What became of an attempt; `status`: of the HTTP answer, if there was one."""

    __tablename__ = "webhook_attempt_events"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_attempts.id"), index=True)
    kind: Mapped[AttemptEventKind]
    status: Mapped[int | None]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the body and the headers that identify, date and sign it."""

    body: bytes
    headers: dict[str, str]


def is_due(attempts: Sequence[datetime], *, at: datetime) -> bool:
    """Whether a notice that was attempted at these times, without success, is due again."""
    if not attempts:
        return True
    if len(attempts) > len(BACKOFF):
        return False
    return max(attempts) + BACKOFF[len(attempts) - 1] <= at


def sign(secret: bytes, *, id: str, timestamp: int, body: bytes) -> str:
    """The signature of Standard Webhooks: HMAC-SHA256 of "id.timestamp.body"."""
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def message_of(notice: Notice, *, secret: bytes, at: datetime) -> Message:
    """A notice as it is sent."""
    body = orjson.dumps(
        {
            "type": f"notice.{notice.kind.lower()}",
            "timestamp": notice.created_at,
            "data": {
                "id": str(notice.id),
                "kind": notice.kind,
                "about": None if notice.about is None else str(notice.about),
                "dueAt": notice.due_at,
            },
        }
    )
    timestamp = int(at.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": str(notice.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, id=str(notice.id), timestamp=timestamp, body=body),
    }
    return Message(body, headers)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, in no disguise."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (
        ip.ipv4_mapped is not None or ip.sixtofour is not None or ip.teredo is not None
        or ip in _NAT64 or ip.is_site_local
    ):  # fmt: skip
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def checked_url(url: str, *, private: bool) -> SplitResult:
    """The address in its parts; InvalidError for one that nothing would be sent to.

    `private`: also http, and addresses of this machine and its network.
    """
    refused = InvalidError("Give an https address of the public internet.", field="url")
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise refused
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        (host or "").encode("idna")  # as whoever looks it up will: not every label is one
    except ValueError as error:  # UnicodeError is one
        raise refused from error
    if parts.scheme not in ({"http", "https"} if private else {"https"}) or not host:
        raise refused
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise refused
    if not private and ((_is_address(host) and not is_public(host)) or _is_local(host)):
        raise refused
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith((".localhost", ".local", ".internal"))


async def register(
    session: WriteSession,
    *,
    webhook_id: UUID,
    service_id: UUID,
    url: str,
    actor: Actor,
    private: bool,
    keys: Keys,
) -> str:
    """Tell a service at this address from now on. The secret that signs; shown this once."""
    await _require_own(session, service_id, actor)
    checked_url(url, private=private)
    await take_turns(session, service_id)
    if len(await live(session, [service_id])) >= MAX_OF_A_SERVICE:
        raise ConflictError(f"A service has at most {MAX_OF_A_SERVICE} webhooks.")
    secret = os.urandom(SECRET_BYTES)
    session.add(
        Webhook(
            id=webhook_id,
            service_id=service_id,
            url=url,
            secret=keys.deployment_key.seal(secret, context=_context(webhook_id)),
            registered_by=actor.principal_id,
        )
    )
    await session.flush()  # the caller reads it next
    return SECRET_PREFIX + base64.b64encode(secret).decode()


async def _require_own(session: ReadSession, service_id: UUID, actor: Actor) -> None:
    service = await services.mine(session, service_id)
    if actor.principal_id not in {service.id, service.owner_id, OPERATOR_ID}:
        raise ForbiddenError("The service itself, or its owner, says where it is told.")


def secret_of(webhook: Webhook, keys: Keys) -> bytes:
    """The secret that signs what is sent there."""
    return keys.deployment_key.open(webhook.secret, context=_context(webhook.id))


def _context(webhook_id: UUID) -> bytes:
    return b"webhook:" + webhook_id.bytes


async def end(
    session: WriteSession, *, webhook_id: UUID, actor: Actor, reason: str | None = None
) -> Webhook:
    """Send nothing there any more."""
    await take_turns(session, webhook_id)
    webhook = await mine(session, webhook_id)
    await _require_own(session, webhook.service_id, actor)
    if (await ended(session, [webhook_id]))[webhook_id]:
        raise ConflictError("This webhook has ended already.")
    session.add(
        WebhookEvent(
            webhook_id=webhook_id,
            kind=WebhookEventKind.ENDED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return webhook


async def mine(session: ReadSession, webhook_id: UUID) -> Webhook:
    """The webhook, if the caller may see it; absent and not yours look the same."""
    webhook = await session.get(Webhook, webhook_id)
    if webhook is None:
        raise NotFoundError("No such webhook.")
    return webhook


async def ended(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether nothing is sent there any more."""
    rows = await session.scalars(
        select(WebhookEvent.webhook_id).where(WebhookEvent.webhook_id.in_(ids))
    )
    over = set(rows)
    return {one: one in over for one in ids}


async def live(session: ReadSession, service_ids: Collection[UUID] | None) -> list[Webhook]:
    """The webhooks that are told, of these services or of all."""
    over = select(WebhookEvent.id).where(WebhookEvent.webhook_id == Webhook.id)
    query = select(Webhook).where(~over.exists()).order_by(Webhook.id)
    if service_ids is not None:
        query = query.where(Webhook.service_id.in_(service_ids))
    return list(await session.scalars(query))


async def page(session: ReadSession, *, first: int, after: UUID | None) -> Page[Webhook]:
    """The webhooks of the caller's services, oldest first."""
    return await page_of(session, select(Webhook), key=Webhook.id, first=first, after=after)
