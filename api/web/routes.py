"""Every page and its address."""

from starlette.responses import Response
from starlette.routing import Route

from api.web import (
    case_changes,
    desk,
    helping,
    lost_pin,
    my_case,
    objecting,
    receipts,
    reporting,
    service,
    service_check,
    service_filings,
    sessions,
    start,
    statics,
)
from api.web.visits import View, Visit, page

UPLOADS = frozenset({"/object", "/report", "/case/evidence", "/service/check"})

# Where forms are sent, and the page that has the form.
_FORMS = {
    "/sign-out": "/",
    "/case/sign-in": "/case",
    "/case/lost/code": "/case/lost",
    "/case/evidence": "/case",
    "/case/samples/{id}/remove": "/case",
    "/case/contact": "/case",
    "/case/pin": "/case",
    "/desk/{id}/take": "/desk/{id}",
    "/desk/{id}/release": "/desk/{id}",
    "/desk/{id}/decide": "/desk/{id}",
    "/service/filings": "/service",
    "/service/filings/{id}/revoke": "/service",
}


def _to(form: str) -> View:
    """For whoever opens the address of an answer: to change its language, or signed in again."""

    async def view(visit: Visit) -> Response:
        return visit.go(form.format(**visit.request.path_params))

    return view


routes = [
    Route("/", page(start.start), methods=["GET"]),
    Route("/help", page(helping.show), methods=["GET"]),
    Route("/object", page(objecting.form), methods=["GET"]),
    Route("/object", page(objecting.send), methods=["POST"]),
    Route("/object/done", page(objecting.done), methods=["GET"]),
    Route("/report", page(reporting.form), methods=["GET"]),
    Route("/report", page(reporting.send), methods=["POST"]),
    Route("/case/reports/{id}", page(reporting.letter), methods=["GET"]),
    Route("/case/reports/{id}/letter.txt", page(reporting.letter_as_text), methods=["GET"]),
    Route("/sign-in", page(sessions.sign_in), methods=["GET"]),
    Route("/sign-in", page(sessions.sign_in_with), methods=["POST"]),
    Route("/sign-out", page(sessions.sign_out), methods=["POST"]),
    Route("/case/sign-in", page(sessions.case_sign_in), methods=["POST"]),
    Route("/case/lost", page(lost_pin.form), methods=["GET"]),
    Route("/case/lost", page(lost_pin.ask), methods=["POST"]),
    Route("/case/lost/code", page(lost_pin.redeem), methods=["POST"]),
    Route("/case", page(my_case.show), methods=["GET"]),
    Route("/case/evidence", page(case_changes.add_evidence), methods=["POST"]),
    Route("/case/samples/{id}/remove", page(case_changes.retire), methods=["POST"]),
    Route("/case/contact", page(case_changes.contact), methods=["POST"]),
    Route("/case/pin", page(case_changes.change_pin), methods=["POST"]),
    Route("/case/objections/{id}", page(receipts.show), methods=["GET"]),
    Route("/case/objections/{id}/receipts.json", page(receipts.as_json), methods=["GET"]),
    Route("/case/objections/{id}/withdraw", page(case_changes.ask_withdrawal), methods=["GET"]),
    Route("/case/objections/{id}/withdraw", page(case_changes.withdraw), methods=["POST"]),
    Route("/case/people/{id}/leave", page(case_changes.ask_leaving), methods=["GET"]),
    Route("/case/people/{id}/leave", page(case_changes.leave), methods=["POST"]),
    Route("/desk", page(desk.queue), methods=["GET"]),
    Route("/desk/{id}", page(desk.show), methods=["GET"]),
    Route("/desk/{id}/take", page(desk.take), methods=["POST"]),
    Route("/desk/{id}/release", page(desk.give_back), methods=["POST"]),
    Route("/desk/{id}/decide", page(desk.decide), methods=["POST"]),
    Route("/desk/{id}/evidence/{evidence_id}", page(desk.document), methods=["GET"]),
    Route("/service", page(service.show), methods=["GET"]),
    Route("/service/check", page(service_check.form), methods=["GET"]),
    Route("/service/check", page(service_check.send), methods=["POST"]),
    Route("/service/filings", page(service_filings.declare), methods=["POST"]),
    Route("/service/filings/{id}/revoke", page(service_filings.revoke), methods=["POST"]),
    Route("/service/decisions/{id}", page(service.decision), methods=["GET"]),
    *(Route(path, page(_to(form)), methods=["GET"]) for path, form in _FORMS.items()),
    Route("/static/{name}", statics.static, methods=["GET"]),
]
