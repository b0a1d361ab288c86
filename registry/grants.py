"""Consent grants: a subject lets named services use a biometric for named purposes, for a while.

A grant is never edited: a changed scope is a new grant. What became of it is the fold of its
events, so the history an auditor reads is the history that happened.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Select, Uuid, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry import notices, services, subjects
from registry.database import (
    Base,
    EnumList,
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
from registry.notices import NoticeKind
from registry.paging import Page, page_of
from registry.policy.vocabulary import (
    ContentFlag,
    GrantorRole,
    GrantState,
    ObligationCode,
)
from registry.scopes import Scope, Scoped, columns

MAX_GRANTEES = 100
MAX_USES = 2**31 - 1
MAX_ACKNOWLEDGED = 100
MAX_PER_SUBJECT = 500  # every check of a subject weighs them all
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


class GrantEventKind(StrEnum):
    """What may become of a grant."""

    SIGNED = "SIGNED"
    SUSPENDED = "SUSPENDED"
    RESUMED = "RESUMED"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"


class Grant(Scoped, Base):
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
    ends_at: Mapped[datetime | None]
    content_allowed: Mapped[list[ContentFlag]] = mapped_column(EnumList(ContentFlag))
    commercial: Mapped[bool]
    max_uses: Mapped[int | None]
    written: Mapped[bool]
    separate: Mapped[bool]
    represented: Mapped[bool]
    replaces_performance: Mapped[bool]
    obligations: Mapped[list[ObligationCode]] = mapped_column(EnumList(ObligationCode))
    acknowledges_objections: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    terms_sha256: Mapped[bytes | None]


class GrantEvent(Event):
    """What became of a grant; a signature says in what right and how well its maker was known."""

    __tablename__ = "grant_events"

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), index=True)
    kind: Mapped[GrantEventKind]
    role: Mapped[GrantorRole | None]
    ial: Mapped[int | None]
    representative_id: Mapped[UUID | None] = mapped_column(ForeignKey("representatives.id"))


_STATE_AFTER = {
    GrantEventKind.SIGNED: GrantState.ACTIVE,
    GrantEventKind.RESUMED: GrantState.ACTIVE,
    GrantEventKind.SUSPENDED: GrantState.SUSPENDED,
    GrantEventKind.REVOKED: GrantState.REVOKED,
    GrantEventKind.REJECTED: GrantState.REJECTED,
}
FINAL = frozenset({GrantState.REVOKED, GrantState.REJECTED})


def state_of(kinds: Sequence[str], *, ends_at: datetime | None, at: datetime) -> GrantState:
    """The state these event kinds, oldest first, add up to at that moment.

    A revocation or rejection is final whatever came after it.
    """
    state = GrantState.PENDING
    for kind in kinds:
        state = _STATE_AFTER[GrantEventKind(kind)]
        if state in FINAL:
            return state
    if ends_at is not None and ends_at <= at:
        return GrantState.EXPIRED
    return state


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says beside its scope. Times are aware; `starts_at` None means now."""

    grantees: frozenset[UUID] | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    content_allowed: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    max_uses: int | None = None
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    obligations: frozenset[ObligationCode] = frozenset()
    acknowledges_objections: frozenset[UUID] = frozenset()
    terms_sha256: bytes | None = None


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
    check_terms(terms, at)
    if terms.grantees is not None:
        known = await services.existing(session, terms.grantees)
        if missing := terms.grantees - known:
            raise InvalidError(f"No service {min(missing)}.", field="grantees")
    grant = Grant(
        id=grant_id,
        subject_id=subject_id,
        proposed_by=proposed_by,
        **columns(scope),
        grantees=ordered(terms.grantees),
        starts_at=terms.starts_at or at,
        ends_at=terms.ends_at,
        content_allowed=ordered(terms.content_allowed),
        commercial=terms.commercial,
        max_uses=terms.max_uses,
        written=terms.written,
        separate=terms.separate,
        represented=terms.represented,
        replaces_performance=terms.replaces_performance,
        obligations=ordered(terms.obligations),
        acknowledges_objections=ordered(terms.acknowledges_objections),
        terms_sha256=terms.terms_sha256,
    )
    session.add(grant)
    await session.flush()  # constraints speak here, not at commit
    return grant


def check_terms(terms: Terms, at: datetime) -> None:
    """InvalidError unless a grant could say this."""
    if terms.grantees is not None and not 1 <= len(terms.grantees) <= MAX_GRANTEES:
        raise InvalidError(
            f"Name 1 to {MAX_GRANTEES} services, or leave grantees out to mean all.",
            field="grantees",
        )
    for field, time in (("startsAt", terms.starts_at), ("endsAt", terms.ends_at)):
        if time is not None and not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
            raise InvalidError(
                f"A grant lies between the years {EARLIEST_YEAR} and {LATEST_YEAR}.", field=field
            )
    if terms.ends_at is not None and terms.ends_at <= max(at, terms.starts_at or at):
        raise InvalidError("A grant ends in the future, and after it starts.", field="endsAt")
    if len(terms.acknowledges_objections) > MAX_ACKNOWLEDGED:
        raise InvalidError(
            f"At most {MAX_ACKNOWLEDGED} objections.", field="acknowledgesObjections"
        )
    if terms.max_uses is not None and not 1 <= terms.max_uses <= MAX_USES:
        raise InvalidError(f"A quota is 1 to {MAX_USES} uses.", field="maxUses")


async def revoke(
    session: WriteSession, *, grant_id: UUID, actor_id: UUID, reason: str | None = None
) -> Grant:
    """End a grant now. No check that starts after this is committed is permitted by it."""
    grant = await locked(session, grant_id)
    await subjects.mine(session, grant.subject_id)
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


async def states(session: ReadSession, grants: Collection[Grant]) -> dict[UUID, GrantState]:
    """Where each of these grants stands now, by the database's clock."""
    at = await now(session)
    history = await events(session, [one.id for one in grants])
    return {
        one.id: state_of([event.kind for event in history[one.id]], ends_at=one.ends_at, at=at)
        for one in grants
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
    final = (GrantEventKind.REVOKED, GrantEventKind.REJECTED)
    last = (
        select(GrantEvent.kind)
        .where(GrantEvent.grant_id == Grant.id)
        .order_by(GrantEvent.kind.in_(final).desc(), GrantEvent.at.desc(), GrantEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ended = func.coalesce(Grant.ends_at <= func.clock_timestamp(), False)  # SQL
    if state is GrantState.EXPIRED:
        return query.where(ended, func.coalesce(last.not_in(final), True))  # SQL
    if state is GrantState.PENDING:
        return query.where(last.is_(None), ~ended)
    kinds = [kind for kind, after in _STATE_AFTER.items() if after is state]
    query = query.where(last.in_(kinds))
    return query if state in FINAL else query.where(~ended)
