"""Consent receipts in the schema: signed statements of what became of a grant or an objection."""

from datetime import datetime
from uuid import UUID

import strawberry

from api.graphql.context import Info
from registry import consent_events, consent_receipts, grants, objections
from registry.errors import ForbiddenError
from registry.principals import PrincipalKind


@strawberry.type(
    description="A signed statement of one event of a consent or objection, to keep and to show:"
    " ISO/IEC TS 27560:2023 as JSON. It verifies offline with the registry's public keys."
)
class ConsentReceipt:
    """A signed statement of one event of a consent or objection, to keep and to show."""

    event_id: strawberry.ID
    event_state: str = strawberry.field(
        description="What the event made of it: a DPV ConsentStatus, or `likeness:ObjectionFiled`"
        " and its like."
    )
    at: datetime
    document: str = strawberry.field(description="The JSON text that is signed.")
    token: str = strawberry.field(
        description="The document as a compact JWS, `typ` consent-receipt+jwt."
    )


async def of_grant(grant: grants.Grant, info: Info) -> list[consent_receipts.ConsentReceipt]:
    """The receipts of a grant for whoever may have them."""
    actor = info.context.caller.actor
    if actor.kind == PrincipalKind.SERVICE:
        if grant.grantees is not None and actor.principal_id not in grant.grantees:
            raise ForbiddenError("A grant's receipts are for the services it is given to.")
    else:
        await _require_side(grant.subject_id, info)
    return await info.context.receipts_of_grant.load(grant.id) or []


async def of_objection(
    objection: objections.Objection, info: Info
) -> list[consent_receipts.ConsentReceipt]:
    """The receipts of an objection for the person's side."""
    await _require_side(objection.subject_id, info)
    return await info.context.receipts_of_objection.load(objection.id) or []


async def _require_side(subject_id: UUID, info: Info) -> None:
    """ForbiddenError unless the caller keeps the subject's record or acts for them."""
    owner_id = await info.context.owner_of.load(subject_id)
    consent_events.require_side(info.context.caller.actor, owner_id)
