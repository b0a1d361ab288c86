"""Refusals of the whole server: a page for whoever reads pages, JSON for programs."""

from starlette.requests import Request
from starlette.types import Message, Scope, Send

from api.middleware import as_json
from api.problems import Explanation
from api.web import visits

_OF_PROGRAMS = (
    "/graphql",
    "/v1/",
    "/oauth/",
    "/log/",
    "/.well-known/",
    "/livez",
    "/readyz",
    "/metrics",
)


async def answer(scope: Scope, send: Send, explained: Explanation, *, close: bool = False) -> None:
    """Send a refusal as its reader can read it."""
    request = Request(scope)
    reads_pages = "text/html" in request.headers.get("accept", "")
    if not reads_pages or request.url.path.startswith(_OF_PROGRAMS):
        await as_json(scope, send, explained, close=close)
        return
    response = visits.refusal(visits.language_of(request), explained)
    if close:
        response.headers["connection"] = "close"
    await response(scope, _nothing, send)


async def _nothing() -> Message:
    """A page of a refusal reads no more of the request."""
    return {"type": "http.disconnect"}
