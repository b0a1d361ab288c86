"""The service's page: how it is known and trusted, and what it was answered last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from api.auth import Caller
from api.problems import status_of
from api.web import office_labels
from api.web.desk_entry import id_of, office
from api.web.forms import EMPTY, Form
from api.web.languages import N_
from api.web.visits import Visit
from registry import client_secrets, decisions, filings, receipts, services
from registry.client_secrets import ClientSecret
from registry.database import ReadSession
from registry.decisions import Answer
from registry.errors import ForbiddenError, InvalidError, NotFoundError, RegistryError
from registry.filings import Filing
from registry.keys import Keys
from registry.policy.vocabulary import AiUse, Purpose
from registry.principals import PrincipalKind, Scope

RECENT: Final = 20
NO_SUCH: Final = N_("No such decision, or it was given to another service.")
DONE: Final = {
    "declared": N_("The number is on record. Whether it counts you see below."),
    "revoked": N_("The number is taken back. It does not count any more."),
}


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing, and how it stands."""

    filing: Filing
    standing: filings.Standing


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision and what was asked. None where its token is of a key that is known no more."""

    answer: Answer
    use: AiUse | None
    purpose: Purpose | None
    territories: Sequence[str] = ()


def service_of(visit: Visit) -> Caller | None:
    """The service that is signed in; None for any other account."""
    caller = visit.require_caller()
    return caller if caller.actor.kind == PrincipalKind.SERVICE else None


def require_check(caller: Caller) -> None:
    """ForbiddenError for a token that may not ask, as wherever else one asks."""
    if Scope.CHECK not in caller.scopes:
        raise ForbiddenError(f"This needs a token with the scope {Scope.CHECK}.")


async def show(visit: Visit) -> Response:
    """`GET /service`."""
    caller = service_of(visit)
    return other(visit) if caller is None else await shown(visit, caller)


async def shown(
    visit: Visit, caller: Caller, *, form: Form = EMPTY, error: RegistryError | None = None
) -> Response:
    """The service as it is now. `error`: what kept the last form, `form`, from being done."""
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        service = await services.mine(session, caller.actor.principal_id)
        standing = (await services.standings(session, [service.id]))[service.id]
        filed = await _filed(session, service.id)
        recent = await _recent(session, caller, visit.state.keys)
    title, meaning = office_labels.TIERS[standing.tier]
    return visit.render(
        "service/account.html",
        status=200 if error is None else status_of(error.code),
        form=form,
        error=error,
        done=DONE.get(visit.request.query_params.get("done", "")),
        may_file=Scope.SERVICES_WRITE in caller.scopes,
        service=service,
        standing=standing,
        tier=(title, meaning),
        filed=filed,
        secrets=await _secrets(visit, caller),
        recent=recent,
        may_check=Scope.CHECK in caller.scopes,
    )


def other(visit: Visit, *, status: int = 200) -> Response:
    """What this is, for an account that is no service."""
    return visit.render("service/other.html", status=status)


async def decision(visit: Visit) -> Response:
    """`GET /service/decisions/{id}`: everything that the service was answered."""
    caller = service_of(visit)
    if caller is None:
        return other(visit)
    require_check(caller)
    decision_id = id_of(visit, otherwise=NO_SUCH)
    async with visit.state.db.acting_for(caller.actor).reading() as session:
        row = await decisions.get(session, decision_id)
    if row is None:
        raise NotFoundError(NO_SUCH)
    keys = visit.state.keys
    [found] = _decided([decisions.opened(row, keys=keys)], keys)
    return visit.render("service/decision.html", decided=found, answer=found.answer)


async def _filed(session: ReadSession, service_id: UUID) -> list[Filed]:
    """Its filings by territory."""
    found = (await filings.by_service(session, [service_id]))[service_id]
    standings = await filings.standings(session, [one.id for one in found])
    return [Filed(one, standings[one.id]) for one in sorted(found, key=lambda one: one.territory)]


async def _secrets(visit: Visit, caller: Caller) -> list[tuple[ClientSecret, datetime | None]]:
    """Its own secrets; they are the operator's rows, for whom what is not kept cannot leak."""
    async with office(visit, caller).reading() as session:
        return await client_secrets.of_service(session, caller.actor.principal_id)


async def _recent(session: ReadSession, caller: Caller, keys: Keys) -> list[Decided]:
    """The newest decisions, newest first; none for a token that may not read them."""
    if Scope.CHECK not in caller.scopes:
        return []
    rows = await decisions.recent(session, caller.actor.principal_id, first=RECENT)
    return _decided([decisions.opened(row, keys=keys) for row in rows], keys)


def _decided(answers: Sequence[Answer], keys: Keys) -> list[Decided]:
    jwks = keys.jwks()
    return [_of(answer, _claims(answer, jwks)) for answer in answers]


def _claims(answer: Answer, jwks: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the token says; nothing if its key is known no more."""
    try:
        return receipts.verify_decision(answer.token, jwks).claims
    except InvalidError:
        return {}


def _of(answer: Answer, claims: Mapping[str, Any]) -> Decided:
    use, purpose = claims.get("use"), claims.get("purpose")
    return Decided(
        answer,
        AiUse(use) if use in set(AiUse) else None,
        Purpose(purpose) if purpose in set(Purpose) else None,
        tuple(str(one) for one in claims.get("terr") or ()),
    )
