"""`POST /v1/media`: raw bytes in, a handle out. Streamed against a cap; the media is not kept."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from api.state import State
from registry import probes
from registry.errors import ForbiddenError, InvalidError, TooLargeError, UnsupportedError
from registry.principals import Scope

# A probe is part of a check; an asset is registered from one.
_SCOPES = frozenset({Scope.CHECK, Scope.SUBJECTS_WRITE})


async def upload(request: Request) -> Response:
    """Encode one picture and remember what the encoders made of it, for its sender."""
    state: State = request.app.state.runtime.state
    caller = await request.app.state.runtime.authenticator.caller(request)
    if not caller.scopes & _SCOPES:
        raise ForbiddenError(f"This needs a token with the scope {Scope.CHECK}.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise UnsupportedError("Send the file's bytes as the body, not a form.")
    data = await _body(request, state.settings.media_max_bytes)
    encoding = await state.media.encode(data)
    async with state.db.acting_for(caller.actor).writing() as session:
        probe = await probes.keep(
            session,
            principal_id=caller.actor.principal_id,
            encoding=encoding,
            ttl_seconds=state.settings.media_ttl_seconds,
            keys=state.keys,
        )
    return JSONResponse(
        {
            "handle": str(probe.id),
            "kind": encoding.kind,
            "mediaType": encoding.media_type,
            "width": encoding.width,
            "height": encoding.height,
            "usable": encoding.usable,
            "expiresAt": probe.expires_at.isoformat(),
        },
        status_code=201,
    )


async def _body(request: Request, limit: int) -> bytes:
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise TooLargeError(f"A file has at most {limit} bytes.")
    except ClientDisconnect as error:
        raise InvalidError("The upload was cut short.") from error
    return bytes(data)
