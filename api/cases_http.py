"""`POST /v1/cases`: a case for whoever has no account, so that everybody may forbid."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.runtime import Runtime
from api.state import State
from registry import cases, pins
from registry.principals import OPERATOR
from registry.throttles import ArrivalKind, arrive, source_of


async def arrived(request: Request, state: State, kind: ArrivalKind) -> None:
    """Count this caller's address, in a transaction of its own: it counts if the rest fails too."""
    settings = state.settings
    daily = {
        ArrivalKind.OPENED: settings.cases_per_source,
        ArrivalKind.TRIED: settings.pin_tries_per_source,
        ArrivalKind.LOST_PIN: settings.recoveries_per_source,
    }
    source = source_of(request.client.host if request.client else None, state.keys)
    async with state.db.acting_for(OPERATOR).writing() as session:
        await arrive(
            session,
            kind,
            source=source,
            daily=daily[kind],
            overall=settings.cases_per_day if kind is ArrivalKind.OPENED else None,
        )


async def open_case(request: Request) -> Response:
    """`POST /v1/cases`: a case number and its PIN, which is shown this once."""
    runtime: Runtime = request.state.runtime
    state = runtime.state
    await arrived(request, state, ArrivalKind.OPENED)
    pin = pins.new_pin()
    kept = await pins.hashed(pin)
    async with state.db.acting_for(OPERATOR).writing() as session:
        number = await cases.open_case(session, pin_hash=kept)
    body = orjson.dumps({"caseNumber": number, "pin": pin})
    return Response(body, 201, media_type="application/json")


routes = [Route("/v1/cases", open_case, methods=["POST"])]
