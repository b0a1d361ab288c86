"""Presentations that were refused: a face or voice shown for a person it is not.

Whoever tries is told one sentence and learns nothing from it; what was noticed is kept for the
review desk, also where nothing else of the request is.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import live_captures, verification
from registry.database import Base, ReadSession, WriteSession, new_id, now
from registry.encoder_set import EncoderSet
from registry.keys import Keys
from registry.policy.vocabulary import Modality
from registry.reviews import ReviewKind, open_review
from registry.samples import Vectors


class PresentationFault(StrEnum):
    """What was noticed."""

    NOT_THE_HOLDER = "NOT_THE_HOLDER"  # of the account that enrols it
    NOT_THE_SUBJECT = "NOT_THE_SUBJECT"  # whose consent is spoken


class RefusedPresentation(Base):
    """One refusal. `about`: the attestation or the spoken statement it was compared for."""

    __tablename__ = "refused_presentations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    modality: Mapped[Modality]
    fault: Mapped[PresentationFault]
    about: Mapped[UUID]
    presented_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def another_than(
    session: ReadSession,
    principal_id: UUID,
    *,
    vectors: Vectors,
    modality: Modality,
    encoders: EncoderSet,
    keys: Keys,
) -> UUID | None:
    """The attestation whose live capture this sample does not resemble, if there is one.

    A capture of this modality that no encoder in use can read any more resembles nothing.
    """
    found = await live_captures.of_account(session, principal_id, keys=keys)
    for attestation_id, capture in found.items():
        if not _is_of(capture, encoders, modality):
            continue
        own = {key: (raw, 1) for key, raw in capture.items()}
        known = verification.comparable(vectors, own, encoders, modality=modality)
        if not known or verification.is_far(vectors, own, encoders, modality=modality):
            return attestation_id
    return None


def _is_of(capture: Vectors, encoders: EncoderSet, modality: Modality) -> bool:
    """Whether it is a capture of this modality, as far as its encoders are known at all."""
    known = [encoders.by_id[name].modality for name, _ in capture if name in encoders.by_id]
    return not known or modality in known


async def refuse(
    session: WriteSession,
    fault: PresentationFault,
    *,
    refusal_id: UUID,
    subject_id: UUID,
    modality: Modality,
    about: UUID,
    presented_by: UUID,
) -> None:
    """Keep a refusal, and let the desk look at it. The transaction must be let commit.

    Every one is kept; of one account and person the desk looks at one a day.
    """
    today = (await now(session)).date()
    same_as = f"{fault}:{subject_id}:{presented_by}:{today}".encode()
    await session.execute(
        insert(RefusedPresentation)
        .inline()
        .values(
            id=refusal_id,
            subject_id=subject_id,
            modality=modality,
            fault=fault,
            about=about,
            presented_by=presented_by,
        )
    )
    await open_review(
        session,
        ReviewKind.SUSPICIOUS_ENROLMENT,
        subject_ids=[subject_id],
        about=refusal_id,
        opened_by=presented_by,
        same_as=hashlib.sha256(same_as).digest(),
    )


async def was_refused(session: ReadSession, refusal_id: UUID) -> bool:
    """Whether this presentation of the caller's was refused before."""
    found = select(RefusedPresentation.id).where(RefusedPresentation.id == refusal_id)
    return await session.scalar(found) is not None
