"""Keys of identity providers: what they sign with, and which attester's account each speaks for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from registry import jws
from registry.database import Base, Event, ReadSession, WriteSession, checked_reason, new_id
from registry.errors import ConflictError, InvalidError, NotFoundError
from registry.keys import thumbprint
from registry.principals import Principal, PrincipalKind

_MEMBERS = {"kty": "OKP", "crv": "Ed25519"}


class AttesterKeyEventKind(StrEnum):
    """What may become of a provider's key."""

    REVOKED = "REVOKED"


class AttesterKey(Base):
    """A public key (Ed25519) that an attester's statements verify with; `kid`: its thumbprint."""

    __tablename__ = "attester_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    kid: Mapped[str] = mapped_column(unique=True)
    public: Mapped[bytes]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class AttesterKeyEvent(Event):
    """What became of a provider's key."""

    __tablename__ = "attester_key_events"

    attester_key_id: Mapped[UUID] = mapped_column(ForeignKey("attester_keys.id"), index=True)
    kind: Mapped[AttesterKeyEventKind]


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider: the account its statements count as, by one of its keys."""

    key_id: UUID
    kid: str
    principal_id: UUID
    name: str
    public: Ed25519PublicKey


def public_of(document: object) -> Ed25519PublicKey:
    """The key of a JSON Web Key (RFC 8037); InvalidError for any other, and for a private one."""
    if not isinstance(document, dict) or "d" in document:
        raise InvalidError("A provider's key is a public JSON Web Key.", field="jwk")
    if any(document.get(name) != value for name, value in _MEMBERS.items()):
        raise InvalidError("A provider's key is of type OKP, curve Ed25519.", field="jwk")
    try:
        return Ed25519PublicKey.from_public_bytes(jws.decode(str(document.get("x"))))
    except ValueError as error:
        raise InvalidError("A provider's key has 32 bytes.", field="jwk") from error


async def add(
    session: WriteSession, *, attester: Principal, public: Ed25519PublicKey, added_by: UUID
) -> AttesterKey:
    """Let statements signed by this key count as this attester's."""
    if attester.kind is not PrincipalKind.ATTESTER:
        raise InvalidError(f"{attester.handle} is no attester's account.", field="name")
    key = AttesterKey(
        principal_id=attester.id,
        kid=thumbprint(public),
        public=public.public_bytes_raw(),
        added_by=added_by,
    )
    session.add(key)
    try:
        await session.flush()  # a key has one owner, and is never taken up again
    except IntegrityError as error:
        raise ConflictError("This key is, or was, on record already.", field="jwk") from error
    return key


async def revoke(
    session: WriteSession, *, kid: str, actor_id: UUID, reason: str | None = None
) -> None:
    """Accept nothing more that this key signs. What it signed before stays on record."""
    found = next((one for one in await live(session) if one.kid == kid), None)
    if found is None:
        raise NotFoundError("No such key of a provider.", field="kid")
    session.add(
        AttesterKeyEvent(
            attester_key_id=found.key_id,
            kind=AttesterKeyEventKind.REVOKED,
            actor_id=actor_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # a failure here is this request's


async def live(session: ReadSession) -> list[Provider]:
    """Every provider's key that counts, oldest first."""
    revoked = select(AttesterKeyEvent.id).where(AttesterKeyEvent.attester_key_id == AttesterKey.id)
    rows = await session.execute(
        select(AttesterKey, Principal.handle)
        .join(Principal, Principal.id == AttesterKey.principal_id)
        .where(~revoked.exists())
        .order_by(AttesterKey.id)
    )
    return [
        Provider(
            key_id=key.id,
            kid=key.kid,
            principal_id=key.principal_id,
            name=handle,
            public=Ed25519PublicKey.from_public_bytes(key.public),
        )
        for key, handle in rows
    ]
