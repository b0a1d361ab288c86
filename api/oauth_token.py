"""`POST /oauth/token` (RFC 6749): access tokens of fifteen minutes for cases and for services.

A case number nobody has, a wrong PIN and one that comes too early are answered alike, after the
same work.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.case_entry import entered
from api.cases_http import arrived
from api.runtime import Runtime
from api.state import State
from registry import cases, client_secrets, principals, throttles
from registry.access_tokens import mint_access
from registry.case_numbers import checked_number
from registry.database import WriteSession
from registry.errors import InvalidError
from registry.principals import OPERATOR, Scope
from registry.throttles import ArrivalKind

CASE_GRANT: Final = "urn:likeness:params:oauth:grant-type:case"
LIFETIME: Final = timedelta(minutes=15)
FORM: Final = "application/x-www-form-urlencoded"
WRONG: Final = (
    "The case number and the PIN do not belong together, or it was tried too often: after"
    f" {throttles.FREE_ATTEMPTS} wrong attempts each further one must wait, from 15 seconds up to"
    " a day."
)
_MOST_FIELDS: Final = 20


class _Refused(Exception):  # noqa: N818  # a refusal in RFC 6749's words, not a defect
    """An error answer of RFC 6749, 5.2."""

    def __init__(
        self, error: str, description: str, status: int = 400, *, basic: bool = False
    ) -> None:
        super().__init__(error)
        self.error, self.description = error, description
        self.status, self.basic = status, basic


@dataclass(frozen=True, slots=True)
class _Asked:
    """A token request: its fields, and the client as the header names it."""

    fields: Mapping[str, str]
    header: tuple[str, str] | None

    def field(self, name: str) -> str:
        value = self.fields.get(name)
        if not value:
            raise _Refused("invalid_request", f"Send {name}.")
        return value


async def token(request: Request) -> Response:
    """`POST /oauth/token`: a form in, an access token or an error as JSON out."""
    try:
        answer = await _answered(request)
    except _Refused as refused:
        return _refusal(refused)
    return _json(answer)


async def _answered(request: Request) -> dict[str, object]:
    runtime: Runtime = request.state.runtime
    state = runtime.state
    asked = await _read(request)
    granted = asked.field("grant_type")
    if granted == CASE_GRANT:
        await arrived(request, state, ArrivalKind.TRIED)
        return await _of_case(state, asked)
    if granted == "client_credentials":
        return await _of_service(state, asked)
    raise _Refused("unsupported_grant_type", f"There are client_credentials and {CASE_GRANT}.")


async def _read(request: Request) -> _Asked:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise _Refused("invalid_request", f"Send the request as {FORM}.")
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # UnicodeDecodeError is one
        raise _Refused("invalid_request", "The form cannot be read.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _Refused("invalid_request", "Send each field once.")
    return _Asked(fields, _basic(request.headers.get("authorization")))


def _basic(header: str | None) -> tuple[str, str] | None:
    """The client's id and secret in HTTP Basic, each form-encoded (RFC 6749, 2.3.1)."""
    if header is None:
        return None
    scheme, _, rest = header.partition(" ")
    try:
        name, found, secret = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        _no_client(basic=True)
    if scheme.lower() != "basic" or not found:
        _no_client(basic=True)
    return unquote_plus(name), unquote_plus(secret)


def _no_client(*, basic: bool) -> NoReturn:
    raise _Refused("invalid_client", "There is no such client with this secret.", 401, basic=basic)


async def _of_case(state: State, asked: _Asked) -> dict[str, object]:
    try:
        number = checked_number(asked.field("case_number"))
    except InvalidError as error:
        raise _Refused("invalid_request", str(error)) from None
    pin = asked.field("pin").strip()
    scopes = _wanted(asked, cases.SCOPES)
    shown = await entered(state, number=number, pin=pin)
    if shown is None:
        raise _Refused("invalid_grant", WRONG)
    async with state.db.acting_for(OPERATOR).writing() as session:
        throttles.succeeded(session, number=shown.digest)
        return await _issued(
            state, session, shown.principal_id, client_id=number, scopes=scopes, ial=cases.IAL
        )


async def _of_service(state: State, asked: _Asked) -> dict[str, object]:
    in_body = "client_secret" in asked.fields
    if asked.header is not None and in_body:
        raise _Refused("invalid_request", "Send the secret once: in the header or in the form.")
    basic = asked.header is not None
    client_id, secret = asked.header or (asked.field("client_id"), asked.field("client_secret"))
    try:
        principal_id = UUID(client_id)
    except ValueError:
        _no_client(basic=basic)
    async with state.db.acting_for(OPERATOR).writing() as session:
        allowed = await client_secrets.scopes_of(session, principal_id=principal_id, secret=secret)
        if allowed is None:
            _no_client(basic=basic)
        scopes = _wanted(asked, allowed)
        return await _issued(
            state, session, principal_id, client_id=str(principal_id), scopes=scopes, ial=0
        )


def _wanted(asked: _Asked, allowed: frozenset[Scope]) -> frozenset[Scope]:
    """All that is allowed, or the part of it that is asked for."""
    words = asked.fields.get("scope", "").split()
    if not set(words) <= set(allowed):
        raise _Refused("invalid_scope", f"There are: {' '.join(sorted(allowed))}.")
    return frozenset(map(Scope, words)) or allowed


async def _issued(
    state: State,
    session: WriteSession,
    principal_id: UUID,
    *,
    client_id: str,
    scopes: frozenset[Scope],
    ial: int,
) -> dict[str, object]:
    at = datetime.now(UTC)
    credential = await principals.issue(
        session, principal_id=principal_id, scopes=scopes, ial=ial, expires_at=at + LIFETIME
    )
    minted = mint_access(
        state.keys,
        issuer=state.settings.issuer,
        principal_id=principal_id,
        credential_id=credential.id,
        client_id=client_id,
        scopes=scopes,
        ial=ial,
        lifetime=LIFETIME,
        now=at,
    )
    return {
        "access_token": minted,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": " ".join(sorted(scopes)),
    }


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    response = Response(orjson.dumps(body), status, media_type="application/json")
    response.headers["pragma"] = "no-cache"  # RFC 6749, 5.1; Cache-Control is on every answer
    return response


def _refusal(refused: _Refused) -> Response:
    body = {"error": refused.error, "error_description": refused.description}
    response = _json(body, refused.status)
    if refused.basic:
        response.headers["www-authenticate"] = 'Basic realm="token", charset="UTF-8"'
    return response


routes = [Route("/oauth/token", token, methods=["POST"])]
