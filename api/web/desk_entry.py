"""Who may come to the desk, and the registry as it acts for them once that was checked."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from api.auth import Caller
from api.web.languages import N_
from api.web.visits import Visit
from registry import desk
from registry.database import Database
from registry.errors import ForbiddenError, NotFoundError
from registry.principals import OPERATOR, Scope

NO_SUCH: Final = N_("No such review.")


def require(visit: Visit, scope: Scope) -> Caller:
    """Who works at the desk, with a token that allows this."""
    caller = visit.require_caller()
    desk.require_desk(caller.actor)
    if scope not in caller.scopes:
        raise ForbiddenError(f"This needs a token with the scope {scope}.")
    return caller


def office(visit: Visit, caller: Caller) -> Database:
    """The registry itself, once the caller's right was checked."""
    return visit.state.db.acting_for(replace(OPERATOR, credential_id=caller.actor.credential_id))


def id_of(visit: Visit, name: str = "id", *, otherwise: str = NO_SUCH) -> UUID:
    """The id in the address."""
    try:
        return UUID(visit.request.path_params[name])
    except ValueError as error:
        raise NotFoundError(otherwise) from error
