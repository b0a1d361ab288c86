"""Whom a request for consent means: looked up some seconds after it was made, and told.

Not while the service waits for its answer: how long that takes would tell it what was found.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from registry import apart, decisions, mandates, notices, replay, subjects
from registry.consent_asking import MAX_OPEN_FOR_ONE, says_to_ask, waiting
from registry.consent_requests import ConsentRequest, RequestAddressee, RequestLookup
from registry.database import Database, ReadSession, WriteSession, new_id, now
from registry.errors import ConflictError
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.policy.facts import Person
from registry.policy.vocabulary import Band
from registry.principals import OPERATOR_ID
from registry.representatives import Representative
from registry.sealing import SealError

_ROUND: Final = 100


async def look_up(operator: Database, keys: Keys) -> None:
    """Let those be asked whom new requests mean. Two servers that do it do it once."""
    looked = select(RequestLookup.id).where(RequestLookup.request_id == ConsentRequest.id)
    async with operator.reading() as session:
        found = await session.scalars(
            select(ConsentRequest.id)
            .where(
                or_(
                    ConsentRequest.named_subject.is_not(None),
                    ConsentRequest.decision_id.is_not(None),
                ),
                ConsentRequest.expires_at > await now(session),
                ~looked.exists(),
            )
            .order_by(ConsentRequest.id)
            .limit(_ROUND)
        )
        ids = list(found)

    async def look_up_one(request_id: UUID) -> None:
        async with operator.writing() as session:
            await _look_up(session, request_id, keys)

    await apart.each(ids, look_up_one)


async def _look_up(session: WriteSession, request_id: UUID, keys: Keys) -> None:
    mine = await session.scalar(
        insert(RequestLookup)
        .values(id=new_id(), request_id=request_id, looked_up_by=OPERATOR_ID)
        .on_conflict_do_nothing()
        .returning(RequestLookup.id)
    )
    if mine is None:
        return  # another server does it
    request = await session.get_one(ConsentRequest, request_id)
    whom = request.named_subject
    if request.decision_id is not None:
        whom = await _of_decision(session, request.decision_id, request.person or 0, keys)
    if whom is not None and await subjects.wrapped_keys(session, [whom]):
        await _reach(session, request, whom)


async def _of_decision(
    session: ReadSession, decision_id: UUID, index: int, keys: Keys
) -> UUID | None:
    """Who a person of a decision is, if they are one registered person whose yes is missing."""
    row = await decisions.get(session, decision_id)
    if row is None:
        return None
    try:
        recorded = await replay.opened(session, row, keys=keys)
    except (SealError, ConflictError):
        return None  # somebody in it was erased, or an older release recorded it
    decision = recorded.decision
    if not says_to_ask(decision.persons[index].reasons, decision.reasons, index):
        return None  # they said no already, or nobody may consent to it
    found = _who(recorded.facts.persons[index])
    return None if found is None else UUID(found)


def _who(person: Person) -> str | None:
    """The one registered person it is, surely enough to let them be asked."""
    found = {
        candidate.subject_id
        for sighting in person.sightings
        for candidate in sighting.candidates
        if candidate.band.rank >= Band.MATCH.rank
    }
    if not person.sightings:
        found = {one for one in (person.claimed_subject, person.name_hit) if one is not None}
    if person.claimed_subject in found:
        return person.claimed_subject
    return found.pop() if len(found) == 1 else None


async def _reach(session: WriteSession, request: ConsentRequest, subject_id: UUID) -> None:
    """Let a person be asked, and tell who answers for them.

    One who has enough open requests of this service is not asked again, and the service not told.
    """
    so_many = await session.scalar(
        select(func.count())
        .select_from(RequestAddressee)
        .join(ConsentRequest, ConsentRequest.id == RequestAddressee.request_id)
        .where(
            RequestAddressee.subject_id == subject_id,
            ConsentRequest.service_id == request.service_id,
            *waiting(await now(session)),
        )
    )
    if (so_many or 0) >= MAX_OPEN_FOR_ONE:
        return
    session.add(
        RequestAddressee(
            request_id=request.id, subject_id=subject_id, by_link=False, added_by=OPERATOR_ID
        )
    )
    for one in await _answering(session, subject_id):
        await notices.tell(
            session, one, NoticeKind.CONSENT_REQUESTED, about=request.id, due_at=request.expires_at
        )


async def _answering(session: ReadSession, subject_id: UUID) -> set[UUID]:
    """The accounts that may answer for a person: who keeps the record, and who acts for them."""
    subject = await subjects.mine(session, subject_id)
    named = await session.scalars(
        select(Representative.principal_id)
        .where(Representative.subject_id == subject_id, Representative.principal_id.is_not(None))
        .distinct()
    )
    acting = {
        one
        for one in named
        if one is not None
        and await mandates.acting(session, subject_id=subject_id, principal_id=one)
    }
    return {subject.owner_id, *acting}
