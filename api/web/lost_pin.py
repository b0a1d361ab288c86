"""A lost PIN: asking the desk for a code, and setting a new PIN with it."""

from starlette.responses import Response

from api import case_recovery
from api.cases_http import arrived
from api.problems import status_of
from api.web import forms
from api.web.forms import EMPTY, Form
from api.web.languages import N_
from api.web.visits import Visit
from registry.errors import BusyError, ForbiddenError, InvalidError
from registry.throttles import ArrivalKind

DONE = {
    "asked": N_(
        "If there is such a case, our desk looks into it within three days. It reaches you by the"
        " contact that the case had before, and tells you a code."
    ),
    "set": N_("The new PIN counts from now on. Open your case with it."),
}


async def form(visit: Visit) -> Response:
    """`GET /case/lost`: both ways, to ask and to redeem."""
    return _shown(visit, EMPTY)


async def ask(visit: Visit) -> Response:
    """`POST /case/lost`: one answer, whether or not there is such a case."""
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        try:
            await arrived(visit.request, visit.state, ArrivalKind.LOST_PIN)
            await case_recovery.ask(
                visit.state, number=form.text("number"), statement=form.text("statement")
            )
        except (InvalidError, BusyError) as error:
            return _shown(visit, form, asking=error)
    return visit.go("/case/lost?done=asked")


async def redeem(visit: Visit) -> Response:
    """`POST /case/lost/code`: the new PIN counts, if the code is right."""
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        try:
            await arrived(visit.request, visit.state, ArrivalKind.TRIED)
            await case_recovery.redeem(
                visit.state,
                number=form.text("number"),
                code=form.text("code"),
                new_pin=form.text("new_pin"),
            )
        except (InvalidError, ForbiddenError, BusyError) as error:
            return _shown(visit, form, redeeming=error)
    return visit.go("/case/lost?done=set")


_Wrong = InvalidError | ForbiddenError | BusyError | None


def _shown(
    visit: Visit, form: Form, *, asking: _Wrong = None, redeeming: _Wrong = None
) -> Response:
    error = asking or redeeming
    return visit.render(
        "case/lost.html",
        status=200 if error is None else status_of(error.code),
        form=form,
        asking=asking,
        redeeming=redeeming,
        done=DONE.get(visit.request.query_params.get("done", "")),
    )
