"""`POST /v1/media`: raw bytes in, a handle out. Streamed against a cap; the media is not kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from registry import probes
from registry.encoders.media import HELD_BYTES, MediaEncoding
from registry.errors import BusyError, ForbiddenError, InvalidError, TooLargeError, UnsupportedError
from registry.principals import PrincipalKind, Scope

# A probe is part of a check; an asset is registered from one.
_SCOPES = frozenset({Scope.CHECK, Scope.SUBJECTS_WRITE})


async def upload(request: Request) -> Response:
    """Encode one file and remember what the encoders made of it, for its sender."""
    state = request.state.runtime.state
    caller = await request.state.runtime.authenticator.caller(request)
    if not caller.scopes & _SCOPES:
        raise ForbiddenError(f"This needs a token with the scope {Scope.CHECK}.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise UnsupportedError("Send the file's bytes as the body, not a form.")
    async with body_of(request, state.settings.media_max_bytes, state.uploads) as data:
        # A service asks and enrols nobody; it need not wait for what only a sample is kept under.
        enrolling = caller.actor.kind != PrincipalKind.SERVICE
        encoding = await state.media.encode(data, enrolling=enrolling)
    async with state.db.acting_for(caller.actor).writing() as session:
        probe = await probes.keep(
            session,
            principal_id=caller.actor.principal_id,
            encoding=encoding,
            ttl_seconds=state.settings.media_ttl_seconds,
            keys=state.keys,
        )
    document = {**_document(encoding), "handle": str(probe.id)}
    return JSONResponse({**document, "expiresAt": probe.expires_at.isoformat()}, status_code=201)


def _document(encoding: MediaEncoding) -> dict[str, object]:
    """What was found, as far as the sender may know: where, and whether it can be compared."""
    return {
        "kind": encoding.kind,
        "mediaType": encoding.media_type,
        "width": encoding.width,
        "height": encoding.height,
        "seconds": encoding.seconds,
        # Of a picture whether it will be known again; of others whether anybody is in them.
        "usable": encoding.picture.usable
        if encoding.picture is not None
        else any(one.trouble is None for one in encoding.faces)
        or any(one.trouble is None for one in encoding.voices),
        "facesSearched": encoding.faces_searched,
        "voicesSearched": encoding.voices_searched,
        "faces": [
            {
                "box": asdict(one.box),
                "seconds": one.seconds,
                "usable": one.trouble is None,
                "trouble": one.trouble,
            }
            for one in encoding.faces
        ],
        "voices": [
            {
                "start": one.start,
                "end": one.end,
                "usable": one.trouble is None,
                "trouble": one.trouble,
            }
            for one in encoding.voices
        ],
    }


class UploadBudget:
    """How many bytes of uploads this process holds at the same time."""

    def __init__(self, max_bytes: int = HELD_BYTES) -> None:
        self._max_bytes = max_bytes
        self._held = 0

    def hold(self, size: int) -> None:
        """Make room for so many more bytes, or BusyError."""
        if self._held + size > self._max_bytes:
            raise BusyError("Too many uploads at once.", retry_after=1)
        self._held += size

    def release(self, size: int) -> None:
        """Give the room back."""
        self._held -= size


@asynccontextmanager
async def body_of(request: Request, limit: int, budget: UploadBudget) -> AsyncIterator[bytes]:
    """The request's body, of at most so many bytes, held for as long as the block lasts."""
    data, held = bytearray(), 0
    try:
        async for chunk in request.stream():
            budget.hold(len(chunk))
            held += len(chunk)
            data += chunk
            if len(data) > limit:
                raise TooLargeError(f"A file has at most {limit} bytes.")
        yield bytes(data)
    except ClientDisconnect as error:
        raise InvalidError("The upload was cut short.") from error
    finally:
        budget.release(held)
