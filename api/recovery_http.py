"""`POST /v1/cases/recovery` and `.../redeem`: the way back for who lost the PIN of a case."""

from typing import TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import case_recovery
from api.cases_http import arrived
from api.runtime import Runtime
from registry.errors import InvalidError, UnsupportedError
from registry.throttles import ArrivalKind

RECEIVED = "If there is such a case, the desk looks into it."


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    number: str = Field(alias="caseNumber")


class _Asked(_Given):
    statement: str


class _Redeemed(_Given):
    code: str
    new_pin: str = Field(alias="newPin")


F = TypeVar("F", bound=_Given)


async def ask(request: Request) -> Response:
    """`POST /v1/cases/recovery`: that a PIN was lost; one answer, whatever there is."""
    runtime: Runtime = request.state.runtime
    given = await _given(request, _Asked)
    await arrived(request, runtime.state, ArrivalKind.LOST_PIN)
    await case_recovery.ask(runtime.state, number=given.number, statement=given.statement)
    return _json({"message": RECEIVED}, 202)


async def redeem(request: Request) -> Response:
    """`POST /v1/cases/recovery/redeem`: a new PIN for whoever has the code."""
    runtime: Runtime = request.state.runtime
    given = await _given(request, _Redeemed)
    await arrived(request, runtime.state, ArrivalKind.TRIED)
    await case_recovery.redeem(
        runtime.state, number=given.number, code=given.code, new_pin=given.new_pin
    )
    return _json({"message": "The new PIN counts from now on."}, 200)


async def _given(request: Request, form: type[F]) -> F:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedError("Send it as application/json.")
    try:
        return form.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        # Without the cause: it would carry what was sent into a log.
        raise InvalidError(f"{place or 'The body'}: {first['msg']}.", field=place or None) from None


def _json(body: dict[str, str], status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


routes = [
    Route("/v1/cases/recovery", ask, methods=["POST"]),
    Route("/v1/cases/recovery/redeem", redeem, methods=["POST"]),
]
