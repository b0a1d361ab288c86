"""Signatures on grants: whose are there, whose are missing, and when the grant takes effect.

The last needed hand makes a grant ACTIVE: at once, or after a cooling-off period for what binds a
person most. Who is needed is said by the packs of every territory that the grant covers.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from registry import (
    assurance,
    consent_requests,
    grants,
    holds,
    mandates,
    notices,
    parties,
    subjects,
)
from registry.database import Actor, ReadSession, WriteSession, now
from registry.errors import ConflictError, ForbiddenError
from registry.grant_states import GrantEventKind, HoldCause, held_for
from registry.grants import Grant
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.policy.hands import Hands, hands
from registry.policy.packs import PackSet
from registry.policy.vocabulary import AiUse, GrantorRole, GrantState
from registry.principals import OPERATOR_ID, PrincipalKind
from registry.representatives import AGENTS
from registry.scopes import scope_in, within

COOLING_OFF: Final = timedelta(hours=72)
LONG_TERM_YEARS: Final = 2
_TWO_PEOPLE: Final = frozenset({GrantorRole.SELF, GrantorRole.GUARDIAN})


@dataclass(frozen=True, slots=True)
class Law:
    """What signing needs beside the database: the packs, the keys, and how long to cool off."""

    packs: PackSet
    keys: Keys
    cooling_off: timedelta = COOLING_OFF


async def sign(
    session: WriteSession,
    *,
    grant_id: UUID,
    actor: Actor,
    role: GrantorRole,
    ial: int,
    law: Law,
) -> Grant:
    """Sign a grant. It takes effect once nobody's signature is missing.

    As the person (SELF) whoever keeps their record signs; in any other right a representative whom
    an office has verified, or an agent within the mandate that the person confirmed. Only somebody
    known at IAL2 or better can, and nobody for a person to their own service. `ial` is the
    token's; attestations add to it.
    """
    grant = await grants.locked(session, grant_id)
    subject = await subjects.mine(session, grant.subject_id)
    ial = await assurance.for_signing(
        session, grant, actor_id=actor.principal_id, token_ial=ial, role=role
    )
    rights = await _in_what_rights(session, subject, actor.principal_id, role, grant)
    in_trust = actor.principal_id if actor.kind == PrincipalKind.ORGANISATION else None
    for right in rights:
        await mandates.require_no_interest(
            session,
            grant.grantees,
            actor_id=actor.principal_id,
            held_by=in_trust if right is None else right.held_by,
        )
    await _require_open(session, grant)
    for right in await _new(session, grant, actor.principal_id, role, rights):
        await grants.record(
            session,
            grant,
            GrantEventKind.SIGNED,
            actor.principal_id,
            role=role,
            ial=ial,
            representative_id=None if right is None else right.id,
        )
    await _take_effect(session, grant, subject, actor.principal_id, law)
    await consent_requests.grant_changed(session, grant_id)
    return grant


async def _in_what_rights(
    session: ReadSession,
    subject: subjects.Subject,
    actor_id: UUID,
    role: GrantorRole,
    grant: Grant,
) -> tuple[mandates.Right | None, ...]:
    """The representations in which somebody signs; None for the person's own signature.

    Whoever acts for several holders signs for each of them; an agent, by a mandate that covers it.
    """
    if role is GrantorRole.SELF:
        if actor_id not in {subject.owner_id, OPERATOR_ID}:
            raise ForbiddenError(
                "Only whoever keeps the person's record signs as SELF; say in which role you act."
            )
        return (None,)
    rights = await mandates.acting(session, subject_id=subject.id, principal_id=actor_id)
    if role not in rights:
        raise ForbiddenError(
            f"You are not a verified {role} of this person: have it recorded and verified first,"
            " or for an agent confirmed by the person."
        )
    if role not in AGENTS:
        return rights[role]
    covering = [one for one in rights[role] if within(scope_in(grant), one.scope)]
    if not covering:
        raise ForbiddenError("The grant is wider than the mandate.")
    return (covering[-1],)


async def _require_open(session: ReadSession, grant: Grant) -> None:
    """A grant is signed while it waits or holds; one held back, only to ratify it."""
    state = (await grants.states(session, [grant]))[grant.id]
    if state is GrantState.SUSPENDED:
        held = (await grants.held(session, [grant.id]))[grant.id]
        if held == {HoldCause.MAJORITY}:
            return
    if state not in {GrantState.PENDING, GrantState.ACTIVE}:
        raise ConflictError(f"Grant {grant.id} is {state}.")


async def _new(
    session: ReadSession,
    grant: Grant,
    actor_id: UUID,
    role: GrantorRole,
    rights: Collection[mandates.Right | None],
) -> list[mandates.Right | None]:
    """Those of the rights in which they have not signed it yet; ConflictError if there are none.

    Nobody is two of the hands that a minor's grant needs: the person, and who decides for them.
    """
    history = (await grants.events(session, [grant.id]))[grant.id]
    theirs = [
        one for one in history if one.kind is GrantEventKind.SIGNED and one.actor_id == actor_id
    ]
    if actor_id != OPERATOR_ID and {role, *(one.role for one in theirs)} >= _TWO_PEOPLE:
        raise ForbiddenError("Nobody signs a grant both as the person and as their guardian.")
    signed = {one.representative_id for one in theirs if one.role is role}
    new = [one for one in rights if (None if one is None else one.id) not in signed]
    if not new or (role in AGENTS and signed):
        raise ConflictError(f"Grant {grant.id} is signed by you as {role} already.")
    return new


async def _take_effect(
    session: WriteSession, grant: Grant, subject: subjects.Subject, actor_id: UUID, law: Law
) -> None:
    """Record that nobody's signature is missing any more, if so."""
    signed = (await hands_of(session, [grant], law))[grant.id]
    if not signed.complete:
        return
    history = (await grants.events(session, [grant.id]))[grant.id]
    if HoldCause.MAJORITY in held_for(one.step for one in history):
        # Somewhere they may be a minor still: where they are not, their own word is waited for.
        if not any(GrantorRole.SELF in one.asked.any_of for one in signed.missing):
            await holds.let_go(session, grant, HoldCause.MAJORITY, actor_id)
        return
    if any(one.kind is GrantEventKind.ACTIVATED for one in history):
        return
    begins = await now(session) + law.cooling_off if needs_cooling_off(grant) else None
    await grants.record(session, grant, GrantEventKind.ACTIVATED, actor_id, effective_at=begins)
    kind = NoticeKind.GRANT_ACTIVE if begins is None else NoticeKind.COOLING_OFF
    await notices.tell(session, subject.owner_id, kind, about=grant.id, due_at=begins)
    for service in grant.grantees or ():
        await notices.tell(session, service, NoticeKind.GRANT_ACTIVE, about=grant.id, due_at=begins)


def needs_cooling_off(grant: Grant) -> bool:
    """Whether a grant binds so much that the person gets time to think better of it.

    It is exclusive, or runs longer than two years or without an end, or allows to train a model.
    """
    trains = grant.uses is None or AiUse.TRAIN_MODEL in grant.uses
    return grant.exclusive or trains or _is_long(grant.starts_at, grant.ends_at)


def _is_long(starts_at: datetime, ends_at: datetime | None) -> bool:
    if ends_at is None:
        return True
    years, day = ends_at.year - starts_at.year, slice(1, 6)
    if years != LONG_TERM_YEARS:
        return years > LONG_TERM_YEARS
    return ends_at.timetuple()[day] > starts_at.timetuple()[day]


async def hands_of(session: ReadSession, found: Collection[Grant], law: Law) -> dict[UUID, Hands]:
    """How far each of these grants is signed; without those whose subject the caller can't see."""
    at = await now(session)
    people = await parties.of_subjects(session, {one.subject_id for one in found}, keys=law.keys)
    given = await parties.of_grants(session, found)
    return {
        one.id: hands(people[one.subject_id], given[one.id], law.packs, at)
        for one in found
        if one.subject_id in people
    }
