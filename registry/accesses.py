"""Who of the registry's offices read of a person: written before the answer, seen by the person.

An answer whose reading cannot be put on record is not given.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, ReadSession, WriteSession, new_id
from registry.paging import Page, page_of
from registry.principals import OFFICES, PrincipalKind

# Whose reading is put on record: they see people who gave them no right of their own.
READERS = OFFICES | {PrincipalKind.REGULATOR}


class AccessKind(StrEnum):
    """What of a person was read. DISCLOSURE: name and contact, by an authority."""

    RECORD = "RECORD"
    REVIEW = "REVIEW"
    DISCLOSURE = "DISCLOSURE"
    EVIDENCE = "EVIDENCE"


class Access(Base):
    """One reading of what is known of a person."""

    __tablename__ = "subject_accesses"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    what: Mapped[AccessKind]
    review_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def note(
    session: WriteSession,
    subject_ids: Collection[UUID],
    principal_id: UUID,
    what: AccessKind,
    review_id: UUID | None = None,
) -> None:
    """Put on record that somebody reads of these people."""
    # Not through the session: who reads may not see what the person sees of it.
    for subject_id in sorted(subject_ids):
        await session.execute(
            insert(Access)
            .inline()
            .values(
                id=new_id(),
                subject_id=subject_id,
                principal_id=principal_id,
                what=what,
                review_id=review_id,
            )
        )


async def page(
    session: ReadSession, *, subject_id: UUID, reviews: bool, first: int, after: UUID | None
) -> Page[Access]:
    """Who read of this person, oldest first, if the caller may see the person.

    `reviews`: also who read to decide a review.
    """
    query = select(Access).where(Access.subject_id == subject_id)
    if not reviews:
        query = query.where(Access.what != AccessKind.REVIEW)
    return await page_of(session, query, key=Access.id, first=first, after=after)
