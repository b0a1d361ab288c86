"""Freezing: an account that claimed other people's faces or voices makes no claims any more.

What it said before stands, and it may take that back. The database itself refuses the rest: the
policies `the_frozen_stand_still` ask for the latest event here.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, func, select, union_all
from sqlalchemy.orm import Mapped, mapped_column

from registry import notices, principals
from registry.database import Database, Event, ReadSession, WriteSession, checked_reason, take_turns
from registry.errors import ConflictError
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.principals import OPERATOR_ID
from registry.subjects import Subject, SubjectEvent, SubjectEventKind

OFFENCES: Final = 2


class PrincipalEventKind(StrEnum):
    """What may become of an account."""

    FROZEN = "FROZEN"
    UNFROZEN = "UNFROZEN"


class PrincipalEvent(Event):
    """What became of an account."""

    __tablename__ = "principal_events"

    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    kind: Mapped[PrincipalEventKind]


async def frozen(session: ReadSession, ids: Collection[UUID]) -> set[UUID]:
    """Which of these accounts are frozen."""
    rows = await session.execute(
        select(PrincipalEvent.principal_id, PrincipalEvent.kind)
        .where(PrincipalEvent.principal_id.in_(ids))
        .order_by(PrincipalEvent.at, PrincipalEvent.id)
    )
    latest = {one: kind for one, kind in rows}  # noqa: C416  # rows are no pairs to the checker
    return {one for one, kind in latest.items() if kind is PrincipalEventKind.FROZEN}


async def freeze(
    session: WriteSession, *, principal_id: UUID, actor_id: UUID, reason: str | None = None
) -> None:
    """Let an account claim nothing any more; it is told."""
    await _become(session, principal_id, PrincipalEventKind.FROZEN, actor_id, reason)
    await notices.tell(session, principal_id, NoticeKind.ACCOUNT_FROZEN, about=principal_id)


async def unfreeze(
    session: WriteSession, *, principal_id: UUID, actor_id: UUID, reason: str | None = None
) -> None:
    """Let an account act again. Only what it does from now on counts against it."""
    await _become(session, principal_id, PrincipalEventKind.UNFROZEN, actor_id, reason)


async def _become(
    session: WriteSession,
    principal_id: UUID,
    kind: PrincipalEventKind,
    actor_id: UUID,
    reason: str | None,
) -> None:
    await take_turns(session, principal_id)
    handle = (await principals.get(session, principal_id)).handle
    if principal_id == OPERATOR_ID:
        raise ConflictError("The operator's own account is not frozen.")
    is_frozen = principal_id in await frozen(session, [principal_id])
    if is_frozen == (kind is PrincipalEventKind.FROZEN):
        raise ConflictError(f"{handle} is {'frozen already' if is_frozen else 'not frozen'}.")
    session.add(
        PrincipalEvent(
            principal_id=principal_id, kind=kind, actor_id=actor_id, reason=checked_reason(reason)
        )
    )
    await session.flush()  # what follows in this transaction sees it


# Everything that counts against an account: whose it was, and when.
_OFFENCES: Final = (
    select(Subject.owner_id.label("principal_id"), SubjectEvent.at.label("at"))
    .join(SubjectEvent, SubjectEvent.subject_id == Subject.id)
    .where(SubjectEvent.kind == SubjectEventKind.CLOSED),
)


async def freeze_repeat_offenders(operator: Database, _keys: Keys, _at: datetime) -> None:
    """Freeze every account that offended twice since it was last freed."""
    offences = union_all(*_OFFENCES).subquery()
    freed = (
        select(func.max(PrincipalEvent.at))
        .where(
            PrincipalEvent.principal_id == offences.c.principal_id,
            PrincipalEvent.kind == PrincipalEventKind.UNFROZEN,
        )
        .scalar_subquery()
    )
    async with operator.writing() as session:
        rows = await session.scalars(
            select(offences.c.principal_id)
            .where(
                offences.c.principal_id != OPERATOR_ID,
                offences.c.at > func.coalesce(freed, func.to_timestamp(0)),
            )
            .group_by(offences.c.principal_id)
            .having(func.count() >= OFFENCES)
        )
        offenders = set(rows)
        for one in sorted(offenders - await frozen(session, offenders)):
            await freeze(
                session,
                principal_id=one,
                actor_id=OPERATOR_ID,
                reason=f"{OFFENCES} claims contested by their real holders",
            )
