"""How reviewers work: they take a review, rule on it, and a ruling takes effect at once.

Nobody rules on what concerns themselves. Telling an authority who somebody is, overturning a
decision, and a new PIN for whom nobody can reach, take two reviewers; an appeal is for others than
those who decided.
"""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from registry import accesses, notices, organisations, outcomes, recoveries, reviews
from registry.accesses import AccessKind
from registry.database import Actor, ReadSession, WriteSession, take_turns
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.policy.vocabulary import ASSURED_IAL
from registry.principals import OPERATOR_ID, PrincipalKind
from registry.representatives import Representative
from registry.reviews import Review, ReviewEventKind, ReviewKind, ReviewState, Ruling, Standing
from registry.samples import Sample
from registry.services import Service
from registry.subjects import Subject, SubjectEvent, SubjectEventKind

DESK: Final = frozenset({PrincipalKind.REVIEWER, PrincipalKind.OPERATOR})
_OF_A_MATCH: Final = frozenset({Ruling.NOT_THE_SAME_PERSON, Ruling.SAME_PERSON})
RULINGS: Final[Mapping[ReviewKind, frozenset[Ruling]]] = {
    ReviewKind.GREY_MATCH: _OF_A_MATCH,
    ReviewKind.AMBIGUOUS_MATCH: _OF_A_MATCH,
    ReviewKind.FALSE_MATCH: _OF_A_MATCH,
    ReviewKind.CLAIM_CONFLICT: frozenset(
        {Ruling.FIRST_HOLDER, Ruling.SECOND_HOLDER, Ruling.COEXISTING}
    ),
    ReviewKind.DISPUTED_OBJECTION: frozenset({Ruling.UPHOLD, Ruling.LAPSE}),
    ReviewKind.SUSPICIOUS_ENROLMENT: frozenset({Ruling.RELEASE, Ruling.REFUSE}),
    ReviewKind.IDENTITY_DISCLOSURE: frozenset({Ruling.DISCLOSE, Ruling.DENY}),
    ReviewKind.MISUSE: frozenset({Ruling.CONFIRM, Ruling.NOT_CONFIRM}),
    ReviewKind.APPEAL: frozenset({Ruling.DENY}),  # and those of what is appealed
    ReviewKind.LOST_PIN: frozenset({Ruling.RENEW, Ruling.DENY}),
}

# Of these people are told only if they ask: they see in their accesses that they were looked at.
_DAILY_ROUND: Final = frozenset({ReviewKind.GREY_MATCH, ReviewKind.AMBIGUOUS_MATCH})

# What is denied here is asked for again.
_WITHOUT_APPEAL: Final = frozenset(
    {ReviewKind.APPEAL, ReviewKind.IDENTITY_DISCLOSURE, ReviewKind.LOST_PIN}
)


def require_desk(actor: Actor) -> None:
    """ForbiddenError for whoever is no reviewer."""
    if actor.kind not in DESK:
        raise ForbiddenError("Only a reviewer works at the desk.")


def reads_papers(standing: Standing, principal_id: UUID) -> bool:
    """Whether somebody has the review, or had it and ruled: only they read its papers."""
    return principal_id == standing.assignee or principal_id in standing.reviewers


async def take(session: WriteSession, *, review_id: UUID, actor: Actor) -> Review:
    """Take a review that nobody has: from now on it is this reviewer's to decide."""
    require_desk(actor)
    review, standing = await _locked(session, review_id)
    await _require_impartial(session, review, standing, actor)
    if not standing.waits:
        raise ConflictError(f"Review {review_id} is {standing.state}.")
    if standing.assignee not in {None, actor.principal_id}:
        raise ConflictError(f"Review {review_id} is with another reviewer.")
    if standing.assignee is None:
        await reviews.record(session, review_id, ReviewEventKind.ASSIGNED, actor.principal_id)
        # Whoever has a review reads its papers, and of a lost PIN how the person is reached.
        lost = review.kind is ReviewKind.LOST_PIN
        what = AccessKind.CONTACT if lost else AccessKind.REVIEW
        await accesses.note(session, review.subject_ids, actor.principal_id, what, review_id)
        await outcomes.begin(session, review, actor.principal_id)
    return review


async def release(session: WriteSession, *, review_id: UUID, actor: Actor) -> Review:
    """Give a review back; the operator also takes it from another."""
    require_desk(actor)
    review, standing = await _locked(session, review_id)
    if not standing.waits or standing.assignee is None:
        raise ConflictError(f"Nobody has review {review_id}.")
    if standing.assignee != actor.principal_id and actor.kind != PrincipalKind.OPERATOR:
        raise ConflictError(f"Review {review_id} is with another reviewer.")
    await reviews.record(session, review_id, ReviewEventKind.RELEASED, actor.principal_id)
    return review


async def decide(
    session: WriteSession,
    *,
    review_id: UUID,
    ruling: Ruling,
    actor: Actor,
    keys: Keys,
    reason: str,
    subject_id: UUID | None = None,
) -> Review:
    """Rule on a review that one has taken; of two that are needed, the first only proposes.

    A second reviewer who finds otherwise makes a proposal of their own. `subject_id`: whom alone
    the ruling is about, where there are several. As the operator: effects reach everybody's rows.
    """
    require_desk(actor)
    if not reason.strip():
        raise InvalidError("Say why: it is kept with the ruling.", field="reason")
    review, standing = await _locked(session, review_id)
    await _require_impartial(session, review, standing, actor)
    if not standing.waits or standing.assignee != actor.principal_id:
        raise ConflictError(f"Take review {review_id} first.")
    appealed = await _appealed(session, review)
    await _check(session, review, appealed, ruling, subject_id)
    agreed = (standing.ruling, standing.subject_id) == (ruling, subject_id)
    done = agreed or not await _needs_two(session, review, appealed, ruling)
    kind = ReviewEventKind.DECIDED if done else ReviewEventKind.PROPOSED
    await reviews.record(
        session,
        review_id,
        kind,
        actor.principal_id,
        ruling=ruling,
        subject_id=subject_id,
        reason=reason,
    )
    if done:
        ruled = outcomes.Ruled(ruling, subject_id, actor.principal_id)
        await _settle(session, review, appealed, ruled, keys)
    return review


async def appeal(
    session: WriteSession,
    *,
    review_id: UUID,
    appeal_id: UUID,
    appellant: UUID,
    sealed: bytes | None,
) -> UUID:
    """Let other reviewers look at a decision again; for those it concerns, within 30 days.

    As the operator: what the desk has is not theirs to see.
    """
    review, standing = await _locked(session, review_id)
    await require_party(session, review, appellant)
    if review.kind in _WITHOUT_APPEAL:
        raise ConflictError("Against this decision there is no appeal.")
    if standing.state is not ReviewState.DECIDED:
        raise ConflictError(f"Review {review_id} is {standing.state}.")
    await reviews.open_review(
        session,
        ReviewKind.APPEAL,
        subject_ids=review.subject_ids,
        opened_by=appellant,
        about=review_id,
        sealed=sealed,
        review_id=appeal_id,
    )
    await reviews.record(session, review_id, ReviewEventKind.APPEALED, appellant, about=appeal_id)
    return appeal_id


async def require_party(session: ReadSession, review: Review, principal_id: UUID) -> None:
    """NotFoundError for whom the review does not concern: absent and not theirs look the same."""
    if principal_id != review.opened_by and not await _keeps(session, review, {principal_id}):
        raise NotFoundError("No such review.")


async def _locked(session: WriteSession, review_id: UUID) -> tuple[Review, Standing]:
    await take_turns(session, review_id)
    review = await reviews.mine(session, review_id)
    return review, await reviews.standing(session, review_id)


async def _appealed(session: ReadSession, review: Review) -> tuple[Review, Standing] | None:
    """What an appeal is about, and how it stands."""
    if review.kind is not ReviewKind.APPEAL or review.about is None:
        return None
    first = await reviews.mine(session, review.about)
    return first, await reviews.standing(session, first.id)


async def choices(session: ReadSession, review: Review) -> frozenset[Ruling]:
    """The rulings that this review may be given."""
    return _allowed(review, await _appealed(session, review))


def _allowed(review: Review, appealed: tuple[Review, Standing] | None) -> frozenset[Ruling]:
    if appealed is None:
        return RULINGS[review.kind]
    matter, stands = appealed
    return RULINGS[review.kind] | RULINGS[matter.kind] - {stands.ruling}


async def _check(
    session: ReadSession,
    review: Review,
    appealed: tuple[Review, Standing] | None,
    ruling: Ruling,
    subject_id: UUID | None,
) -> None:
    """InvalidError for a ruling that this kind of review does not know."""
    allowed = _allowed(review, appealed)
    matter = review if appealed is None else appealed[0]
    if ruling not in allowed:
        raise InvalidError(f"Rule one of {', '.join(sorted(allowed))}.", field="ruling")
    if subject_id is not None and (
        subject_id not in review.subject_ids or ruling not in _OF_A_MATCH
    ):
        raise InvalidError("A ruling about one of them names one of them.", field="subjectId")
    if ruling is Ruling.SAME_PERSON and subject_id is None and len(review.subject_ids) > 1:
        raise InvalidError("Say which of them it is.", field="subjectId")
    await outcomes.check(session, matter, ruling)


async def _needs_two(
    session: ReadSession,
    review: Review,
    appealed: tuple[Review, Standing] | None,
    ruling: Ruling,
) -> bool:
    """Whether one reviewer is not enough: to tell who somebody is, and to overturn.

    Nor is one for a new PIN where the person can be reached in no way that is on record.
    """
    if review.kind is ReviewKind.IDENTITY_DISCLOSURE:
        return True
    if review.kind is ReviewKind.LOST_PIN:
        return ruling is Ruling.RENEW and not await recoveries.is_reachable(session, review.id)
    return appealed is not None and ruling is not Ruling.DENY


async def _settle(
    session: WriteSession,
    review: Review,
    appealed: tuple[Review, Standing] | None,
    ruled: outcomes.Ruled,
    keys: Keys,
) -> None:
    """Bring about what was ruled, and tell everybody it concerns."""
    matter = review
    if appealed is not None:
        matter, _ = appealed
        await reviews.record(session, matter.id, ReviewEventKind.CLOSED, ruled.actor_id)
        await reviews.record(session, review.id, ReviewEventKind.CLOSED, ruled.actor_id)
    if appealed is None or ruled.ruling is not Ruling.DENY:
        await outcomes.bring_about(session, matter, ruled, keys=keys)
    owners = await session.scalars(
        select(Subject.owner_id).where(Subject.id.in_(review.subject_ids))
    )
    concerned = {review.opened_by, matter.opened_by}
    if matter.kind is ReviewKind.SUSPICIOUS_ENROLMENT:
        concerned = concerned - {matter.opened_by} | await _may_know(session, matter)
    elif matter.kind not in _DAILY_ROUND:
        concerned |= set(owners)
    for principal_id in sorted(concerned - {OPERATOR_ID}):
        await notices.tell(session, principal_id, NoticeKind.REVIEW_DECIDED, about=matter.id)


async def _may_know(session: ReadSession, matter: Review) -> set[UUID]:
    """Who is told that something was held, which a comparison brought out: nobody below IAL2."""
    proved = await session.scalars(
        select(Subject.owner_id)
        .join(SubjectEvent, SubjectEvent.subject_id == Subject.id)
        .where(Subject.id.in_(matter.subject_ids), SubjectEvent.kind == SubjectEventKind.VERIFIED)
    )
    unproved = select(Sample.id).where(Sample.id == matter.about, Sample.ial < ASSURED_IAL)
    sent = set() if await session.scalar(unproved) is not None else {matter.opened_by}
    return sent | set(proved)


async def _require_impartial(
    session: ReadSession, review: Review, standing: Standing, actor: Actor
) -> None:
    """ForbiddenError for whoever would decide a matter of their own, or their own decision."""
    if actor.principal_id in standing.reviewers:
        raise ForbiddenError("The second reviewer is another than the first.")
    appealed = await _appealed(session, review)
    matters = [review]
    if appealed is not None:
        first, stands = appealed
        matters.append(first)
        if actor.principal_id in stands.reviewers:
            raise ForbiddenError("An appeal is decided by others than those who decided.")
    sides = {actor.principal_id, *await organisations.of(session, actor.principal_id)}
    for matter in matters:
        own = matter.opened_by == actor.principal_id and actor.principal_id != OPERATOR_ID
        if own or await _keeps(session, matter, sides):
            raise ForbiddenError("Nobody decides what concerns themselves.")


async def _keeps(session: ReadSession, review: Review, sides: Collection[UUID]) -> bool:
    """Whether one of these keeps, or acts for, a subject of the review, or the service it is of."""
    sides = set(sides) - {OPERATOR_ID}
    owned = select(Subject.id).where(
        Subject.id.in_(review.subject_ids), Subject.owner_id.in_(sides)
    )
    acted_for = select(Representative.id).where(
        Representative.subject_id.in_(review.subject_ids),
        Representative.principal_id.in_(sides),
    )
    serviced = select(Service.id).where(Service.id == review.opened_by, Service.owner_id.in_(sides))
    found = await session.scalar(select(or_(owned.exists(), acted_for.exists(), serviced.exists())))
    return bool(found)
