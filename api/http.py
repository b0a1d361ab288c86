"""Plain HTTP beside GraphQL: one check, the log, public keys, health and metrics."""

import asyncio

import orjson
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api import attestations_http, evidence_http, metrics
from api.answers import decision_as_json
from api.questions import parse, question_of, require_vectors
from api.runtime import Runtime
from api.uploads import upload
from registry import schema
from registry.encoders.identity import IMAGE_HASH
from registry.errors import (
    ForbiddenError,
    NotFoundError,
    RegistryError,
    UnavailableError,
    UnsupportedError,
)
from registry.log import entries
from registry.principals import Scope

_READY_SECONDS = 2.0


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.state.runtime
    return runtime


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


async def check(request: Request) -> Response:
    """`POST /v1/check`: CheckInput as JSON in, a Decision as JSON out."""
    runtime = _runtime(request)
    caller = await runtime.authenticator.caller(request)
    if Scope.CHECK not in caller.scopes:
        raise ForbiddenError(f"This needs a token with the scope {Scope.CHECK}.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedError("Send the check as application/json.")
    asked = parse(await request.body())
    require_vectors([asked], caller.scopes)
    decision = await runtime.state.checker.check(caller.actor, question_of(asked))
    return _json(decision_as_json(decision))


async def jwks(request: Request) -> Response:
    """The public keys that decision tokens, access tokens and checkpoints verify with."""
    keys = _runtime(request).state.keys
    return _json(await asyncio.to_thread(keys.jwks))


async def checkpoint(request: Request) -> Response:
    """The newest signed tree head (C2SP tlog-checkpoint)."""
    async with _runtime(request).state.db.reading() as session:
        newest = await entries.latest(session)
    if newest is None:
        raise NotFoundError("The log is empty: no decision was made yet.")
    return PlainTextResponse(newest.note)


async def live(_: Request) -> Response:
    """Whether the process serves at all. Asks nothing of the database."""
    return _json({"status": "live"})


async def ready(request: Request) -> Response:
    """Whether checks can be answered; if not, why."""
    runtime = _runtime(request)
    try:
        state = runtime.state
        async with asyncio.timeout(_READY_SECONDS), state.db.reading() as session:
            await session.execute(text("select 1"))
        if not state.checker.is_working:
            raise UnavailableError("Checks are not being answered.")
    except (RegistryError, TimeoutError) as error:
        reason = str(error) or "The registry's database does not answer."
        response = _json({"status": "not ready", "reason": reason}, 503)
        response.headers["retry-after"] = "1"
        return response
    return _json(
        {
            "status": "ready",
            "references": len(state.checker.references),
            "encoders": [IMAGE_HASH, *state.checker.encoders.by_id],
            "calibrations": {
                one.id: {"data": one.calibration.data.name, "shipped": one.shipped}
                for one in state.checker.encoders.by_id.values()
            },
            "missingModels": dict(state.missing_models),
            "schema": schema.head(),
        }
    )


async def metrics_page(request: Request) -> Response:
    """Prometheus metrics."""
    runtime = _runtime(request)
    try:
        held = runtime.state.checker.references
    except RegistryError:
        metrics.READY.set(0)
        metrics.REFERENCES.set(0)
    else:
        metrics.READY.set(1)
        metrics.REFERENCES.set(len(held))
        metrics.UNREADABLE.set(held.unreadable)
        metrics.TEMPLATES.set(len(held.people))
        for one in runtime.state.checker.encoders.by_id.values():
            metrics.CALIBRATION.labels(one.id, one.calibration.data.name).set(int(not one.shipped))
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


routes = [
    Route("/v1/media", upload, methods=["POST"]),
    Route("/v1/check", check, methods=["POST"]),
    Route("/v1/attestations", attestations_http.attest, methods=["POST"]),
    Route("/v1/evidence", evidence_http.keep, methods=["POST"]),
    Route("/v1/evidence/{id}", evidence_http.read, methods=["GET"]),
    Route("/.well-known/jwks.json", jwks, methods=["GET"]),
    Route("/log/checkpoint", checkpoint, methods=["GET"]),
    Route("/livez", live, methods=["GET"]),
    Route("/readyz", ready, methods=["GET"]),
    Route("/metrics", metrics_page, methods=["GET"]),
]
