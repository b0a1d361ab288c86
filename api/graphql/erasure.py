"""Erasure in the schema: a person's record ends, and what was sealed under their key with it."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import erasure
from registry.principals import Scope


@strawberry.input(description="Whose record is erased, and whether what blocks is kept.")
class EraseSubjectInput:
    """Whose record is erased, and whether what blocks is kept."""

    subject_id: strawberry.ID
    keep_blocking: bool = strawberry.field(
        description="True: a nameless record under a new key keeps faces, voices, pictures and"
        " objections, so that what is forbidden stays so. False: nothing is known any more."
    )
    idempotency_key: str | None = None


@strawberry.type(description="The key is destroyed. What was logged can still be verified.")
class SubjectErased:
    """The key is destroyed."""

    subject_id: strawberry.ID
    erased_at: datetime
    kept_as: strawberry.ID | None = strawberry.field(
        description="The nameless record that blocks in its place."
    )


EraseSubjectResult = Annotated[SubjectErased | Problem, strawberry.union("EraseSubjectResult")]


@strawberry.type
class ErasureMutation:
    """Mutation fields about erasure."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Destroy what is known of your subject. It cannot be undone. Grants end.",
    )
    async def erase_subject(self, info: Info, input: EraseSubjectInput) -> EraseSubjectResult:
        """Destroy what is known of your subject."""
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        async with info.context.db.writing() as session:
            erasure_id, new = await once.claim(info, session, "eraseSubject", input)
            if new:
                await erasure.erase(
                    session,
                    erasure_id=erasure_id,
                    subject_id=subject_id,
                    actor_id=info.context.caller.actor.principal_id,
                    keep_blocking=input.keep_blocking,
                    keys=info.context.state.keys,
                )
            done = await erasure.mine(session, erasure_id)
        return SubjectErased(
            subject_id=strawberry.ID(str(done.subject_id)),
            erased_at=done.created_at,
            kept_as=None if done.kept_as is None else strawberry.ID(str(done.kept_as)),
        )
