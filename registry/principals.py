"""Who acts: people, organisations, services, the registry's own offices; and their credentials."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from registry.database import Actor, Base, Event, ReadSession, WriteSession, new_id
from registry.errors import ConflictError, InvalidError, NotFoundError


class PrincipalKind(StrEnum):
    """In what capacity somebody acts."""

    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"
    SERVICE = "SERVICE"
    REVIEWER = "REVIEWER"
    ATTESTER = "ATTESTER"
    REGULATOR = "REGULATOR"
    AUDITOR = "AUDITOR"
    OPERATOR = "OPERATOR"


# The registry's own offices: they answer for what they put on record, and act for nobody.
OFFICES = frozenset({PrincipalKind.ATTESTER, PrincipalKind.REVIEWER, PrincipalKind.OPERATOR})


class Scope(StrEnum):
    """What a token allows. A field that needs one says so in the schema."""

    CHECK = "check"
    CHECK_VECTOR = "check:vector"
    SUBJECTS_READ = "subjects:read"
    SUBJECTS_WRITE = "subjects:write"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    OBJECTIONS_READ = "objections:read"
    OBJECTIONS_WRITE = "objections:write"
    SERVICES_WRITE = "services:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    AUDIT_READ = "audit:read"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    REVIEWS_READ = "reviews:read"
    REVIEWS_WRITE = "reviews:write"


class CredentialEventKind(StrEnum):
    """What may become of a credential."""

    REVOKED = "REVOKED"


# The operator of the installation itself: commands run on its machine act as this principal.
OPERATOR_ID = UUID("00000000-0000-7000-8000-000000000001")
OPERATOR = Actor(OPERATOR_ID, PrincipalKind.OPERATOR)

HANDLE_LENGTH = 200
MAX_IAL = 3  # NIST SP 800-63A


class Principal(Base):
    """Somebody who can act. The handle names the account, never the person."""

    __tablename__ = "principals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[PrincipalKind]
    handle: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Credential(Base):
    """An access token that was minted: whose it is and what it allows. The token is not kept."""

    __tablename__ = "credentials"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    ial: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]


class CredentialEvent(Event):
    """What became of a credential."""

    __tablename__ = "credential_events"

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credentials.id"), index=True)
    kind: Mapped[CredentialEventKind]


def checked_handle(handle: str) -> str:
    """The handle without outer blanks; refused when empty, too long or unprintable."""
    handle = handle.strip()
    if not handle or len(handle) > HANDLE_LENGTH or not handle.isprintable():
        raise InvalidError(f"A name has 1 to {HANDLE_LENGTH} printable characters.", field="name")
    return handle


async def register(
    session: WriteSession, *, kind: PrincipalKind, handle: str, principal_id: UUID | None = None
) -> Principal:
    """Open an account. Handles are unique over all kinds."""
    handle = checked_handle(handle)
    principal = Principal(id=principal_id or new_id(), kind=kind, handle=handle)
    session.add(principal)
    try:
        await session.flush()  # others refer to it in the same transaction
    except IntegrityError as error:
        raise ConflictError(f"There already is an account named {handle}.", field="name") from error
    return principal


async def by_handle(session: ReadSession, handle: str) -> Principal | None:
    """The account with this handle."""
    found: Principal | None = await session.scalar(
        select(Principal).where(Principal.handle == handle)
    )
    return found


async def get(session: ReadSession, principal_id: UUID) -> Principal:
    """The account with this id."""
    principal = await session.get(Principal, principal_id)
    if principal is None:
        raise NotFoundError("No such account.")
    return principal


async def offices(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """What those of these accounts are called that are offices of the registry; nobody else."""
    rows = await session.execute(
        select(Principal.id, Principal.handle).where(
            Principal.id.in_(ids), Principal.kind.in_(OFFICES)
        )
    )
    return {row.id: row.handle for row in rows}


async def issue(
    session: WriteSession,
    *,
    principal_id: UUID,
    scopes: frozenset[Scope],
    ial: int,
    expires_at: datetime,
) -> Credential:
    """Record a credential before its token is minted; the token's `jti` is the credential's id."""
    if not scopes:
        raise InvalidError("A token needs at least one scope.", field="scopes")
    if not 0 <= ial <= MAX_IAL:
        raise InvalidError(f"Identity assurance is 0 to {MAX_IAL}.", field="ial")
    credential = Credential(
        id=new_id(),
        principal_id=principal_id,
        scopes=sorted(scopes),
        ial=ial,
        expires_at=expires_at,
    )
    session.add(credential)
    await session.flush()  # a foreign key that does not hold is the caller's error
    return credential


async def revoke_credential(
    session: WriteSession, *, credential_id: UUID, actor_id: UUID, reason: str | None = None
) -> None:
    """End a credential: no transaction begins with it any more."""
    if await session.get(Credential, credential_id) is None:
        raise NotFoundError("No such token.")
    session.add(
        CredentialEvent(
            credential_id=credential_id,
            kind=CredentialEventKind.REVOKED,
            actor_id=actor_id,
            reason=reason,
        )
    )
