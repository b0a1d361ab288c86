"""What the parties of a review have to say: kept with it, read by whoever decides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import review_papers, reviews
from registry.database import Base, ReadSession, WriteSession, new_id, take_turns
from registry.errors import ConflictError
from registry.keys import Keys
from registry.review_papers import Papers, checked_statement
from registry.reviews import Review

MOST = 20  # statements of one party in one review


class Evidence(Base):
    """One statement of a party, sealed under the key of everybody the review is about."""

    __tablename__ = "review_evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"), index=True)
    sealed: Mapped[bytes]
    given_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, opened; empty where somebody it speaks of was erased."""

    id: UUID
    given_by: UUID
    created_at: datetime
    statement: str | None


async def give(
    session: WriteSession,
    review: Review,
    *,
    evidence_id: UUID,
    given_by: UUID,
    statement: str,
    keys: Keys,
) -> None:
    """Add a statement while the review waits. The caller has checked that it concerns them."""
    await take_turns(session, review.id)
    standing = await reviews.standing(session, review.id)
    if not standing.waits:
        raise ConflictError(f"Review {review.id} is {standing.state}.")
    given = await session.scalar(
        select(func.count())
        .select_from(Evidence)
        .where(Evidence.review_id == review.id, Evidence.given_by == given_by)
    )
    if (given or 0) >= MOST:
        raise ConflictError(f"A party makes at most {MOST} statements.")
    papers = Papers(statement=checked_statement(statement))
    sealed = await review_papers.sealed(
        session,
        papers,
        review_id=evidence_id,
        subject_ids=review.subject_ids,
        keys=keys,
        of_a_party=True,
    )
    session.add(Evidence(id=evidence_id, review_id=review.id, sealed=sealed, given_by=given_by))
    await session.flush()  # the limit counts it


async def by_review(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, list[Statement]]:
    """The statements in each review, oldest first."""
    found: dict[UUID, list[Statement]] = {one: [] for one in ids}
    rows = await session.execute(
        select(Evidence, Review)
        .join(Review, Review.id == Evidence.review_id)
        .where(Evidence.review_id.in_(ids))
        .order_by(Evidence.created_at, Evidence.id)
    )
    for row, review in rows:
        papers = await review_papers.unsealed(
            session, row.sealed, review_id=row.id, subject_ids=review.subject_ids, keys=keys
        )
        found[review.id].append(Statement(row.id, row.given_by, row.created_at, papers.statement))
    return found
