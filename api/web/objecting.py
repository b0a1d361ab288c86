"""Objecting: one form, no account; the answer is a case number and a PIN."""

import secrets
from collections.abc import Sequence

from starlette.responses import Response

from api.cases_http import arrived
from api.web import forms, handed_over, levels, notices, person_form, sessions, showing
from api.web.forms import EMPTY, Form
from api.web.handed_over import Opened
from api.web.showing import Read, Trouble
from api.web.visits import Visit
from registry import intake, pins
from registry.errors import InvalidError, RegistryError
from registry.intake import Handed, Taken
from registry.principals import OPERATOR
from registry.throttles import ArrivalKind


async def form(visit: Visit) -> Response:
    """`GET /object`."""
    return shown(visit, "object.html", EMPTY)


def shown(
    visit: Visit,
    template: str,
    form: Form,
    *,
    error: RegistryError | None = None,
    troubles: tuple[Trouble, ...] = (),
    **more: object,
) -> Response:
    """A form that opens a case: empty, or as it was sent with what is wrong in it."""
    young = "young" in visit.request.query_params or form.text("age_group") == "MINOR"
    notice = notices.FOR_THE_YOUNG if young else notices.VERSION
    return visit.render(
        template,
        status=200 if error is None else 422,
        form=form,
        error=error,
        troubles=troubles,
        young=young,
        once=form.text("once") or secrets.token_hex(16),
        levels=levels.WORDS,
        notice=notice,
        sentences=notices.shown(visit.language, notice),
        most_files=forms.MOST_FILES,
        most_bytes=visit.runtime.settings.media_max_bytes,
        **more,
    )


async def send(visit: Visit) -> Response:
    """`POST /object`: everything at once; what is wrong is said beside its field."""
    async with forms.sent(visit) as form:
        read = Read(intake.Shown())
        try:
            person = person_form.person_of(form)
            scope = levels.scope_of(form)
            await arrived(visit.request, visit.state, ArrivalKind.OPENED)
            read = await showing.read(visit.state, form)
            notice = notices.on_record(visit.language, form.text("notice"))
            handed = Handed(scope, notice, shown=read.shown, **person.as_handed())
            await take(visit, form, handed, read.troubles)
        except InvalidError as error:
            return shown(visit, "object.html", form, error=error, troubles=tuple(read.troubles))
    return visit.go("/object/done")


async def take(visit: Visit, form: Form, handed: Handed, troubles: Sequence[Trouble]) -> Taken:
    """Put it on record, sign the new case in, and let the next page show its PIN."""
    state, pin = visit.state, pins.new_pin()
    kept = await pins.hashed(pin)
    async with state.db.acting_for(OPERATOR).writing() as session:
        taken = await intake.take(
            session,
            handed,
            key=form.text("once") or secrets.token_hex(16),
            pin_hash=kept,
            judge=state.checker.judge,
            daily=state.settings.unverified_samples,
            keys=state.keys,
        )
        await sessions.begin(visit, session, sessions.of_case(taken.principal_id, taken.number))
    if not taken.new:
        visit.runtime.authenticator.forget(taken.principal_id)
    minor = handed.born is not None
    opened = Opened(
        taken.number,
        pin,
        minor=minor,
        reported=handed.report is not None,
        troubles=troubles,
    )
    handed_over.keep(visit, opened)
    return taken


async def done(visit: Visit) -> Response:
    """`GET /object/done`: the number and the PIN, for some minutes."""
    opened = handed_over.kept(visit)
    if opened is None:
        return visit.go("/case")
    return visit.render("done.html", opened=opened, address=f"{visit.runtime.settings.issuer}/case")
