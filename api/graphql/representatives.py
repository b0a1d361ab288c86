"""Representatives in the schema: named, verified, ended."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from api.graphql.scopes import ScopeInput, scope_of
from registry import appointments, mandates, representatives
from registry.database import ReadSession, ordered
from registry.policy.vocabulary import AiUse, GrantorRole, Kinship, Modality, Purpose
from registry.principals import Scope


@strawberry.type(description="What an agent may sign; a null dimension means all of it.")
class Mandate:
    """What an agent may sign."""

    modalities: list[Modality] | None
    uses: list[AiUse] | None
    purposes: list[Purpose] | None
    territories: list[str] | None


@strawberry.type(description="Somebody named to act for a person, or to hold their rights.")
class Representative:
    """Somebody named to act for a person, or to hold their rights."""

    id: strawberry.ID
    principal_id: strawberry.ID | None
    name: str | None
    role: GrantorRole
    kinship: Kinship | None
    share: float | None
    source: str
    created_at: datetime
    ends_at: datetime | None
    verified: bool
    confirmed: bool = strawberry.field(
        description="Whether the person confirmed this agent. Only agents need it."
    )
    ended: bool

    @strawberry.field(description="What an agent may sign; a null dimension means all of it.")
    @staticmethod
    def mandate(one: strawberry.Parent[representatives.Record]) -> Mandate:
        """What an agent may sign."""
        scope = one.scope
        return Mandate(
            modalities=ordered(scope.modalities),
            uses=ordered(scope.uses),
            purposes=ordered(scope.purposes),
            territories=ordered(scope.territories),
        )


@strawberry.input(description="Who is named, in what right, and which document says so.")
class AppointRepresentativeInput:
    """Who is named, in what right, and which document says so."""

    subject_id: strawberry.ID
    principal_id: strawberry.ID | None = strawberry.field(
        default=None, description="Their account; left out for a holder who has none."
    )
    name: str | None = None
    role: GrantorRole
    kinship: Kinship | None = strawberry.field(
        default=None, description="By what title rights are held; left out, of any rank."
    )
    share: float | None = strawberry.field(
        default=None, description="Of the rights of a dead person, more than 0 and at most 1."
    )
    ends_at: datetime | None = strawberry.field(default=None, description="End of the mandate.")
    scope: ScopeInput = strawberry.field(
        default_factory=ScopeInput, description="The mandate of an agent; left out: everything."
    )
    source: str = strawberry.field(description="The document that says so.")
    idempotency_key: str | None = None


@strawberry.type(description="The representative is on record; they act once verified.")
class RepresentativeAppointed:
    """The representative is on record."""

    representative: representatives.Record = strawberry.field(graphql_type=Representative)


@strawberry.type(description="The representative may act.")
class RepresentativeVerified:
    """The representative may act."""

    representative: representatives.Record = strawberry.field(graphql_type=Representative)


@strawberry.type(description="The agent may sign within the mandate.")
class RepresentativeConfirmed:
    """The agent may sign within the mandate."""

    representative: representatives.Record = strawberry.field(graphql_type=Representative)


@strawberry.type(description="The representation has ended.")
class RepresentativeEnded:
    """The representation has ended."""

    representative: representatives.Record = strawberry.field(graphql_type=Representative)


AppointRepresentativeResult = Annotated[
    RepresentativeAppointed | Problem, strawberry.union("AppointRepresentativeResult")
]
VerifyRepresentativeResult = Annotated[
    RepresentativeVerified | Problem, strawberry.union("VerifyRepresentativeResult")
]
ConfirmRepresentativeResult = Annotated[
    RepresentativeConfirmed | Problem, strawberry.union("ConfirmRepresentativeResult")
]
EndRepresentativeResult = Annotated[
    RepresentativeEnded | Problem, strawberry.union("EndRepresentativeResult")
]


def _appointment(given: AppointRepresentativeInput) -> appointments.Appointment:
    return appointments.Appointment(
        role=given.role,
        source=given.source,
        principal_id=None
        if given.principal_id is None
        else identifier(given.principal_id, "account", "principalId"),
        name=given.name,
        kinship=given.kinship,
        share=given.share,
        ends_at=given.ends_at,
        scope=scope_of(given.scope),
    )


async def _record(
    info: Info, session: ReadSession, subject_id: UUID, representative_id: UUID
) -> representatives.Record:
    keys = info.context.state.keys
    known = await representatives.of_subject(session, subject_id, keys=keys)
    return next(one for one in known if one.id == representative_id)


@strawberry.type
class RepresentativeMutation:
    """Mutation fields about representatives."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description=(
            "Name a guardian, a holder of rights or an agent. The owner of the record does, and an"
            " attester, reviewer or operator, by whom they are verified at once."
        ),
    )
    async def appoint_representative(
        self, info: Info, input: AppointRepresentativeInput
    ) -> AppointRepresentativeResult:
        """Name a representative."""
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        appointment, ial = _appointment(input), await info.context.ial()
        async with info.context.db.writing() as session:
            representative_id, new = await once.claim(
                info, session, "appointRepresentative", input, scope=vars(input.scope)
            )
            if new:
                named = await appointments.appoint(
                    session,
                    representative_id=representative_id,
                    subject_id=subject_id,
                    appointment=appointment,
                    actor=info.context.caller.actor,
                    ial=ial,
                    keys=info.context.state.keys,
                )
                await mandates.offer(session, named)
            record = await _record(info, session, subject_id, representative_id)
        return RepresentativeAppointed(representative=record)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Answer for a representation, as an attester, reviewer or operator.",
    )
    async def verify_representative(
        self, info: Info, id: strawberry.ID
    ) -> VerifyRepresentativeResult:
        """Answer for a representation."""
        async with info.context.db.writing() as session:
            row = await representatives.verify(
                session,
                representative_id=identifier(id, "representative"),
                actor=info.context.caller.actor,
            )
            record = await _record(info, session, row.subject_id, row.id)
        return RepresentativeVerified(representative=record)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Say, as the person, that this is your agent within the mandate. Needs IAL2.",
    )
    async def confirm_representative(
        self, info: Info, id: strawberry.ID
    ) -> ConfirmRepresentativeResult:
        """Say that this is your agent."""
        ial = await info.context.ial()
        async with info.context.db.writing() as session:
            row = await mandates.confirm(
                session,
                representative_id=identifier(id, "representative"),
                actor=info.context.caller.actor,
                ial=ial,
            )
            record = await _record(info, session, row.subject_id, row.id)
        return RepresentativeConfirmed(representative=record)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="End a representation: its subject's owner, the representative, or an office.",
    )
    async def end_representative(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> EndRepresentativeResult:
        """End a representation."""
        representative_id = identifier(id, "representative")
        async with info.context.db.writing() as session:
            row = await representatives.mine(session, representative_id)
            # Whoever ends their own representation does not see the person any more.
            record = await _record(info, session, row.subject_id, row.id)
            await representatives.end(
                session,
                representative_id=representative_id,
                actor=info.context.caller.actor,
                reason=reason,
            )
        return RepresentativeEnded(representative=replace(record, ended=True))
