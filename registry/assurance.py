"""Assurance: whether somebody is known well enough for what they are about to sign."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, cast, func, or_
from sqlalchemy.dialects.postgresql import ARRAY

from registry import challenges, templates
from registry.attestations import Attestation, live
from registry.database import ReadSession
from registry.errors import ForbiddenError
from registry.grants import Grant
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole, Modality
from registry.principals import OPERATOR_ID


async def for_signing(
    session: ReadSession, grant: Grant, *, actor_id: UUID, token_ial: int, role: GrantorRole
) -> int:
    """How well the signer is known, at IAL2 or better; ForbiddenError says what is missing."""
    ial = await level_for_signing(
        session,
        principal_id=actor_id,
        token_ial=token_ial,
        role=role,
        subject_id=grant.subject_id,
        grantees=grant.grantees,
    )
    if ial < ASSURED_IAL:
        require_assured(token_ial)  # what else there is depends on what is enrolled
    if token_ial < ASSURED_IAL and role is GrantorRole.SELF:
        await _require_statement(session, grant, actor_id)
    return ial


def require_assured(ial: int) -> None:
    """ForbiddenError below IAL2."""
    if ial < ASSURED_IAL:
        raise ForbiddenError(
            f"Signing a grant needs identity assurance {ASSURED_IAL}; yours is {ial} here. An"
            " attester raises it, who sees you live and, if your face or voice is enrolled,"
            " compares it; nobody who owns a service the grant is for."
        )


async def level_for_signing(
    session: ReadSession,
    *,
    principal_id: UUID,
    token_ial: int,
    role: GrantorRole,
    subject_id: UUID,
    grantees: Collection[UUID] | None,
) -> int:
    """How well a signer is known for this grant: by the token, or by attestations that count here.

    What the owner of a grantee attested does not. To sign as the person themselves the holder must
    have been seen live and, where templates of that person are on record, have matched them.
    """
    if token_ial >= ASSURED_IAL:
        return token_ial  # the operator's own word
    given = None if grantees is None else sorted(grantees)
    conflicted = func.likeness_owns_service(Attestation.attested_by, cast(given, ARRAY(Uuid)))
    rows = await session.scalars(
        live().where(
            Attestation.principal_id == principal_id,
            or_(Attestation.attested_by == OPERATOR_ID, ~conflicted),
        )
    )
    found = list(rows)
    if role is GrantorRole.SELF:
        found = [one for one in found if one.liveness]
        if await templates.live(session, subject_id):
            found = [one for one in found if one.subject_id == subject_id and one.matched]
    return max([token_ial, *(one.level for one in found)])


async def _require_statement(session: ReadSession, grant: Grant, actor_id: UUID) -> None:
    """Who is known by attestation speaks their consent to a voice that is on record."""
    if grant.modalities is not None and Modality.VOICE not in grant.modalities:
        return
    enrolled = await templates.live(session, grant.subject_id)
    if all(one.modality is not Modality.VOICE for one in enrolled):
        return
    if not await challenges.was_spoken(session, grant_id=grant.id, spoken_by=actor_id):
        raise ForbiddenError(
            "This grant covers a voice: begin signing, speak the phrase, and send the recording."
        )
