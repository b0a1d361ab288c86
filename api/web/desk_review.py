"""One review as its reviewer sees it: the facts, and the papers for whoever may read them.

Whose record is read here is told: the reading is on record before the page is sent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.responses import Response

from api.auth import Caller
from api.web import office_labels
from api.web.desk_entry import office
from api.web.desk_people import Party, parties
from api.web.forms import EMPTY, Form
from api.web.languages import N_
from api.web.visits import Visit
from registry import (
    accesses,
    decisions,
    desk,
    dockets,
    doubts,
    principals,
    recoveries,
    resemblance,
    review_evidence,
    review_papers,
    reviews,
    services,
)
from registry.accesses import AccessKind
from registry.cases import ContactKind
from registry.database import ReadSession, WriteSession
from registry.errors import RegistryError
from registry.policy.vocabulary import Band, Modality
from registry.principals import Scope
from registry.review_evidence import Statement
from registry.review_papers import Papers
from registry.reviews import Review, ReviewEvent, ReviewKind, Ruling, Standing

DONE: Final = {
    "taken": N_("It is yours now. The people below see that you read of them."),
    "released": N_("Given back. It waits for another reviewer."),
    "proposed": N_("Your proposal is on record. It waits for a second reviewer."),
    "decided": N_("Your ruling is on record."),
}
_ABOUT_A_DECISION: Final = frozenset(
    {ReviewKind.GREY_MATCH, ReviewKind.AMBIGUOUS_MATCH, ReviewKind.FALSE_MATCH}
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a party has to say. `by`: which of the people's side, or None for another."""

    statement: Statement
    by: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The papers, opened. `unnamed`: this token does not let its holder read people.

    `contacts`: how who lost a PIN was reached before it was asked for; `resemblance`: how near the
    file of a report comes to its person.
    """

    papers: Papers
    service: str | None
    people: Sequence[Party]
    said: Sequence[Said]
    unnamed: bool
    contacts: Mapping[ContactKind, str]
    resemblance: Band | None


async def shown(
    visit: Visit,
    caller: Caller,
    review_id: UUID,
    *,
    wrong: RegistryError | None = None,
    form: Form | None = None,
    status: int = 200,
    done: str | None = None,
    code: str | None = None,
) -> Response:
    """The review as it is now. `wrong`: what kept the last form from it; `code`: shown this once.

    `done`: what the last form did.
    """
    me = caller.actor.principal_id
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        review = await reviews.mine(session, review_id)
        history = (await reviews.events(session, [review_id]))[review_id]
        standing = await reviews.standing(session, review_id)
        late = (await dockets.overdue(session, [review_id]))[review_id]
        choices = await desk.choices(session, review)
    reads = desk.reads_papers(standing, me)
    async with office(visit, caller).writing() as session:
        names = await principals.offices(session, {one.actor_id for one in history})
        opened = await _opened(session, visit, caller, review) if reads else None
    return visit.render(
        "desk/review.html",
        status=status,
        review=review,
        standing=standing,
        overdue=late,
        history=history,
        names=names,
        me=me,
        opened=opened,
        task=office_labels.TASKS[review.kind],
        choices=_choices(review.kind, choices),
        whom=_whom(review, choices),
        proposal=_proposal(standing, history),
        operator=caller.actor.kind == "OPERATOR",
        done=DONE.get(done or visit.request.query_params.get("done", "")),
        code=code,
        wrong=wrong,
        form=form or EMPTY,
    )


def _choices(kind: ReviewKind, choices: Collection[Ruling]) -> list[tuple[Ruling, str]]:
    """What may be ruled, in one order, each with what it does."""
    effects = dict(office_labels.EFFECTS)
    if kind in office_labels.DENIALS:
        effects[Ruling.DENY] = office_labels.DENIALS[kind]
    return [(one, effects[one]) for one in Ruling if one in choices]


def _whom(review: Review, choices: Collection[Ruling]) -> Sequence[UUID]:
    """Whom a ruling may be about alone; nobody where there is no choice."""
    several = len(review.subject_ids) > 1 and Ruling.SAME_PERSON in choices
    return review.subject_ids if several else ()


def _proposal(standing: Standing, history: Sequence[ReviewEvent]) -> ReviewEvent | None:
    """What a first reviewer proposed, while a second is needed."""
    if not standing.waits or standing.ruling is None:
        return None
    return next(one for one in reversed(history) if one.ruling is not None)


async def _opened(session: WriteSession, visit: Visit, caller: Caller, review: Review) -> Opened:
    """The papers; whose record is opened with them is put on record."""
    keys = visit.state.keys
    papers = await review_papers.opened(session, review, keys=keys)
    said = (await review_evidence.by_review(session, [review.id], keys=keys))[review.id]
    service = await _service(session, papers)
    contacts = (await recoveries.contacts(session, [review.id], keys=keys))[review.id]
    nearness = await _resemblance(session, visit, review)
    sides: dict[UUID, str] = {}
    people: Sequence[Party] = ()
    unnamed = Scope.SUBJECTS_READ not in caller.scopes
    if not unnamed:
        near = await _near(session, visit, review, papers)
        people = await parties(session, review, near=near, keys=keys)
        sides = {one.record.owner_id: one.letter for one in people if one.record is not None}
        await _note(session, caller, people)
    told = [Said(one, sides.get(one.given_by)) for one in said]
    return Opened(papers, service, people, told, unnamed, contacts, nearness)


async def _note(session: WriteSession, caller: Caller, people: Sequence[Party]) -> None:
    """Put on record whose records were opened."""
    me = caller.actor.principal_id
    of_others = {one.id for one in people if one.record is not None and one.record.owner_id != me}
    await accesses.note(session, of_others, me, AccessKind.RECORD)


async def _resemblance(session: ReadSession, visit: Visit, review: Review) -> Band | None:
    """How near the file of a report of misuse comes to its person."""
    if review.kind is not ReviewKind.MISUSE:
        return None
    state = visit.state
    found = await resemblance.by_complaint(
        session, [review.id], encoders=state.checker.encoders, keys=state.keys
    )
    return found.get(review.id)


async def _service(session: ReadSession, papers: Papers) -> str | None:
    """What the service is called that asked."""
    if papers.service_id is None:
        return None
    service_id = UUID(papers.service_id)
    return (await services.names(session, [service_id])).get(service_id)


async def _near(
    session: ReadSession, visit: Visit, review: Review, papers: Papers
) -> Mapping[UUID, Mapping[Modality, Band]]:
    """How alike what was asked about is to each person, as the decision found it."""
    if review.kind not in _ABOUT_A_DECISION or papers.decision_id is None:
        return {}
    decision = await decisions.get(session, UUID(papers.decision_id))
    if decision is None:
        return {}
    return await doubts.bands(session, decision, papers, keys=visit.state.keys)
