"""Cases: how somebody without an account is known: by a number and a PIN, with nothing proved.

A case is an account like any other, named by its number. Its token says IAL 1: whoever holds it may
forbid at once, and may permit nothing.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import principals
from registry.case_numbers import new_number
from registry.database import Base, ReadSession, WriteSession, new_id
from registry.errors import InvalidError, NotFoundError
from registry.keys import Keys
from registry.principals import Credential, PrincipalKind, Scope

IAL: Final = 1
SCOPES: Final = frozenset(
    {
        Scope.SUBJECTS_READ,
        Scope.SUBJECTS_WRITE,
        Scope.OBJECTIONS_READ,
        Scope.OBJECTIONS_WRITE,
        Scope.GRANTS_READ,
        Scope.REQUESTS_READ,
        Scope.REQUESTS_WRITE,
    }
)
CONTACT_LENGTH: Final = 254


class ContactKind(StrEnum):
    """How a person wants to be reached."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"


class Case(Base):
    """An account that is known by its number and a PIN."""

    __tablename__ = "cases"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.created_at


class CasePin(Base):
    """A PIN as it is kept. The newest one counts."""

    __tablename__ = "case_pins"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    pin_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class CaseContact(Base):
    """Where the desk reaches the person, sealed; replaced and removed at their word."""

    __tablename__ = "case_contacts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    kind: Mapped[ContactKind]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def open_case(session: WriteSession, *, pin_hash: str) -> str:
    """A new case's number. Needs the operator's session: who opens it has no account yet."""
    number = new_number()
    account = await principals.register(session, kind=PrincipalKind.PERSON, handle=number)
    session.add(Case(principal_id=account.id))
    session.add(CasePin(principal_id=account.id, pin_hash=pin_hash))
    await session.flush()  # a failure here is this request's, not the commit's
    return number


async def known(session: ReadSession, number: str) -> tuple[UUID, str] | None:
    """The account of this number and what is kept of its PIN. Needs the operator's session."""
    row = (
        await session.execute(
            select(Case.principal_id, CasePin.pin_hash)
            .join(principals.Principal, principals.Principal.id == Case.principal_id)
            .join(CasePin, CasePin.principal_id == Case.principal_id)
            .where(principals.Principal.handle == number)
            .order_by(CasePin.created_at.desc(), CasePin.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def digest_of(number: str, keys: Keys) -> bytes:
    """A case number as attempts with it are kept."""
    return keys.request_digest(b"case:" + number.encode())


async def of_account(session: ReadSession, principal_id: UUID) -> Case | None:
    """The case that this account is, if it is one."""
    found: Case | None = await session.scalar(select(Case).where(Case.principal_id == principal_id))
    return found


async def _mine(session: ReadSession, principal_id: UUID) -> Case:
    found = await of_account(session, principal_id)
    if found is None:
        raise NotFoundError("Your account is no case: it has no PIN.")
    return found


async def change_pin(
    session: WriteSession, *, principal_id: UUID, pin_hash: str, keep: UUID | None
) -> Case:
    """Let another PIN count from now on, and end every token but the one to keep.

    The caller has shown the former PIN. Needs the operator's session.
    """
    case = await _mine(session, principal_id)
    session.add(CasePin(principal_id=principal_id, pin_hash=pin_hash))
    tokens = await session.scalars(
        select(Credential.id).where(
            Credential.principal_id == principal_id, Credential.expires_at > func.now()
        )
    )
    for one in set(tokens) - {keep}:
        await principals.revoke_credential(
            session, credential_id=one, actor_id=principal_id, reason="PIN changed"
        )
    await session.flush()  # a failure here is this request's, not the commit's
    return case


async def add_contact(
    session: WriteSession, *, principal_id: UUID, kind: ContactKind, contact: str, keys: Keys
) -> Case:
    """Keep one way of this kind to reach the person, in place of a former one."""
    case = await _mine(session, principal_id)
    contact = " ".join(contact.split())
    if not 3 <= len(contact) <= CONTACT_LENGTH or not contact.isprintable():  # noqa: PLR2004
        raise InvalidError("An e-mail address or a telephone number.", field="contact")
    if kind is ContactKind.EMAIL and "@" not in contact[1:-1]:
        raise InvalidError("This is no e-mail address.", field="contact")
    await session.execute(
        delete(CaseContact).where(
            CaseContact.principal_id == principal_id, CaseContact.kind == kind
        )
    )
    contact_id = new_id()
    sealed = keys.deployment_key.seal(contact.encode(), context=_context(contact_id))
    session.add(CaseContact(id=contact_id, principal_id=principal_id, kind=kind, sealed=sealed))
    await session.flush()  # the answer shows it
    return case


async def contacts(
    session: ReadSession, principal_id: UUID, *, keys: Keys
) -> dict[ContactKind, str]:
    """How somebody is reached, opened."""
    rows = await session.scalars(
        select(CaseContact).where(CaseContact.principal_id == principal_id)
    )
    return {one.kind: opened_contact(one, keys) for one in rows}


def opened_contact(contact: CaseContact, keys: Keys) -> str:
    """How somebody is reached, opened."""
    return keys.deployment_key.open(contact.sealed, context=_context(contact.id)).decode()


async def forget_contacts(session: WriteSession, principal_id: UUID) -> None:
    """Remove every way to reach the person."""
    await session.execute(delete(CaseContact).where(CaseContact.principal_id == principal_id))


def _context(contact_id: UUID) -> bytes:
    return b"case-contact:" + contact_id.bytes
