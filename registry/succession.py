"""What a coming of age or a death makes of grants: held back until those entitled decide.

A check asks who must have signed by itself, so nothing is permitted meanwhile; here it goes on
record, and those who decide from now on are called.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, or_, select

from registry import apart, grants, holds, notices, parties, protections, representatives, subjects
from registry.database import Database, ReadSession, WriteSession, now
from registry.grant_states import ENDING, GrantEventKind, HoldCause, held_for, state_of
from registry.grants import Grant, GrantEvent
from registry.keys import Keys
from registry.mandates import CLAIM_WITHIN
from registry.notices import NoticeKind
from registry.paging import MAX_PAGE, page_of
from registry.policy.hands import hands
from registry.policy.packs import PackSet
from registry.policy.question import age
from registry.policy.vocabulary import GrantorRole, GrantState
from registry.principals import OPERATOR_ID
from registry.representatives import OF_THE_DEAD
from registry.standing import ProtectionKind

RATIFY_WITHIN: Final = timedelta(days=90)
_OPEN = frozenset({GrantState.ACTIVE, GrantState.PENDING, GrantState.SUSPENDED})
_EARLIEST_MAJORITY: Final = 18


async def after_death(
    session: WriteSession, subject_id: UUID, *, actor_id: UUID, keys: Keys
) -> None:
    """Hold back the grants of the living, where an office answers for the death; call the holders.

    Objections stay as they are.
    """
    if not await _is_dead(session, subject_id, keys):
        return
    for grant in await _standing(session, subject_id):
        await holds.hold(session, grant, HoldCause.DEATH, actor_id)
    for one in await representatives.of_subject(session, subject_id, keys=keys):
        if one.principal_id is not None and one.role in OF_THE_DEAD and not one.ended:
            await notices.tell(
                session,
                one.principal_id,
                NoticeKind.HOLDERS_CALLED,
                about=subject_id,
                due_at=await now(session) + CLAIM_WITHIN,
            )


async def after_retraction(
    session: WriteSession, subject_id: UUID, *, actor_id: UUID, keys: Keys
) -> None:
    """Let go what was held back for a death, if no office answers for one any more."""
    if await _is_dead(session, subject_id, keys):
        return
    for grant in await _given(session, subject_id):
        await holds.let_go(session, grant, HoldCause.DEATH, actor_id)


async def _is_dead(session: ReadSession, subject_id: UUID, keys: Keys) -> bool:
    said = await protections.of_subject(session, subject_id, keys=keys)
    return any(one.kind is ProtectionKind.DEATH and one.assured and one.stands for one in said)


async def _standing(session: ReadSession, subject_id: UUID) -> list[Grant]:
    rows = await _given(session, subject_id)
    states = await grants.states(session, rows)
    return [one for one in rows if states[one.id] in _OPEN]


async def _given(session: ReadSession, subject_id: UUID) -> list[Grant]:
    """In one order: each is locked in turn."""
    rows = await session.scalars(
        select(Grant).where(Grant.subject_id == subject_id).order_by(Grant.id)
    )
    return list(rows)


async def come_of_age(operator: Database, keys: Keys, at: datetime, *, packs: PackSet) -> None:
    """Hold back what guardians gave once the person's own signature is needed, and ask for it.

    What is not ratified in time lapses.
    """

    async def review(grant: Grant) -> None:
        async with operator.writing() as session:
            await grants.locked(session, grant.id)
            await _review(session, grant, keys=keys, packs=packs, at=at)

    after: UUID | None = None
    while True:
        async with operator.reading() as session:
            page = await page_of(
                session, _given_by_guardians(), key=Grant.id, first=MAX_PAGE, after=after
            )
            due = await _of_age(session, page.items, keys=keys, at=at)
        await apart.each(due, review)
        if not page.more:
            return
        after = page.items[-1].id


def _given_by_guardians() -> Select[Grant]:
    """Grants signed by a guardian, and not by the person, that nothing has ended."""
    events = select(GrantEvent.id).where(GrantEvent.grant_id == Grant.id)
    return select(Grant).where(
        events.where(GrantEvent.role == GrantorRole.GUARDIAN).exists(),
        ~events.where(
            or_(GrantEvent.kind.in_(ENDING), GrantEvent.role == GrantorRole.SELF)
        ).exists(),
    )


async def _of_age(
    session: ReadSession, given: Collection[Grant], *, keys: Keys, at: datetime
) -> list[Grant]:
    """Those of somebody who may be of age anywhere by now."""
    people = await subjects.records(session, {one.subject_id for one in given}, keys=keys)
    grown = {
        one.id
        for one in people.values()
        if one.birth_date is not None and age(one.birth_date, at.date()) >= _EARLIEST_MAJORITY
    }
    return [one for one in given if one.subject_id in grown]


async def _review(
    session: WriteSession, grant: Grant, *, keys: Keys, packs: PackSet, at: datetime
) -> None:
    [history] = (await grants.events(session, [grant.id])).values()
    state = state_of([one.step for one in history], ends_at=grant.ends_at, at=at)
    if any(one.cause is HoldCause.MAJORITY for one in history):
        since = _waits_since(history)
        if since is not None and since + RATIFY_WITHIN <= at:
            await _lapse(session, grant)
        return
    if state not in {GrantState.ACTIVE, GrantState.SUSPENDED}:
        return
    if not await _needs_themselves(session, grant, keys=keys, packs=packs, at=at):
        return
    await holds.hold(session, grant, HoldCause.MAJORITY, OPERATOR_ID)
    subject = await subjects.mine(session, grant.subject_id)
    await notices.tell(
        session,
        subject.owner_id,
        NoticeKind.RATIFICATION_REQUESTED,
        about=grant.id,
        due_at=at + RATIFY_WITHIN,
    )


def _waits_since(history: Sequence[GrantEvent]) -> datetime | None:
    """Since when a grant waits for the person alone: before that nobody could ratify it."""
    since = None
    for count, one in enumerate(history, 1):
        held = held_for(each.step for each in history[:count])
        since = (since or one.at) if held == {HoldCause.MAJORITY} else None
    return since


async def _lapse(session: WriteSession, grant: Grant) -> None:
    await grants.record(
        session, grant, GrantEventKind.LAPSED, OPERATOR_ID, reason="Not ratified in time."
    )
    subject = await subjects.mine(session, grant.subject_id)
    await notices.tell(session, subject.owner_id, NoticeKind.GRANT_LAPSED, about=grant.id)
    await holds.tell_services(session, grant, NoticeKind.GRANT_LAPSED)


async def _needs_themselves(
    session: ReadSession, grant: Grant, *, keys: Keys, packs: PackSet, at: datetime
) -> bool:
    """Whether the person is of age by the law of what the grant covers, and did not sign."""
    people = await parties.of_subjects(session, [grant.subject_id], keys=keys)
    person = people.get(grant.subject_id)
    if person is None:
        return False
    given = (await parties.of_grants(session, [grant]))[grant.id]
    lacking = hands(person, given, packs, at).missing
    return any(GrantorRole.SELF in one.asked.any_of for one in lacking)
