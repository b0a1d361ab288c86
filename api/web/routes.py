"""Every page and its address."""

from starlette.routing import Route

from api.web import objecting, sessions, start, statics
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
    Route("/static/{name}", statics.static, methods=["GET"]),
]
