"""Telling an authority who somebody is: two reviewers agree, it is read once, and seen by them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from registry import accesses, principals, reviews, subjects
from registry.accesses import AccessKind
from registry.database import Actor, WriteSession, take_turns
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.principals import PrincipalKind
from registry.review_papers import Papers, checked_statement, sealed
from registry.reviews import ReviewEventKind, ReviewKind, ReviewState, Ruling, open_review

MAX_CASE_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a subject is. `contact`: the account that keeps their record."""

    subject_id: UUID
    name: str
    contact: str


def require_authority(actor: Actor) -> None:
    """ForbiddenError for whoever is no authority."""
    if actor.kind != PrincipalKind.REGULATOR:
        raise ForbiddenError("Only an authority asks who somebody is.")


async def request(
    session: WriteSession,
    *,
    review_id: UUID,
    subject_ids: Collection[UUID],
    reason: str,
    case_number: str,
    actor: Actor,
    keys: Keys,
) -> UUID:
    """Ask who these people are; two reviewers decide. As the operator."""
    require_authority(actor)
    if not subject_ids:
        raise ConflictError("This decision is about nobody on record.")
    case_number = case_number.strip()
    if not 0 < len(case_number) <= MAX_CASE_NUMBER or not case_number.isprintable():
        raise InvalidError(
            f"A case number has 1 to {MAX_CASE_NUMBER} printable characters.", field="caseNumber"
        )
    papers = Papers(statement=checked_statement(reason), case_number=case_number)
    return await open_review(
        session,
        ReviewKind.IDENTITY_DISCLOSURE,
        subject_ids=subject_ids,
        opened_by=actor.principal_id,
        sealed=await sealed(
            session, papers, review_id=review_id, subject_ids=subject_ids, keys=keys
        ),
        review_id=review_id,
    )


async def read(
    session: WriteSession, *, review_id: UUID, actor: Actor, keys: Keys
) -> list[Identity]:
    """Name and contact of whom the review is about, once; each reading is seen by the person.

    As the operator. NotFoundError for a review that the authority did not open.
    """
    require_authority(actor)
    await take_turns(session, review_id)
    review = await reviews.mine(session, review_id)
    if review.kind is not ReviewKind.IDENTITY_DISCLOSURE or review.opened_by != actor.principal_id:
        raise NotFoundError("No such review.")
    standing = await reviews.standing(session, review_id)
    if standing.state is not ReviewState.DECIDED:
        raise ConflictError(f"Review {review_id} is {standing.state}.")
    if standing.ruling is not Ruling.DISCLOSE:
        raise ConflictError("The reviewers did not allow this disclosure.")
    found = await subjects.records(session, review.subject_ids, keys=keys)
    told = [
        Identity(one.id, one.name, (await principals.get(session, one.owner_id)).handle)
        for one in found.values()
    ]
    await accesses.note(session, found, actor.principal_id, AccessKind.DISCLOSURE, review_id)
    await reviews.record(session, review_id, ReviewEventKind.CLOSED, actor.principal_id)
    return told
