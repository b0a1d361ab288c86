"""Holding grants back, for one cause at a time, and letting them go: the services are told."""

from uuid import UUID

from registry import grants, notices
from registry.database import WriteSession, take_turns
from registry.grant_states import GrantEventKind, HoldCause
from registry.grants import Grant
from registry.notices import NoticeKind
from registry.policy.vocabulary import GrantState


async def hold(
    session: WriteSession, grant: Grant, cause: HoldCause, actor_id: UUID, reason: str | None = None
) -> None:
    """Hold a grant back for this cause too, once."""
    await take_turns(session, grant.id)
    before = (await grants.held(session, [grant.id]))[grant.id]
    if cause in before:
        return
    await grants.record(
        session, grant, GrantEventKind.SUSPENDED, actor_id, cause=cause, reason=reason
    )
    if not before:
        await tell_services(session, grant, NoticeKind.GRANT_SUSPENDED)


async def let_go(
    session: WriteSession, grant: Grant, cause: HoldCause, actor_id: UUID, reason: str | None = None
) -> None:
    """End what this cause held back; what others hold back, or nobody signed yet, stays so."""
    await take_turns(session, grant.id)
    if cause not in (await grants.held(session, [grant.id]))[grant.id]:
        return
    await grants.record(
        session, grant, GrantEventKind.RESUMED, actor_id, cause=cause, reason=reason
    )
    if (await grants.states(session, [grant]))[grant.id] is GrantState.ACTIVE:
        await tell_services(session, grant, NoticeKind.GRANT_ACTIVE)


async def tell_services(session: WriteSession, grant: Grant, kind: NoticeKind) -> None:
    """Let the services that a grant names know what became of it."""
    for service_id in grant.grantees or ():
        await notices.tell(session, service_id, kind, about=grant.id)
