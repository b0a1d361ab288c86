"""Notices: what the registry tells an account, kept until it is fetched or pushed by webhook.

A notice names what it is about and holds no personal data; whoever is told may look it up.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, ReadSession, WriteSession, new_id
from registry.paging import Page, page_of


class NoticeKind(StrEnum):
    """What happened that somebody should know."""

    GRANT_REVOKED = "GRANT_REVOKED"
    GRANT_SUSPENDED = "GRANT_SUSPENDED"
    GRANT_ACTIVE = "GRANT_ACTIVE"
    GRANT_LAPSED = "GRANT_LAPSED"
    COOLING_OFF = "COOLING_OFF"
    RATIFICATION_REQUESTED = "RATIFICATION_REQUESTED"
    HOLDERS_CALLED = "HOLDERS_CALLED"
    REPRESENTATION_OFFERED = "REPRESENTATION_OFFERED"
    CONSENT_REQUESTED = "CONSENT_REQUESTED"
    CONSENT_REQUEST_CHANGED = "CONSENT_REQUEST_CHANGED"
    CLAIM_CONFLICT = "CLAIM_CONFLICT"
    OBJECTION_CONTESTED = "OBJECTION_CONTESTED"
    REVIEW_DECIDED = "REVIEW_DECIDED"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    PIN_RECOVERY_ASKED = "PIN_RECOVERY_ASKED"
    PIN_RENEWED = "PIN_RENEWED"


class Notice(Base):
    """One thing an account is told. `about`: the id of what it is about; `due_at`: answer by."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    kind: Mapped[NoticeKind]
    about: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def tell(
    session: WriteSession,
    principal_id: UUID,
    kind: NoticeKind,
    *,
    about: UUID | None = None,
    due_at: datetime | None = None,
) -> None:
    """Let an account know, in the transaction in which it happens."""
    # Not through the session: what is told to others may not be read back by whoever tells it.
    await session.execute(
        insert(Notice)
        .inline()
        .values(id=new_id(), principal_id=principal_id, kind=kind, about=about, due_at=due_at)
    )


async def page(
    session: ReadSession, *, principal_id: UUID, first: int, after: UUID | None
) -> Page[Notice]:
    """What an account was told, oldest first."""
    query = select(Notice).where(Notice.principal_id == principal_id)
    return await page_of(session, query, key=Notice.id, first=first, after=after)
