"""Enrolment: how a photograph or recording comes to count as its subject, and ceases to.

Every sample is judged against its subject's own template and everybody else's before it joins, in
the transaction that enrols it. Below IAL2 whatever the judgement was looks the same: the same
answer, the same state, the same work.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import func, select

from registry import samples, subjects, templates
from registry.database import ReadSession, WriteSession, now
from registry.encoders.identity import FACE, FACE_DIMENSIONS, VOICE, VOICE_DIMENSIONS, Condition
from registry.errors import BusyError, ConflictError, InvalidError
from registry.keys import Keys
from registry.matching.vectors import unit
from registry.policy.vocabulary import ASSURED_IAL, Modality
from registry.reviews import ReviewKind, open_review
from registry.samples import (
    Judge,
    Judgement,
    Sample,
    SampleEvent,
    SampleEventKind,
    SampleState,
    Vectors,
    Verdict,
)
from registry.subjects import Subject

BUDGET_PERIOD: Final = timedelta(hours=24)
_UNIT_WITHIN: Final = 1e-3
_NUMBER_BYTES: Final = 4
_SHIPPED: Final = {
    FACE: (Modality.FACE, FACE_DIMENSIONS),
    VOICE: (Modality.VOICE, VOICE_DIMENSIONS),
}
_CONDITIONS: Final = {
    Modality.FACE: {Condition.PHOTO},
    Modality.VOICE: {Condition.WIDE, Condition.TELEPHONE},
}
_RECORDED_AS: Final = {
    Verdict.HOLD_FAR_FROM_OWN: SampleEventKind.HELD,
    Verdict.HOLD_NEAR_OTHERS: SampleEventKind.HELD,
    Verdict.REFUSE: SampleEventKind.REFUSED,
}


_HELD: Final = frozenset({Verdict.HOLD_FAR_FROM_OWN, Verdict.HOLD_NEAR_OTHERS})


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A sample as it was received. `claim`: by what digest a conflict of claims waits, if any."""

    sample: Sample
    claim: bytes | None = None


async def enrol(
    session: WriteSession,
    *,
    sample_id: UUID,
    subject_id: UUID,
    modality: Modality,
    vectors: Vectors,
    enrolled_by: UUID,
    ial: int,
    judge: Judge,
    daily: int,
    keys: Keys,
) -> Enrolled:
    """Enrol one sample of a subject; `daily`: how many an account below IAL2 may enrol in a day."""
    await subjects.mine(session, subject_id)
    check(vectors, modality)
    await templates.alone(session, subject_id)  # what it is judged against is what it joins
    await _require_room(session, subject_id, modality)
    if ial < ASSURED_IAL:
        await _require_budget(session, enrolled_by, daily)
    judged = await judge(
        subject_id, modality, vectors, await templates.own(session, subject_id, keys=keys)
    )
    verdict = judged.verdict
    if verdict is Verdict.REFUSE and ial >= ASSURED_IAL:
        raise ConflictError(_UNFIT)
    key = await templates.key_of(session, subject_id, keys=keys)
    sample = Sample(
        id=sample_id,
        subject_id=subject_id,
        modality=modality,
        encoders=sorted({encoder for encoder, _ in vectors}),
        sealed_vectors=samples.sealed(vectors, sample_id=sample_id, key=key),
        enrolled_by=enrolled_by,
        ial=ial,
    )
    session.add(sample)
    await session.flush()  # its events refer to it
    if verdict is not Verdict.JOIN:
        kind = _RECORDED_AS[verdict]
        await samples.record(
            session, sample_id=sample_id, kind=kind, actor_id=enrolled_by, reason=verdict
        )
    claim = await _put_before_the_desk(session, sample, judged, keys)
    # Also where the sample stays outside, and nothing changes: it takes as long.
    await templates.derive(session, subject_id, actor_id=enrolled_by, keys=keys)
    return Enrolled(sample, claim)


async def _put_before_the_desk(
    session: WriteSession, sample: Sample, judged: Judgement, keys: Keys
) -> bytes | None:
    """Let a reviewer see a sample that is held; the digest of the conflict of claims, if it is one.

    Whoever is known below IAL2 moves nobody who is verified.
    """
    if judged.verdict not in _HELD:
        return None
    kind, others, claim = ReviewKind.SUSPICIOUS_ENROLMENT, judged.near, None
    if sample.ial >= ASSURED_IAL and (
        rivals := await _strangers(session, sample, judged.established)
    ):
        kind, others = ReviewKind.CLAIM_CONFLICT, rivals
        claim = keys.probe_digest(f"claim:{sample.subject_id}:{sorted(rivals)}")
    await open_review(
        session,
        kind,
        subject_ids={sample.subject_id, *others},
        opened_by=sample.enrolled_by,
        about=sample.id,
        same_as=claim,
    )
    return claim


async def _strangers(
    session: ReadSession, sample: Sample, found: frozenset[UUID]
) -> frozenset[UUID]:
    """Of these subjects those that another account keeps than keeps the sample's."""
    if not found:
        return found
    keeper = select(Subject.owner_id).where(Subject.id == sample.subject_id).scalar_subquery()
    own = await session.scalars(
        select(Subject.id).where(Subject.id.in_(found), Subject.owner_id == keeper)
    )
    return found - set(own)


_UNFIT: Final = (
    "This sample does not tell its subject from other people. Send another one, of this person"
    " alone: sharp and well lit, or speaking clearly and without music."
)


async def retire(
    session: WriteSession,
    *,
    sample_id: UUID,
    actor_id: UUID,
    keys: Keys,
    reason: str | None = None,
) -> Sample:
    """Take a sample back for good; checks that start afterwards compare with the others only."""
    return await _become(
        session,
        sample_id,
        SampleEventKind.RETIRED,
        unless={SampleState.RETIRED},
        actor_id=actor_id,
        reason=reason,
        keys=keys,
    )


async def release(
    session: WriteSession,
    *,
    sample_id: UUID,
    actor_id: UUID,
    keys: Keys,
    reason: str | None = None,
) -> Sample:
    """The operator lets a held or refused sample count after all."""
    return await _become(
        session,
        sample_id,
        SampleEventKind.RELEASED,
        unless={SampleState.RETIRED, SampleState.ENROLLED},
        actor_id=actor_id,
        reason=reason,
        keys=keys,
    )


async def refuse(
    session: WriteSession,
    *,
    sample_id: UUID,
    actor_id: UUID,
    keys: Keys,
    reason: str | None = None,
) -> Sample:
    """The operator decides that a sample does not count."""
    return await _become(
        session,
        sample_id,
        SampleEventKind.REFUSED,
        unless={SampleState.RETIRED, SampleState.REFUSED},
        actor_id=actor_id,
        reason=reason,
        keys=keys,
    )


async def _become(
    session: WriteSession,
    sample_id: UUID,
    kind: SampleEventKind,
    *,
    unless: set[SampleState],
    actor_id: UUID,
    reason: str | None,
    keys: Keys,
) -> Sample:
    sample = await samples.mine(session, sample_id)
    await templates.alone(session, sample.subject_id)
    state = (await samples.states(session, [sample_id]))[sample_id]
    if state in unless:
        raise ConflictError(f"Sample {sample_id} is {state}.")
    await samples.record(session, sample_id=sample_id, kind=kind, actor_id=actor_id, reason=reason)
    await templates.derive(session, sample.subject_id, actor_id=actor_id, keys=keys)
    return sample


def check(vectors: Vectors, modality: Modality) -> None:
    """Refuse what no encoder of ours makes: another length, no unit, all numbers alike."""
    if not vectors or modality not in _CONDITIONS:
        raise InvalidError("A sample is of a face or of a voice.", field="modality")
    for (encoder, condition), raw in vectors.items():
        made_of, dimensions = _SHIPPED.get(encoder, (modality, len(raw) // _NUMBER_BYTES))
        if made_of is not modality or condition not in _CONDITIONS[modality]:
            raise InvalidError("A sample's vectors are all of its own modality.")
        if len(raw) % _NUMBER_BYTES:
            raise InvalidError("A sample's vectors are float32.")
        vector = np.frombuffer(raw, "<f4")
        unit(vector, dimensions)
        if abs(float(np.linalg.norm(vector.astype(np.float64))) - 1) > _UNIT_WITHIN:
            raise InvalidError("A sample's vectors are of length 1.")


async def _require_room(session: ReadSession, subject_id: UUID, modality: Modality) -> None:
    """However refused, a sample takes room until it is retired: the room then tells nothing."""
    retired = select(SampleEvent.id).where(
        SampleEvent.sample_id == Sample.id, SampleEvent.kind == SampleEventKind.RETIRED
    )
    taken = await session.scalar(
        select(func.count())
        .select_from(Sample)
        .where(Sample.subject_id == subject_id, Sample.modality == modality, ~retired.exists())
    )
    if (taken or 0) >= samples.MAX_LIVE:
        raise InvalidError(
            f"A subject has at most {samples.MAX_LIVE} {modality} samples: retire one first.",
            field="subjectId",
        )


async def _require_budget(session: WriteSession, enrolled_by: UUID, daily: int) -> None:
    """Hold an account below IAL2 to its samples a day, also when it sends several at once."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtext(f"enrolling:{enrolled_by}")))
    )
    at = await now(session)
    oldest = await session.scalars(
        select(Sample.created_at)
        .where(
            Sample.enrolled_by == enrolled_by,
            Sample.ial < ASSURED_IAL,
            Sample.created_at > at - BUDGET_PERIOD,
        )
        .order_by(Sample.created_at.desc())
        .limit(daily)
    )
    times = list(oldest)
    if len(times) >= daily:
        wait = times[-1] + BUDGET_PERIOD - at
        raise BusyError(
            f"At most {daily} samples a day until your identity is proved.",
            retry_after=max(1, math.ceil(wait.total_seconds())),
        )
