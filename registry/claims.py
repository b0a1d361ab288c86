"""Conflicts of claims: two accounts say that one face or voice is theirs.

Until a reviewer has decided, both registrations are disputed and the grants of both suspended;
the objections of both stay effective. Only verified claims conflict: a lower assurance never moves
a higher one's right.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from registry import enrolment, grants, notices, reviews, rulings, samples, subjects
from registry.database import Database, ReadSession, WriteSession, now, take_turns
from registry.errors import ClaimConflictError
from registry.grant_states import FINAL, GrantEventKind, HoldCause
from registry.grants import Grant
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.policy.vocabulary import GrantState, Registration
from registry.reviews import Review, ReviewEvent, ReviewEventKind, ReviewKind, Ruling
from registry.samples import Sample, SampleState
from registry.subjects import Subject, SubjectEvent, SubjectEventKind

ANSWER_WITHIN: Final = timedelta(hours=72)  # the first holder is asked to answer by then
SUSPENDED_FOR: Final = "claim conflict"
_OPEN: Final = frozenset({GrantState.ACTIVE, GrantState.PENDING, GrantState.SUSPENDED})
_TOLD: Final = {
    GrantEventKind.SUSPENDED: NoticeKind.GRANT_SUSPENDED,
    GrantEventKind.RESUMED: NoticeKind.GRANT_ACTIVE,
    GrantEventKind.REVOKED: NoticeKind.GRANT_REVOKED,
}


def conflict() -> ClaimConflictError:
    """What the second to claim is told. Nothing of the first."""
    return ClaimConflictError(
        "Somebody whose identity is verified is on record with this face or voice. The sample is"
        " kept and counts for nothing until a reviewer has decided whose it is; until then both"
        " claims are disputed."
    )


async def of_sample(session: ReadSession, sample_id: UUID) -> Review | None:
    """The conflict a sample brought about or was added to, if the caller may see it."""
    added = select(ReviewEvent.review_id).where(
        ReviewEvent.about == sample_id, ReviewEvent.kind == ReviewEventKind.ADDED
    )
    found: Review | None = await session.scalar(
        select(Review)
        .where(
            Review.kind == ReviewKind.CLAIM_CONFLICT,
            (Review.about == sample_id) | Review.id.in_(added),
        )
        .limit(1)
    )
    return found


async def dispute(session: WriteSession, claim: bytes, sample_id: UUID) -> None:
    """Let a conflict take effect, once; a further sample of it is added. As the operator."""
    review = await reviews.same(session, claim)
    if review is None:
        return
    await take_turns(session, review.id)
    if review.about != sample_id and await of_sample(session, sample_id) is None:
        await reviews.record(
            session, review.id, ReviewEventKind.ADDED, review.opened_by, about=sample_id
        )
    await _apply(session, review)


async def catch_up(operator: Database, _keys: Keys, _at: datetime) -> None:
    """Conflicts whose effect a server that stopped half way left undone."""
    applied = select(ReviewEvent.id).where(
        ReviewEvent.review_id == Review.id, ReviewEvent.kind == ReviewEventKind.APPLIED
    )
    async with operator.reading() as session:
        left = await session.scalars(
            select(Review).where(Review.kind == ReviewKind.CLAIM_CONFLICT, ~applied.exists())
        )
        waiting = list(left)
    for review in waiting:
        async with operator.writing() as session:
            await take_turns(session, review.id)
            await _apply(session, review)


async def _apply(session: WriteSession, review: Review) -> None:
    """Both disputed, the grants of both suspended, both told: once."""
    history = (await reviews.events(session, [review.id]))[review.id]
    if any(event.kind is ReviewEventKind.APPLIED for event in history):
        return
    second = await _second(session, review)
    until = await now(session) + ANSWER_WITHIN
    for subject_id in review.subject_ids:
        await _register(session, subject_id, SubjectEventKind.DISPUTED, review.opened_by)
        await _suspend(session, subject_id, review.opened_by)
    for subject in await _subjects(session, review.subject_ids):
        await notices.tell(
            session,
            subject.owner_id,
            NoticeKind.CLAIM_CONFLICT,
            about=review.id,
            due_at=review.due_at if subject.id == second else until,
        )
    await reviews.record(session, review.id, ReviewEventKind.APPLIED, review.opened_by)


async def settle(
    session: WriteSession, review: Review, ruling: Ruling, *, actor_id: UUID, keys: Keys
) -> None:
    """Give the face or voice to the first, to the second, or to both of them."""
    second = await _second(session, review)
    firsts = set(review.subject_ids) - {second}
    sample = await samples.mine(session, review.about or second)
    held = await _samples(session, review)
    match ruling:
        case Ruling.FIRST_HOLDER:
            await _confirm(session, review, firsts, actor_id)
            await _reject(session, {second}, actor_id)
            await _become(session, held, actor_id, keys, counts=False)
        case Ruling.SECOND_HOLDER:
            await _confirm(session, review, {second}, actor_id)
            await _reject(session, firsts, actor_id)
            theirs = await _enrolled(session, firsts, sample)
            await _become(session, theirs, actor_id, keys, counts=False)
            await _become(session, held, actor_id, keys, counts=True)
        case Ruling.COEXISTING:
            await rulings.coexist(
                session, review_id=review.id, one=second, others=firsts, ruled_by=actor_id
            )
            await _confirm(session, review, {second, *firsts}, actor_id)
            await _become(session, held, actor_id, keys, counts=True)


async def _second(session: ReadSession, review: Review) -> UUID:
    """Who claimed last: the subject of the sample that brought the conflict about."""
    if review.about is None:
        raise AssertionError("A conflict of claims is about a sample.")
    return (await samples.mine(session, review.about)).subject_id


async def _subjects(session: ReadSession, ids: Collection[UUID]) -> list[Subject]:
    return list(await session.scalars(select(Subject).where(Subject.id.in_(ids))))


async def _register(
    session: WriteSession, subject_id: UUID, kind: SubjectEventKind, actor_id: UUID
) -> None:
    if (await subjects.registrations(session, [subject_id]))[subject_id] == Registration(kind):
        return
    session.add(SubjectEvent(subject_id=subject_id, kind=kind, actor_id=actor_id))
    await session.flush()  # what follows folds it


async def _grants_of(session: ReadSession, subject_id: UUID) -> list[Grant]:
    return list(await session.scalars(select(Grant).where(Grant.subject_id == subject_id)))


async def _suspend(session: WriteSession, subject_id: UUID, actor_id: UUID) -> None:
    given = await _grants_of(session, subject_id)
    for grant in given:
        await take_turns(session, grant.id)
    states = await grants.states(session, given)
    held = await grants.held(session, [one.id for one in given])
    for grant in given:
        if states[grant.id] in _OPEN and HoldCause.CLAIM_CONFLICT not in held[grant.id]:
            await _move(session, grant, GrantEventKind.SUSPENDED, actor_id)


async def _move(session: WriteSession, grant: Grant, kind: GrantEventKind, actor_id: UUID) -> None:
    """Suspend, resume or revoke a grant, and tell the services it names."""
    cause = None if kind is GrantEventKind.REVOKED else HoldCause.CLAIM_CONFLICT
    await grants.record(session, grant, kind, actor_id, cause=cause, reason=SUSPENDED_FOR)
    if kind is GrantEventKind.RESUMED and (await grants.held(session, [grant.id]))[grant.id]:
        return  # something else holds it back still
    for service_id in grant.grantees or ():
        await notices.tell(session, service_id, _TOLD[kind], about=grant.id)


async def _confirm(
    session: WriteSession, review: Review, ids: Iterable[UUID], actor_id: UUID
) -> None:
    """Verified again, and the grants that this kind of conflict suspended resumed.

    Not while another conflict about the same subject waits.
    """
    for subject_id in sorted(ids):
        if await _is_in_another(session, review, subject_id):
            continue
        await _register(session, subject_id, SubjectEventKind.VERIFIED, actor_id)
        given = await _grants_of(session, subject_id)
        held = await grants.held(session, [one.id for one in given])
        for grant in given:
            if HoldCause.CLAIM_CONFLICT in held[grant.id]:
                await take_turns(session, grant.id)
                await _move(session, grant, GrantEventKind.RESUMED, actor_id)


async def _is_in_another(session: ReadSession, review: Review, subject_id: UUID) -> bool:
    rows = await session.scalars(
        select(Review.id).where(
            Review.kind == ReviewKind.CLAIM_CONFLICT,
            Review.subject_ids.contains([subject_id]),
            Review.id != review.id,
        )
    )
    standings = await reviews.standings(session, list(rows))
    return any(one.waits for one in standings.values())


async def _reject(session: WriteSession, ids: Iterable[UUID], actor_id: UUID) -> None:
    """Disputed for good, and every grant revoked."""
    for subject_id in sorted(ids):
        await _register(session, subject_id, SubjectEventKind.DISPUTED, actor_id)
        given = await _grants_of(session, subject_id)
        for grant in given:
            await take_turns(session, grant.id)
        states = await grants.states(session, given)
        for grant in given:
            if states[grant.id] not in FINAL:
                await _move(session, grant, GrantEventKind.REVOKED, actor_id)


async def _samples(session: ReadSession, review: Review) -> list[UUID]:
    """Every sample that the second sent in this conflict."""
    history = (await reviews.events(session, [review.id]))[review.id]
    added = [event.about for event in history if event.kind is ReviewEventKind.ADDED]
    return [one for one in (review.about, *added) if one is not None]


async def _enrolled(session: ReadSession, ids: Collection[UUID], like: Sample) -> list[UUID]:
    found = await samples.by_subject(session, ids)
    return [one.id for theirs in found.values() for one in theirs if one.modality is like.modality]


async def _become(
    session: WriteSession, ids: Iterable[UUID], actor_id: UUID, keys: Keys, *, counts: bool
) -> None:
    """Let samples count or not, whatever they were; those taken back stay so."""
    wanted = sorted(ids)
    states = await samples.states(session, wanted)
    done = {SampleState.RETIRED, SampleState.ENROLLED if counts else SampleState.REFUSED}
    act = enrolment.release if counts else enrolment.refuse
    for sample_id in wanted:
        if states[sample_id] not in done:
            await act(
                session, sample_id=sample_id, actor_id=actor_id, keys=keys, reason=SUSPENDED_FOR
            )
