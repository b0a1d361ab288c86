"""Attestations: somebody answers for it that the holder of an account was identified, and how well.

A level holds while its attestation is neither expired nor revoked. Nobody is attested by whoever
gains from it: not by themselves, and for a grant not by the owner of a service it is given to.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Select, UniqueConstraint, Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry import jws, samples
from registry.database import (
    Actor,
    Base,
    EnumList,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    checked_time,
    new_id,
    now,
    ordered,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.policy.vocabulary import Modality
from registry.principals import MAX_IAL, OPERATOR_ID, PrincipalKind
from registry.receipts import jcs
from registry.samples import Vectors

TYPE: Final = "attestation+jwt"
LONGEST: Final = timedelta(days=5 * 365 + 2)
DIGEST_BYTES: Final = 32
MAX_LISTED: Final = 100
_ATTESTERS: Final = frozenset({PrincipalKind.ATTESTER, PrincipalKind.OPERATOR})


class AttestationMethod(StrEnum):
    """How the holder of an account was identified."""

    DOCUMENT_IN_PERSON = "DOCUMENT_IN_PERSON"
    DOCUMENT_REMOTE = "DOCUMENT_REMOTE"
    EID = "EID"
    REAL_NAME_SYSTEM = "REAL_NAME_SYSTEM"
    BANK_IDENT = "BANK_IDENT"


class AttestationEventKind(StrEnum):
    """What may become of an attestation."""

    REVOKED = "REVOKED"


class Attestation(Base):
    """One identification. `jti`: the provider's own number for it, used once.

    `matched`: of a live capture, what matched the templates of `subject_id`. `statement`: all that
    is said here, signed.
    """

    __tablename__ = "attestations"
    __table_args__ = (UniqueConstraint("attested_by", "jti"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    level: Mapped[int]
    method: Mapped[AttestationMethod]
    liveness: Mapped[bool]
    evidence_sha256: Mapped[bytes]
    expires_at: Mapped[datetime]
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subjects.id"))
    matched: Mapped[list[Modality]] = mapped_column(EnumList(Modality))
    jti: Mapped[str | None]
    statement: Mapped[str]
    attested_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class AttestationCapture(Base):
    """The vectors of a live capture, under the deployment's key; gone once they serve nothing."""

    __tablename__ = "attestation_captures"

    attestation_id: Mapped[UUID] = mapped_column(ForeignKey("attestations.id"), primary_key=True)
    sealed: Mapped[bytes]


class AttestationEvent(Event):
    """What became of an attestation."""

    __tablename__ = "attestation_events"

    attestation_id: Mapped[UUID] = mapped_column(ForeignKey("attestations.id"), index=True)
    kind: Mapped[AttestationEventKind]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an attester found out about the holder of an account."""

    principal_id: UUID
    level: int
    method: AttestationMethod
    liveness: bool
    evidence_sha256: bytes
    expires_at: datetime
    subject_id: UUID | None = None
    matched: frozenset[Modality] = frozenset()
    capture: Vectors | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What an identity provider itself signed, and its number there."""

    jws: str
    jti: str


async def attest(
    session: WriteSession,
    finding: Finding,
    *,
    attestation_id: UUID,
    actor: Actor,
    issuer: str,
    keys: Keys,
    statement: Statement | None = None,
) -> Attestation:
    """Put an identification on record; without the provider's statement the registry signs one."""
    await _require_independence(session, finding.principal_id, actor)
    at = await now(session)
    _check(finding, at)
    made = Attestation(
        id=attestation_id,
        principal_id=finding.principal_id,
        level=finding.level,
        method=finding.method,
        liveness=finding.liveness,
        evidence_sha256=finding.evidence_sha256,
        expires_at=finding.expires_at,
        subject_id=finding.subject_id,
        matched=ordered(finding.matched) or [],
        jti=None if statement is None else statement.jti,
        attested_by=actor.principal_id,
    )
    made.statement = _signed(made, issuer, at, keys) if statement is None else statement.jws
    session.add(made)
    await session.flush()  # a number used twice is this request's error
    if finding.capture is not None:
        sealed = keys.deployment_key.seal(
            samples.packed(finding.capture), context=capture_context(attestation_id)
        )
        session.add(AttestationCapture(attestation_id=attestation_id, sealed=sealed))
    return made


async def revoke(
    session: WriteSession, *, attestation_id: UUID, actor: Actor, reason: str | None = None
) -> Attestation:
    """Take an attestation back: the level it gave is gone for every request from now on."""
    await take_turns(session, attestation_id)
    made = await mine(session, attestation_id)
    if actor.principal_id not in {made.attested_by, OPERATOR_ID}:
        raise ForbiddenError("Whoever attested, or the operator, revokes an attestation.")
    if await session.scalar(_revoked(attestation_id)) is not None:
        raise ConflictError(f"Attestation {attestation_id} is revoked already.")
    session.add(
        AttestationEvent(
            attestation_id=attestation_id,
            kind=AttestationEventKind.REVOKED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return made


async def mine(session: ReadSession, attestation_id: UUID) -> Attestation:
    """The attestation, if the caller may see it; absent and not yours look the same."""
    made = await session.get(Attestation, attestation_id)
    if made is None:
        raise NotFoundError("No such attestation.", field="id")
    return made


async def of_account(session: ReadSession, principal_id: UUID) -> list[Attestation]:
    """The latest attestations of an account, newest first."""
    rows = await session.scalars(
        select(Attestation)
        .where(Attestation.principal_id == principal_id)
        .order_by(Attestation.id.desc())
        .limit(MAX_LISTED)
    )
    return list(rows)


async def holding(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether each attestation counts now."""
    rows = set(await session.scalars(live().with_only_columns(Attestation.id).where(
        Attestation.id.in_(ids))))  # fmt: skip
    return {one: one in rows for one in ids}


async def level_of(session: ReadSession, principal_id: UUID) -> int:
    """How well the holder of an account is known by attestation now; 0 without one."""
    return (await levels(session, [principal_id]))[principal_id]


async def levels(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, int]:
    """How well the holder of each account is known by attestation now; 0 without one."""
    rows = await session.scalars(live().where(Attestation.principal_id.in_(ids)))
    found = dict.fromkeys(ids, 0)
    for one in rows:
        found[one.principal_id] = max(found[one.principal_id], one.level)
    return found


def live() -> Select[Attestation]:
    """Attestations that count at this moment, by the database's clock."""
    return select(Attestation).where(Attestation.expires_at > func.clock_timestamp(), ~revoked())


def revoked() -> ColumnElement[bool]:
    """Whether an attestation was taken back, as a condition."""
    return _revoked(Attestation.id).exists()


def _revoked(attestation_id: object) -> Select[UUID]:
    return select(AttestationEvent.id).where(AttestationEvent.attestation_id == attestation_id)


async def _require_independence(session: ReadSession, principal_id: UUID, actor: Actor) -> None:
    if actor.kind not in _ATTESTERS:
        raise ForbiddenError("Only an attester or the operator attests who somebody is.")
    if actor.principal_id == principal_id:
        raise ForbiddenError("Nobody attests who they are themselves.")
    if actor.principal_id != OPERATOR_ID and await session.scalar(
        select(func.likeness_owns_service(actor.principal_id, cast(None, ARRAY(Uuid))))
    ):
        raise ForbiddenError("Whoever owns a service attests for nobody: they may be its grantee.")
    if not await session.scalar(select(func.likeness_may_be_attested(principal_id))):
        raise NotFoundError("No such account of a person or organisation.", field="principalId")


def _check(finding: Finding, at: datetime) -> None:
    if not 1 <= finding.level <= MAX_IAL:
        raise InvalidError(f"A level is 1 to {MAX_IAL}.", field="level")
    if len(finding.evidence_sha256) != DIGEST_BYTES:
        raise InvalidError(f"A SHA-256 is {DIGEST_BYTES} bytes.", field="evidenceSha256")
    if not at < checked_time(finding.expires_at, "expiresAt") <= at + LONGEST:
        raise InvalidError(
            "An attestation ends in the future, and within five years.", field="expiresAt"
        )
    if finding.subject_id is not None and finding.capture is None:
        raise InvalidError(
            "To say which person on record this is, send a live capture to compare.",
            field="liveCapture",
        )


def _signed(made: Attestation, issuer: str, at: datetime, keys: Keys) -> str:
    evidence = base64.urlsafe_b64encode(made.evidence_sha256).rstrip(b"=").decode()
    claims = {
        "iss": issuer,
        "sub": str(made.principal_id),
        "jti": str(made.id),
        "iat": int(at.timestamp()),
        "exp": int(made.expires_at.timestamp()),
        "level": made.level,
        "method": str(made.method),
        "liveness": made.liveness,
        "evidence_sha256": evidence,
        "subject": None if made.subject_id is None else str(made.subject_id),
        "matched": [str(one) for one in made.matched],
        "attested_by": str(made.attested_by),
    }
    return jws.sign(jcs(claims), typ=TYPE, signer=keys.token_signer)


def capture_context(attestation_id: UUID) -> bytes:
    """What sealed vectors are bound to: their own row."""
    return b"attestation:" + attestation_id.bytes
