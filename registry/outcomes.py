"""What a ruling brings about, for each kind of review. Done as the operator, with the ruling.

What is overturned later is ruled anew; a grant that was revoked stays revoked, and is given anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from registry import claims, complaints, enrolment, objections, rulings, samples
from registry.database import ReadSession, WriteSession
from registry.errors import ConflictError
from registry.keys import Keys
from registry.objections import Objection, ObjectionEvent, ObjectionEventKind
from registry.policy.vocabulary import ObjectionState
from registry.review_papers import opened
from registry.reviews import Review, ReviewKind, Ruling
from registry.samples import SampleState


async def check(session: ReadSession, review: Review, ruling: Ruling) -> None:
    """ConflictError for a ruling that could not take effect."""
    if review.kind is not ReviewKind.DISPUTED_OBJECTION:
        return
    if review.about is None:
        if ruling is Ruling.LAPSE:
            raise ConflictError("This contest names no objection that could lapse.")
        return
    objection = await objections.mine(session, review.about)
    state = (await objections.states(session, [objection.id]))[objection.id]
    if state is ObjectionState.WITHDRAWN or (
        state is ObjectionState.LAPSED and ruling is Ruling.LAPSE
    ):
        raise ConflictError(f"Objection {objection.id} has ended.")
    if ruling is Ruling.LAPSE and await _is_assured(session, objection, state):
        raise ConflictError("Only an objection whose maker was not verified lapses.")


async def _is_assured(session: ReadSession, objection: Objection, state: ObjectionState) -> bool:
    """Whether its maker was verified, and it does not stand by an earlier ruling alone."""
    proved = list(
        await session.scalars(
            select(ObjectionEvent.actor_id).where(
                ObjectionEvent.objection_id == objection.id,
                ObjectionEvent.kind == ObjectionEventKind.VERIFIED,
            )
        )
    )
    by_maker = objection.filed_by in proved
    return by_maker or (state is ObjectionState.VERIFIED and not proved)


async def begin(session: WriteSession, review: Review, actor_id: UUID) -> None:
    """Let those who wait for it see that a reviewer has taken a review, where they are told so."""
    if review.kind is ReviewKind.MISUSE:
        await complaints.take_up(session, review.id, actor_id=actor_id)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling, about one subject or all of a review, and who made it."""

    ruling: Ruling
    subject_id: UUID | None
    actor_id: UUID


async def bring_about(session: WriteSession, review: Review, ruled: Ruled, *, keys: Keys) -> None:
    """Let the ruling take effect, in place of what this review had ruled before."""
    await rulings.overturn(session, review_id=review.id, actor_id=ruled.actor_id)
    match review.kind:
        case ReviewKind.GREY_MATCH | ReviewKind.AMBIGUOUS_MATCH | ReviewKind.FALSE_MATCH:
            await _of_match(session, review, ruled, keys)
        case ReviewKind.CLAIM_CONFLICT:
            await claims.settle(session, review, ruled.ruling, actor_id=ruled.actor_id, keys=keys)
        case ReviewKind.DISPUTED_OBJECTION:
            await _of_objection(session, review, ruled)
        case ReviewKind.SUSPICIOUS_ENROLMENT:
            await _of_sample(session, review, ruled, keys)
        case ReviewKind.MISUSE:
            await complaints.find(session, review.id, ruled.ruling, actor_id=ruled.actor_id)
        case ReviewKind.IDENTITY_DISCLOSURE | ReviewKind.APPEAL:
            pass  # the answer to whoever asked is all there is


async def _of_match(session: WriteSession, review: Review, ruled: Ruled, keys: Keys) -> None:
    """Let the very probes have a lasting ruling. If they show one of several, not the others."""
    papers = await opened(session, review, keys=keys)
    named = {ruled.subject_id} if ruled.subject_id is not None else set(review.subject_ids)

    async def lasting(ruling: Ruling, digest: bytes, ids: Collection[UUID]) -> None:
        await rulings.rule(
            session,
            review_id=review.id,
            ruling=ruling,
            digest=digest,
            subject_ids=ids,
            ruled_by=ruled.actor_id,
        )

    for probe, near in papers.seen:
        digest, candidates = keys.probe_digest(probe), {UUID(one) for one in near}
        await lasting(ruled.ruling, digest, candidates & named)
        if ruled.ruling is Ruling.SAME_PERSON:
            await lasting(Ruling.NOT_THE_SAME_PERSON, digest, candidates - named)


async def _of_objection(session: WriteSession, review: Review, ruled: Ruled) -> None:
    if review.about is None:
        return  # a contest of what was proved, or where no claim was found: all stays as it is
    objection = await objections.mine(session, review.about)
    upheld = ruled.ruling is Ruling.UPHOLD
    if (await objections.states(session, [objection.id]))[objection.id] in objections.ENDED:
        # It lapsed meanwhile, or by what is overturned here: that is final, so it is said again.
        await objections.file_anew(
            session,
            objection,
            ObjectionState.VERIFIED,
            subject_id=objection.subject_id,
            actor_id=objection.filed_by,
            proved_by=ruled.actor_id,
        )
        return
    session.add(
        ObjectionEvent(
            objection_id=objection.id,
            kind=ObjectionEventKind.VERIFIED if upheld else ObjectionEventKind.LAPSED,
            actor_id=ruled.actor_id,
            reason=None,
        )
    )
    await session.flush()  # the answer folds it


async def _of_sample(session: WriteSession, review: Review, ruled: Ruled, keys: Keys) -> None:
    """Let the sample count or not; one taken back, or decided elsewhere, stays as it is."""
    if review.about is None:
        raise AssertionError("A suspicious enrolment is about a sample.")
    state = (await samples.states(session, [review.about]))[review.about]
    counts = ruled.ruling is Ruling.RELEASE
    done = {SampleState.RETIRED, SampleState.ENROLLED if counts else SampleState.REFUSED}
    if state in done:
        return
    act = enrolment.release if counts else enrolment.refuse
    await act(session, sample_id=review.about, actor_id=ruled.actor_id, keys=keys)
