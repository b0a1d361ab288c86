"""A service disputes what it was answered: that a match was taken for somebody it is not.

What a dispute is answered tells nothing: also one about a decision in which nobody was found waits
for a reviewer.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from registry import doubts, replay
from registry.database import ReadSession, WriteSession, now
from registry.decisions import Decision
from registry.errors import BusyError, NotFoundError
from registry.keys import Keys
from registry.review_papers import Papers, checked_statement, sealed
from registry.reviews import Review, ReviewKind, open_review, same
from registry.sealing import SealError

DAILY: Final = 100  # of one service
_PERIOD: Final = timedelta(days=1)


async def dispute(
    session: WriteSession, decision: Decision, *, review_id: UUID, statement: str, keys: Keys
) -> UUID:
    """Let a reviewer look at a decision; the id of its review. As the operator.

    The caller has checked whose decision it is. BusyError after too many in one day.
    """
    statement = checked_statement(statement)
    digest = _digest(decision.id, keys)
    earlier = await same(session, digest)
    if earlier is not None:
        return earlier.id
    await _require_budget(session, decision.service_id)
    found = await _matches(session, decision, keys)
    subject_ids = frozenset[UUID]().union(*(one.subject_ids for one in found))
    papers = Papers(
        statement=statement,
        service_id=str(decision.service_id),
        decision_id=str(decision.id),
        seen=doubts.as_seen(found),
    )
    return await open_review(
        session,
        ReviewKind.FALSE_MATCH,
        subject_ids=subject_ids,
        opened_by=decision.service_id,
        about=decision.id,
        same_as=digest,
        sealed=await sealed(
            session, papers, review_id=review_id, subject_ids=subject_ids, keys=keys
        ),
        review_id=review_id,
    )


async def _matches(
    session: ReadSession, decision: Decision, keys: Keys
) -> tuple[doubts.Doubt, ...]:
    """Whom the decision held its probes for; nobody where one of them was erased since."""
    try:
        recorded = await replay.opened(session, decision, keys=keys)
    except SealError:
        return ()
    return doubts.matches(recorded)


async def known(session: ReadSession, decision_id: UUID, *, keys: Keys) -> UUID:
    """The id of the review of a decision that was disputed."""
    earlier = await same(session, _digest(decision_id, keys))
    if earlier is None:
        raise NotFoundError("No such review.")
    return earlier.id


def _digest(decision_id: UUID, keys: Keys) -> bytes:
    return keys.probe_digest(f"dispute:{decision_id}")


async def _require_budget(session: WriteSession, service_id: UUID) -> None:
    at = await now(session)
    recent = await session.scalar(
        select(func.count())
        .select_from(Review)
        .where(
            Review.opened_by == service_id,
            Review.kind == ReviewKind.FALSE_MATCH,
            Review.created_at > at - _PERIOD,
        )
    )
    if (recent or 0) >= DAILY:
        raise BusyError(f"At most {DAILY} disputes a day.", retry_after=3600)
