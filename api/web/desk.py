"""The desk: what waits for a reviewer, and taking, giving back and deciding it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from api.auth import Caller
from api.problems import status_of
from api.web import desk_review, forms
from api.web.desk_entry import id_of, office, require
from api.web.forms import Form
from api.web.languages import N_
from api.web.visits import Visit
from registry import accesses, desk, dockets, evidence, principals, recoveries, reviews
from registry.accesses import AccessKind
from registry.database import WriteSession
from registry.dockets import Whose
from registry.errors import ConflictError, ForbiddenError, InvalidError
from registry.principals import Scope
from registry.reviews import ReviewKind, ReviewState, Ruling

PAGE: Final = 25
NOT_YOURS: Final = N_("Take this review first: only who has it, or ruled on it, reads its papers.")
CHOOSE: Final = N_("Choose what you find.")
T = TypeVar("T", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Row:
    """One review in the queue. `with_`: what its reviewer is called."""

    id: UUID
    kind: ReviewKind
    due_at: datetime
    state: ReviewState
    overdue: bool
    mine: bool
    with_: str | None
    ruling: Ruling | None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a form. `code`: what sets the new PIN of a case, to show this once."""

    what: str
    code: str | None = field(default=None, repr=False)


async def queue(visit: Visit) -> Response:
    """`GET /desk`: what waits, what is due first comes first."""
    caller = require(visit, Scope.REVIEWS_READ)
    asked = visit.request.query_params
    whose = _one_of(Whose, asked.get("whose")) or Whose.WAITING
    kind = _one_of(ReviewKind, asked.get("kind"))
    me = caller.actor.principal_id
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        counts = await dockets.counts(session, reviewer=me)
        page = await dockets.queue(
            session,
            whose=whose,
            reviewer=me,
            kind=kind,
            first=PAGE,
            after=_after(asked.get("after")),
        )
        ids = [one.id for one in page.items]
        stands = await reviews.standings(session, ids)
        late = await dockets.overdue(session, ids)
    async with office(visit, caller).reading() as session:
        have = {one.assignee for one in stands.values() if one.assignee is not None}
        names = await principals.offices(session, have)
    rows = [
        Row(
            one.id,
            one.kind,
            one.due_at,
            stands[one.id].state,
            late[one.id],
            stands[one.id].assignee == me,
            None if (taken := stands[one.id].assignee) is None else names.get(taken),
            stands[one.id].ruling,
        )
        for one in page.items
    ]
    return visit.render(
        "desk/queue.html",
        counts=counts,
        rows=rows,
        whose=whose,
        kind=kind,
        parts=list(Whose),
        kinds=list(ReviewKind),
        later="after" in asked,
        more=_more(whose, kind, rows[-1].id) if page.more else None,
    )


def _one_of(members: type[T], word: str | None) -> T | None:
    """The member, if it is one."""
    return members(word) if word in set(members) else None


def _after(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _more(whose: Whose, kind: ReviewKind | None, last: UUID) -> str:
    asked = {"whose": whose, "kind": kind or "", "after": str(last)}
    return f"/desk?{urlencode(asked)}"


async def show(visit: Visit) -> Response:
    """`GET /desk/{id}`: the facts, and for whoever may read them the papers."""
    return await desk_review.shown(visit, require(visit, Scope.REVIEWS_READ), id_of(visit))


async def take(visit: Visit) -> Response:
    """`POST /desk/{id}/take`: from now on it is this reviewer's."""

    async def act(session: WriteSession, caller: Caller, _: Form) -> Done:
        await desk.take(session, review_id=id_of(visit), actor=caller.actor)
        return Done("taken")

    return await _acted(visit, act)


async def give_back(visit: Visit) -> Response:
    """`POST /desk/{id}/release`: it waits for another reviewer."""

    async def act(session: WriteSession, caller: Caller, _: Form) -> Done:
        await desk.release(session, review_id=id_of(visit), actor=caller.actor)
        return Done("released")

    return await _acted(visit, act)


async def decide(visit: Visit) -> Response:
    """`POST /desk/{id}/decide`: a ruling with its reason; or a proposal, where two must agree."""

    async def act(session: WriteSession, caller: Caller, form: Form) -> Done:
        ruling = _one_of(Ruling, form.text("ruling"))
        if ruling is None:
            raise InvalidError(CHOOSE, field="ruling")
        review = await desk.decide(
            session,
            review_id=id_of(visit),
            ruling=ruling,
            # Lines of a text area are one sentence on record.
            reason=" ".join(form.text("reason").split()),
            subject_id=_after(form.text("subject") or None),
            actor=caller.actor,
            keys=visit.state.keys,
        )
        code = await recoveries.issue(session, review, actor=caller.actor)
        waits = (await reviews.standing(session, review.id)).waits
        return Done("proposed" if waits else "decided", code)

    return await _acted(visit, act)


Act = Callable[[WriteSession, Caller, Form], Awaitable[Done]]


async def _acted(visit: Visit, act: Act) -> Response:
    """One act in one transaction, then the review anew; a refusal is shown on its page."""
    caller, review_id = require(visit, Scope.REVIEWS_WRITE), id_of(visit)
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        try:
            async with office(visit, caller).writing() as session:
                done = await act(session, caller, form)
        except (ConflictError, InvalidError, ForbiddenError) as error:
            status = status_of(error.code)
            return await desk_review.shown(
                visit, caller, review_id, wrong=error, form=form, status=status
            )
    if done.code is not None:
        # On the answer to this very form: no address, cookie or later page ever holds it.
        return await desk_review.shown(visit, caller, review_id, done=done.what, code=done.code)
    return visit.go(f"/desk/{review_id}?done={done.what}")


async def document(visit: Visit) -> Response:
    """`GET /desk/{id}/evidence/{evidence_id}`: a document; that it was read is on record."""
    caller = require(visit, Scope.REVIEWS_READ)
    async with visit.state.db.acting_for(caller.actor).writing() as session:
        review = await reviews.mine(session, id_of(visit))
        standing = await reviews.standing(session, review.id)
        if not desk.reads_papers(standing, caller.actor.principal_id):
            raise ForbiddenError(NOT_YOURS)
        asked = id_of(visit, "evidence_id")
        await evidence.about(session, asked, subject_ids=review.subject_ids)
        found = await evidence.read(session, asked, actor=caller.actor, keys=visit.state.keys)
        await accesses.note(
            session,
            [found.evidence.subject_id],
            caller.actor.principal_id,
            AccessKind.EVIDENCE,
            review.id,
        )
    name = f"{found.evidence.kind.lower()}-{found.evidence.id}"
    return Response(
        found.content,
        media_type=found.evidence.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
