"""Objections in the schema: filed, withdrawn; never edited."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.consent_receipts import ConsentReceipt, of_objection
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.grant_terms import NoticeInput, notice_of
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from api.graphql.scopes import ScopeInput, scope_of
from api.graphql.subjects import Subject, behind
from registry import consent_receipts, objections, subjects
from registry.policy.vocabulary import AiUse, GrantorRole, Modality, ObjectionState, Purpose
from registry.principals import Scope


@strawberry.type(description="One refusal, as it was filed. A null dimension means all of it.")
class Objection:
    """One refusal, as it was filed."""

    id: strawberry.ID
    modalities: list[Modality] | None
    uses: list[AiUse] | None
    purposes: list[Purpose] | None
    territories: list[str] | None
    role: GrantorRole
    since: datetime
    carve_out_grants: list[strawberry.ID]
    notice_version: str | None
    notice_language: str | None

    @strawberry.field(
        graphql_type=Subject | None, description="Who objects, if yours; with `subjects:read`."
    )
    @staticmethod
    async def subject(
        objection: strawberry.Parent[objections.Objection], info: Info
    ) -> subjects.Record | None:
        """Who objects, if yours."""
        return await behind(info, objection.subject_id)

    @strawberry.field(description="Where it stands now. PROVISIONAL and VERIFIED both bite.")
    @staticmethod
    async def state(
        objection: strawberry.Parent[objections.Objection], info: Info
    ) -> ObjectionState:
        """Where it stands now."""
        state = await info.context.objection_states.load(objection.id)
        return state or ObjectionState.PROVISIONAL

    @strawberry.field(
        graphql_type=list[ConsentReceipt],
        extensions=[requires(Scope.OBJECTIONS_READ)],
        description="A signed receipt of each event, oldest first: for the person and who acts for"
        " them.",
    )
    @staticmethod
    async def receipts(
        objection: strawberry.Parent[objections.Objection], info: Info
    ) -> list[consent_receipts.ConsentReceipt]:
        """A signed receipt of each event, oldest first."""
        return await of_objection(objection, info)


@strawberry.input(description="A refusal to put on record.")
class FileObjectionInput:
    """A refusal to put on record."""

    subject_id: strawberry.ID
    scope: ScopeInput = strawberry.field(
        default_factory=ScopeInput, description="Left out: everything is forbidden."
    )
    carve_out_grants: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Grants that stay good in spite of it."
    )
    notice: NoticeInput | None = strawberry.field(
        default=None, description="The text that the person was shown, and in which language."
    )
    idempotency_key: str | None = None


@strawberry.type(description="The refusal holds from now on.")
class ObjectionFiled:
    """The refusal holds from now on."""

    objection: objections.Objection = strawberry.field(graphql_type=Objection)


@strawberry.type(description="The refusal has ended.")
class ObjectionWithdrawn:
    """The refusal has ended."""

    objection: objections.Objection = strawberry.field(graphql_type=Objection)


FileObjectionResult = Annotated[ObjectionFiled | Problem, strawberry.union("FileObjectionResult")]
WithdrawObjectionResult = Annotated[
    ObjectionWithdrawn | Problem, strawberry.union("WithdrawObjectionResult")
]


@strawberry.type
class ObjectionQuery:
    """Query fields about objections."""

    @strawberry.field(
        graphql_type=Connection[Objection],
        extensions=[requires(Scope.OBJECTIONS_READ)],
        description="Objections of your subjects, oldest first.",
    )
    async def objections(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Objection]:
        """Objections of your subjects, oldest first."""
        async with info.context.db.reading() as session:
            page = await objections.page(
                session,
                subject_id=None if subject_id is None else identifier(subject_id, "subject"),
                first=first,
                after=after(after_),
            )
        return connection(page, lambda objection: objection.id)


@strawberry.type
class ObjectionMutation:
    """Mutation fields about objections. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.OBJECTIONS_WRITE)],
        description="Forbid uses of your subject. Holds for every check that starts after it.",
    )
    async def file_objection(self, info: Info, input: FileObjectionInput) -> FileObjectionResult:
        """Forbid uses of your subject."""
        caller, scope = info.context.caller, scope_of(input.scope)
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        carve_outs = frozenset(
            identifier(one, "grant", "carveOutGrants") for one in input.carve_out_grants
        )
        ial = await info.context.ial()
        async with info.context.db.writing() as session:
            objection_id, new = await once.claim(
                info,
                session,
                "fileObjection",
                input,
                scope=vars(input.scope),
                notice=None if input.notice is None else vars(input.notice),
            )
            if new:
                await objections.file(
                    session,
                    objection_id=objection_id,
                    subject_id=subject_id,
                    filed_by=caller.actor.principal_id,
                    ial=ial,
                    scope=scope,
                    carve_out_grants=carve_outs,
                    notice=notice_of(input.notice),
                )
            objection = await objections.mine(session, objection_id)
        return ObjectionFiled(objection=objection)

    @strawberry.mutation(
        extensions=[requires(Scope.OBJECTIONS_WRITE)],
        description="End an objection now; one that was proved needs identity assurance IAL2.",
    )
    async def withdraw_objection(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> WithdrawObjectionResult:
        """End an objection now."""
        objection_id = identifier(id, "objection")
        async with info.context.db.writing() as session:
            objection = await objections.withdraw(
                session,
                objection_id=objection_id,
                actor_id=info.context.caller.actor.principal_id,
                ial=info.context.caller.ial,
                reason=reason,
            )
        return ObjectionWithdrawn(objection=objection)
