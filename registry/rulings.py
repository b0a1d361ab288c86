"""Rulings that last: what the next check, and the next enrolment, read of the desk.

A ruling is about exactly one probe, known again by a keyed digest, and one subject; or about two
subjects who look alike. One that is overturned stops counting at the next check.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, Event, ReadSession, WriteSession, new_id
from registry.reviews import Ruling


class RulingEventKind(StrEnum):
    """What may become of a ruling."""

    OVERTURNED = "OVERTURNED"


class LastingRuling(Base):
    """NOT_THE_SAME_PERSON or SAME_PERSON of a probe; or COEXISTING of two subjects."""

    __tablename__ = "rulings"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"), index=True)
    ruling: Mapped[Ruling]
    digest: Mapped[bytes | None] = mapped_column(index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    other_id: Mapped[UUID | None]
    ruled_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RulingEvent(Event):
    """What became of a ruling."""

    __tablename__ = "ruling_events"

    ruling_id: Mapped[UUID] = mapped_column(ForeignKey("rulings.id"), index=True)
    kind: Mapped[RulingEventKind]


async def rule(
    session: WriteSession,
    *,
    review_id: UUID,
    ruling: Ruling,
    digest: bytes,
    subject_ids: Collection[UUID],
    ruled_by: UUID,
) -> None:
    """Let this probe have this ruling about every one of these subjects."""
    for subject_id in sorted(subject_ids):
        session.add(
            LastingRuling(
                review_id=review_id,
                ruling=ruling,
                digest=digest,
                subject_id=subject_id,
                ruled_by=ruled_by,
            )
        )
    await session.flush()  # an unknown subject fails here


async def coexist(
    session: WriteSession, *, review_id: UUID, one: UUID, others: Collection[UUID], ruled_by: UUID
) -> None:
    """Let a subject and each of the others look alike, both ways, without either being wrong."""
    for other in sorted(others):
        for subject_id, other_id in ((one, other), (other, one)):
            session.add(
                LastingRuling(
                    review_id=review_id,
                    ruling=Ruling.COEXISTING,
                    subject_id=subject_id,
                    other_id=other_id,
                    ruled_by=ruled_by,
                )
            )
    await session.flush()  # an unknown subject fails here


async def overturn(session: WriteSession, *, review_id: UUID, actor_id: UUID) -> None:
    """Nothing that this review ruled counts any more."""
    for one in await standing(session, review_id):
        session.add(
            RulingEvent(ruling_id=one.id, kind=RulingEventKind.OVERTURNED, actor_id=actor_id)
        )
    await session.flush()  # a ruling that follows is read beside these


async def standing(session: ReadSession, review_id: UUID) -> list[LastingRuling]:
    """The rulings of a review that count."""
    overturned = select(RulingEvent.id).where(RulingEvent.ruling_id == LastingRuling.id)
    rows = await session.scalars(
        select(LastingRuling)
        .where(LastingRuling.review_id == review_id, ~overturned.exists())
        .order_by(LastingRuling.id)
    )
    return list(rows)
