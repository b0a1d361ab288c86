"""Samples in the schema: photographs and recordings enrolled of a subject, and taken back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql.boxes import BoxInput, box_of
from api.graphql.context import Context, Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import claims, enrolment, idempotency, probes, samples, sampling, subjects
from registry.database import WriteSession
from registry.policy.vocabulary import Modality
from registry.principals import Scope
from registry.samples import SampleState


@strawberry.type(
    description="One enrolled photograph or recording. Only sealed vectors of it are kept."
)
class Sample:
    """One enrolled photograph or recording."""

    id: strawberry.ID
    modality: Modality
    encoders: list[str]
    created_at: datetime

    @strawberry.field(
        description="Where it stands. Below identity level IAL2: RECEIVED until it is retired."
    )
    @staticmethod
    async def state(sample: strawberry.Parent[samples.Sample], info: Info) -> SampleState:
        """Where it stands, as far as the caller is told."""
        state = await info.context.sample_states.load(sample.id) or SampleState.ENROLLED
        return samples.shown(state, ial=info.context.caller.ial)


@strawberry.input(description="An upload, and where in it the person is.")
class MediaSampleInput:
    """An upload, and where in it the person is."""

    handle: strawberry.ID
    box: BoxInput | None = strawberry.field(
        default=None, description="Chooses one of several faces."
    )


@strawberry.input(description="A photograph or recording of one person, to compare others with.")
class EnrollSampleInput:
    """A photograph or recording of one person, to compare others with."""

    subject_id: strawberry.ID
    media: MediaSampleInput
    modality: Modality | None = strawberry.field(
        default=None, description="What of a video is enrolled, where it holds both: FACE or VOICE."
    )
    idempotency_key: str | None = None


@strawberry.type(description="The sample is received. Its state says whether it counts.")
class SampleEnrolled:
    """The sample is received."""

    sample: samples.Sample = strawberry.field(graphql_type=Sample)


@strawberry.type(description="The sample counts no more in any check that starts from now on.")
class SampleRetired:
    """The sample counts no more."""

    sample: samples.Sample = strawberry.field(graphql_type=Sample)


EnrollSampleResult = Annotated[SampleEnrolled | Problem, strawberry.union("EnrollSampleResult")]
RetireSampleResult = Annotated[SampleRetired | Problem, strawberry.union("RetireSampleResult")]


async def _enrol(
    session: WriteSession, context: Context, sample_id: UUID, input: EnrollSampleInput
) -> bytes | None:
    """Enrol it; by what digest a conflict of claims waits, if it brought one about."""
    subject_id = identifier(input.subject_id, "subject", "subjectId")
    await subjects.mine(session, subject_id)
    handle = identifier(input.media.handle, "media handle", "handle")
    upload = await probes.opened(session, handle, keys=context.state.keys)
    box = box_of(input.media.box)
    modality, vectors = sampling.sample_of(upload, modality=input.modality, box=box)
    enrolled = await enrolment.enrol(
        session,
        sample_id=sample_id,
        subject_id=subject_id,
        modality=modality,
        vectors=vectors,
        enrolled_by=context.caller.actor.principal_id,
        ial=context.caller.ial,
        judge=context.state.checker.judge,
        daily=context.state.settings.unverified_samples,
        keys=context.state.keys,
    )
    return enrolled.claim


@strawberry.type
class SampleMutation:
    """Mutation fields about samples. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Enrol a photograph or recording of your subject. The upload is not kept.",
    )
    async def enroll_sample(self, info: Info, input: EnrollSampleInput) -> EnrollSampleResult:
        """Enrol a photograph or recording of your subject."""
        context, media = info.context, input.media
        claim: bytes | None = None
        async with context.db.writing() as session:
            sample_id, new = await idempotency.claim(
                session,
                principal_id=context.caller.actor.principal_id,
                operation="enrollSample",
                key=input.idempotency_key,
                request={
                    "subject": input.subject_id,
                    "media": media.handle,
                    "box": None if media.box is None else vars(media.box),
                    "modality": input.modality,
                },
                keys=context.state.keys,
            )
            if new:
                claim = await _enrol(session, context, sample_id, input)
            elif (earlier := await claims.of_sample(session, sample_id)) is not None:
                claim = earlier.same_as
            sample = await samples.mine(session, sample_id)
        if claim is not None:
            async with context.office.writing() as session:
                await claims.dispute(session, claim, sample_id)
            raise claims.conflict()
        return SampleEnrolled(sample=sample)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Take a sample back, for good.",
    )
    async def retire_sample(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RetireSampleResult:
        """Take a sample back, for good."""
        context = info.context
        async with context.db.writing() as session:
            sample = await enrolment.retire(
                session,
                sample_id=identifier(id, "sample"),
                actor_id=context.caller.actor.principal_id,
                keys=context.state.keys,
                reason=reason,
            )
        return SampleRetired(sample=sample)
