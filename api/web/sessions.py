"""Signing in and out: a case by its number and PIN, a service by its secret, an office by a token.

A session is an access token in a cookie that scripts cannot read. Signing out revokes it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from starlette.responses import Response

from api.case_entry import entered
from api.cases_http import arrived
from api.state import State
from api.web import forms, handed_over
from api.web.languages import N_
from api.web.visits import SESSION, SIGNED_OUT, Visit
from registry import cases, client_secrets, principals, throttles
from registry.access_tokens import mint_access
from registry.case_numbers import checked_number
from registry.database import WriteSession
from registry.errors import InvalidError, UnauthenticatedError
from registry.principals import OPERATOR, PrincipalKind, Scope
from registry.throttles import ArrivalKind

LIFETIME: Final = timedelta(hours=1)
WRONG: Final = N_(
    "The number and the PIN do not belong together, or it was tried too often. After five wrong"
    " attempts each further one must wait, from 15 seconds up to a day."
)
NO_CLIENT: Final = N_("There is no such client with this secret.")
NO_TOKEN: Final = N_("This access token does not hold. Ask the operator for another one.")
_HOME: Final = {
    PrincipalKind.SERVICE: "/service",
    PrincipalKind.REVIEWER: "/desk",
    PrincipalKind.OPERATOR: "/desk",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Whose session begins, and what it allows."""

    principal_id: UUID
    client_id: str
    scopes: frozenset[Scope]
    ial: int


async def begin(visit: Visit, session: WriteSession, account: Account) -> None:
    """Sign an account in with this answer. Needs the operator's session."""
    at = datetime.now(UTC)
    credential = await principals.issue(
        session,
        principal_id=account.principal_id,
        scopes=account.scopes,
        ial=account.ial,
        expires_at=at + LIFETIME,
    )
    token = mint_access(
        visit.state.keys,
        issuer=visit.state.settings.issuer,
        principal_id=account.principal_id,
        credential_id=credential.id,
        client_id=account.client_id,
        scopes=account.scopes,
        ial=account.ial,
        lifetime=LIFETIME,
        now=at,
    )
    visit.remember(SESSION, token, int(LIFETIME.total_seconds()))


def of_case(principal_id: UUID, number: str) -> Account:
    """The account that a case is."""
    return Account(principal_id, number, cases.SCOPES, cases.IAL)


async def case_sign_in(visit: Visit) -> Response:
    """`POST /case/sign-in`: number and PIN."""
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        await arrived(visit.request, visit.state, ArrivalKind.TRIED)
        typed, pin = form.text("number"), form.text("pin")
    try:
        number = checked_number(typed)
        account = await _case(visit.state, number, pin)
    except InvalidError as error:
        return visit.render("case/sign_in.html", status=422, number=typed, wrong=str(error))
    async with visit.state.db.acting_for(OPERATOR).writing() as session:
        throttles.succeeded(session, number=cases.digest_of(number, visit.state.keys))
        await begin(visit, session, account)
    return visit.go("/case")


async def _case(state: State, number: str, pin: str) -> Account:
    shown = await entered(state, number=number, pin=pin)
    if shown is None:
        raise InvalidError(WRONG)
    return of_case(shown.principal_id, number)


async def sign_in(visit: Visit) -> Response:
    """`GET /sign-in`: which way fits the page that was asked for."""
    wanted = visit.request.query_params.get("next", "")
    if wanted.startswith(("/case", "/report")):
        return visit.render("case/sign_in.html", number="", wrong=SIGNED_OUT)
    return visit.render("sign_in.html", wanted=_onward(wanted), wrong=None)


async def sign_in_with(visit: Visit) -> Response:
    """`POST /sign-in`: a service's id and secret, or an access token."""
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        await arrived(visit.request, visit.state, ArrivalKind.TRIED)
        token, client, secret = (form.text(one) for one in ("access_token", "client", "secret"))
        wanted = _onward(form.text("next"))
    try:
        if token:
            kind = await _by_token(visit, token)
        else:
            kind = await _by_secret(visit, client, secret)
    except (InvalidError, UnauthenticatedError) as error:
        return visit.render("sign_in.html", status=422, wanted=wanted, wrong=str(error))
    return visit.go(wanted or _HOME.get(kind, "/"))


async def _by_token(visit: Visit, token: str) -> PrincipalKind:
    """Take over a token that the operator minted; it ends when it would have ended."""
    try:
        caller = await visit.runtime.authenticator.of_token(token)
    except UnauthenticatedError as error:
        raise UnauthenticatedError(NO_TOKEN) from error
    visit.remember(SESSION, token)
    return PrincipalKind(caller.actor.kind)


async def _by_secret(visit: Visit, client: str, secret: str) -> PrincipalKind:
    try:
        principal_id = UUID(client)
    except ValueError as error:
        raise InvalidError(NO_CLIENT) from error
    async with visit.state.db.acting_for(OPERATOR).writing() as session:
        allowed = await client_secrets.scopes_of(session, principal_id=principal_id, secret=secret)
        if allowed is None:
            raise InvalidError(NO_CLIENT)
        await begin(visit, session, Account(principal_id, str(principal_id), allowed, 0))
    return PrincipalKind.SERVICE


def _onward(path: str) -> str:
    """A page of ours to go on to; nothing else, however it is written."""
    known = ("/desk", "/service", "/case")
    ours = path.startswith(known) and not set(path) - _IN_PATHS and "//" not in path
    return path if ours else ""


_IN_PATHS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-/")


async def sign_out(visit: Visit) -> Response:
    """`POST /sign-out`: the session's token counts no more, anywhere."""
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES):
        pass
    caller = visit.caller
    visit.remember(SESSION, "", 0)
    handed_over.forget(visit)
    if caller is not None and caller.actor.credential_id is not None:
        async with visit.state.db.acting_for(OPERATOR).writing() as session:
            await principals.revoke_credential(
                session,
                credential_id=caller.actor.credential_id,
                actor_id=caller.actor.principal_id,
                reason="signed out",
            )
        visit.runtime.authenticator.forget(caller.actor.principal_id)
    return visit.go("/")
