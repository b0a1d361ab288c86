"""`POST /v1/evidence`: a document about somebody, sealed; `GET /v1/evidence/ID`: for offices."""

from datetime import datetime
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.runtime import Runtime
from api.uploads import body_of
from registry import accesses, evidence
from registry.accesses import AccessKind
from registry.database import new_id
from registry.errors import ForbiddenError, InvalidError, NotFoundError
from registry.evidence import Evidence, EvidenceKind
from registry.principals import Scope

_READ = frozenset({Scope.SUBJECTS_READ, Scope.REVIEWS_READ})


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.state.runtime
    return runtime


async def keep(request: Request) -> Response:
    """`?subject=ID&kind=KIND`, the file's bytes as the body; its id and its last day out."""
    state = _runtime(request).state
    caller = await _runtime(request).authenticator.caller(request)
    if Scope.SUBJECTS_WRITE not in caller.scopes:
        raise ForbiddenError(f"This needs a token with the scope {Scope.SUBJECTS_WRITE}.")
    subject_id = _id(request.query_params.get("subject", ""), "subject")
    kind, expires_at = _kind(request), _expires(request)
    async with (
        body_of(request, evidence.MAX_BYTES, state.uploads) as content,
        state.db.acting_for(caller.actor).writing() as session,
    ):
        made = await evidence.keep(
            session,
            content,
            evidence_id=new_id(),
            subject_id=subject_id,
            kind=kind,
            actor=caller.actor,
            keys=state.keys,
            expires_at=expires_at,
        )
    return Response(orjson.dumps(_document(made)), 201, media_type="application/json")


async def read(request: Request) -> Response:
    """The document as it was uploaded, for the registry's offices."""
    state = _runtime(request).state
    caller = await _runtime(request).authenticator.caller(request)
    if caller.scopes.isdisjoint(_READ):
        raise ForbiddenError(f"This needs a token with the scope {' or '.join(sorted(_READ))}.")
    evidence_id = _id(request.path_params["id"], "evidence")
    async with state.db.acting_for(caller.actor).writing() as session:
        found = await evidence.read(session, evidence_id, actor=caller.actor, keys=state.keys)
        await accesses.note(
            session,
            [found.evidence.subject_id],
            caller.actor.principal_id,
            AccessKind.EVIDENCE,
        )
    name = f"{found.evidence.kind.lower()}-{found.evidence.id}"
    return Response(
        found.content,
        media_type=found.evidence.media_type,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _document(made: Evidence) -> dict[str, object]:
    return {
        "id": str(made.id),
        "kind": made.kind,
        "mediaType": made.media_type,
        "sha256": made.sha256.hex(),
        "expiresAt": made.expires_at.isoformat(),
    }


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(f"No such {what}.") from None


def _kind(request: Request) -> EvidenceKind:
    try:
        return EvidenceKind(request.query_params.get("kind", ""))
    except ValueError:
        raise InvalidError(f"A kind is one of {', '.join(EvidenceKind)}.", field="kind") from None


def _expires(request: Request) -> datetime | None:
    text = request.query_params.get("expires")
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidError("A time is written as 2027-01-01T00:00:00Z.", field="expires") from None
