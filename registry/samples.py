"""Samples: enrolled photographs and recordings, kept as sealed vectors. The media is not kept.

What becomes of a sample is an event; only ENROLLED samples count in a template. Who is known below
IAL2 is told nothing that a comparison with other people brought out: to them a sample is RECEIVED.
"""

import base64
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import ForeignKey, Index, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import (
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
)
from registry.encoders.identity import Condition
from registry.errors import NotFoundError
from registry.paging import Page, page_of
from registry.policy.vocabulary import ASSURED_IAL, Modality
from registry.sealing import SubjectKey

MAX_LIVE: Final = 50  # of one subject and modality; a mean of more gains nothing
MAX_LISTED: Final = 4 * MAX_LIVE  # every live one of two modalities, and as many retired

# Little-endian float32 of unit length, by encoder id and condition.
Vectors = Mapping[tuple[str, Condition], bytes]
# A subject's own templates, likewise, each with the number of samples in it.
Own = Mapping[tuple[str, Condition], tuple[bytes, int]]


class Verdict(StrEnum):
    """What comparing a new sample with its subject and with everybody else brought out.

    REFUSE: it matches too many other people to tell anybody apart.
    """

    JOIN = "JOIN"
    HOLD_FAR_FROM_OWN = "HOLD_FAR_FROM_OWN"
    HOLD_NEAR_OTHERS = "HOLD_NEAR_OTHERS"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and whom else the sample is near to.

    `established`: those of them whose registration is, or before a dispute was, verified.
    """

    verdict: Verdict
    near: frozenset[UUID] = frozenset()
    established: frozenset[UUID] = frozenset()


# Judges a sample of this subject before it is enrolled; `checks` knows how.
Judge = Callable[[UUID, Modality, Vectors, Own], Awaitable[Judgement]]


class SampleState(StrEnum):
    """Where a sample stands. RECEIVED is what those known below IAL2 see of the next three."""

    RECEIVED = "RECEIVED"
    ENROLLED = "ENROLLED"
    IN_REVIEW = "IN_REVIEW"
    REFUSED = "REFUSED"
    RETIRED = "RETIRED"


class SampleEventKind(StrEnum):
    """What may become of a sample."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"
    RETIRED = "RETIRED"


class Sample(Base):
    """One photograph or recording of a subject. `ial`: how well its enroller was known."""

    __tablename__ = "samples"
    __table_args__ = (Index("ix_samples_enrolled_by_created_at", "enrolled_by", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    modality: Mapped[Modality]
    encoders: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sealed_vectors: Mapped[bytes]
    enrolled_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    ial: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SampleEvent(Event):
    """What became of a sample."""

    __tablename__ = "sample_events"

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id"), index=True)
    kind: Mapped[SampleEventKind]


_STATE_AFTER: Final[Mapping[str, SampleState]] = {
    SampleEventKind.HELD: SampleState.IN_REVIEW,
    SampleEventKind.RELEASED: SampleState.ENROLLED,
    SampleEventKind.REFUSED: SampleState.REFUSED,
    SampleEventKind.RETIRED: SampleState.RETIRED,
}


def state_of(kinds: Collection[str]) -> SampleState:
    """The state these event kinds, oldest first, add up to. Retired is final."""
    state = SampleState.ENROLLED
    for kind in kinds:
        state = _STATE_AFTER[kind]
        if state is SampleState.RETIRED:
            return state
    return state


def shown(state: SampleState, *, ial: int) -> SampleState:
    """The state as somebody known at this level is told it."""
    if ial >= ASSURED_IAL or state is SampleState.RETIRED:
        return state
    return SampleState.RECEIVED


def vectors_context(sample_id: UUID) -> bytes:
    """What sealed vectors are bound to: their own row."""
    return b"sample:" + sample_id.bytes


def packed(vectors: Vectors) -> bytes:
    """The vectors as they are sealed."""
    body = [
        {"encoder": encoder, "condition": condition, "base64": base64.b64encode(raw).decode()}
        for (encoder, condition), raw in sorted(vectors.items())
    ]
    return orjson.dumps({"vectors": body})


def unpacked(body: bytes) -> dict[tuple[str, Condition], bytes]:
    """The vectors again."""
    return {
        (one["encoder"], Condition(one["condition"])): base64.b64decode(one["base64"])
        for one in orjson.loads(body)["vectors"]
    }


def sealed(vectors: Vectors, *, sample_id: UUID, key: SubjectKey) -> bytes:
    """The vectors under their subject's key."""
    return key.seal(packed(vectors), context=vectors_context(sample_id))


def opened(sample: Sample, key: SubjectKey) -> dict[tuple[str, Condition], bytes]:
    """The vectors of a sample again."""
    return unpacked(key.open(sample.sealed_vectors, context=vectors_context(sample.id)))


async def record(
    session: WriteSession,
    *,
    sample_id: UUID,
    kind: SampleEventKind,
    actor_id: UUID,
    reason: str | None = None,
) -> None:
    """Write down what became of a sample."""
    session.add(
        SampleEvent(
            sample_id=sample_id, kind=kind, actor_id=actor_id, reason=checked_reason(reason)
        )
    )
    await session.flush()  # templates are derived from what the events add up to


async def mine(session: ReadSession, sample_id: UUID) -> Sample:
    """The sample, if the caller may see it; absent and not yours look the same."""
    sample = await session.get(Sample, sample_id)
    if sample is None:
        raise NotFoundError("No such sample.", field="id")
    return sample


async def states(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, SampleState]:
    """Where each sample truly stands."""
    rows = await session.execute(
        select(SampleEvent.sample_id, SampleEvent.kind)
        .where(SampleEvent.sample_id.in_(ids))
        .order_by(SampleEvent.at, SampleEvent.id)
    )
    kinds: dict[UUID, list[str]] = {one: [] for one in ids}
    for sample_id, kind in rows:
        kinds[sample_id].append(kind)
    return {one: state_of(kinds[one]) for one in ids}


async def by_subject(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[Sample]]:
    """The samples of each subject, oldest first: all that are not retired, then the latest."""
    retired = select(SampleEvent.id).where(
        SampleEvent.sample_id == Sample.id, SampleEvent.kind == SampleEventKind.RETIRED
    )
    order = (retired.exists(), Sample.id.desc())
    rank = func.row_number().over(partition_by=Sample.subject_id, order_by=order)
    ranked = select(Sample.id, rank.label("rank")).where(Sample.subject_id.in_(ids)).subquery()
    rows = await session.scalars(
        select(Sample)
        .join(ranked, ranked.c.id == Sample.id)
        .where(ranked.c.rank <= MAX_LISTED)
        .order_by(Sample.id)
    )
    found: dict[UUID, list[Sample]] = {one: [] for one in ids}
    for row in rows:
        found[row.subject_id].append(row)
    return found


async def held(session: ReadSession, *, first: int, after: UUID | None) -> Page[Sample]:
    """Samples that wait for the operator, oldest first."""
    last = (
        select(SampleEvent.kind)
        .where(SampleEvent.sample_id == Sample.id)
        .order_by(SampleEvent.at.desc(), SampleEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ever = select(SampleEvent.sample_id).where(SampleEvent.kind == SampleEventKind.HELD)
    query = select(Sample).where(Sample.id.in_(ever), last == SampleEventKind.HELD)
    return await page_of(session, query, key=Sample.id, first=first, after=after)


async def why_held(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, str | None]:
    """What was noticed when each was held last."""
    rows = await session.execute(
        select(SampleEvent.sample_id, SampleEvent.reason)
        .where(SampleEvent.sample_id.in_(ids), SampleEvent.kind == SampleEventKind.HELD)
        .order_by(SampleEvent.at, SampleEvent.id)
    )
    return {one.sample_id: one.reason for one in rows}
