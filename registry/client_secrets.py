"""Client secrets: with one a service fetches its own short-lived access tokens (RFC 6749, 4.4)."""

import hashlib
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, Event, ReadSession, WriteSession, checked_reason, new_id
from registry.errors import InvalidError, NotFoundError
from registry.principals import PrincipalKind, Scope, get

_PREFIX: Final = "lrs_"  # so that a secret found in a file is known for what it is
_BYTES: Final = 32
MOST: Final = 200


class ClientSecretEventKind(StrEnum):
    """What may become of a client secret."""

    REVOKED = "REVOKED"


class ClientSecret(Base):
    """A service's secret as its SHA-256, with what its tokens may allow. It is long and random."""

    __tablename__ = "client_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    digest: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ClientSecretEvent(Event):
    """What became of a client secret."""

    __tablename__ = "client_secret_events"

    client_secret_id: Mapped[UUID] = mapped_column(ForeignKey("client_secrets.id"), index=True)
    kind: Mapped[ClientSecretEventKind]


class Made(NamedTuple):
    """A secret that was made: shown once."""

    id: UUID
    secret: str


async def make(
    session: WriteSession, *, principal_id: UUID, scopes: frozenset[Scope], made_by: UUID
) -> Made:
    """A new secret of a service. Earlier ones hold until they are revoked."""
    if (await get(session, principal_id)).kind is not PrincipalKind.SERVICE:
        raise InvalidError("Only a service has a client secret.", field="service")
    if not scopes:
        raise InvalidError("A secret allows at least one scope.", field="scopes")
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    kept = ClientSecret(
        id=new_id(),
        principal_id=principal_id,
        digest=_digest(secret),
        scopes=sorted(scopes),
        made_by=made_by,
    )
    session.add(kept)
    await session.flush()  # a failure here is this request's, not the commit's
    return Made(kept.id, secret)


async def scopes_of(
    session: ReadSession, *, principal_id: UUID, secret: str
) -> frozenset[Scope] | None:
    """What this service may be allowed with this secret; None if it is not its own, or revoked."""
    revoked = select(ClientSecretEvent.id).where(
        ClientSecretEvent.client_secret_id == ClientSecret.id
    )
    rows = await session.scalars(
        select(ClientSecret).where(ClientSecret.principal_id == principal_id, ~revoked.exists())
    )
    given = _digest(secret[:MOST])
    for one in rows:
        if hmac.compare_digest(one.digest, given):
            known = set(Scope)
            return frozenset(Scope(scope) for scope in one.scopes if scope in known)
    return None


async def of_service(
    session: ReadSession, principal_id: UUID
) -> list[tuple[ClientSecret, datetime | None]]:
    """A service's secrets, oldest first, and since when each is revoked. As the operator."""
    revoked_at = (
        select(func.min(ClientSecretEvent.at))
        .where(ClientSecretEvent.client_secret_id == ClientSecret.id)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(ClientSecret, revoked_at)
        .where(ClientSecret.principal_id == principal_id)
        .order_by(ClientSecret.id)
    )
    return [(row[0], row[1]) for row in rows]


async def exists(session: ReadSession, secret_id: UUID) -> bool:
    """Whether there is a secret of this id."""
    return await session.get(ClientSecret, secret_id) is not None


async def revoke(
    session: WriteSession, *, secret_id: UUID, actor_id: UUID, reason: str | None = None
) -> None:
    """End a secret: no token is fetched with it any more. Fetched ones end within minutes."""
    if not await exists(session, secret_id):
        raise NotFoundError("No such client secret.")
    session.add(
        ClientSecretEvent(
            client_secret_id=secret_id,
            kind=ClientSecretEventKind.REVOKED,
            actor_id=actor_id,
            reason=checked_reason(reason),
        )
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
