"""The application: every way in over HTTP, and what stands before it."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cases_http, http, introspection, metrics, oauth_token, recovery_http
from api.graphql.context import Context
from api.graphql.schema import schema
from api.graphql.view import GraphQLView
from api.middleware import Errors, Guard, SecurityHeaders
from api.runtime import Runtime
from registry.settings import Settings

MEDIA_PATH = "/v1/media"
EVIDENCE_PATH = "/v1/evidence"
ROUTES = [
    *http.routes,
    *cases_http.routes,
    *recovery_http.routes,
    *oauth_token.routes,
    *introspection.routes,
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
        lambda app: Guard(
            app,
            max_bytes=settings.request_max_bytes,
            request_seconds=settings.request_seconds,
            streaming=[MEDIA_PATH, EVIDENCE_PATH],
            streaming_seconds=settings.media_seconds + _SAYING_SO,
        ),
        Errors,
        SecurityHeaders,
        Measured,
    ):
        router = wrap(router)
    return router


async def make_context(request: Request) -> Context:
    """Who asks, and what they may reach; UnauthenticatedError without a token that holds."""
    runtime: Runtime = request.state.runtime
    caller = await runtime.authenticator.caller(request)
    return Context(runtime.state, caller)


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
