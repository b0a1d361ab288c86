"""Consent grants: a subject lets named services use a biometric for named purposes, for a while.

A grant is never edited: a changed scope is a new grant. What became of it is the fold of its
events, so the history an auditor reads is the history that happened.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Select,
    Uuid,
    false,
    func,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, aliased, mapped_column

from registry import grant_terms, mandates, notices, services, subjects
from registry.database import (
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    now,
    ordered,
    take_turns,
)
from registry.errors import ConflictError, InvalidError, NotFoundError
from registry.grant_states import (
    ENDING,
    FINAL,
    GrantEventKind,
    HoldCause,
    Step,
    held_for,
    state_of,
)
from registry.grant_terms import Noticed, Termed, Terms
from registry.notices import NoticeKind
from registry.paging import Page, page_of
from registry.policy.vocabulary import GrantorRole, GrantState
from registry.scopes import Scope, Scoped, columns, scope_in

MAX_PER_SUBJECT = 500  # every check of a subject weighs them all


class Grant(Scoped, Termed, Noticed, Base):
    """One consent, as it was proposed. It does nothing until it is signed."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("max_uses > 0", name="max_uses_positive"),
        CheckConstraint("isfinite(starts_at) and isfinite(ends_at)", name="finite_term"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    grantees: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    starts_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    acknowledges_objections: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    exclusive: Mapped[bool] = mapped_column(server_default=text("false"))


class GrantEvent(Event):
    """What became of a grant; a signature says in what right and how well its maker was known."""

    __tablename__ = "grant_events"

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), index=True)
    kind: Mapped[GrantEventKind]
    role: Mapped[GrantorRole | None]
    ial: Mapped[int | None]
    representative_id: Mapped[UUID | None] = mapped_column(ForeignKey("representatives.id"))
    effective_at: Mapped[datetime | None]
    cause: Mapped[HoldCause | None]

    @property
    def step(self) -> Step:
        """What the state is folded from."""
        return Step(self.kind, self.effective_at, self.cause)


async def propose(
    session: WriteSession,
    *,
    grant_id: UUID,
    subject_id: UUID,
    proposed_by: UUID,
    scope: Scope,
    terms: Terms,
) -> Grant:
    """Put a consent on record for its subject to sign. PENDING permits nothing."""
    await subjects.mine(session, subject_id)
    so_many = await session.scalar(select(func.count()).where(Grant.subject_id == subject_id))
    if (so_many or 0) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} grants.")
    at = await now(session)
    terms.check(at)
    if terms.grantees is not None:
        known = await services.existing(session, terms.grantees)
        if missing := terms.grantees - known:
            raise InvalidError(f"No service {min(missing)}.", field="grantees")
    grant = Grant(
        id=grant_id,
        subject_id=subject_id,
        proposed_by=proposed_by,
        **columns(scope),
        **grant_terms.columns(terms),
        grantees=ordered(terms.grantees),
        starts_at=terms.starts_at or at,
        acknowledges_objections=ordered(terms.acknowledges_objections),
        exclusive=terms.exclusive,
        **grant_terms.notice_columns(terms.notice),
    )
    session.add(grant)
    await session.flush()  # constraints speak here, not at commit
    return grant


async def revoke(
    session: WriteSession, *, grant_id: UUID, actor_id: UUID, reason: str | None = None
) -> Grant:
    """End a grant now. No check that starts after this is committed is permitted by it."""
    grant = await locked(session, grant_id)
    subject = await subjects.mine(session, grant.subject_id)
    await mandates.require_cover(session, subject, actor_id=actor_id, scope=scope_in(grant))
    await require(session, grant, *(set(GrantState) - FINAL))
    await record(session, grant, GrantEventKind.REVOKED, actor_id, reason=reason)
    for service_id in grant.grantees or ():
        await notices.tell(session, service_id, NoticeKind.GRANT_REVOKED, about=grant.id)
    return grant


async def locked(session: WriteSession, grant_id: UUID) -> Grant:
    """The grant, with its changes to oneself until the transaction ends."""
    # Two changes of one grant take turns; rows cannot be locked by a role that may not update.
    await take_turns(session, grant_id)
    return await mine(session, grant_id)


async def mine(session: ReadSession, grant_id: UUID) -> Grant:
    """The grant, if the caller may see it; absent and not yours look the same."""
    grant = await session.get(Grant, grant_id)
    if grant is None:
        raise NotFoundError("No such grant.")
    return grant


async def require(session: ReadSession, grant: Grant, *allowed: GrantState) -> None:
    """ConflictError unless the grant is in one of these states."""
    state = (await states(session, [grant]))[grant.id]
    if state not in allowed:
        raise ConflictError(f"Grant {grant.id} is {state}.")


async def record(
    session: WriteSession,
    grant: Grant,
    kind: GrantEventKind,
    actor_id: UUID,
    *,
    role: GrantorRole | None = None,
    ial: int | None = None,
    representative_id: UUID | None = None,
    effective_at: datetime | None = None,
    cause: HoldCause | None = None,
    reason: str | None = None,
) -> None:
    """Put on record what became of a grant."""
    session.add(
        GrantEvent(
            grant_id=grant.id,
            kind=kind,
            actor_id=actor_id,
            role=role,
            ial=ial,
            representative_id=representative_id,
            effective_at=effective_at,
            cause=cause,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too


async def by_ids(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Grant]:
    """Each visible grant."""
    rows = await session.scalars(select(Grant).where(Grant.id.in_(ids)))
    return {row.id: row for row in rows}


async def events(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[GrantEvent]]:
    """What became of each grant, oldest first."""
    found: dict[UUID, list[GrantEvent]] = {one: [] for one in ids}
    rows = await session.scalars(
        select(GrantEvent)
        .where(GrantEvent.grant_id.in_(ids))
        .order_by(GrantEvent.at, GrantEvent.id)
    )
    for row in rows:
        found[row.grant_id].append(row)
    return found


async def held(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, frozenset[str | None]]:
    """For which causes each grant is held back."""
    history = await events(session, ids)
    return {one: held_for(event.step for event in history[one]) for one in ids}


async def states(session: ReadSession, grants: Collection[Grant]) -> dict[UUID, GrantState]:
    """Where each of these grants stands now, by the database's clock."""
    at = await now(session)
    history = await events(session, [one.id for one in grants])
    return {
        one.id: state_of([event.step for event in history[one.id]], ends_at=one.ends_at, at=at)
        for one in grants
    }


async def effective(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each of these took, or takes, effect; without those whose signatures miss."""
    return {
        one: event.effective_at or event.at
        for one, history in (await events(session, ids)).items()
        for event in reversed(history)
        if event.kind is GrantEventKind.ACTIVATED
    }


async def states_by_ids(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, GrantState]:
    """Where each visible grant stands now."""
    return await states(session, (await by_ids(session, ids)).values())


async def page(
    session: ReadSession,
    *,
    subject_id: UUID | None,
    state: GrantState | None,
    first: int,
    after: UUID | None,
) -> Page[Grant]:
    """The caller's grants, oldest first: those of their subjects and those given to them."""
    query = select(Grant)
    if subject_id is not None:
        query = query.where(Grant.subject_id == subject_id)
    if state is not None:
        query = _in_state(query, state)
    return await page_of(session, query, key=Grant.id, first=first, after=after)


def _in_state(query: Select[Grant], state: GrantState) -> Select[Grant]:
    """The fold of `state_of` as SQL; a test holds the two to the same answers."""
    first_end = _of_kinds(GrantEvent.kind, *ENDING).order_by(GrantEvent.at, GrantEvent.id)
    ended = func.coalesce(first_end.limit(1).scalar_subquery(), "")
    endings = [kind for kind, after in ENDING.items() if after is state]
    if state in FINAL:
        return query.where(ended.in_(endings))
    over = func.coalesce(Grant.ends_at <= func.clock_timestamp(), False)  # SQL
    if state is GrantState.EXPIRED:
        return query.where(ended.in_(["", *endings]), or_(ended.in_(endings), over))
    later = aliased(GrantEvent)
    lifted = select(later.id).where(
        later.grant_id == GrantEvent.grant_id,
        later.kind == GrantEventKind.RESUMED,
        later.cause.is_not_distinct_from(GrantEvent.cause),
        tuple_(later.at, later.id) > tuple_(GrantEvent.at, GrantEvent.id),
    )
    held = _of_kinds(GrantEvent.id, GrantEventKind.SUSPENDED).where(~lifted.exists()).exists()
    effective = (
        _of_kinds(GrantEvent.id, GrantEventKind.ACTIVATED)
        .where(func.coalesce(GrantEvent.effective_at <= func.clock_timestamp(), True))  # SQL
        .exists()
    )
    if state is GrantState.DRAFT:
        return query.where(false())
    query = query.where(ended == "", ~over)
    if state is GrantState.SUSPENDED:
        return query.where(held)
    return query.where(~held, effective if state is GrantState.ACTIVE else ~effective)


def _of_kinds(column: Any, *kinds: GrantEventKind) -> Select[Any]:
    return select(column).where(GrantEvent.grant_id == Grant.id, GrantEvent.kind.in_(kinds))
