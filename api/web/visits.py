"""A visit: one request to a page, with its reader's language, session and forms' token.

The token of forms is derived from a random cookie of the browser, so that no other site can send
one (OWASP's signed double submit).
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.auth import Caller
from api.problems import Explanation, explain
from api.runtime import Runtime
from api.state import State
from api.web import languages, rendering
from api.web.languages import Language
from registry.errors import ForbiddenError, RegistryError, UnauthenticatedError

ANCHOR: Final = "visit"
SESSION: Final = "session"
LANGUAGE_SECONDS: Final = 365 * 86_400
_ANCHOR_BYTES: Final = 16
_MAX_COOKIE: Final = 8_192


@dataclass(slots=True)
class Visit:
    """What a view is given. `cookies`: what the answer sets, name to value and seconds."""

    request: Request
    runtime: Runtime
    language: Language
    anchor: str
    caller: Caller | None = None
    cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The open parts, or UnavailableError."""
        return self.runtime.state

    @property
    def path(self) -> str:
        """Where the reader is, without what they asked."""
        return self.request.url.path

    def in_language(self, language: Language) -> str:
        """The page that is open, in another language; what was just done is not said again."""
        asked = self.request.query_params.multi_items()
        kept = [one for one in asked if one[0] not in {languages.QUERY, "done"}]
        return "?" + urlencode([*kept, (languages.QUERY, language)])

    @property
    def form_token(self) -> str:
        """What a form of this browser carries."""
        digest = self.state.keys.request_digest(b"form:" + self.anchor.encode())
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def say(self, message: str) -> str:
        """A message in the reader's language."""
        return languages.translations(self.language).gettext(message)

    def render(self, template: str, *, status: int = 200, **context: object) -> Response:
        """A page, in the reader's language."""
        known = {"visit": self, "caller": self.caller, "token": self.form_token, **context}
        return rendering.html(self.language, template, known, status=status)

    def go(self, path: str) -> Response:
        """On to another page of ours; reloading it sends nothing again."""
        return RedirectResponse(path, 303)

    def remember(self, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie with the answer; 0 seconds removes it."""
        self.cookies[name] = (value, seconds)

    async def recognise(self) -> None:
        """Who is signed in, if the session's token still holds."""
        session = self.request.cookies.get(SESSION)
        if session and len(session) <= _MAX_COOKIE:
            try:
                self.caller = await self.runtime.authenticator.of_token(session)
            except UnauthenticatedError:
                self.remember(SESSION, "", 0)

    def require_token(self, given: str) -> None:
        """ForbiddenError for a form that was not one of ours, sent by this browser."""
        if not _is_ours(self.request):
            raise ForbiddenError(FOREIGN)
        if ANCHOR not in self.request.cookies or not hmac.compare_digest(
            given.encode(), self.form_token.encode()
        ):
            raise ForbiddenError(STALE)

    def require_caller(self) -> Caller:
        """Who is signed in, or UnauthenticatedError."""
        if self.caller is None:
            raise UnauthenticatedError(SIGNED_OUT)
        return self.caller


FOREIGN: Final = languages.N_("This form was sent from another site. Open the page here again.")
STALE: Final = languages.N_(
    "This form is too old, or your browser keeps no cookies. Open the page again; cookies of this"
    " site are needed to keep others from sending forms in your name."
)
SIGNED_OUT: Final = languages.N_("You are not signed in, or were for too long. Sign in again.")


def _is_ours(request: Request) -> bool:
    """Whether a browser that says where a form comes from says: from here."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def language_of(request: Request) -> Language:
    """What its reader chose, now or before, or what their browser asks for."""
    return languages.chosen(
        request.query_params.get(languages.QUERY),
        request.cookies.get(languages.COOKIE),
        request.headers.get("accept-language", ""),
    )


def begun(request: Request) -> Visit:
    """The visit that this request is."""
    language = language_of(request)
    anchor = request.cookies.get(ANCHOR, "")
    fresh = not anchor.isalnum() or len(anchor) != 2 * _ANCHOR_BYTES
    visit = Visit(
        request,
        request.state.runtime,
        language,
        secrets.token_hex(_ANCHOR_BYTES) if fresh else anchor,
    )
    if fresh:
        visit.remember(ANCHOR, visit.anchor)
    if request.query_params.get(languages.QUERY) == language:
        visit.remember(languages.COOKIE, language, LANGUAGE_SECONDS)
    return visit


View = Callable[[Visit], Awaitable[Response]]


def page(view: View) -> Callable[[Request], Awaitable[Response]]:
    """A view as an endpoint: refusals are pages too, and cookies are set as ours are."""

    async def endpoint(request: Request) -> Response:
        visit = begun(request)
        try:
            await visit.recognise()
            response = await view(visit)
        except UnauthenticatedError:
            response = visit.go(f"/sign-in?next={quote(visit.path)}")
        except RegistryError as error:
            page_of_form = visit.path if request.method == "POST" else None
            response = refusal(visit.language, explain(error), again=page_of_form)
        for name, (value, seconds) in visit.cookies.items():
            response.set_cookie(
                name,
                value,
                max_age=seconds,
                httponly=True,
                samesite="lax",
                secure=visit.runtime.settings.issuer.startswith("https:"),
            )
        return response

    return endpoint


def refusal(language: Language, explained: Explanation, *, again: str | None = None) -> Response:
    """The page of a refusal: what is wrong, and what to do. `again`: the page to start from."""
    context = {"explained": explained, "visit": None, "again": again}
    response = rendering.html(language, "refusal.html", context, status=explained.status)
    for name, value in explained.headers().items():
        response.headers[name] = value
    return response
