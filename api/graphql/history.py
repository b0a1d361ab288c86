"""The past in the schema: how a check would have been answered then. Never a permission."""

from datetime import datetime

import strawberry

from api.graphql.checks import (
    CheckInput,
    Obligation,
    PackVersion,
    PersonDecision,
    Reason,
    asked,
)
from api.graphql.context import Info
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from api.questions import question_of
from registry.checks import history
from registry.policy.vocabulary import Basis, Outcome
from registry.principals import Scope


@strawberry.type(
    description="How a question stood at a moment of the past. No token: it permits nothing."
)
class HistoricalDecision:
    """How a question stood at a moment of the past."""

    at: datetime
    service_id: strawberry.ID
    outcome: Outcome
    basis: Basis | None
    reasons: list[Reason]
    obligations: list[Obligation]
    persons: list[PersonDecision]
    packs: list[PackVersion] = strawberry.field(description="Today's rules, read for that day.")
    engine: str


@strawberry.type
class HistoryQuery:
    """Query fields about the past."""

    @strawberry.field(
        graphql_type=HistoricalDecision,
        extensions=[requires(Scope.AUDIT_READ, Scope.CHECK, Scope.SUBJECTS_READ)],
        description=(
            "How this check stood then, from what was on record then. Auditors ask about anybody,"
            " as any service; others name each person by `claimedSubject`, who is taken for that"
            " person: owners about their subjects, services about people who gave them a grant."
        ),
    )
    async def consent_as_of(
        self,
        info: Info,
        input: CheckInput,
        at: datetime,
        service: strawberry.ID | None = None,
    ) -> history.HistoricalDecision:
        """How this check stood then."""
        context, given = info.context, asked(input)
        context.spend([given])
        actor, question = context.caller.actor, question_of(given)
        async with context.db.reading() as session:
            service_id = await history.authorise(
                session,
                actor,
                question,
                at=at,
                service_id=None if service is None else identifier(service, "service", "service"),
            )
        return await context.state.checker.as_of(actor, question, service_id=service_id, at=at)
