"""What a reviewer is given to read: sealed under the key of everybody it speaks of.

Erasing one of them makes it unreadable for good, like the decisions about them.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

import orjson
from sqlalchemy import select

from registry import subjects
from registry.database import ReadSession
from registry.errors import InvalidError, NotFoundError
from registry.keys import Keys
from registry.misuse import Misuse
from registry.reviews import Review

MAX_STATEMENT = 4000


@dataclass(frozen=True, slots=True)
class Papers:
    """What is known of a matter. `seen`: each probe, as rulings name it, and whom it is near to.

    `misuse`: what somebody complains of.
    """

    statement: str | None = None
    case_number: str | None = None
    service_id: str | None = None
    decision_id: str | None = None
    seen: tuple[tuple[str, tuple[str, ...]], ...] = ()
    misuse: Misuse | None = None


async def sealed(
    session: ReadSession,
    papers: Papers,
    *,
    review_id: UUID,
    subject_ids: Collection[UUID],
    keys: Keys,
    of_a_party: bool = False,
) -> bytes:
    """The papers under each subject's key in order of their ids, then the deployment's.

    NotFoundError if one of them has none. `of_a_party`: whoever speaks may not know who is on
    record, and is not told that somebody was erased; nobody reads what they say then.
    """
    wrapped = (
        await subjects.wrapped_keys(session, subject_ids)
        if of_a_party
        else await _wrapped(session, subject_ids)
    )
    body = orjson.dumps(asdict(papers))
    for subject_id in sorted(wrapped):
        key = keys.open_key(subject_id, wrapped[subject_id])
        body = key.seal(body, context=_context(review_id))
    return keys.deployment_key.seal(body, context=_context(review_id))


async def opened(session: ReadSession, review: Review, *, keys: Keys) -> Papers:
    """The papers of a review; none where there are none, or somebody was erased."""
    if review.sealed is None:
        return Papers()
    return await unsealed(
        session, review.sealed, review_id=review.id, subject_ids=review.subject_ids, keys=keys
    )


async def unsealed(
    session: ReadSession,
    body: bytes,
    *,
    review_id: UUID,
    subject_ids: Collection[UUID],
    keys: Keys,
) -> Papers:
    """What `sealed` sealed; none where somebody it speaks of was erased."""
    try:
        wrapped = await _wrapped(session, subject_ids)
    except NotFoundError:
        return Papers()
    body = keys.deployment_key.open(body, context=_context(review_id))
    for subject_id in sorted(wrapped, reverse=True):
        key = keys.open_key(subject_id, wrapped[subject_id])
        body = key.open(body, context=_context(review_id))
    found = orjson.loads(body)
    seen = tuple((probe, tuple(ids)) for probe, ids in found.pop("seen"))
    misuse = found.pop("misuse", None)  # papers sealed before there were complaints have none
    return Papers(**found, seen=seen, misuse=None if misuse is None else Misuse.from_json(misuse))


async def by_ids(session: ReadSession, ids: Collection[UUID], *, keys: Keys) -> dict[UUID, Papers]:
    """The papers of each review the caller may see."""
    rows = await session.scalars(select(Review).where(Review.id.in_(ids)))
    return {row.id: await opened(session, row, keys=keys) for row in rows}


def checked_statement(text: str) -> str:
    """What somebody has to say, without outer blanks; refused when empty or too long."""
    text = text.strip()
    if not text or len(text) > MAX_STATEMENT:
        raise InvalidError(f"A statement has 1 to {MAX_STATEMENT} characters.", field="statement")
    return text


async def _wrapped(session: ReadSession, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
    wrapped = await subjects.wrapped_keys(session, ids)
    if wrapped.keys() != set(ids):
        raise NotFoundError("No such subject.", field="subjectId")
    return wrapped


def _context(review_id: UUID) -> bytes:
    return b"review:" + review_id.bytes
