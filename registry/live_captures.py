"""Live captures: what an attester saw or heard of the holder of an account, while it counts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select

from registry import samples
from registry.attestations import (
    Attestation,
    AttestationCapture,
    capture_context,
    live,
    revoke,
    revoked,
)
from registry.database import Database, ReadSession
from registry.keys import Keys
from registry.policy.vocabulary import ASSURED_IAL
from registry.principals import OPERATOR
from registry.samples import Vectors
from registry.subjects import Subject, SubjectAlias, SubjectKey


async def of_account(
    session: ReadSession, principal_id: UUID, *, keys: Keys
) -> dict[UUID, Vectors]:
    """The captures by which an account is known at IAL2 or better, by attestation."""
    counting = live().where(
        Attestation.principal_id == principal_id, Attestation.level >= ASSURED_IAL
    )
    rows = await session.scalars(
        select(AttestationCapture).where(
            AttestationCapture.attestation_id.in_(counting.with_only_columns(Attestation.id))
        )
    )
    return {
        one.attestation_id: samples.unpacked(
            keys.deployment_key.open(one.sealed, context=capture_context(one.attestation_id))
        )
        for one in rows
    }


async def forget(operator: Database, _keys: Keys, at: datetime) -> None:
    """Remove the captures that serve nothing any more.

    Their attestation is over or revoked, or the person it shows was erased. That ends the
    attestation too: without its capture nothing would tell its holder from anybody else.
    """
    over = select(Attestation.id).where(or_(Attestation.expires_at <= at, revoked(), _erased()))
    async with operator.writing() as session:
        shown = select(AttestationCapture.attestation_id)
        ended = live().with_only_columns(Attestation.id).where(_erased(), Attestation.id.in_(shown))
        for one in list(await session.scalars(ended)):
            await revoke(session, attestation_id=one, actor=OPERATOR, reason="erasure")
        await session.execute(
            delete(AttestationCapture).where(AttestationCapture.attestation_id.in_(over))
        )


def _erased() -> ColumnElement[bool]:
    """Of an attestation: whether who it shows was erased.

    That is the person it was compared with; without one, whoever the account keeps, of whom none
    has a name any more.
    """
    key = select(SubjectKey.subject_id).where(SubjectKey.subject_id == Attestation.subject_id)
    theirs = select(Subject.id).where(Subject.owner_id == Attestation.principal_id)
    keyless = ~select(SubjectKey.subject_id).where(SubjectKey.subject_id == Subject.id).exists()
    named = select(SubjectAlias.subject_id).where(SubjectAlias.subject_id == Subject.id).exists()
    nobody = and_(theirs.where(keyless).exists(), ~theirs.where(named).exists())
    return or_(
        and_(Attestation.subject_id.is_not(None), ~key.exists()),
        and_(Attestation.subject_id.is_(None), nobody),
    )
