"""Receipts of an objection: a page to print, and the signed JSON to keep."""

from uuid import UUID

import orjson
from starlette.responses import Response

from api.web.visits import Visit
from registry import consent_events, objections, subjects
from registry.consent_receipts import ConsentReceipt, Issuer
from registry.errors import NotFoundError
from registry.objections import Objection
from registry.principals import OPERATOR
from registry.scopes import scope_in


async def show(visit: Visit) -> Response:
    """`GET /case/objections/{id}`: what was said and what became of it."""
    objection, found = await _receipts(visit)
    return visit.render(
        "case/receipt.html",
        objection=objection,
        scope=scope_in(objection),
        receipts=found,
        number=visit.require_caller().handle,
        issuer=visit.state.settings.issuer,
    )


async def as_json(visit: Visit) -> Response:
    """`GET /case/objections/{id}/receipts.json`: every receipt, with its signature."""
    _, found = await _receipts(visit)
    body = [{"document": orjson.loads(one.document), "token": one.token} for one in found]
    return Response(
        orjson.dumps(body, option=orjson.OPT_INDENT_2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="receipts.json"'},
    )


async def _receipts(visit: Visit) -> tuple[Objection, list[ConsentReceipt]]:
    caller, state = visit.require_caller(), visit.state
    try:
        objection_id = UUID(visit.request.path_params["id"])
    except ValueError as error:
        raise NotFoundError("No such objection.") from error
    async with state.db.acting_for(caller.actor).reading() as session:
        objection = await objections.mine(session, objection_id)
        owners = await subjects.owners(session, [objection.subject_id])
    consent_events.require_side(caller.actor, owners.get(objection.subject_id))
    issuer = Issuer(state.settings.issuer, state.settings.storage_location, state.keys)
    async with state.db.acting_for(OPERATOR).reading() as session:
        found = await consent_events.of_objections(session, [objection_id], issuer=issuer)
    return objection, found[objection_id]
