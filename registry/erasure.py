"""Erasure: a person's key is destroyed, and with it everything that was sealed under it.

What was logged stays verifiable: leaves hold salted digests, and nothing personal. A person may ask
to be protected still: a nameless record under a new key then keeps what blocks, and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import (
    assets,
    cases,
    contests,
    grants,
    objections,
    request_messages,
    samples,
    sealing,
    subjects,
    templates,
)
from registry.database import Base, ReadSession, WriteSession, new_id, now
from registry.errors import ConflictError, ForbiddenError, NotFoundError
from registry.grant_states import FINAL
from registry.grants import Grant
from registry.keys import Keys
from registry.objections import ENDED, Objection
from registry.policy.question import age
from registry.policy.vocabulary import ObjectionState, Registration
from registry.principals import OPERATOR_ID
from registry.samples import Sample, SampleState, Vectors
from registry.subjects import Subject, SubjectAlias, SubjectKey

REASON: Final = "erasure"


class Erasure(Base):
    """That a person was erased; `kept_as`: the nameless record that blocks in their place."""

    __tablename__ = "erasures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True, unique=True)
    kept_as: Mapped[UUID | None] = mapped_column(ForeignKey("subjects.id"))
    erased_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Kept:
    """What blocks in a person's place: opened before their key is destroyed."""

    registration: Registration
    born: date | None
    samples: Sequence[tuple[Sample, Vectors]]
    pictures: Sequence[tuple[str, bytes]]
    objections: Sequence[tuple[Objection, ObjectionState]]


async def erase(
    session: WriteSession,
    *,
    erasure_id: UUID,
    subject_id: UUID,
    actor_id: UUID,
    keep_blocking: bool,
    keys: Keys,
) -> Erasure:
    """Destroy a person's key, and end what was said for them, in one transaction.

    Only whoever keeps the record, or the operator. Grants end, and who held them is told.
    """
    await templates.alone(session, subject_id)
    subject = await subjects.mine(session, subject_id)
    if actor_id not in {subject.owner_id, OPERATOR_ID}:
        raise ForbiddenError("Whoever keeps the person's record, or the operator, erases it.")
    key = await templates.key_of(session, subject_id, keys=keys)
    kept_as = None
    if keep_blocking:
        kept = await _kept(session, subject, key, keys)
        kept_as = await _nameless(session, kept, owner_id=subject.owner_id, keys=keys)
    await _end(session, subject_id, actor_id)
    await _destroy(session, subject_id)
    await templates.derive(session, subject_id, actor_id=actor_id, keys=keys)
    if not await _others_of(session, subject.owner_id):
        await cases.forget_contacts(session, subject.owner_id)
    erasure = Erasure(id=erasure_id, subject_id=subject_id, kept_as=kept_as, erased_by=actor_id)
    session.add(erasure)
    await session.flush()  # the answer needs the time
    return erasure


async def _end(session: WriteSession, subject_id: UUID, actor_id: UUID) -> None:
    """End grants, objections and pictures; what is sealed under the key needs no ending."""
    given = list(await session.scalars(select(Grant).where(Grant.subject_id == subject_id)))
    states = await grants.states(session, given)
    for grant in given:
        if states[grant.id] in FINAL:
            continue
        await grants.revoke(session, grant_id=grant.id, actor_id=actor_id, reason=REASON)
    for objection, state in await _filed(session, subject_id):
        if state not in ENDED:
            await objections.end(session, objection.id, actor_id=actor_id, reason=REASON)
    for asset_id in await assets.showing_only(session, subject_id):
        await assets.retire(session, asset_id=asset_id, actor_id=actor_id)
    await session.flush()  # in the order in which it is said


async def _destroy(session: WriteSession, subject_id: UUID) -> None:
    gone = await session.scalars(
        delete(SubjectKey)
        .where(SubjectKey.subject_id == subject_id)
        .returning(SubjectKey.subject_id)
    )
    if not list(gone):  # row security let nothing be deleted: then nothing was erased
        raise ForbiddenError("Whoever keeps the person's record, or the operator, erases it.")
    await session.execute(delete(SubjectAlias).where(SubjectAlias.subject_id == subject_id))
    await request_messages.forget(session, subject_id)


async def _others_of(session: ReadSession, owner_id: UUID) -> bool:
    """Whether the account keeps a record under a name still."""
    found = await session.scalar(
        select(Subject.id)
        .join(SubjectAlias, SubjectAlias.subject_id == Subject.id)
        .where(Subject.owner_id == owner_id)
        .limit(1)
    )
    return found is not None


async def _filed(session: ReadSession, subject_id: UUID) -> list[tuple[Objection, ObjectionState]]:
    filed = await objections.of_subject(session, subject_id)
    states = await objections.states(session, [one.id for one in filed])
    return [(one, states[one.id]) for one in filed]


async def _kept(
    session: ReadSession, subject: Subject, key: sealing.SubjectKey, keys: Keys
) -> Kept:
    """What blocks now. A claim that is contested is not carried over its time."""
    if await contests.is_contested(session, subject.id):
        raise ConflictError(
            "This record is contested: it can be erased whole, and kept for blocking once it is"
            " proved."
        )
    record = (await subjects.records(session, [subject.id], keys=keys))[subject.id]
    enrolled = (await samples.by_subject(session, [subject.id]))[subject.id]
    states = await samples.states(session, [one.id for one in enrolled])
    return Kept(
        registration=record.registration,
        born=_year_of_a_minor(record.birth_date, (await now(session)).date()),
        samples=[
            (one, samples.opened(one, key))
            for one in enrolled
            if states[one.id] is SampleState.ENROLLED
        ],
        pictures=await assets.hashes_of(session, subject.id, key=key),
        objections=[
            (one, state) for one, state in await _filed(session, subject.id) if state not in ENDED
        ],
    )


def _year_of_a_minor(born: date | None, today: date) -> date | None:
    """The last day of the year in which a minor was born: they are protected no day too short."""
    if born is None or age(born, today) >= subjects.MAJORITY:
        return None
    return date(born.year, 12, 31)


async def _nameless(session: WriteSession, kept: Kept, *, owner_id: UUID, keys: Keys) -> UUID:
    """Somebody under a new key of whom nothing is known but what blocks."""
    subject_id = new_id()
    await subjects.register_nameless(
        session,
        subject_id=subject_id,
        owner_id=owner_id,
        born=kept.born,
        registration=kept.registration,
        keys=keys,
    )
    key = await templates.key_of(session, subject_id, keys=keys)
    for former, vectors in kept.samples:
        sample_id = new_id()
        session.add(
            Sample(
                id=sample_id,
                subject_id=subject_id,
                modality=former.modality,
                encoders=former.encoders,
                sealed_vectors=samples.sealed(vectors, sample_id=sample_id, key=key),
                enrolled_by=former.enrolled_by,
                ial=former.ial,
            )
        )
    await session.flush()  # templates are made of them
    await templates.derive(session, subject_id, actor_id=owner_id, keys=keys)
    for encoder, image_hash in kept.pictures:
        await assets.register(
            session,
            asset_id=new_id(),
            owner_id=owner_id,
            subject_ids=[subject_id],
            encoder=encoder,
            image_hash=image_hash,
            keys=keys,
        )
    for objection, state in kept.objections:
        await objections.file_anew(
            session, objection, state, subject_id=subject_id, actor_id=owner_id
        )
    return subject_id


async def mine(session: ReadSession, erasure_id: UUID) -> Erasure:
    """An erasure, if the caller may see it; absent and not yours look the same."""
    found = await session.get(Erasure, erasure_id)
    if found is None:
        raise NotFoundError("No such erasure.")
    return found
