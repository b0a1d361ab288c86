"""Reporting misuse: with an objection in one form, or into the case that somebody has already."""

import secrets
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from starlette.responses import PlainTextResponse, Response

from api.cases_http import arrived
from api.web import forms, levels, my_case, notices, objecting, person_form, showing
from api.web.forms import EMPTY, Form
from api.web.languages import N_
from api.web.my_case import Known, Reported
from api.web.showing import Trouble
from api.web.visits import Visit
from registry import complaints, idempotency, probes, reviews, takedown
from registry.complaint_states import ComplaintState
from registry.errors import (
    BusyError,
    InvalidError,
    NotFoundError,
    RegistryError,
    UnavailableError,
)
from registry.intake import Handed, Report
from registry.misuse import ComplaintKind, Misuse
from registry.policy.help import territories
from registry.throttles import ArrivalKind

WHEN: Final = N_("Write the day as year, month and day, or leave it empty.")
WHAT: Final = N_("Say what happened: choose at least one.")
SEEN: Final = "seen"


async def form(visit: Visit) -> Response:
    """`GET /report`."""
    return await _shown(visit, EMPTY)


async def _people(visit: Visit) -> list[Known]:
    """Of the case that is signed in; nobody where none is."""
    return [] if visit.caller is None else await my_case.people(visit)


async def _shown(
    visit: Visit,
    form: Form,
    *,
    error: RegistryError | None = None,
    troubles: tuple[Trouble, ...] = (),
) -> Response:
    return objecting.shown(
        visit,
        "report.html",
        form,
        error=error,
        troubles=troubles,
        people=await _people(visit),
        kinds=list(ComplaintKind),
        choices=territories(visit.state.checker.packs),
    )


async def send(visit: Visit) -> Response:
    """`POST /report`."""
    async with forms.sent(visit) as form:
        troubles: tuple[Trouble, ...] = ()
        try:
            misuse = misuse_of(form)
            if form.text("subject"):
                return await _into_the_case(visit, form, misuse)
            person = person_form.person_of(form)
            scope = levels.scope_of(form)
            await arrived(visit.request, visit.state, ArrivalKind.OPENED)
            read = await showing.read(visit.state, form)
            report = await _report(visit, form, misuse)
            troubles = tuple(read.troubles)
            notice = notices.on_record(visit.language, form.text("notice"))
            handed = Handed(scope, notice, shown=read.shown, report=report, **person.as_handed())
            await objecting.take(visit, form, handed, troubles)
        except InvalidError as error:
            return await _shown(visit, form, error=error, troubles=troubles)
    return visit.go("/object/done")


def misuse_of(form: Form) -> Misuse:
    """What the form says happened, or InvalidError naming the field."""
    try:
        kinds = tuple(map(ComplaintKind, form.texts("kind")))
    except ValueError as error:
        raise InvalidError(WHAT, field="kind") from error
    if not kinds:
        raise InvalidError(WHAT, field="kind")
    said = Misuse(
        kinds=kinds,
        territory=form.text("territory"),
        statement=form.text("statement"),
        links=tuple(form.lines("where")),
        place=form.text("place") or None,
        seen_on=_day(form.text("seen_on")),
    )
    try:
        return said.checked(datetime.now(UTC).date())
    except InvalidError as error:
        raise InvalidError(str(error), field=_FIELDS.get(error.field or "")) from error


# What the registry calls a field, and the form.
_FIELDS: Final = {
    "territory": "territory",
    "statement": "statement",
    "links": "where",
    "whereSeen": "place",
    "seenOn": "seen_on",
}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidError(WHEN, field="seen_on") from error


async def _report(visit: Visit, form: Form, misuse: Misuse) -> Report:
    """The misuse, with what was made of the file that shows it."""
    files = form.files.get(SEEN, [])
    if not files:
        return Report(misuse)
    try:
        return Report(misuse, probes.as_opened(await visit.state.media.encode(files[0].data)))
    except (BusyError, UnavailableError):
        raise
    except RegistryError as error:
        raise InvalidError(str(error), field=SEEN) from error


async def _into_the_case(visit: Visit, form: Form, misuse: Misuse) -> Response:
    """A report about somebody whom the signed-in case keeps."""
    caller, keys = visit.require_caller(), visit.state.keys
    try:
        subject_id = UUID(form.text("subject"))
    except ValueError as error:
        raise NotFoundError("No such subject.", field="subject") from error
    report = await _report(visit, form, misuse)
    async with visit.state.db.acting_for(caller.actor).writing() as session:
        complaint_id, new = await idempotency.claim(
            session,
            principal_id=caller.actor.principal_id,
            operation="report",
            key=form.text("once") or secrets.token_hex(16),
            request={"subject": subject_id, "said": repr(report.misuse)},
            keys=keys,
        )
        if new:
            await complaints.file(
                session,
                complaint_id=complaint_id,
                subject_id=subject_id,
                filed_by=caller.actor.principal_id,
                misuse=report.misuse,
                notice=None,  # this form shows none
                shown=report.seen,
                keys=keys,
            )
    return visit.go("/case?done=reported")


async def letter(visit: Visit) -> Response:
    """`GET /case/reports/{id}`: the report, and the letter to the platform."""
    found = await _mine(visit)
    return visit.render("case/report.html", report=found, letter=_letter(visit, found))


async def letter_as_text(visit: Visit) -> Response:
    """`GET /case/reports/{id}/letter.txt`: the letter, ready to send."""
    found = await _mine(visit)
    return PlainTextResponse(
        _letter(visit, found),
        headers={"Content-Disposition": 'attachment; filename="letter.txt"'},
    )


def _letter(visit: Visit, report: Reported) -> str:
    packs, today = visit.state.checker.packs, datetime.now(UTC).date()
    return takedown.letter(packs, report.misuse, visit.language, today)


async def _mine(visit: Visit) -> Reported:
    caller = visit.require_caller()
    try:
        complaint_id = UUID(visit.request.path_params["id"])
    except ValueError as error:
        raise NotFoundError("No such complaint.") from error
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        complaint = await complaints.mine(session, complaint_id)
        contents = await complaints.contents(session, [complaint.id], keys=visit.state.keys)
        state = (await complaints.states(session, [complaint.id]))[complaint.id]
        waits = state in {ComplaintState.RECEIVED, ComplaintState.IN_REVIEW}
        due_at = (await reviews.mine(session, complaint.id)).due_at if waits else None
    content = contents.get(complaint.id)
    if content is None:  # the person was erased
        raise NotFoundError("No such complaint.")
    return Reported(complaint.id, complaint.created_at, state, content.misuse, due_at)
