"""Samples: enrolled photographs and recordings, kept as sealed vectors. The media is not kept.

What becomes of a sample is an event; only ENROLLED samples count in a template. Who is known below
IAL2 is told nothing that a comparison with other people brought out: to them a sample is RECEIVED.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, Event, new_id
from registry.policy.vocabulary import ASSURED_IAL, Modality


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
