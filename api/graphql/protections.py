"""What the law sees in people, in the schema: stated with a source, retracted, never edited."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import protections, succession
from registry.database import WriteSession
from registry.policy.vocabulary import SubjectClass
from registry.principals import Scope
from registry.standing import ProtectionKind


@strawberry.type(description="One statement about a person, and the document it rests on.")
class Protection:
    """One statement about a person."""

    id: strawberry.ID
    kind: ProtectionKind
    assured: bool = strawberry.field(
        description="An office of the registry answers for it. What is not assured opens no use."
    )
    stands: bool = strawberry.field(description="False once it was retracted.")
    created_at: datetime

    @strawberry.field(description="Which document says so.")
    @staticmethod
    def source(protection: strawberry.Parent[protections.Record]) -> str:
        """Which document says so."""
        source: str = protection.body["source"]
        return source

    @strawberry.field(name="class", description="What kind of person, if it says that.")
    @staticmethod
    def subject_class(protection: strawberry.Parent[protections.Record]) -> SubjectClass | None:
        """What kind of person, if it says that."""
        said = protection.body.get("class")
        return None if said is None else SubjectClass(said)

    @strawberry.field(description="When they died, if it says that.")
    @staticmethod
    def died_on(protection: strawberry.Parent[protections.Record]) -> date | None:
        """When they died, if it says that."""
        said = protection.body.get("died_on")
        return None if said is None else date.fromisoformat(said)

    @strawberry.field(description="The domicile at death, or the residence.")
    @staticmethod
    def territory(protection: strawberry.Parent[protections.Record]) -> str | None:
        """The domicile at death, or the residence."""
        return protection.body.get("domicile") or protection.body.get("territory")

    @strawberry.field(description="Whether close relatives live, if it says that.")
    @staticmethod
    def relatives_living(protection: strawberry.Parent[protections.Record]) -> bool | None:
        """Whether close relatives live, if it says that."""
        return protection.body.get("living")


_SOURCE = "The document that says so, in 1 to 500 characters."


@strawberry.input(description="What kind of person the law sees.")
class AssertClassInput:
    """What kind of person the law sees."""

    subject_id: strawberry.ID
    subject_class: SubjectClass = strawberry.field(
        name="class",
        description="HISTORICAL and DECEASED by an attester, reviewer or operator only.",
    )
    source: str = strawberry.field(description=_SOURCE)
    idempotency_key: str | None = None


@strawberry.input(description="A death, as a certificate or a work of reference says.")
class RecordDeathInput:
    """A death."""

    subject_id: strawberry.ID
    died_on: date | None = strawberry.field(
        default=None, description="Left out: dead, and the day is not known."
    )
    domicile: str | None = strawberry.field(
        default=None, description="Territory they lived in at death: ISO 3166-1 or 3166-2."
    )
    relatives_living: bool | None = strawberry.field(
        default=None, description="Whether spouse, children, parents or other close relatives live."
    )
    source: str = strawberry.field(description=_SOURCE)
    idempotency_key: str | None = None


@strawberry.input(description="Whether close relatives of a dead person live.")
class RecordRelativesInput:
    """Whether close relatives of a dead person live."""

    subject_id: strawberry.ID
    living: bool = strawberry.field(
        description="False by an attester, reviewer or operator only: it may end a protection."
    )
    source: str = strawberry.field(description=_SOURCE)
    idempotency_key: str | None = None


@strawberry.input(description="Where a person lives.")
class RecordResidenceInput:
    """Where a person lives."""

    subject_id: strawberry.ID
    territory: str = strawberry.field(description="ISO 3166-1 or 3166-2.")
    source: str = strawberry.field(description=_SOURCE)
    idempotency_key: str | None = None


@strawberry.type(description="The class is on record.")
class ClassAsserted:
    """The class is on record."""

    protection: protections.Record = strawberry.field(graphql_type=Protection)


@strawberry.type(description="The death is on record, and holds for every check from now on.")
class DeathRecorded:
    """The death is on record."""

    protection: protections.Record = strawberry.field(graphql_type=Protection)


@strawberry.type(description="It is on record whether relatives live.")
class RelativesRecorded:
    """It is on record whether relatives live."""

    protection: protections.Record = strawberry.field(graphql_type=Protection)


@strawberry.type(description="The residence is on record.")
class ResidenceRecorded:
    """The residence is on record."""

    protection: protections.Record = strawberry.field(graphql_type=Protection)


@strawberry.type(description="The statement does not count any more.")
class ProtectionRetracted:
    """The statement does not count any more."""

    protection: protections.Record = strawberry.field(graphql_type=Protection)


AssertClassResult = Annotated[ClassAsserted | Problem, strawberry.union("AssertClassResult")]
RecordDeathResult = Annotated[DeathRecorded | Problem, strawberry.union("RecordDeathResult")]
RecordRelativesResult = Annotated[
    RelativesRecorded | Problem, strawberry.union("RecordRelativesResult")
]
RecordResidenceResult = Annotated[
    ResidenceRecorded | Problem, strawberry.union("RecordResidenceResult")
]
RetractProtectionResult = Annotated[
    ProtectionRetracted | Problem, strawberry.union("RetractProtectionResult")
]


async def _claimed(
    info: Info, session: WriteSession, operation: str, input: Any
) -> tuple[protections.Saying, bool]:
    """Who says what about whom, and whether it was not said before under the same key."""
    subject_id = identifier(input.subject_id, "subject", "subjectId")
    protection_id, new = await once.claim(info, session, operation, input)
    saying = protections.Saying(
        protection_id,
        subject_id,
        input.source,
        info.context.caller.actor,
        info.context.state.keys,
    )
    return saying, new


async def _record(session: WriteSession, saying: protections.Saying) -> protections.Record:
    said = await protections.of_subject(session, saying.subject_id, keys=saying.keys)
    return next(one for one in said if one.id == saying.protection_id)


@strawberry.type
class ProtectionMutation:
    """Mutation fields about what the law sees in people."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Say what kind of person somebody is, and which document says so.",
    )
    async def assert_class(self, info: Info, input: AssertClassInput) -> AssertClassResult:
        """Say what kind of person somebody is."""
        async with info.context.db.writing() as session:
            saying, new = await _claimed(info, session, "assertClass", input)
            if new:
                await protections.assert_class(session, saying, subject_class=input.subject_class)
            return ClassAsserted(protection=await _record(session, saying))

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description=(
            "Put a death on record. From an attester, reviewer or operator it is assured; from"
            " anybody else it protects, and opens no use."
        ),
    )
    async def record_death(self, info: Info, input: RecordDeathInput) -> RecordDeathResult:
        """Put a death on record."""
        async with info.context.db.writing() as session:
            saying, new = await _claimed(info, session, "recordDeath", input)
            if new:
                await protections.record_death(
                    session,
                    saying,
                    died_on=input.died_on,
                    domicile=input.domicile,
                    relatives_living=input.relatives_living,
                )
                await succession.after_death(
                    session,
                    saying.subject_id,
                    actor_id=saying.actor.principal_id,
                    keys=saying.keys,
                )
            return DeathRecorded(protection=await _record(session, saying))

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Say whether close relatives of a dead person live.",
    )
    async def record_relatives(
        self, info: Info, input: RecordRelativesInput
    ) -> RecordRelativesResult:
        """Say whether close relatives of a dead person live."""
        async with info.context.db.writing() as session:
            saying, new = await _claimed(info, session, "recordRelatives", input)
            if new:
                await protections.record_relatives(session, saying, living=input.living)
            return RelativesRecorded(protection=await _record(session, saying))

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Say where a person lives: the law there protects them elsewhere too.",
    )
    async def record_residence(
        self, info: Info, input: RecordResidenceInput
    ) -> RecordResidenceResult:
        """Say where a person lives."""
        async with info.context.db.writing() as session:
            saying, new = await _claimed(info, session, "recordResidence", input)
            if new:
                await protections.record_residence(session, saying, territory=input.territory)
            return ResidenceRecorded(protection=await _record(session, saying))

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Take a statement back; an assured one by an attester, reviewer or operator.",
    )
    async def retract_protection(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RetractProtectionResult:
        """Take a statement back."""
        actor, keys = info.context.caller.actor, info.context.state.keys
        async with info.context.db.writing() as session:
            row = await protections.retract(
                session, protection_id=identifier(id, "statement"), actor=actor, reason=reason
            )
            if row.kind is ProtectionKind.DEATH:
                await succession.after_retraction(
                    session, row.subject_id, actor_id=actor.principal_id, keys=keys
                )
            said = await protections.of_subject(session, row.subject_id, keys=keys)
        return ProtectionRetracted(protection=next(one for one in said if one.id == row.id))
