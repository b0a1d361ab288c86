"""Sending notices to webhooks: at least once, to public addresses only, and never to be led astray.

An attempt is put on record before it is made, under a number that only one server can take. So two
servers do not make the same one, and one that dies in the middle costs a wait.
"""

import asyncio
import logging
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import httpx2
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from registry import webhooks
from registry.database import Database, ReadSession, new_id, now
from registry.errors import RegistryError
from registry.keys import Keys
from registry.notices import Notice
from registry.principals import OPERATOR_ID
from registry.webhooks import (
    AttemptEventKind,
    Message,
    Webhook,
    WebhookAttempt,
    WebhookAttemptEvent,
    WebhookEvent,
)

TIMEOUT_SECONDS: Final = 5.0  # of the whole attempt, and of each step in it
AT_ONCE: Final = 32  # addresses; each holds a connection, and none to the database
_ROUND: Final = 200  # notices of one webhook that one round looks at
_KEPT: Final = sum(webhooks.BACKOFF, timedelta(days=1))

logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    """Nothing may be sent to this address."""


@dataclass(frozen=True, slots=True)
class _Due:
    webhook: Webhook
    notice: Notice
    ordinal: int


async def deliver(
    operator: Database, keys: Keys, *, private: bool, at: datetime | None = None
) -> None:
    """Attempt everything that is due at this moment, once each."""
    async with operator.reading() as session:
        moment = at or await now(session)
        due = await _due(session, moment)
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(to_one: list[_Due]) -> None:
        async with limit:
            try:
                await _deliver_to_one(operator, keys, to_one, private=private)
            except RegistryError as error:
                logger.warning("A webhook waits: %s", error)

    await asyncio.gather(*(one(to_one) for to_one in due))


async def _due(session: ReadSession, at: datetime) -> list[list[_Due]]:
    """What is due, oldest first, for each address."""
    return [
        [
            _Due(webhook, notice, len(attempts) + 1)
            for notice, attempts in await _undelivered(session, webhook, at)
            if webhooks.is_due(attempts, at=at)
        ]
        for webhook in await webhooks.live(session, None)
    ]


async def _deliver_to_one(
    operator: Database, keys: Keys, due: list[_Due], *, private: bool
) -> None:
    """Attempt what one address is to be told, until it fails or has taken its time.

    The rest is due in the next round: an address that is away or slow holds up no other.
    """
    began = time.monotonic()
    for each in due:
        taken = await _attempt(operator, keys, each, private=private)
        if not taken or time.monotonic() - began > TIMEOUT_SECONDS:
            return


async def _undelivered(
    session: ReadSession, webhook: Webhook, at: datetime
) -> list[tuple[Notice, list[datetime]]]:
    """What this address was not told yet, and when that was attempted."""
    told = (
        select(WebhookAttemptEvent.id)
        .join(WebhookAttempt, WebhookAttempt.id == WebhookAttemptEvent.attempt_id)
        .where(
            WebhookAttempt.webhook_id == webhook.id,
            WebhookAttempt.notice_id == Notice.id,
            WebhookAttemptEvent.kind == AttemptEventKind.DELIVERED,
        )
    )
    notices = list(
        await session.scalars(
            select(Notice)
            .where(
                Notice.principal_id == webhook.service_id,
                Notice.created_at >= max(webhook.created_at, at - _KEPT),
                ~told.exists(),
            )
            .order_by(Notice.id.desc())
            .limit(_ROUND)
        )
    )
    rows = await session.execute(
        select(WebhookAttempt.notice_id, WebhookAttempt.created_at).where(
            WebhookAttempt.webhook_id == webhook.id,
            WebhookAttempt.notice_id.in_([one.id for one in notices]),
        )
    )
    attempts: dict[UUID, list[datetime]] = {one.id: [] for one in notices}
    for notice_id, when in rows:
        attempts[notice_id].append(when)
    return [(one, attempts[one.id]) for one in reversed(notices)]


async def _attempt(operator: Database, keys: Keys, due: _Due, *, private: bool) -> bool:
    """Whether the address took it, or nothing was to be sent."""
    attempt_id = new_id()
    async with operator.writing() as session:
        taken = await session.scalar(
            insert(WebhookAttempt)
            .values(
                id=attempt_id,
                webhook_id=due.webhook.id,
                notice_id=due.notice.id,
                ordinal=due.ordinal,
                sent_by=OPERATOR_ID,
            )
            .on_conflict_do_nothing()
            .returning(WebhookAttempt.id)
        )
        over = await session.scalar(
            select(WebhookEvent.id).where(WebhookEvent.webhook_id == due.webhook.id)
        )
        at = await now(session)
    if taken is None or over is not None:
        return True  # another server makes this attempt, or nobody wants it any more
    secret = webhooks.secret_of(due.webhook, keys)
    status = await send(
        due.webhook.url, webhooks.message_of(due.notice, secret=secret, at=at), private=private
    )
    delivered = status is not None and httpx2.codes.is_success(status)
    async with operator.writing() as session:
        session.add(
            WebhookAttemptEvent(
                attempt_id=attempt_id,
                kind=AttemptEventKind.DELIVERED if delivered else AttemptEventKind.FAILED,
                status=status,
                actor_id=OPERATOR_ID,
            )
        )
    return delivered


async def send(url: str, message: Message, *, private: bool) -> int | None:
    """The HTTP status of the answer, whose body is not read; None without an answer."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _post(url, message, private=private)
    except (_RefusedError, RegistryError, OSError, TimeoutError, httpx2.HTTPError) as error:
        logger.info("A webhook was not reached: %s", type(error).__name__)
        return None


async def _post(url: str, message: Message, *, private: bool) -> int:
    """POST to an address that was checked, by the very address that was checked.

    A second look-up could give another one (DNS rebinding); TLS still asks for the host's name.
    """
    parts = webhooks.checked_url(url, private=private)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await _resolved(host, port, private=private)
    target = httpx2.URL(url).copy_with(host=address, port=port)
    async with (
        # No proxy of the environment: it would connect to what it likes.
        httpx2.AsyncClient(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        ) as client,
        client.stream(
            "POST",
            target,
            content=message.body,
            headers={**message.headers, "host": parts.netloc, "accept-encoding": "identity"},
            extensions={"sni_hostname": host},
        ) as response,
    ):
        return response.status_code


async def _resolved(host: str, port: int, *, private: bool) -> str:
    """An address of the host, once all of them were checked."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not addresses or not (private or all(map(webhooks.is_public, addresses))):
        raise _RefusedError
    return addresses[0]
