"""Orders: what a court or regulator forbids. They bind every check that starts afterwards."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.paging import Page, page_of
from registry.principals import PrincipalKind
from registry.scopes import Scope, Scoped, columns

AUTHORITIES = frozenset({PrincipalKind.REGULATOR, PrincipalKind.OPERATOR})
MAX_TEXT: Final = 200
MAX_PER_SUBJECT: Final = 500  # every check of a subject reads them all


class OrderEventKind(StrEnum):
    """What may become of an order."""

    LIFTED = "LIFTED"


class Order(Scoped, Base):
    """One order about a subject. A null dimension means all of it."""

    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    authority: Mapped[str]
    reference: Mapped[str]
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class OrderEvent(Event):
    """What became of an order."""

    __tablename__ = "order_events"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[OrderEventKind]


async def place(
    session: WriteSession,
    *,
    order_id: UUID,
    subject_id: UUID,
    scope: Scope,
    authority: str,
    reference: str,
    actor: Actor,
) -> Order:
    """Forbid the scope, by the authority's word, from now on."""
    if actor.kind not in AUTHORITIES:
        raise ForbiddenError("A regulator, or the operator for a court, places orders.")
    known = await session.scalar(select(func.count()).where(Order.subject_id == subject_id))
    if (known or 0) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} orders.")
    order = Order(
        id=order_id,
        subject_id=subject_id,
        **columns(scope),
        authority=_checked(authority, "authority"),
        reference=_checked(reference, "reference"),
        placed_by=actor.principal_id,
    )
    session.add(order)
    try:
        await session.flush()  # a regulator reads no subjects: the foreign key tells
    except IntegrityError as error:
        raise NotFoundError("No such subject.", field="subjectId") from error
    return order


def _checked(text: str, field: str) -> str:
    text = text.strip()
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidError(f"Give 1 to {MAX_TEXT} printable characters.", field=field)
    return text


async def lift(
    session: WriteSession, *, order_id: UUID, actor: Actor, reason: str | None = None
) -> Order:
    """End an order: whoever placed it, or the operator."""
    await take_turns(session, order_id)
    order = await mine(session, order_id)
    if actor.principal_id != order.placed_by and actor.kind != PrincipalKind.OPERATOR:
        raise ForbiddenError("Whoever placed an order, or the operator, lifts it.")
    if (await lifted(session, [order_id]))[order_id]:
        raise ConflictError(f"Order {order_id} was lifted already.")
    session.add(
        OrderEvent(
            order_id=order_id,
            kind=OrderEventKind.LIFTED,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    return order


async def mine(session: ReadSession, order_id: UUID) -> Order:
    """The order, if the caller may see it; absent and not yours look the same."""
    order = await session.get(Order, order_id)
    if order is None:
        raise NotFoundError("No such order.")
    return order


async def lifted(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether each of these orders has ended."""
    rows = await session.scalars(select(OrderEvent.order_id).where(OrderEvent.order_id.in_(ids)))
    over = set(rows)
    return {one: one in over for one in ids}


async def page(
    session: ReadSession, *, subject_id: UUID | None, first: int, after: UUID | None
) -> Page[Order]:
    """The orders the caller may see, oldest first."""
    query = select(Order)
    if subject_id is not None:
        query = query.where(Order.subject_id == subject_id)
    return await page_of(session, query, key=Order.id, first=first, after=after)
