"""My case: what somebody has forbidden, what shows them, and what they can do about it.

An account below IAL2 sees nothing here that depends on a match with somebody else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.responses import Response

from api.web import forms
from api.web.languages import N_
from api.web.visits import Visit
from registry import assets, cases, complaints, notices, objections, samples, subjects
from registry.cases import ContactKind
from registry.complaint_states import ComplaintState
from registry.database import ReadSession
from registry.keys import Keys
from registry.misuse import Misuse
from registry.objections import ENDED, Objection
from registry.paging import MAX_PAGE
from registry.policy.vocabulary import Modality, ObjectionState
from registry.samples import SampleState
from registry.scopes import Scope, scope_in
from registry.subjects import NAMELESS, Record

# What the last form brought about, by the word that its redirect carries.
DONE: Final = {
    "added": N_("Added. It counts from now on."),
    "removed": N_("Removed. It counts no more."),
    "withdrawn": N_("Withdrawn. This no longer forbids anything."),
    "contact": N_("Saved. Our desk can reach you there."),
    "unreachable": N_("Saved. Nobody can reach you now; without your PIN there is no way back."),
    "pin": N_("The new PIN counts from now on. Other sessions have ended."),
    "reported": N_("Sent. A person of our desk looks at it."),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One objection as its owner sees it."""

    id: UUID
    state: ObjectionState
    since: datetime
    scope: Scope
    stands: bool


@dataclass(frozen=True, slots=True)
class Sampled:
    """One photo or recording that was enrolled."""

    id: UUID
    modality: Modality
    at: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """A report as whoever filed it sees it. `due_at`: by when the desk looks, while it waits."""

    id: UUID
    at: datetime
    state: ComplaintState
    misuse: Misuse
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One person whom this account keeps, with all there is of them. `pictures`: how many count."""

    record: Record
    said: list[Said]
    samples: list[Sampled]
    pictures: int

    @property
    def name(self) -> str | None:
        """What they are called, if they said so."""
        return None if self.record.name == NAMELESS else self.record.name


async def show(visit: Visit) -> Response:
    """`GET /case`: the case, or the way into it."""
    if visit.caller is None:
        return visit.render("case/sign_in.html", number="", wrong=None)
    return await shown(visit)


async def shown(visit: Visit, *, wrong: str | None = None, contact: str | None = None) -> Response:
    """The case as it is now. `wrong`: what kept the last form from it, `contact` what it gave."""
    caller, keys = visit.require_caller(), visit.state.keys
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        case = await cases.of_account(session, caller.actor.principal_id)
        if case is None:
            return visit.render("case/none.html")
        found = await _people(session, keys)
        reports = await _reports(session, keys)
        contacts = await cases.contacts(session, case.principal_id, keys=keys)
        told = await notices.page(
            session, principal_id=case.principal_id, first=MAX_PAGE, after=None
        )
    return visit.render(
        "case/case.html",
        status=200 if wrong is None else 422,
        number=caller.handle,
        opened_at=case.opened_at,
        people=found,
        reports=reports,
        contact=contact or contacts.get(ContactKind.EMAIL) or contacts.get(ContactKind.PHONE),
        no_contact=contact is not None,
        told=list(reversed(told.items)),
        done=DONE.get(visit.request.query_params.get("done", "")),
        wrong=wrong,
        most_files=forms.MOST_FILES,
        most_bytes=visit.runtime.settings.media_max_bytes,
    )


async def people(visit: Visit) -> list[Known]:
    """Everybody whom the signed-in case keeps."""
    caller = visit.require_caller()
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        if await cases.of_account(session, caller.actor.principal_id) is None:
            return []
        return await _people(session, visit.state.keys)


async def _reports(session: ReadSession, keys: Keys) -> list[Reported]:
    """What the case reported, newest first."""
    page = await complaints.page(session, subject_id=None, first=MAX_PAGE, after=None)
    ids = [one.id for one in page.items]
    states = await complaints.states(session, ids)
    contents = await complaints.contents(session, ids, keys=keys)
    return [
        Reported(one.id, one.created_at, states[one.id], contents[one.id].misuse)
        for one in reversed(page.items)
        if one.id in contents
    ]


async def _people(session: ReadSession, keys: Keys) -> list[Known]:
    """Everybody whom the account keeps and who was not erased, oldest first."""
    page = await subjects.page(session, first=MAX_PAGE, after=None)
    records = await subjects.records(session, page.items, keys=keys)
    enrolled = await samples.by_subject(session, records)
    return [
        await known(session, records[one], enrolled[one]) for one in page.items if one in records
    ]


async def known(session: ReadSession, record: Record, enrolled: list[samples.Sample]) -> Known:
    """All there is of one person."""
    filed = await objections.of_subject(session, record.id)
    states = await objections.states(session, [one.id for one in filed])
    where = await samples.states(session, [one.id for one in enrolled])
    return Known(
        record,
        [_said(one, states[one.id]) for one in reversed(filed)],
        [
            Sampled(one.id, one.modality, one.created_at)
            for one in enrolled
            if where[one.id] is not SampleState.RETIRED
        ],
        len(await assets.showing_only(session, record.id)),
    )


def _said(objection: Objection, state: ObjectionState) -> Said:
    return Said(objection.id, state, objection.since, scope_in(objection), state not in ENDED)
