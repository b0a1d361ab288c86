"""Contests in the schema: the proved holder of a face or voice against claims nobody proved."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import contests
from registry.principals import OPERATOR, Scope


@strawberry.input(description="That others claim the face or voice of your subject.")
class ContestObjectionInput:
    """That others claim the face or voice of your subject."""

    subject_id: strawberry.ID = strawberry.field(
        description="Your own: VERIFIED, with a sample that counts. The registry finds the others."
    )
    reason: str | None = None


@strawberry.type(
    description="Received. Whether there were such claims, whose and how many, nobody is told."
)
class ObjectionsContested:
    """Received: whatever nobody proves by then has lapsed."""

    lapse_at: datetime = strawberry.field(
        description="When what was contested and nobody proved has lapsed."
    )


ContestObjectionResult = Annotated[
    ObjectionsContested | Problem, strawberry.union("ContestObjectionResult")
]


@strawberry.type
class ContestMutation:
    """Mutation fields about contests."""

    @strawberry.mutation(
        extensions=[requires(Scope.OBJECTIONS_WRITE)],
        description="Contest every unproved claim to the face or voice of your subject. What was"
        " contested holds for 14 days more; what somebody proved goes before the desk.",
    )
    async def contest_objection(
        self, info: Info, input: ContestObjectionInput
    ) -> ContestObjectionResult:
        """Contest every unproved claim to the face or voice of your subject."""
        context, actor = info.context, info.context.caller.actor
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        async with context.db.reading() as session:
            await contests.require_right(
                session,
                subject_id=subject_id,
                actor_id=actor.principal_id,
                ial=await context.ial(),
            )
        async with context.state.db.acting_for(OPERATOR).writing() as session:
            lapse_at = await contests.contest(
                session,
                subject_id=subject_id,
                actor_id=actor.principal_id,
                reason=input.reason,
                alike=context.state.checker.alike,
                keys=context.state.keys,
            )
        return ObjectionsContested(lapse_at=lapse_at)
