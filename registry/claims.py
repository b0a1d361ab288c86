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

from registry import apart, enrolment, grants, holds, notices, reviews, rulings, samples, subjects
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
# What a conflict's effect follows no more: it has taken it, or was decided before it could.
_DONE: Final = frozenset({ReviewEventKind.APPLIED, ReviewEventKind.DECIDED})
_OPEN: Final = frozenset({GrantState.ACTIVE, GrantState.PENDING, GrantState.SUSPENDED})


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
        ReviewEvent.review_id == Review.id, ReviewEvent.kind.in_(_DONE)
    )
    async with operator.reading() as session:
        left = await session.scalars(
            select(Review).where(Review.kind == ReviewKind.CLAIM_CONFLICT, ~applied.exists())
        )
        waiting = list(left)

    async def apply(review: Review) -> None:
        async with operator.writing() as session:
            await take_turns(session, review.id)
            await _apply(session, review)

    await apart.each(waiting, apply)


async def _apply(session: WriteSession, review: Review) -> None:
    """Both disputed, the grants of both suspended, both told: once, and until it is decided."""
    history = (await reviews.events(session, [review.id]))[review.id]
    if any(event.kind in _DONE for event in history):
        return
    await _take_turns(session, review)
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


async def _take_turns(session: WriteSession, review: Review) -> None:
    """One conflict at a time about each of these: two that begin or end at once see each other."""
    for subject_id in sorted(review.subject_ids):
        await take_turns(session, subject_id)


async def settle(
    session: WriteSession, review: Review, ruling: Ruling, *, actor_id: UUID, keys: Keys
) -> None:
    """Give the face or voice to the first, to the second, or to both of them."""
    await _take_turns(session, review)
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
    """In one order: each is locked in turn."""
    return list(
        await session.scalars(
            select(Grant).where(Grant.subject_id == subject_id).order_by(Grant.id)
        )
    )


async def _suspend(session: WriteSession, subject_id: UUID, actor_id: UUID) -> None:
    given = await _grants_of(session, subject_id)
    for grant in given:
        await take_turns(session, grant.id)
    states = await grants.states(session, given)
    for grant in given:
        if states[grant.id] in _OPEN:
            await holds.hold(session, grant, HoldCause.CLAIM_CONFLICT, actor_id, SUSPENDED_FOR)


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
        for grant in await _grants_of(session, subject_id):
            await holds.let_go(session, grant, HoldCause.CLAIM_CONFLICT, actor_id, SUSPENDED_FOR)


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
                await grants.record(
                    session, grant, GrantEventKind.REVOKED, actor_id, reason=SUSPENDED_FOR
                )
                await holds.tell_services(session, grant, NoticeKind.GRANT_REVOKED)


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
