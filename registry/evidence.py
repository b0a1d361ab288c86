"""Evidence: the document behind a death, an inheritance, a guardianship or an identity.

Kept sealed under the person's key, never decoded, and for a limited time: then its bytes go, and
what remains is that there was a document of this digest. Only the registry's offices read it.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import subjects
from registry.database import (
    Actor,
    Base,
    Database,
    ReadSession,
    WriteSession,
    checked_time,
    new_id,
    now,
    take_turns_on,
)
from registry.errors import (
    BusyError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnsupportedError,
)
from registry.keys import Keys
from registry.principals import OFFICES

MAX_BYTES: Final = 10 * 2**20
KEPT: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=10 * 365)
DAILY: Final = 20  # documents of an account that is no office of the registry
_MAGIC: Final[Mapping[bytes, str]] = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


class EvidenceKind(StrEnum):
    """What a document shows."""

    DEATH_CERTIFICATE = "DEATH_CERTIFICATE"
    RELATIONSHIP = "RELATIONSHIP"
    PROBATE = "PROBATE"
    GUARDIANSHIP = "GUARDIANSHIP"
    IDENTITY = "IDENTITY"
    MANDATE = "MANDATE"
    OTHER = "OTHER"


class Evidence(Base):
    """One document. Its row outlives its bytes."""

    __tablename__ = "evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    kind: Mapped[EvidenceKind]
    media_type: Mapped[str]
    sha256: Mapped[bytes]
    expires_at: Mapped[datetime]
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class EvidenceContent(Base):
    """The bytes of a document, sealed; removed when its time is over."""

    __tablename__ = "evidence_contents"

    evidence_id: Mapped[UUID] = mapped_column(ForeignKey("evidence.id"), primary_key=True)
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as an office reads it."""

    evidence: Evidence
    content: bytes


def media_type_of(content: bytes) -> str:
    """PDF, JPEG or PNG by the first bytes; UnsupportedError for anything else."""
    for magic, media_type in _MAGIC.items():
        if content.startswith(magic):
            return media_type
    raise UnsupportedError("Evidence is a PDF, JPEG or PNG file.")


async def keep(
    session: WriteSession,
    content: bytes,
    *,
    evidence_id: UUID,
    subject_id: UUID,
    kind: EvidenceKind,
    actor: Actor,
    keys: Keys,
    expires_at: datetime | None = None,
) -> Evidence:
    """Keep a document about somebody whom the caller may see, until its time is over."""
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"Evidence has at most {MAX_BYTES} bytes.")
    media_type = media_type_of(content)
    await subjects.mine(session, subject_id)
    at = await now(session)
    ends = at + KEPT if expires_at is None else checked_time(expires_at, "expiresAt")
    if not at < ends <= at + LONGEST:
        raise InvalidError("Evidence is kept for ten years at most.", field="expiresAt")
    wrapped = (await subjects.wrapped_keys(session, [subject_id])).get(subject_id)
    if wrapped is None:
        raise NotFoundError("No such subject.", field="subjectId")
    await _require_budget(session, actor, at)
    made = Evidence(
        id=evidence_id,
        subject_id=subject_id,
        kind=kind,
        media_type=media_type,
        sha256=hashlib.sha256(content).digest(),
        expires_at=ends,
        uploaded_by=actor.principal_id,
    )
    session.add(made)
    await session.flush()  # its content refers to it
    sealed = keys.open_key(subject_id, wrapped).seal(content, context=_context(evidence_id))
    # Not through the session: whoever uploads it does not read it back.
    await session.execute(
        insert(EvidenceContent).inline().values(evidence_id=evidence_id, sealed=sealed)
    )
    return made


async def _require_budget(session: WriteSession, actor: Actor, at: datetime) -> None:
    """Anybody may open a case: what they may fill the database with in a day is bounded."""
    if actor.kind in OFFICES:
        return
    await take_turns_on(session, f"evidence:{actor.principal_id}")
    today = await session.scalar(
        select(func.count())
        .select_from(Evidence)
        .where(
            Evidence.uploaded_by == actor.principal_id,
            Evidence.created_at > at - timedelta(days=1),
        )
    )
    if (today or 0) >= DAILY:
        raise BusyError(f"At most {DAILY} documents a day.", retry_after=3600)


async def read(session: ReadSession, evidence_id: UUID, *, actor: Actor, keys: Keys) -> Document:
    """A document as it was uploaded; only an office of the registry reads one."""
    if actor.kind not in OFFICES:
        raise ForbiddenError("Evidence is read by attesters, reviewers and the operator.")
    found = await session.get(Evidence, evidence_id)
    content = await session.get(EvidenceContent, evidence_id)
    if found is None or content is None or found.expires_at <= await now(session):
        raise NotFoundError("No such evidence, or its time is over.")
    wrapped = (await subjects.wrapped_keys(session, [found.subject_id])).get(found.subject_id)
    if wrapped is None:
        raise NotFoundError("No such evidence, or its time is over.")
    key = keys.open_key(found.subject_id, wrapped)
    return Document(found, key.open(content.sealed, context=_context(evidence_id)))


async def of_subjects(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[Evidence]]:
    """The documents about each visible person that can still be read, oldest first."""
    found: dict[UUID, list[Evidence]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(Evidence)
        .where(Evidence.subject_id.in_(ids), Evidence.expires_at > func.clock_timestamp())
        .order_by(Evidence.id)
    )
    for row in rows:
        found[row.subject_id].append(row)
    return found


async def about(
    session: ReadSession, evidence_id: UUID, *, subject_ids: Collection[UUID]
) -> Evidence:
    """The document's row if it is about one of these; absent and about others look the same."""
    found = await session.get(Evidence, evidence_id)
    if found is None or found.subject_id not in subject_ids:
        raise NotFoundError("No such evidence, or its time is over.")
    return found


async def forget(operator: Database, _keys: Keys, at: datetime) -> None:
    """Remove the bytes of every document whose time is over."""
    async with operator.writing() as session:
        over = select(Evidence.id).where(Evidence.expires_at <= at)
        await session.execute(delete(EvidenceContent).where(EvidenceContent.evidence_id.in_(over)))


def _context(evidence_id: UUID) -> bytes:
    return b"evidence:" + evidence_id.bytes
