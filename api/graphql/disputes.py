"""Disputes, appeals and disclosures in the schema: what brings a matter before the desk."""

from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import decisions, desk, disclosures, disputes, review_evidence, review_papers, reviews
from registry.database import WriteSession
from registry.errors import InvalidError, NotFoundError
from registry.principals import PrincipalKind, Scope
from registry.review_papers import Papers


@strawberry.input(description="What was decided, and why it is wrong.")
class DisputeDecisionInput:
    """What was decided, and why it is wrong."""

    decision_id: strawberry.ID = strawberry.field(
        description="Of a check, for the service that was answered; of a review, for a person."
    )
    statement: str
    idempotency_key: str | None = None


@strawberry.input(description="Which decided review, and why it is wrong.")
class AppealReviewInput:
    """Which decided review, and why it is wrong."""

    review_id: strawberry.ID
    statement: str
    idempotency_key: str | None = None


@strawberry.input(description="What a party of a review has to say to whoever decides it.")
class AddEvidenceInput:
    """What a party of a review has to say."""

    review_id: strawberry.ID
    statement: str
    idempotency_key: str | None = None


@strawberry.input(description="Whose identity an authority asks for: a subject, or a decision's.")
class RequestDisclosureInput:
    """Whose identity an authority asks for."""

    subject_id: strawberry.ID | None = None
    decision_id: strawberry.ID | None = None
    reason: str
    case_number: str
    idempotency_key: str | None = None


@strawberry.type(description="A reviewer will look at it. You are told when it is decided.")
class DecisionDisputed:
    """A reviewer will look at it."""

    review_id: strawberry.ID


@strawberry.type(description="Other reviewers will look at it. You are told when it is decided.")
class ReviewAppealed:
    """Other reviewers will look at it."""

    review_id: strawberry.ID = strawberry.field(description="Of the appeal.")


@strawberry.type(description="Whoever decides the review reads it.")
class EvidenceAdded:
    """Whoever decides the review reads it."""

    id: strawberry.ID


@strawberry.type(description="Two reviewers will decide. You are told when they have.")
class DisclosureRequested:
    """Two reviewers will decide."""

    review_id: strawberry.ID


@strawberry.type(description="Who somebody is.")
class Identity:
    """Who somebody is."""

    subject_id: strawberry.ID
    name: str
    contact: str = strawberry.field(description="The account that keeps their record.")


@strawberry.type(description="Who they are. It is read once, and they see that it was.")
class DisclosureRead:
    """Who they are."""

    identities: list[disclosures.Identity] = strawberry.field(graphql_type=list[Identity])


DisputeDecisionResult = Annotated[
    DecisionDisputed | Problem, strawberry.union("DisputeDecisionResult")
]
AppealReviewResult = Annotated[ReviewAppealed | Problem, strawberry.union("AppealReviewResult")]
AddEvidenceResult = Annotated[EvidenceAdded | Problem, strawberry.union("AddEvidenceResult")]
RequestDisclosureResult = Annotated[
    DisclosureRequested | Problem, strawberry.union("RequestDisclosureResult")
]
ReadDisclosureResult = Annotated[DisclosureRead | Problem, strawberry.union("ReadDisclosureResult")]


async def _appeal(
    info: Info, session: WriteSession, appeal_id: UUID, review_id: str, statement: str
) -> UUID:
    """Open the appeal; the statement is sealed under the keys of whom the review is about."""
    keys, wanted = info.context.state.keys, identifier(review_id, "review", "reviewId")
    appellant = info.context.caller.actor.principal_id
    review = await reviews.mine(session, wanted)
    await desk.require_party(session, review, appellant)
    papers = Papers(statement=review_papers.checked_statement(statement))
    return await desk.appeal(
        session,
        review_id=wanted,
        appeal_id=appeal_id,
        appellant=appellant,
        sealed=await review_papers.sealed(
            session,
            papers,
            review_id=appeal_id,
            subject_ids=review.subject_ids,
            keys=keys,
            of_a_party=True,
        ),
    )


async def _dispute(
    info: Info, session: WriteSession, review_id: UUID, input: DisputeDecisionInput
) -> UUID:
    """The service's own decision goes before a reviewer."""
    decision = await decisions.get(session, identifier(input.decision_id, "decision", "decisionId"))
    if decision is None or decision.service_id != info.context.caller.actor.principal_id:
        raise NotFoundError("No such decision.", field="decisionId")
    return await disputes.dispute(
        session,
        decision,
        review_id=review_id,
        statement=input.statement,
        keys=info.context.state.keys,
    )


async def _of_whom(session: WriteSession, input: RequestDisclosureInput) -> list[UUID]:
    """The subjects an authority asks about."""
    if (input.subject_id is None) == (input.decision_id is None):
        raise InvalidError("Name a subject or a decision, one of them.", field="subjectId")
    if input.subject_id is not None:
        return [identifier(input.subject_id, "subject", "subjectId")]
    decision = await decisions.get(
        session, identifier(input.decision_id or "", "decision", "decisionId")
    )
    if decision is None:
        raise NotFoundError("No such decision.", field="decisionId")
    return decision.sealed_for


@strawberry.type
class DisputeMutation:
    """Mutation fields about disputes. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.CHECK, Scope.SUBJECTS_WRITE)],
        description="Say that a decision is wrong: a service of a check's answer, a person of a"
        " review that concerns them.",
    )
    async def dispute_decision(
        self, info: Info, input: DisputeDecisionInput
    ) -> DisputeDecisionResult:
        """Say that a decision is wrong."""
        async with info.context.office.writing() as session:
            review_id, new = await once.claim(info, session, "disputeDecision", input)
            if info.context.caller.actor.kind != PrincipalKind.SERVICE:
                if new:
                    await _appeal(info, session, review_id, input.decision_id, input.statement)
            elif new:
                review_id = await _dispute(info, session, review_id, input)
            else:
                review_id = await disputes.known(
                    session, UUID(input.decision_id), keys=info.context.state.keys
                )
        return DecisionDisputed(review_id=strawberry.ID(str(review_id)))

    @strawberry.mutation(
        extensions=[requires(Scope.CHECK, Scope.SUBJECTS_WRITE)],
        description="Ask other reviewers to look at a decision that concerns you, within 30 days.",
    )
    async def appeal_review(self, info: Info, input: AppealReviewInput) -> AppealReviewResult:
        """Ask other reviewers to look at a decision that concerns you."""
        async with info.context.office.writing() as session:
            appeal_id, new = await once.claim(info, session, "appealReview", input)
            if new:
                await _appeal(info, session, appeal_id, input.review_id, input.statement)
        return ReviewAppealed(review_id=strawberry.ID(str(appeal_id)))

    @strawberry.mutation(
        extensions=[requires(Scope.CHECK, Scope.SUBJECTS_WRITE)],
        description="Say something in a review that concerns you, while it waits.",
    )
    async def add_evidence(self, info: Info, input: AddEvidenceInput) -> AddEvidenceResult:
        """Say something in a review that concerns you."""
        caller = info.context.caller.actor.principal_id
        async with info.context.office.writing() as session:
            evidence_id, new = await once.claim(info, session, "addEvidence", input)
            if new:
                wanted = identifier(input.review_id, "review", "reviewId")
                review = await reviews.mine(session, wanted)
                await desk.require_party(session, review, caller)
                await review_evidence.give(
                    session,
                    review,
                    evidence_id=evidence_id,
                    given_by=caller,
                    statement=input.statement,
                    keys=info.context.state.keys,
                )
        return EvidenceAdded(id=strawberry.ID(str(evidence_id)))

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE, Scope.REVIEWS_WRITE)],
        description="Ask, as an authority, who somebody is. Two reviewers decide.",
    )
    async def request_disclosure(
        self, info: Info, input: RequestDisclosureInput
    ) -> RequestDisclosureResult:
        """Ask, as an authority, who somebody is."""
        context = info.context
        disclosures.require_authority(context.caller.actor)
        async with context.office.writing() as session:
            review_id, new = await once.claim(info, session, "requestDisclosure", input)
            if new:
                await disclosures.request(
                    session,
                    review_id=review_id,
                    subject_ids=await _of_whom(session, input),
                    reason=input.reason,
                    case_number=input.case_number,
                    actor=context.caller.actor,
                    keys=context.state.keys,
                )
        return DisclosureRequested(review_id=strawberry.ID(str(review_id)))

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE, Scope.REVIEWS_WRITE)],
        description="Read, as the authority that asked, who they are: once.",
    )
    async def read_disclosure(self, info: Info, review_id: strawberry.ID) -> ReadDisclosureResult:
        """Read, as the authority that asked, who they are."""
        context = info.context
        async with context.office.writing() as session:
            told = await disclosures.read(
                session,
                review_id=identifier(review_id, "review", "reviewId"),
                actor=context.caller.actor,
                keys=context.state.keys,
            )
        return DisclosureRead(identities=told)
