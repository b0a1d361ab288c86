"""People and grants as the law sees them, read through the session of whoever may see them."""

from collections.abc import Collection
from uuid import UUID

from registry import grants, protections, representatives, subjects
from registry.database import ReadSession
from registry.grant_states import GrantEventKind
from registry.grants import Grant, GrantEvent
from registry.keys import Keys
from registry.policy import facts
from registry.policy.vocabulary import GrantState
from registry.representatives import AGENTS, OF_THE_DEAD, RepresentativeEventKind
from registry.standing import standing


async def of_subjects(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, facts.Subject]:
    """Each visible person, with what decides who may consent for them."""
    records = await subjects.records(session, ids, keys=keys)
    said = await protections.by_subject(session, ids, keys=keys)
    named = await representatives.by_subject(session, ids, keys=keys)
    return {one: _person(records[one], said[one], named[one]) for one in ids if one in records}


def _person(
    record: subjects.Record,
    said: list[protections.Record],
    named: list[representatives.Record],
) -> facts.Subject:
    stands = standing(one.stated for one in said if one.stands)
    return facts.Subject(
        id=facts.identifier(record.id),
        registration=record.registration,
        classes=stands.classes,
        born=record.birth_date,
        died=stands.died,
        death_assured=stands.death_assured,
        relatives_living=stands.relatives_living,
        holders=frozenset(
            facts.Holder(facts.identifier(one.id), one.kinship, one.share)
            for one in named
            if one.role in OF_THE_DEAD and not one.ended
        ),
        domicile_at_death=stands.domicile,
        residence=stands.residence,
    )


async def of_grants(session: ReadSession, found: Collection[Grant]) -> dict[UUID, facts.Grant]:
    """Each grant with its signatures: what of it decides whose are missing."""
    history = await grants.events(session, [one.id for one in found])
    signed = {
        one.id: [event for event in history[one.id] if event.kind is GrantEventKind.SIGNED]
        for one in found
    }
    by = {event.representative_id for each in signed.values() for event in each} - {None}
    kinds = await representatives.event_kinds(session, [one for one in by if one is not None])
    confirmed = {one for one, told in kinds.items() if RepresentativeEventKind.CONFIRMED in told}
    return {one.id: _grant(one, signed[one.id], confirmed) for one in found}


def _grant(one: Grant, signed: list[GrantEvent], confirmed: set[UUID]) -> facts.Grant:
    return facts.Grant(
        id=facts.identifier(one.id),
        grantees=None,
        state=GrantState.ACTIVE,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        revoked_at=None,
        modalities=None,
        uses=None,
        purposes=None,
        territories=None if one.territories is None else frozenset(one.territories),
        grantor_roles=frozenset(event.role for event in signed if event.role is not None),
        mandated=any(
            event.role in AGENTS and event.representative_id in confirmed for event in signed
        ),
        signed_by=frozenset(
            facts.identifier(event.representative_id)
            for event in signed
            if event.representative_id is not None
        ),
    )
