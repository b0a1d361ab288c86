"""`POST /oauth/introspect`: whether a decision or access token counts at this moment (RFC 7662)."""

from dataclasses import replace
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.runtime import Runtime
from registry import introspection
from registry.errors import InvalidError, UnsupportedError
from registry.principals import OPERATOR

FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 10


async def introspect(request: Request) -> Response:
    """A form with `token` in; RFC 7662's JSON out, for whoever may know."""
    runtime: Runtime = request.state.runtime
    caller = await runtime.authenticator.caller(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise UnsupportedError(f"Send the token as {FORM}.")
    state = runtime.state
    token = _token(await request.body())
    # The registry's own view, for as long as the caller's token holds.
    acting = replace(OPERATOR, credential_id=caller.actor.credential_id)
    async with state.db.acting_for(acting).reading() as session:
        found = await introspection.introspect(
            session, token, asker=caller.actor, issuer=state.settings.issuer, keys=state.keys
        )
    return Response(orjson.dumps(found), media_type="application/json")


def _token(body: bytes) -> str:
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise InvalidError("The form cannot be read.", field="token") from error
    given = fields.get("token", [])
    if len(given) != 1:
        raise InvalidError("Send exactly one token.", field="token")
    return given[0]


routes = [Route("/oauth/introspect", introspect, methods=["POST"])]
