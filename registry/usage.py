"""Uses: what was generated under a grant. A grant of n uses gives exactly n.

The n-th use is the row (grant, n); two takers of the same n cannot both commit.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import grants
from registry.database import Base, ReadSession, WriteSession, new_id, now, take_turns
from registry.decisions import Decision, opened
from registry.errors import ConflictError, NotFoundError
from registry.keys import Keys
from registry.policy.vocabulary import GrantState, Outcome


class Use(Base):
    """One generation under one grant, counted from 1."""

    __tablename__ = "uses"
    __table_args__ = (UniqueConstraint("grant_id", "ordinal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"))
    ordinal: Mapped[int]
    request_id: Mapped[UUID] = mapped_column(index=True)
    decision_id: Mapped[UUID] = mapped_column(index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def take(
    session: WriteSession, *, request_id: UUID, service_id: UUID, decision_id: UUID, keys: Keys
) -> None:
    """Count one use against every grant a still valid permission rests on, or none at all."""
    decision = await session.get(Decision, decision_id)
    if decision is None or decision.service_id != service_id:
        raise NotFoundError("No such decision.", field="decisionId")
    answer = opened(decision, keys=keys)
    if answer.outcome is not Outcome.PERMITTED or answer.valid_until <= await now(session):
        raise ConflictError("That decision is no permission, or not any more: check again.")
    for grant_id in sorted(answer.grants):
        use = await _next_use(session, grant_id)
        session.add(
            Use(
                id=new_id(),
                grant_id=grant_id,
                ordinal=use,
                request_id=request_id,
                decision_id=decision_id,
                service_id=service_id,
            )
        )
    await session.flush()  # a lost race for an ordinal fails here


async def _next_use(session: WriteSession, grant_id: UUID) -> int:
    await take_turns(session, grant_id)
    grant = await grants.mine(session, grant_id)
    state = (await grants.states(session, [grant]))[grant_id]
    if state is not GrantState.ACTIVE:
        raise ConflictError(f"Grant {grant_id} is {state}.")
    ordinal: int | None = await session.scalar(select(func.likeness_next_use(grant_id)))
    if ordinal is None:
        raise ConflictError(f"Grant {grant_id} has no use left.")
    return ordinal


async def taken_by(session: ReadSession, request_id: UUID) -> list[Use]:
    """The uses one request took: one for each grant its permission rests on."""
    rows = await session.scalars(select(Use).where(Use.request_id == request_id).order_by(Use.id))
    return list(rows)
