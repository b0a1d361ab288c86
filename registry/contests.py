"""Contests: the proved holder of a face or voice says that somebody else claims it.

Whose claims those are the registry finds itself, and tells nobody: the answer is the same whether
there were any. A claim that nobody proves within fourteen days lapses, and what was enrolled for it
ceases to count.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from registry import (
    apart,
    assets,
    enrolment,
    freezing,
    notices,
    objections,
    reviews,
    samples,
    subjects,
    templates,
)
from registry.database import Database, ReadSession, WriteSession, checked_reason, now
from registry.errors import ForbiddenError
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.objections import CONTEST_PERIOD, ENDED
from registry.policy.vocabulary import ASSURED_IAL, Registration
from registry.principals import OPERATOR_ID
from registry.reviews import ReviewKind
from registry.samples import Own, Sample, SampleEvent, SampleEventKind, SampleState, Vectors
from registry.subjects import Subject, SubjectEvent, SubjectEventKind, SubjectKey

_ROUND: Final = 1000  # claims that are closed in one go
# Who else has the face or voice of a subject, by live template or held sample; `checks` knows how.
Alike = Callable[[UUID, Own, Mapping[UUID, Sequence[Vectors]]], Awaitable[set[UUID]]]


async def require_right(
    session: ReadSession, *, subject_id: UUID, actor_id: UUID, ial: int
) -> None:
    """ForbiddenError unless this is the proved holder of a face or voice that is enrolled."""
    subject = await subjects.mine(session, subject_id)
    if ial < ASSURED_IAL or subject.owner_id != actor_id:
        raise ForbiddenError(
            f"Whoever contests keeps the person's record, at identity assurance {ASSURED_IAL}."
        )
    if actor_id in await freezing.frozen(session, [actor_id]):
        raise ForbiddenError("This account is frozen: it contests nobody else's claims.")
    kinds = (await _events(session, [subject_id]))[subject_id]
    if subjects.registration_of([kind for kind, _ in kinds]) is not Registration.VERIFIED:
        raise ForbiddenError("Only a registration that is VERIFIED contests another one.")
    if not await templates.live(session, subject_id):
        raise ForbiddenError(
            "Enrol a sample of this person first: it is by face or voice that claims are found."
        )


async def contest(
    session: WriteSession,
    *,
    subject_id: UUID,
    actor_id: UUID,
    reason: str | None,
    alike: Alike,
    keys: Keys,
) -> datetime:
    """Contest every claim to this subject's face or voice that nobody proved: when they lapse.

    Needs the operator's session, and that `require_right` held. What was proved is contested before
    the desk, and so is everything where no claim was found: a picture shows no template.
    """
    at, reason = await now(session), checked_reason(reason)
    own = await templates.own(session, subject_id, keys=keys)
    found = await alike(subject_id, own, await _held(session, keys))
    ours = (await subjects.mine(session, subject_id)).owner_id
    claims = list(
        await session.scalars(
            select(Subject)
            .where(Subject.id.in_(found), Subject.owner_id != ours)
            .order_by(Subject.id)
        )
    )
    history = await _events(session, [one.id for one in claims])
    for claim in claims:
        if any(kind == SubjectEventKind.VERIFIED for kind, _ in history[claim.id]):
            await _to_the_desk(session, subject_id, claim.id, at)
        else:
            if _open_since(history[claim.id]) is None:
                await _record(session, claim.id, SubjectEventKind.CONTESTED, actor_id, reason)
            await _contest_objections(session, claim.id, actor_id, at)
    if not claims:
        await _to_the_desk(session, subject_id, None, at)
    return at + CONTEST_PERIOD


async def _record(
    session: WriteSession,
    subject_id: UUID,
    kind: SubjectEventKind,
    actor_id: UUID,
    reason: str | None = None,
) -> None:
    session.add(SubjectEvent(subject_id=subject_id, kind=kind, actor_id=actor_id, reason=reason))
    await session.flush()  # what follows in this transaction sees it


async def _contest_objections(
    session: WriteSession, subject_id: UUID, actor_id: UUID, at: datetime
) -> None:
    filed = await objections.of_subject(session, subject_id)
    states = await objections.states(session, [one.id for one in filed])
    for one in filed:
        if states[one.id] in ENDED:
            continue
        if await objections.contest(session, one, actor_id=actor_id):
            await notices.tell(
                session,
                one.filed_by,
                NoticeKind.OBJECTION_CONTESTED,
                about=one.id,
                due_at=at + CONTEST_PERIOD,
            )


async def is_contested(session: ReadSession, subject_id: UUID) -> bool:
    """Whether a claim is contested and was neither proved nor closed since."""
    return _open_since((await _events(session, [subject_id]))[subject_id]) is not None


def _open_since(history: Sequence[tuple[str, datetime]]) -> datetime | None:
    """Since when a claim is contested and was neither closed since nor ever proved."""
    since = None
    for kind, at in history:
        if kind == SubjectEventKind.VERIFIED:
            return None  # also if the contest was on its way: what is proved, the desk decides
        if kind == SubjectEventKind.CONTESTED:
            since = since or at
        elif kind == SubjectEventKind.CLOSED:
            since = None
    return since


async def _to_the_desk(
    session: WriteSession, subject_id: UUID, other: UUID | None, at: datetime
) -> None:
    """Let a person look, once a day; opened by the operator, so that the asker learns nothing."""
    same = f"contest:{subject_id}:{other}:{at:%Y-%m-%d}"
    await reviews.open_review(
        session,
        ReviewKind.DISPUTED_OBJECTION,
        subject_ids={one for one in (subject_id, other) if one is not None},
        opened_by=OPERATOR_ID,
        same_as=hashlib.sha256(same.encode()).digest(),
    )


async def _held(session: ReadSession, keys: Keys) -> dict[UUID, list[Vectors]]:
    """The samples that wait for a person to look, opened, of everybody who was never proved."""
    proved = select(SubjectEvent.id).where(
        SubjectEvent.subject_id == Sample.subject_id,
        SubjectEvent.kind == SubjectEventKind.VERIFIED,
    )
    held = select(SampleEvent.id).where(
        SampleEvent.sample_id == Sample.id, SampleEvent.kind == SampleEventKind.HELD
    )
    rows = list(
        await session.execute(
            select(Sample, SubjectKey.wrapped)
            .join(SubjectKey, SubjectKey.subject_id == Sample.subject_id)
            .where(held.exists(), ~proved.exists())
        )
    )
    states = await samples.states(session, [sample.id for sample, _ in rows])
    found: dict[UUID, list[Vectors]] = {}
    for sample, wrapped in rows:
        if states[sample.id] is SampleState.IN_REVIEW:
            key = keys.open_key(sample.subject_id, wrapped)
            found.setdefault(sample.subject_id, []).append(samples.opened(sample, key))
    return found


async def _events(
    session: ReadSession, ids: Sequence[UUID]
) -> dict[UUID, list[tuple[str, datetime]]]:
    rows = await session.execute(
        select(SubjectEvent.subject_id, SubjectEvent.kind, SubjectEvent.at)
        .where(SubjectEvent.subject_id.in_(ids))
        .order_by(SubjectEvent.at, SubjectEvent.id)
    )
    found: dict[UUID, list[tuple[str, datetime]]] = {one: [] for one in ids}
    for subject_id, kind, at in rows:
        found[subject_id].append((kind, at))
    return found


async def close_contested(operator: Database, keys: Keys, at: datetime) -> None:
    """Close every claim whose time is over: its samples and pictures count no more."""
    later = aliased(SubjectEvent)
    over = select(later.id).where(
        later.subject_id == SubjectEvent.subject_id,
        (later.kind == SubjectEventKind.VERIFIED)
        | ((later.kind == SubjectEventKind.CLOSED) & (later.at > SubjectEvent.at)),
    )
    async with operator.reading() as session:
        rows = await session.scalars(
            select(SubjectEvent.subject_id)
            .where(
                SubjectEvent.kind == SubjectEventKind.CONTESTED,
                SubjectEvent.at <= at - CONTEST_PERIOD,
                ~over.exists(),
            )
            .distinct()
            .limit(_ROUND)
        )
        history = await _events(session, sorted(rows))

    async def close(subject_id: UUID) -> None:
        since = _open_since(history[subject_id])
        if since is not None and since + CONTEST_PERIOD <= at:
            async with operator.writing() as session:
                await _close(session, subject_id, keys)

    await apart.each(history, close)


async def _close(session: WriteSession, subject_id: UUID, keys: Keys) -> None:
    await templates.alone(session, subject_id)
    if not await is_contested(session, subject_id):
        return  # another server was first, or it was proved a moment ago
    enrolled = (await samples.by_subject(session, [subject_id]))[subject_id]
    states = await samples.states(session, [one.id for one in enrolled])
    for one in enrolled:
        if states[one.id] is not SampleState.RETIRED:
            await enrolment.retire(session, sample_id=one.id, actor_id=OPERATOR_ID, keys=keys)
    for asset_id in await assets.showing_only(session, subject_id):
        await assets.retire(session, asset_id=asset_id, actor_id=OPERATOR_ID)
    await _record(session, subject_id, SubjectEventKind.CLOSED, OPERATOR_ID)
