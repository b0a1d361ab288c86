"""The review desk: what waits for a person, who looks at it, and what they ruled."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, WriteSession, new_id, now, ordered


class ReviewKind(StrEnum):
    """Why a person must look."""

    GREY_MATCH = "GREY_MATCH"
    AMBIGUOUS_MATCH = "AMBIGUOUS_MATCH"
    CLAIM_CONFLICT = "CLAIM_CONFLICT"
    DISPUTED_OBJECTION = "DISPUTED_OBJECTION"
    FALSE_MATCH = "FALSE_MATCH"
    SUSPICIOUS_ENROLMENT = "SUSPICIOUS_ENROLMENT"
    IDENTITY_DISCLOSURE = "IDENTITY_DISCLOSURE"
    APPEAL = "APPEAL"


DUE: Final = {
    ReviewKind.GREY_MATCH: timedelta(days=3),
    ReviewKind.AMBIGUOUS_MATCH: timedelta(days=3),
    ReviewKind.CLAIM_CONFLICT: timedelta(days=14),  # the evidence window
    ReviewKind.DISPUTED_OBJECTION: timedelta(days=14),
    ReviewKind.FALSE_MATCH: timedelta(days=3),
    ReviewKind.SUSPICIOUS_ENROLMENT: timedelta(days=7),
    ReviewKind.IDENTITY_DISCLOSURE: timedelta(days=3),
    ReviewKind.APPEAL: timedelta(days=30),
}


class Review(Base):
    """One thing that waits for a person. `same_as`: two of one digest are one review."""

    __tablename__ = "reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ReviewKind]
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    about: Mapped[UUID | None]
    same_as: Mapped[bytes | None] = mapped_column(index=True, unique=True)
    sealed: Mapped[bytes | None]
    due_at: Mapped[datetime]
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def open_review(
    session: WriteSession,
    kind: ReviewKind,
    *,
    subject_ids: Collection[UUID],
    opened_by: UUID,
    about: UUID | None = None,
    same_as: bytes | None = None,
    sealed: bytes | None = None,
    review_id: UUID | None = None,
) -> UUID:
    """Put something before the desk; where `same_as` waits or was decided already, nothing new.

    Returns the id it was given, which is that of no review if it was not new.
    """
    review_id = review_id or new_id()
    await session.execute(
        insert(Review)
        .inline()
        .values(
            id=review_id,
            kind=kind,
            subject_ids=ordered(set(subject_ids)),
            about=about,
            same_as=same_as,
            sealed=sealed,
            due_at=await now(session) + DUE[kind],
            opened_by=opened_by,
        )
        .on_conflict_do_nothing()
    )
    return review_id
