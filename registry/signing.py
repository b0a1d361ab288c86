"""Signatures on grants: the person's own, and those of who is verified to act for them."""

from uuid import UUID

from registry import consent_requests, grants, representatives, subjects
from registry.database import ReadSession, WriteSession
from registry.errors import ConflictError, ForbiddenError
from registry.grants import Grant, GrantEventKind
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole, GrantState
from registry.principals import OPERATOR_ID


async def sign(
    session: WriteSession, *, grant_id: UUID, actor_id: UUID, role: GrantorRole, ial: int
) -> Grant:
    """Sign a grant; the first signature makes it effective, as far as the law asks for no other.

    As the person (SELF) whoever keeps their record signs; in any other right a representative whom
    an office has verified. Only somebody known at IAL2 or better can.
    """
    grant = await grants.locked(session, grant_id)
    subject = await subjects.mine(session, grant.subject_id)
    if ial < ASSURED_IAL:
        raise ForbiddenError(
            f"Signing a grant needs identity assurance {ASSURED_IAL}; this token has {ial}."
        )
    representative_id = await _in_what_right(session, subject, actor_id, role)
    await grants.require(session, grant, GrantState.PENDING, GrantState.ACTIVE)
    history = (await grants.events(session, [grant_id]))[grant_id]
    if any(
        one.kind is GrantEventKind.SIGNED and (one.actor_id, one.role) == (actor_id, role)
        for one in history
    ):
        raise ConflictError(f"Grant {grant_id} is signed by you as {role} already.")
    await grants.record(
        session,
        grant,
        GrantEventKind.SIGNED,
        actor_id,
        role=role,
        ial=ial,
        representative_id=representative_id,
    )
    await consent_requests.grant_changed(session, grant_id)
    return grant


async def _in_what_right(
    session: ReadSession, subject: subjects.Subject, actor_id: UUID, role: GrantorRole
) -> UUID | None:
    """The representation in which somebody signs; None for the person's own signature."""
    if role is GrantorRole.SELF:
        if actor_id not in {subject.owner_id, OPERATOR_ID}:
            raise ForbiddenError(
                "Only whoever keeps the person's record signs as SELF; say in which role you act."
            )
        return None
    roles = await representatives.acting(session, subject_id=subject.id, principal_id=actor_id)
    if role not in roles:
        raise ForbiddenError(
            f"You are not a verified {role} of this person: have it recorded and verified first."
        )
    return roles[role]
