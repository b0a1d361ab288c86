"""Attestations in the schema: who was identified, how, and by whom; and taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql import once
from api.graphql.boxes import BoxInput, box_of
from api.graphql.context import Context, Info
from api.graphql.digests import digest_of
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import (
    accesses,
    attestations,
    confirmation,
    probes,
    sampling,
    subjects,
    templates,
    verification,
)
from registry.accesses import AccessKind
from registry.attestations import AttestationMethod, Finding
from registry.database import ReadSession
from registry.policy.vocabulary import Modality
from registry.principals import OPERATOR, Scope
from registry.samples import Vectors


@strawberry.type(description="Somebody answers for it that the holder of an account is known.")
class Attestation:
    """Somebody answers for it that the holder of an account is known."""

    id: strawberry.ID
    principal_id: strawberry.ID
    level: int = strawberry.field(description="Identity assurance level, 1 to 3.")
    method: AttestationMethod
    liveness: bool = strawberry.field(description="Whether they were seen or heard live.")
    expires_at: datetime
    subject_id: strawberry.ID | None = strawberry.field(
        description="The person on record with whom a live capture was compared."
    )
    matched: list[Modality] = strawberry.field(description="What of the live capture matched.")
    statement: str = strawberry.field(
        description="All of it, signed: a compact JWS of the registry or of the identity provider."
    )
    attested_by: strawberry.ID
    created_at: datetime

    @strawberry.field(description="Whether it counts now: neither over nor revoked.")
    @staticmethod
    async def counts(made: strawberry.Parent[attestations.Attestation], info: Info) -> bool:
        """Whether it counts now."""
        return await info.context.attestations_holding.load(made.id) or False


@strawberry.input(description="An upload that shows the holder live, and where they are in it.")
class LiveCaptureInput:
    """An upload that shows the holder live."""

    handle: strawberry.ID
    box: BoxInput | None = strawberry.field(
        default=None, description="Chooses one of several faces."
    )
    modality: Modality | None = strawberry.field(
        default=None, description="What of a video is compared, where it holds both: FACE or VOICE."
    )


@strawberry.input(description="How the holder of an account was identified.")
class AttestIdentityInput:
    """How the holder of an account was identified."""

    principal_id: strawberry.ID = strawberry.field(description="The account.")
    level: int = strawberry.field(description="Identity assurance level, 1 to 3.")
    method: AttestationMethod
    liveness: bool = strawberry.field(description="Whether they were seen or heard live.")
    evidence_sha256: str = strawberry.field(description="SHA-256 of the evidence you keep, base64.")
    expires_at: datetime = strawberry.field(description="Within five years.")
    live_capture: LiveCaptureInput | None = None
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="The person on record to compare the live capture with."
    )
    idempotency_key: str | None = None


@strawberry.type(description="The level holds for every request from now on.")
class IdentityAttested:
    """The level holds for every request from now on."""

    attestation: attestations.Attestation = strawberry.field(graphql_type=Attestation)


@strawberry.type(description="The level is gone for every request from now on.")
class AttestationRevoked:
    """The level is gone for every request from now on."""

    attestation: attestations.Attestation = strawberry.field(graphql_type=Attestation)


AttestIdentityResult = Annotated[
    IdentityAttested | Problem, strawberry.union("AttestIdentityResult")
]
RevokeAttestationResult = Annotated[
    AttestationRevoked | Problem, strawberry.union("RevokeAttestationResult")
]


async def _finding(session: ReadSession, context: Context, input: AttestIdentityInput) -> Finding:
    """What the attester says, with what the live capture matched of the named person."""
    subject_id: UUID | None = None
    modality, capture = await _capture(session, context, input.live_capture)
    matched = frozenset[Modality]()
    if input.subject_id is not None:
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        await subjects.mine(session, subject_id)
        if modality is not None and capture is not None:
            own = await templates.own(session, subject_id, keys=context.state.keys)
            encoders = context.state.checker.encoders
            if verification.matches(capture, own, encoders, modality=modality):
                matched = frozenset({modality})
    return Finding(
        principal_id=identifier(input.principal_id, "account", "principalId"),
        level=input.level,
        method=input.method,
        liveness=input.liveness,
        evidence_sha256=digest_of(input.evidence_sha256, "evidenceSha256"),
        expires_at=input.expires_at,
        subject_id=subject_id,
        matched=matched,
        capture=capture,
    )


async def _capture(
    session: ReadSession, context: Context, given: LiveCaptureInput | None
) -> tuple[Modality | None, Vectors | None]:
    if given is None:
        return None, None
    handle = identifier(given.handle, "media handle", "handle")
    upload = await probes.opened(session, handle, keys=context.state.keys)
    return sampling.sample_of(upload, modality=given.modality, box=box_of(given.box))


async def of_caller(info: Info) -> Sequence[attestations.Attestation]:
    """By what the caller is known, newest first."""
    async with info.context.db.reading() as session:
        return await attestations.of_account(session, info.context.caller.actor.principal_id)


@strawberry.type
class AttestationMutation:
    """Mutation fields of attesters."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description=(
            "Say, as an attester, how the holder of an account was identified. A live capture is"
            " compared with the person on record; who owns a service attests for nobody."
        ),
    )
    async def attest_identity(self, info: Info, input: AttestIdentityInput) -> AttestIdentityResult:
        """Say how the holder of an account was identified."""
        context, capture = info.context, input.live_capture
        async with context.db.writing() as session:
            attestation_id, new = await once.claim(
                info,
                session,
                "attestIdentity",
                input,
                live_capture=None
                if capture is None
                else {**vars(capture), "box": str(capture.box)},
            )
            if new:
                finding = await _finding(session, context, input)
                await attestations.attest(
                    session,
                    finding,
                    attestation_id=attestation_id,
                    actor=context.caller.actor,
                    issuer=context.state.settings.issuer,
                    keys=context.state.keys,
                )
                if finding.subject_id is not None:  # what is known of them was compared
                    reader = context.caller.actor.principal_id
                    await accesses.note(session, [finding.subject_id], reader, AccessKind.RECORD)
            made = await attestations.mine(session, attestation_id)
        # The person's record is not the attester's to change; asked again, this is done again.
        async with context.state.db.acting_for(OPERATOR).writing() as session:
            await confirmation.confirm(session, made, keys=context.state.keys)
        return IdentityAttested(attestation=made)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Take back an attestation of yours: the level it gave is gone at once.",
    )
    async def revoke_attestation(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RevokeAttestationResult:
        """Take back an attestation of yours."""
        async with info.context.db.writing() as session:
            gone = await attestations.revoke(
                session,
                attestation_id=identifier(id, "attestation"),
                actor=info.context.caller.actor,
                reason=reason,
            )
        return AttestationRevoked(attestation=gone)
