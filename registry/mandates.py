"""In which rights somebody may act for a person now: verified, or confirmed by the person.

An organisation's rights are exercised by its members. An agent acts within the mandate that the
person confirmed at IAL2, and never for a grant to themselves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from registry import notices, organisations, representatives, subjects
from registry.database import Actor, ReadSession, WriteSession, now
from registry.errors import ConflictError, ForbiddenError
from registry.notices import NoticeKind
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole
from registry.principals import OPERATOR_ID
from registry.representatives import AGENTS, OF_THE_DEAD, Representative, RepresentativeEventKind
from registry.scopes import Scope, scope_in, within
from registry.services import Service

CLAIM_WITHIN: Final = timedelta(days=90)  # for holders of the rights of the dead to come forward


@dataclass(frozen=True, slots=True)
class Right:
    """A right to act for somebody: by which representation, whose, and within what scope."""

    id: UUID
    held_by: UUID
    scope: Scope


async def acting(
    session: ReadSession, *, subject_id: UUID, principal_id: UUID
) -> dict[GrantorRole, tuple[Right, ...]]:
    """The rights, by role, in which an account may act for a subject now.

    There may be several of one role: two mandates, or the rights of two holders of the dead.
    """
    holders = {principal_id, *await organisations.of(session, principal_id)}
    rows = await session.scalars(
        select(Representative)
        .where(
            Representative.subject_id == subject_id,
            Representative.principal_id.in_(holders),
            or_(Representative.ends_at.is_(None), Representative.ends_at > await now(session)),
        )
        .order_by(Representative.id)
    )
    found = list(rows)
    kinds = await representatives.event_kinds(session, [one.id for one in found])
    rights: dict[GrantorRole, tuple[Right, ...]] = {}
    for one in found:
        if one.principal_id is not None and _counts(one.role, kinds[one.id]):
            right = Right(one.id, one.principal_id, scope_in(one))
            rights[one.role] = (*rights.get(one.role, ()), right)
    return rights


def cover(rights: Mapping[GrantorRole, Collection[Right]], scope: Scope) -> bool:
    """Whether one of these rights reaches so far: an agent's does within its mandate."""
    return any(
        role not in AGENTS or any(within(scope, one.scope) for one in each)
        for role, each in rights.items()
    )


def _counts(role: GrantorRole, kinds: Collection[str]) -> bool:
    by = RepresentativeEventKind.CONFIRMED if role in AGENTS else RepresentativeEventKind.VERIFIED
    return by in kinds and RepresentativeEventKind.ENDED not in kinds


async def require_cover(
    session: ReadSession, subject: subjects.Subject, *, actor_id: UUID, scope: Scope
) -> None:
    """ForbiddenError where an agent would end what their mandate does not reach."""
    if actor_id != subject.owner_id:
        rights = await acting(session, subject_id=subject.id, principal_id=actor_id)
        if rights and not cover(rights, scope):
            raise ForbiddenError("This is wider than the mandate: the person ends it themselves.")


async def confirm(
    session: WriteSession, *, representative_id: UUID, actor: Actor, ial: int
) -> Representative:
    """Say, as the person, that somebody is one's agent within the mandate on record."""
    representative, kinds = await representatives.locked(session, representative_id)
    subject = await subjects.mine(session, representative.subject_id)
    if representative.role not in AGENTS:
        raise ConflictError("An attester verifies this; the person confirms agents.")
    if actor.principal_id != subject.owner_id or ial < ASSURED_IAL:
        raise ForbiddenError(
            f"Whoever keeps the person's record confirms an agent, known at IAL{ASSURED_IAL}."
        )
    if representative.principal_id == actor.principal_id:
        raise ForbiddenError("Nobody makes themselves another's agent.")
    if kinds and kinds[-1] != RepresentativeEventKind.VERIFIED:
        raise ConflictError(f"This representation is {kinds[-1]} already.")
    await representatives.add_event(
        session, representative_id, RepresentativeEventKind.CONFIRMED, actor
    )
    return representative


async def offer(session: WriteSession, representative: Representative) -> None:
    """Let whoever decides know: the person of an agent, the holder of rights of the dead."""
    subject = await subjects.mine(session, representative.subject_id)
    if representative.role in AGENTS:
        await notices.tell(
            session,
            subject.owner_id,
            NoticeKind.REPRESENTATION_OFFERED,
            about=representative.id,
        )
    elif representative.role in OF_THE_DEAD and representative.principal_id is not None:
        await notices.tell(
            session,
            representative.principal_id,
            NoticeKind.HOLDERS_CALLED,
            about=representative.subject_id,
            due_at=await now(session) + CLAIM_WITHIN,
        )


async def require_no_interest(
    session: ReadSession,
    grantees: Collection[UUID] | None,
    *,
    actor_id: UUID,
    held_by: UUID | None,
) -> None:
    """ForbiddenError where whoever signs for a person, or their organisation, is the grantee.

    `held_by`: who holds the right in which they sign; None: they sign as the person.
    """
    if actor_id == OPERATOR_ID:
        return
    sides = {actor_id, *await organisations.of(session, actor_id)} | ({held_by} - {None})
    # Only services that they own, act as, or work for are seen here; that is what is looked for.
    query = select(Service).where(Service.owner_id.in_(sides))
    if grantees is not None:
        query = query.where(Service.id.in_(grantees))
    own = await session.scalar(query.limit(1))
    dealt = own is not None or (grantees is not None and not sides.isdisjoint(grantees))
    if dealt and held_by is not None:
        raise ForbiddenError("Who signs for a person gives nothing to their own service.")
