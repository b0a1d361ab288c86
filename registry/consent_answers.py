"""What a person, or who acts for them, answers to a request for consent."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from registry import consent_requests, grants, mandates, subjects
from registry.consent_asking import require_not_self_dealing
from registry.consent_requests import (
    ConsentRequest,
    ConsentRequestEvent,
    RequestEventKind,
    RequestState,
    state_of,
)
from registry.database import (
    Actor,
    ReadSession,
    WriteSession,
    checked_reason,
    new_id,
    now,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.policy.vocabulary import GrantState
from registry.scopes import Scope

_UNDECIDED: Final = frozenset({GrantState.PENDING, GrantState.SUSPENDED})


class Answer(StrEnum):
    """What somebody says to a request."""

    GRANT = "GRANT"
    REFUSE = "REFUSE"
    DEFER = "DEFER"


async def answer(
    session: WriteSession,
    *,
    request_id: UUID,
    answer: Answer,
    actor: Actor,
    subject_id: UUID | None = None,
    reason: str | None = None,
) -> ConsentRequest:
    """Say yes, no or later, once it was asked of somebody the actor answers for.

    Yes puts the grant on record exactly as it was asked for; it counts once it is signed.
    """
    await take_turns(session, request_id)
    request = await consent_requests.mine(session, request_id)
    await require_not_self_dealing(session, request, actor)
    whom = await _of_whom(session, request, subject_id)
    await require_answering(session, subject_id=whom, actor=actor, scope=request.scope)
    given = await _require_open(session, request, whom)
    kind, grant_id = RequestEventKind.DEFERRED, None
    pending = next((one for one in given if given[one] is GrantState.PENDING), None)
    if pending is not None and answer is not Answer.REFUSE:
        raise ConflictError(f"It is answered: sign grant {pending}, or refuse.")
    if answer is Answer.REFUSE:
        kind = RequestEventKind.REFUSED
        for one in sorted(given):
            await grants.revoke(session, grant_id=one, actor_id=actor.principal_id)
    elif answer is Answer.GRANT:
        kind, grant_id = RequestEventKind.PROPOSED, new_id()
        await grants.propose(
            session,
            grant_id=grant_id,
            subject_id=whom,
            proposed_by=actor.principal_id,
            scope=request.scope,
            terms=request.terms,
        )
    session.add(
        ConsentRequestEvent(
            request_id=request_id,
            kind=kind,
            subject_id=whom,
            grant_id=grant_id,
            actor_id=actor.principal_id,
            reason=checked_reason(reason),
        )
    )
    await session.flush()  # the answer folds this event too
    if answer is not Answer.GRANT:  # of a yes the service hears when it is signed
        await consent_requests.tell_service(session, request)
    return request


async def require_answering(
    session: ReadSession, *, subject_id: UUID, actor: Actor, scope: Scope | None = None
) -> None:
    """ForbiddenError unless the actor keeps the person's record, or acts for them.

    An agent answers within the mandate that the person confirmed.
    """
    subject = await subjects.mine(session, subject_id)
    if actor.principal_id == subject.owner_id:
        return
    rights = await mandates.acting(session, subject_id=subject_id, principal_id=actor.principal_id)
    if not rights or (scope is not None and not mandates.cover(rights, scope)):
        raise ForbiddenError("Whoever keeps the person's record, or acts for them, answers.")


async def _of_whom(session: ReadSession, request: ConsentRequest, subject_id: UUID | None) -> UUID:
    """Whom of those the actor sees it asks; the one who is named, if they are several."""
    found = (await consent_requests.addressed(session, [request.id]))[request.id]
    if subject_id is not None:
        if subject_id not in found:
            raise NotFoundError("The request asks no such subject.", field="subjectId")
        return subject_id
    if len(found) != 1:
        raise InvalidError("Say for which subject you answer.", field="subjectId")
    return found[0]


async def _require_open(
    session: ReadSession, request: ConsentRequest, subject_id: UUID
) -> dict[UUID, GrantState]:
    """The grants given to it that wait or are held back; ConflictError if answered, or too late."""
    history = [
        one
        for one in (await consent_requests.events(session, [request.id]))[request.id]
        if one.subject_id == subject_id
    ]
    given = [one.grant_id for one in history if one.grant_id is not None]
    known = await grants.states_by_ids(session, given)
    state = state_of(
        [(one.kind, None if one.grant_id is None else known.get(one.grant_id)) for one in history],
        expires_at=request.expires_at,
        at=await now(session),
    )
    if state is RequestState.GRANTED:
        raise ConflictError("It is granted: to end the consent, revoke the grant.")
    if state in {RequestState.REFUSED, RequestState.EXPIRED}:
        raise ConflictError(f"The request is {state}.")
    return {one: where for one, where in known.items() if where in _UNDECIDED}
