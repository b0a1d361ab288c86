"""Templates: the mean of a subject's enrolled samples, one for each encoder and condition.

Checks compare with templates and never with samples. A template is not changed: another one takes
its place in the transaction that retires it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import CheckConstraint, ForeignKey, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from registry import samples, subjects
from registry.database import Base, Event, ReadSession, WriteSession, Xid8, new_id
from registry.encoders.identity import Condition
from registry.errors import InvalidError, NotFoundError
from registry.keys import Keys
from registry.policy.vocabulary import Modality, Registration
from registry.samples import Sample, SampleState
from registry.sealing import SubjectKey

_LEAST_LENGTH: Final = 1e-3  # of a mean: shorter, its direction says nothing
_LITTLE: Final = np.dtype("<f4")


# The cosine from which two samples are one photograph or recording, sent twice or saved anew: it
# counts once, because a mean is only better than one sample where the samples differ.
SAME_SAMPLE: Final = 0.998


class TemplateEventKind(StrEnum):
    """What may become of a template."""

    RETIRED = "RETIRED"


class Template(Base):
    """What a face or voice is compared with.

    `samples`: how many are in the mean. `verified`: whether the subject's registration was VERIFIED
    when it was derived; the others are searched in a gallery of their own. `xid`: as for
    asset references.
    """

    __tablename__ = "templates"
    __table_args__ = (CheckConstraint("samples > 0", name="samples_positive"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    modality: Mapped[Modality]
    encoder: Mapped[str]
    condition: Mapped[Condition]
    samples: Mapped[int]
    verified: Mapped[bool]
    sealed_vector: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    xid: Mapped[int] = mapped_column(
        Xid8(), server_default=text("pg_current_xact_id()"), index=True
    )


class TemplateEvent(Event):
    """What became of a template."""

    __tablename__ = "template_events"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), index=True)
    kind: Mapped[TemplateEventKind]


def vector_context(template_id: UUID) -> bytes:
    """What a sealed vector is bound to: its own row."""
    return b"template:" + template_id.bytes


class _Key(NamedTuple):
    """What there is one template of."""

    modality: Modality
    encoder: str
    condition: Condition


class _Mean(NamedTuple):
    """What a template is to hold."""

    vector: bytes
    samples: int
    verified: bool


def fold(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of n unit vectors of one dimension, at unit length again.

    InvalidError where they point in opposite directions, so that there is none.
    """
    mean = np.mean(np.stack(vectors).astype(np.float64), axis=0)
    length = float(np.linalg.norm(mean))
    if length < _LEAST_LENGTH:
        raise InvalidError("These samples contradict each other: they cannot be of one person.")
    folded: NDArray[np.float32] = (mean / length).astype(np.float32)
    return folded


async def alone(session: WriteSession, subject_id: UUID) -> None:
    """Nobody else changes this subject's samples or templates until the transaction ends."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtext(f"templates:{subject_id}")))
    )


async def live(session: ReadSession, subject_id: UUID) -> list[Template]:
    """The subject's templates that checks compare with."""
    retired = select(TemplateEvent.template_id).where(TemplateEvent.template_id == Template.id)
    found = await session.scalars(
        select(Template)
        .where(Template.subject_id == subject_id, ~retired.exists())
        .order_by(Template.id)
    )
    return list(found)


async def key_of(session: ReadSession, subject_id: UUID, *, keys: Keys) -> SubjectKey:
    """The subject's key; an erased subject is as absent as any other."""
    key = await _key_if_any(session, subject_id, keys)
    if key is None:
        raise NotFoundError("No such subject.", field="subjectId")
    return key


async def own(
    session: ReadSession, subject_id: UUID, *, keys: Keys
) -> dict[tuple[str, Condition], tuple[bytes, int]]:
    """The subject's templates, opened: the vector and how many samples are in it."""
    key = await key_of(session, subject_id, keys=keys)
    return {
        (one.encoder, one.condition): (_vector(one, key), one.samples)
        for one in await live(session, subject_id)
    }


async def derive(session: WriteSession, subject_id: UUID, *, actor_id: UUID, keys: Keys) -> None:
    """Let the subject's templates be the means of the samples that are ENROLLED now.

    What stays the same keeps its row. Of an erased subject nothing can be derived any more.
    """
    await alone(session, subject_id)
    key = await _key_if_any(session, subject_id, keys)
    wanted = {} if key is None else await _means(session, subject_id, key)
    for former in await live(session, subject_id):
        is_for = _Key(former.modality, former.encoder, former.condition)
        if key is not None and wanted.get(is_for) == _held(former, key):
            del wanted[is_for]
            continue
        session.add(
            TemplateEvent(template_id=former.id, kind=TemplateEventKind.RETIRED, actor_id=actor_id)
        )
    if key is not None:
        for is_for, mean in wanted.items():
            session.add(_template(subject_id, is_for, mean, key))
    await session.flush()  # a failure here is this request's, not the commit's


async def _means(session: ReadSession, subject_id: UUID, key: SubjectKey) -> dict[_Key, _Mean]:
    found = (await samples.by_subject(session, [subject_id]))[subject_id]
    states = await samples.states(session, [one.id for one in found])
    together: dict[_Key, list[NDArray[np.float32]]] = {}
    for sample in found:
        if states[sample.id] is SampleState.ENROLLED:
            for is_for, vector in _vectors(sample, key):
                others = together.setdefault(is_for, [])
                if not any(float(vector @ one) >= SAME_SAMPLE for one in others):
                    others.append(vector)
    verified = await _is_verified(session, subject_id)
    return {
        is_for: _Mean(fold(vectors).astype(_LITTLE).tobytes(), len(vectors), verified)
        for is_for, vectors in together.items()
    }


def _vectors(sample: Sample, key: SubjectKey) -> list[tuple[_Key, NDArray[np.float32]]]:
    return [
        (_Key(sample.modality, encoder, condition), np.frombuffer(raw, _LITTLE))
        for (encoder, condition), raw in samples.opened(sample, key).items()
    ]


async def _is_verified(session: ReadSession, subject_id: UUID) -> bool:
    kinds = await session.scalars(
        select(subjects.SubjectEvent.kind)
        .where(subjects.SubjectEvent.subject_id == subject_id)
        .order_by(subjects.SubjectEvent.at, subjects.SubjectEvent.id)
    )
    return subjects.registration_of(list(kinds)) is Registration.VERIFIED


async def _key_if_any(session: ReadSession, subject_id: UUID, keys: Keys) -> SubjectKey | None:
    wrapped = (await subjects.wrapped_keys(session, [subject_id])).get(subject_id)
    return None if wrapped is None else keys.open_key(subject_id, wrapped)


def _template(subject_id: UUID, is_for: _Key, mean: _Mean, key: SubjectKey) -> Template:
    template_id = new_id()
    return Template(
        id=template_id,
        subject_id=subject_id,
        **is_for._asdict(),
        samples=mean.samples,
        verified=mean.verified,
        sealed_vector=key.seal(mean.vector, context=vector_context(template_id)),
    )


def _vector(template: Template, key: SubjectKey) -> bytes:
    return key.open(template.sealed_vector, context=vector_context(template.id))


def _held(template: Template, key: SubjectKey) -> _Mean:
    return _Mean(_vector(template, key), template.samples, template.verified)
