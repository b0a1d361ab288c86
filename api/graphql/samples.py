"""Samples in the schema: photographs and recordings enrolled of a subject, and taken back."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

import strawberry

from api.graphql.boxes import BoxInput, box_of
from api.graphql.context import Context, Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import (
    claims,
    enrolment,
    idempotency,
    presentations,
    probes,
    samples,
    sampling,
    subjects,
)
from registry.database import WriteSession
from registry.errors import PresentationError
from registry.policy.vocabulary import ASSURED_IAL, Modality
from registry.presentations import PresentationFault
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
        return samples.shown(state, ial=await info.context.ial())


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


class _Outcome(NamedTuple):
    """Whether a sample was refused as another's; by what digest a conflict of claims waits."""

    refused: bool = False
    claim: bytes | None = None


async def _enrol(
    session: WriteSession, context: Context, sample_id: UUID, input: EnrollSampleInput, ial: int
) -> _Outcome:
    """Enrol it; what it brought about is on record once this commits."""
    subject_id = identifier(input.subject_id, "subject", "subjectId")
    await subjects.require_named(session, subject_id, keys=context.state.keys)
    handle = identifier(input.media.handle, "media handle", "handle")
    upload = await probes.opened(session, handle, keys=context.state.keys)
    box = box_of(input.media.box)
    modality, vectors = sampling.sample_of(upload, modality=input.modality, box=box)
    if await _is_refused(
        session,
        context,
        sample_id=sample_id,
        subject_id=subject_id,
        modality=modality,
        vectors=vectors,
    ):
        return _Outcome(refused=True)
    enrolled = await enrolment.enrol(
        session,
        sample_id=sample_id,
        subject_id=subject_id,
        modality=modality,
        vectors=vectors,
        enrolled_by=context.caller.actor.principal_id,
        ial=ial,
        judge=context.state.checker.judge,
        daily=context.state.settings.unverified_samples,
        keys=context.state.keys,
    )
    return _Outcome(claim=enrolled.claim)


async def _earlier(session: WriteSession, sample_id: UUID) -> _Outcome:
    """What a sample brought about when it was sent first."""
    if await presentations.was_refused(session, sample_id):
        return _Outcome(refused=True)
    claim = await claims.of_sample(session, sample_id)
    return _Outcome(claim=None if claim is None else claim.same_as)


async def _is_refused(
    session: WriteSession,
    context: Context,
    *,
    sample_id: UUID,
    subject_id: UUID,
    modality: Modality,
    vectors: samples.Vectors,
) -> bool:
    """Whether an account known by a live capture alone presents somebody else."""
    principal_id = context.caller.actor.principal_id
    if context.caller.ial >= ASSURED_IAL:
        return False  # the operator's own word, as for an agency that enrols its artists
    attestation_id = await presentations.another_than(
        session,
        principal_id,
        vectors=vectors,
        modality=modality,
        encoders=context.state.checker.encoders,
        keys=context.state.keys,
    )
    if attestation_id is None:
        return False
    await presentations.refuse(
        session,
        PresentationFault.NOT_THE_HOLDER,
        refusal_id=sample_id,
        subject_id=subject_id,
        modality=modality,
        about=attestation_id,
        presented_by=principal_id,
    )
    return True


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
        ial = await context.ial()
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
            outcome = (
                await _enrol(session, context, sample_id, input, ial)
                if new
                else await _earlier(session, sample_id)
            )
            sample = None if outcome.refused else await samples.mine(session, sample_id)
        if sample is None:
            raise PresentationError  # only now: the refusal is on record
        if outcome.claim is not None:
            async with context.office.writing() as session:
                await claims.dispute(session, outcome.claim, sample_id)
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
