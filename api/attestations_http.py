"""`POST /v1/attestations`: what an identity provider signed, as the body. No token is asked for."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from registry import attestation_intake
from registry.errors import UnsupportedError

_TYPES = frozenset({"application/jwt", "application/jose", "text/plain"})


async def attest(request: Request) -> Response:
    """A compact JWS in, the id of the attestation out."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise UnsupportedError("Send the signed attestation as application/jwt.")
    state = request.state.runtime.state
    token = (await request.body()).decode("ascii", "replace").strip()
    made = await attestation_intake.take_in(
        state.db, token, issuer=state.settings.issuer, keys=state.keys
    )
    body = {"id": str(made.id), "expiresAt": made.expires_at.isoformat()}
    return Response(orjson.dumps(body), 201, media_type="application/json")
