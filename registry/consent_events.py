"""What became of grants and objections, as the events that consent receipts are written of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select

from registry import grants, objections, subjects
from registry.consent_receipts import (
    ConsentReceipt,
    Happening,
    Issuer,
    Matter,
    Party,
    receipt,
)
from registry.database import Actor, ReadSession, now
from registry.errors import ForbiddenError
from registry.grant_states import ENDING, GrantEventKind, state_of
from registry.grants import Grant, GrantEvent
from registry.objections import Objection, ObjectionEvent, ObjectionEventKind, standing_of
from registry.policy.dpv import ConsentStatus
from registry.policy.vocabulary import GrantorRole, GrantState, ObjectionState
from registry.principals import OPERATOR_ID, Principal, PrincipalKind
from registry.scopes import scope_in

OF_GRANTS: Final[dict[GrantEventKind, ConsentStatus]] = {
    GrantEventKind.SIGNED: ConsentStatus.SIGNED,
    GrantEventKind.ACTIVATED: ConsentStatus.GIVEN,
    GrantEventKind.SUSPENDED: ConsentStatus.SUSPENDED,
    GrantEventKind.RESUMED: ConsentStatus.RESUMED,
    GrantEventKind.REVOKED: ConsentStatus.REVOKED,
    GrantEventKind.REJECTED: ConsentStatus.INVALIDATED,
    GrantEventKind.LAPSED: ConsentStatus.EXPIRED,
}
# What the registry makes of something else that happened, whoever set it off.
_BY_THE_REGISTRY = frozenset(
    {
        *(GrantEventKind.SUSPENDED, GrantEventKind.REJECTED, GrantEventKind.LAPSED),
        *(ObjectionEventKind.CONTESTED, ObjectionEventKind.DISPUTED, ObjectionEventKind.LAPSED),
    }
)
OF_OBJECTIONS: Final[dict[ObjectionEventKind, ConsentStatus]] = {
    ObjectionEventKind.VERIFIED: ConsentStatus.OBJECTION_VERIFIED,
    ObjectionEventKind.DISPUTED: ConsentStatus.OBJECTION_DISPUTED,
    ObjectionEventKind.CONTESTED: ConsentStatus.OBJECTION_CONTESTED,
    ObjectionEventKind.WITHDRAWN: ConsentStatus.OBJECTION_WITHDRAWN,
    ObjectionEventKind.LAPSED: ConsentStatus.OBJECTION_LAPSED,
}
REGISTRY_ROLE: Final = "REGISTRY"
REPRESENTATIVE_ROLE: Final = "REPRESENTATIVE"
# They see subjects to attest and to rule; a receipt is for the person.
_STAND_ASIDE = frozenset({PrincipalKind.ATTESTER, PrincipalKind.REVIEWER})


def require_side(actor: Actor, owner_id: UUID | None) -> None:
    """ForbiddenError unless the actor keeps a subject's record or acts for them.

    `owner_id` is the subject's if the actor may see the subject.
    """
    if owner_id is None or actor.kind in _STAND_ASIDE:
        raise ForbiddenError("Receipts are for the person and who acts for them.")


async def of_grants(
    session: ReadSession, ids: Collection[UUID], *, reader: UUID | None, issuer: Issuer
) -> dict[UUID, list[ConsentReceipt]]:
    """The receipts of these grants, oldest event first, for a service or (None) the person's side.

    Reads as the operator does: the caller has made sure that the reader may have them.
    """
    at = await now(session)
    rows = await grants.by_ids(session, ids)
    history = await grants.events(session, rows.keys())
    owners = await subjects.owners(session, {one.subject_id for one in rows.values()})
    names = await _names(session, {id for one in rows.values() for id in one.grantees or ()})
    found = {}
    for id, grant in rows.items():
        matter = consented(grant, names)
        happened = consent_events(grant, history[id], owner_id=owners[grant.subject_id], at=at)
        found[id] = [receipt(matter, one, reader=reader, issuer=issuer) for one in happened]
    return found


async def of_objections(
    session: ReadSession, ids: Collection[UUID], *, issuer: Issuer
) -> dict[UUID, list[ConsentReceipt]]:
    """The receipts of these objections for the person's side, oldest event first."""
    at = await now(session)
    rows = list(await session.scalars(select(Objection).where(Objection.id.in_(ids))))
    history, told = await _history(session, ids), await objections.happened(session, ids)
    owners = await subjects.owners(session, {one.subject_id for one in rows})
    found = {}
    for one in rows:
        became = objection_events(
            one, history[one.id], told[one.id], owner_id=owners[one.subject_id], at=at
        )
        found[one.id] = [
            receipt(forbidden(one), each, reader=None, issuer=issuer) for each in became
        ]
    return found


async def _history(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[ObjectionEvent]]:
    found: dict[UUID, list[ObjectionEvent]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(ObjectionEvent)
        .where(ObjectionEvent.objection_id.in_(ids))
        .order_by(ObjectionEvent.at, ObjectionEvent.id)
    )
    for row in rows:
        found[row.objection_id].append(row)
    return found


def refused(
    matter: Matter, *, event_id: UUID, at: datetime, by: UUID, role: str, issuer: Issuer
) -> ConsentReceipt:
    """The receipt of the person's side for a request of consent that was declined."""
    happening = Happening(
        event_id, at, ConsentStatus.REFUSED, by, role, record_state=ConsentStatus.REFUSED.name
    )
    return receipt(matter, happening, reader=None, issuer=issuer)


def consented(grant: Grant, names: Mapping[UUID, str]) -> Matter:
    """What a grant's receipts are about."""
    return Matter(
        record_id=grant.id,
        subject_id=grant.subject_id,
        scope=scope_in(grant),
        parties=None
        if grant.grantees is None
        else tuple(Party(one, names[one]) for one in grant.grantees),
        withdrawal="revokeGrant",
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        notice=grant.notice,
        terms={
            "content_allowed": sorted(map(str, grant.content_allowed)),
            "commercial": grant.commercial,
            "exclusive": grant.exclusive,
            "max_uses": grant.max_uses,
            "obligations": sorted(map(str, grant.obligations)),
            "terms_sha256": None if grant.terms_sha256 is None else grant.terms_sha256.hex(),
        },
    )


def forbidden(objection: Objection) -> Matter:
    """What an objection's receipts are about."""
    return Matter(
        record_id=objection.id,
        subject_id=objection.subject_id,
        scope=scope_in(objection),
        parties=None,
        withdrawal="withdrawObjection",
        consent=False,
        starts_at=objection.since,
        notice=objection.notice,
        terms={"carve_out_records": sorted(map(str, objection.carve_out_grants))},
    )


def consent_events(
    grant: Grant, events: Sequence[GrantEvent], *, owner_id: UUID, at: datetime
) -> list[Happening]:
    """What became of a consent up to now. That it ran out is an event too, though nobody's."""
    found = [
        _became(grant, one, events[:number], owner_id=owner_id)
        for number, one in enumerate(events, 1)
    ]
    if expiry := _expiry(grant, events, at):
        found = sorted([*found, expiry], key=lambda one: one.at)
    return found


def _became(
    grant: Grant, event: GrantEvent, so_far: Sequence[GrantEvent], *, owner_id: UUID
) -> Happening:
    """What one event made of a consent; `so_far` are the events up to it."""
    status, actor_id = OF_GRANTS[event.kind], event.actor_id
    if status is ConsentStatus.REVOKED and actor_id == owner_id:
        status = ConsentStatus.WITHDRAWN
    signed_as = [one.role for one in so_far if one.role is not None and one.actor_id == actor_id]
    role = signed_as[-1] if signed_as else role_of(actor_id, owner_id)
    if event.kind in _BY_THE_REGISTRY:
        actor_id, role = OPERATOR_ID, REGISTRY_ROLE
    return Happening(
        event.id,
        event.at,
        status,
        actor_id,
        role,
        _state(so_far, ends_at=grant.ends_at, at=event.at),
        effective_at=event.effective_at,
    )


def _state(events: Sequence[GrantEvent], *, ends_at: datetime | None, at: datetime) -> GrantState:
    return state_of([one.step for one in events], ends_at=ends_at, at=at)


def _expiry(grant: Grant, events: Sequence[GrantEvent], at: datetime) -> Happening | None:
    """The end of the term of a consent that all had given and nobody had ended."""
    ends_at = grant.ends_at
    if ends_at is None or ends_at > at:
        return None
    before = [one for one in events if one.at < ends_at]
    kinds = {one.kind for one in before}
    if GrantEventKind.ACTIVATED not in kinds or not kinds.isdisjoint(ENDING):
        return None
    return Happening(
        uuid5(grant.id, GrantState.EXPIRED),
        ends_at,
        ConsentStatus.EXPIRED,
        OPERATOR_ID,
        REGISTRY_ROLE,
        _state(before, ends_at=ends_at, at=ends_at),
    )


def objection_events(
    objection: Objection,
    events: Sequence[ObjectionEvent],
    happened: Sequence[tuple[str, datetime]],
    *,
    owner_id: UUID,
    at: datetime,
) -> list[Happening]:
    """What became of an objection, from its filing on. That it lapsed by time is nobody's event.

    `happened` is all that its standing follows from: that its person was proved is part of it.
    """
    filed = (objection.since, objection.filed_by, objection.role)
    found = [_stood(objection.id, ConsentStatus.OBJECTION_FILED, filed, ())]
    for one in events:
        actor_id, role = one.actor_id, role_of(one.actor_id, owner_id)
        if actor_id == objection.filed_by:
            role = objection.role
        if one.kind in _BY_THE_REGISTRY:  # it does not say who else claims the person
            actor_id, role = OPERATOR_ID, REGISTRY_ROLE
        done = (one.at, actor_id, role)
        found.append(_stood(one.id, OF_OBJECTIONS[one.kind], done, happened))
    stands = standing_of(happened, at=at)
    if stands.ended_at is None or stands.ended_at in {one.at for one in events}:
        return found
    lapsed = (stands.ended_at, OPERATOR_ID, REGISTRY_ROLE)
    id = uuid5(objection.id, ObjectionState.LAPSED)
    found.append(_stood(id, ConsentStatus.OBJECTION_LAPSED, lapsed, happened))
    return sorted(found, key=lambda one: one.at)


def _stood(
    id: UUID,
    status: ConsentStatus,
    done: tuple[datetime, UUID, str],
    happened: Sequence[tuple[str, datetime]],
) -> Happening:
    """What was done at a moment, by whom and in what role, and how the objection stood then."""
    at, actor_id, role = done
    before = [one for one in happened if one[1] <= at]
    return Happening(id, at, status, actor_id, role, standing_of(before, at=at).state)


def role_of(actor_id: UUID, owner_id: UUID) -> str:
    """In what role somebody acted, where the record does not say."""
    if actor_id == owner_id:
        return GrantorRole.SELF
    return REGISTRY_ROLE if actor_id == OPERATOR_ID else REPRESENTATIVE_ROLE


async def _names(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, str]:
    rows = await session.execute(
        select(Principal.id, Principal.handle).where(Principal.id.in_(ids))
    )
    return {row.id: row.handle for row in rows}
