"""Uses: what was generated under a grant. A grant of n uses gives exactly n.

The n-th use is the row (grant, n); two takers of the same n cannot both commit.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import grants
from registry.database import Base, ReadSession, WriteSession, new_id
from registry.decisions import Decision, opened
from registry.errors import ConflictError, NotFoundError
from registry.keys import Keys


class Use(Base):
    """One generation under one grant, counted from 1."""

    __tablename__ = "uses"
    __table_args__ = (UniqueConstraint("grant_id", "ordinal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"))
    ordinal: Mapped[int]
    decision_id: Mapped[UUID] = mapped_column(index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def take(
    session: WriteSession, *, use_id: UUID, service_id: UUID, decision_id: UUID, keys: Keys
) -> list[Use]:
    """Count one use against every grant a still valid permission rests on, or none at all."""
    decision = await session.get(Decision, decision_id)
    if decision is None or decision.service_id != service_id:
        raise NotFoundError("No such decision.", field="decisionId")
    answer = opened(decision, keys=keys)
    now = await session.scalar(select(func.clock_timestamp()))
    if answer.outcome != "PERMITTED" or answer.valid_until <= now:
        raise ConflictError("That decision is no permission, or not any more: check again.")
    taken = []
    for grant_id in sorted(answer.grants):
        taken.append(await _count(session, grant_id, use_id, decision_id, service_id))
        use_id = new_id()
    return taken


async def _count(
    session: WriteSession, grant_id: UUID, use_id: UUID, decision_id: UUID, service_id: UUID
) -> Use:
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(str(grant_id)))))
    grant = (await grants.by_ids(session, [grant_id])).get(grant_id)
    if grant is None:
        raise NotFoundError("No such grant.")
    state = (await grants.states(session, [grant]))[grant_id]
    if state is not grants.GrantState.ACTIVE:
        raise ConflictError(f"Grant {grant_id} is {state}.")
    so_far = await session.scalar(select(func.max(Use.ordinal)).where(Use.grant_id == grant_id))
    ordinal = (so_far or 0) + 1
    if grant.max_uses is not None and ordinal > grant.max_uses:
        raise ConflictError(f"Grant {grant_id} has no use left.")
    use = Use(
        id=use_id,
        grant_id=grant_id,
        ordinal=ordinal,
        decision_id=decision_id,
        service_id=service_id,
    )
    session.add(use)
    await session.flush()  # a lost race for this ordinal fails here
    return use


async def count(session: ReadSession, grant_id: UUID) -> int:
    """How many uses were taken."""
    found = await session.scalar(select(func.max(Use.ordinal)).where(Use.grant_id == grant_id))
    return found or 0
