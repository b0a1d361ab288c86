"""A service's filing numbers: declared and taken back by itself, as it may over GraphQL."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response

from api.auth import Caller
from api.web import forms
from api.web.desk_entry import id_of
from api.web.forms import Form
from api.web.languages import N_
from api.web.service import other, service_of, shown
from api.web.visits import Visit
from registry import filings
from registry.database import WriteSession, new_id
from registry.errors import ConflictError, ForbiddenError, InvalidError
from registry.principals import Scope

NO_SUCH: Final = N_("No such filing.")
_SCOPE: Final = Scope.SERVICES_WRITE
Act = Callable[[WriteSession, Caller, Form], Awaitable[None]]


async def declare(visit: Visit) -> Response:
    """`POST /service/filings`: a number that an authority gave, as the service says."""

    async def act(session: WriteSession, caller: Caller, form: Form) -> None:
        await filings.set_filing(
            session,
            filing_id=new_id(),
            service_id=caller.actor.principal_id,
            territory=form.text("territory").upper(),
            number=form.text("number"),
            actor=caller.actor,
            packs=visit.state.checker.packs,
        )

    return await _acted(visit, act, "declared")


async def revoke(visit: Visit) -> Response:
    """`POST /service/filings/{id}/revoke`: it does not count any more."""
    filing_id = id_of(visit, otherwise=NO_SUCH)

    async def act(session: WriteSession, caller: Caller, _: Form) -> None:
        await filings.revoke(session, filing_id=filing_id, actor=caller.actor)

    return await _acted(visit, act, "revoked")


async def _acted(visit: Visit, act: Act, done: str) -> Response:
    """One act in one transaction, as the service itself; a refusal is shown on its page."""
    caller = service_of(visit)
    if caller is None:
        return other(visit, status=403)
    if _SCOPE not in caller.scopes:
        raise ForbiddenError(f"This needs a token with the scope {_SCOPE}.")
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        try:
            async with visit.state.db.acting_for(caller.actor).writing() as session:
                await act(session, caller, form)
        except (ConflictError, InvalidError) as error:
            return await shown(visit, caller, form=form, error=error)
    return visit.go(f"/service?done={done}")
