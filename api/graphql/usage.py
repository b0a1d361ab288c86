"""Uses in the schema: a service counts what it generated under a grant."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import idempotency, usage
from registry.principals import Scope


@strawberry.type(description="One counted generation under one grant.")
class Use:
    """One counted generation under one grant."""

    id: strawberry.ID
    grant_id: strawberry.ID
    ordinal: int = strawberry.field(description="1 for the first use of the grant.")
    at: datetime


@strawberry.input(description="A generation under a permission that still holds.")
class TakeUseInput:
    """A generation under a permission that still holds."""

    decision_id: strawberry.ID
    idempotency_key: str | None = None


@strawberry.type(description="The use is counted.")
class UseTaken:
    """The use is counted."""

    uses: list[usage.Use] = strawberry.field(graphql_type=list[Use])


TakeUseResult = Annotated[UseTaken | Problem, strawberry.union("TakeUseResult")]


@strawberry.type
class UsageMutation:
    """Mutation fields about usage."""

    @strawberry.mutation(
        extensions=[requires(Scope.CHECK)],
        description="Count one generation under a permission. A grant of n uses gives exactly n.",
    )
    async def take_use(self, info: Info, input: TakeUseInput) -> TakeUseResult:
        """Count one generation under a permission."""
        context = info.context
        service_id = context.caller.actor.principal_id
        decision_id = identifier(input.decision_id, "decision", "decisionId")
        async with context.db.writing() as session:
            request_id, new = await idempotency.claim(
                session,
                principal_id=service_id,
                operation="takeUse",
                key=input.idempotency_key,
                request={"decision": decision_id},
                keys=info.context.state.keys,
            )
            if new:
                await usage.take(
                    session,
                    request_id=request_id,
                    service_id=service_id,
                    decision_id=decision_id,
                    keys=context.state.keys,
                )
            uses = await usage.taken_by(session, request_id)
        return UseTaken(uses=uses)
