"""The application: every way in over HTTP, and what stands before it."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cases_http, http, introspection, metrics, oauth_token
from api.graphql.context import Context
from api.graphql.schema import schema
from api.graphql.view import GraphQLView
from api.middleware import Errors, Guard, Patience, SecurityHeaders
from api.problems import Explanation
from api.runtime import Runtime
from api.web import refusals
from api.web import routes as pages
from api.web.forms import MOST_FILES
from registry.errors import ProblemCode
from registry.settings import Settings

UPLOADS = ("/v1/media", "/v1/evidence")
_UPLOAD_SECONDS = 60.0
_FROM_A_PHONE = 180.0  # several files, over a slow network
ROUTES = [
    *http.routes,
    *cases_http.routes,
    *oauth_token.routes,
    *introspection.routes,
    *pages.routes,
]
_SAYING_SO = 1.0  # seconds: a file that took too long is refused as that, not as a late answer


class LifespanState(TypedDict):
    """What the lifespan hands to every request."""

    runtime: Runtime


def create_app(settings: Settings, runtime: Runtime | None = None) -> ASGIApp:
    """The whole server. Nothing is opened until its lifespan starts."""
    parts = runtime or Runtime(settings)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[LifespanState, None]:
        await parts.start()
        try:
            yield {"runtime": parts}
        finally:
            await parts.stop()

    router: ASGIApp = Router(
        [
            Route("/graphql", GraphQLView(schema, make_context), methods=["GET", "POST"]),
            *ROUTES,
        ],
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for wrap in (
        Unrouted,
        lambda app: Guard(
            app,
            max_bytes=settings.request_max_bytes,
            request_seconds=settings.request_seconds,
            streaming=_streaming(settings),
            answer=refusals.answer,
        ),
        lambda app: Errors(app, refusals.answer),
        SecurityHeaders,
        Measured,
    ):
        router = wrap(router)
    return router


def _streaming(settings: Settings) -> dict[str, Patience]:
    """The paths that read their own bodies, and how long that may take."""
    one_file = max(settings.media_seconds + _SAYING_SO, settings.request_seconds)
    rounds = -(-MOST_FILES // settings.media_workers)
    form = max(rounds * settings.media_seconds + _SAYING_SO, settings.request_seconds)
    return {
        **dict.fromkeys(UPLOADS, Patience(_UPLOAD_SECONDS, one_file)),
        **dict.fromkeys(pages.UPLOADS, Patience(_FROM_A_PHONE, form)),
    }


async def make_context(request: Request) -> Context:
    """Who asks, and what they may reach; UnauthenticatedError without a token that holds."""
    runtime: Runtime = request.state.runtime
    caller = await runtime.authenticator.caller(request)
    return Context(runtime.state, caller)


class Unrouted:
    """Answers what no route takes, by its path or its method, as other refusals are answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer with a problem where nobody takes it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self.app({**scope, "app": self}, receive, send)  # then the router raises
        except HTTPException as error:
            taken = error.status_code == _WRONG_METHOD
            explained = Explanation(
                code=ProblemCode.UNSUPPORTED if taken else ProblemCode.NOT_FOUND,
                message=f"{error.detail}.",
                status=error.status_code,
                allow=(error.headers or {}).get("Allow"),
            )
            await refusals.answer(scope, send, explained)


_WRONG_METHOD = 405
_PATHS = frozenset({"/graphql", *(route.path for route in ROUTES)})


class Measured:
    """Counts and times every answer; paths that do not exist share one label."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and take note of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in _PATHS else "other"
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            metrics.REQUESTS.labels(path, status).inc()
            metrics.SECONDS.labels(path).observe(time.perf_counter() - began)
