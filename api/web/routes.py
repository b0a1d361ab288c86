"""Every page and its address."""

from starlette.routing import Route

from api.web import case_changes, my_case, objecting, receipts, sessions, start, statics
from api.web.visits import page

UPLOADS = frozenset({"/object", "/report", "/case/evidence", "/service/check"})

routes = [
    Route("/", page(start.start), methods=["GET"]),
    Route("/object", page(objecting.form), methods=["GET"]),
    Route("/object", page(objecting.send), methods=["POST"]),
    Route("/object/done", page(objecting.done), methods=["GET"]),
    Route("/sign-in", page(sessions.sign_in), methods=["GET"]),
    Route("/sign-in", page(sessions.sign_in_with), methods=["POST"]),
    Route("/sign-out", page(sessions.sign_out), methods=["POST"]),
    Route("/case/sign-in", page(sessions.case_sign_in), methods=["POST"]),
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
    Route("/static/{name}", statics.static, methods=["GET"]),
]
