"""The review desk in the schema: what waits for a person, taken, given back and decided."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.graphql.cases import Contact
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.misuse import Misuse
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from registry import desk, dockets, recoveries, review_evidence, reviews
from registry.misuse import Misuse as Said
from registry.policy.vocabulary import Band
from registry.principals import Scope
from registry.review_papers import Papers
from registry.reviews import ReviewEventKind, ReviewKind, ReviewState, Ruling, Standing


@strawberry.type(description="What became of a review.")
class ReviewEvent:
    """What became of a review."""

    kind: ReviewEventKind
    ruling: Ruling | None
    subject_id: strawberry.ID | None
    actor_id: strawberry.ID
    at: datetime
    reason: str | None


@strawberry.type(description="What a reviewer is given to read.")
class ReviewPapers:
    """What a reviewer is given to read."""

    statement: str | None
    case_number: str | None
    service_id: strawberry.ID | None
    decision_id: strawberry.ID | None
    misuse: Said | None = strawberry.field(
        graphql_type=Misuse | None, description="What somebody complains of."
    )

    @strawberry.field(description="What was compared: digests of media, pictures or vectors.")
    @staticmethod
    async def probes(papers: strawberry.Parent[Papers]) -> list[str]:
        """What was compared."""
        return [probe for probe, _ in papers.seen]


@strawberry.type(description="What a party of a review has to say.")
class ReviewStatement:
    """What a party of a review has to say."""

    id: strawberry.ID
    given_by: strawberry.ID
    created_at: datetime
    statement: str | None = strawberry.field(
        description="Null where somebody it speaks of was erased."
    )


@strawberry.type(description="Something that waits for a person, or was decided by one.")
class Review:
    """Something that waits for a person, or was decided by one."""

    id: strawberry.ID
    kind: ReviewKind
    subject_ids: list[strawberry.ID]
    about: strawberry.ID | None = strawberry.field(
        description="The decision, sample, objection, review or account it is about."
    )
    due_at: datetime
    created_at: datetime

    @strawberry.field(description="Where it stands.")
    @staticmethod
    async def state(review: strawberry.Parent[reviews.Review], info: Info) -> ReviewState:
        """Where it stands."""
        return (await _standing(review, info)).state

    @strawberry.field(description="Whether it waits though it should have been decided by now.")
    @staticmethod
    async def overdue(review: strawberry.Parent[reviews.Review], info: Info) -> bool:
        """Whether it waits though it should have been decided by now."""
        return await info.context.reviews_overdue.load(review.id) or False

    @strawberry.field(graphql_type=strawberry.ID | None, description="Who has taken it.")
    @staticmethod
    async def assignee(review: strawberry.Parent[reviews.Review], info: Info) -> UUID | None:
        """Who has taken it."""
        return (await _standing(review, info)).assignee

    @strawberry.field(description="What was decided; while it awaits a second: what was proposed.")
    @staticmethod
    async def ruling(review: strawberry.Parent[reviews.Review], info: Info) -> Ruling | None:
        """What was decided, or proposed."""
        return (await _standing(review, info)).ruling

    @strawberry.field(
        graphql_type=list[ReviewEvent], description="What became of it, oldest first."
    )
    @staticmethod
    async def events(
        review: strawberry.Parent[reviews.Review], info: Info
    ) -> list[reviews.ReviewEvent]:
        """What became of it, oldest first."""
        return await info.context.review_events.load(review.id) or []

    @strawberry.field(
        graphql_type=ReviewPapers | None,
        description="What there is to read: for whoever has it, or had it and ruled.",
    )
    @staticmethod
    async def papers(review: strawberry.Parent[reviews.Review], info: Info) -> Papers | None:
        """What there is to read, for whoever has it, or had it and ruled."""
        standing = await _standing(review, info)
        if not desk.reads_papers(standing, info.context.caller.actor.principal_id):
            return None
        return await info.context.review_papers.load(review.id)

    @strawberry.field(
        description="How near the file of a complaint comes to the person's own samples and"
        " pictures: for whoever reads the papers. Null with nothing to compare. It is no ruling."
    )
    @staticmethod
    async def resemblance(review: strawberry.Parent[reviews.Review], info: Info) -> Band | None:
        """How near the file of a complaint comes to the person."""
        standing = await _standing(review, info)
        if review.kind is not ReviewKind.MISUSE or not desk.reads_papers(
            standing, info.context.caller.actor.principal_id
        ):
            return None
        return await info.context.resemblances.load(review.id)

    @strawberry.field(
        graphql_type=list[ReviewStatement],
        description="What the parties have to say: for whoever reads the papers, oldest first.",
    )
    @staticmethod
    async def evidence(
        review: strawberry.Parent[reviews.Review], info: Info
    ) -> list[review_evidence.Statement]:
        """What the parties have to say, for whoever reads the papers."""
        standing = await _standing(review, info)
        if not desk.reads_papers(standing, info.context.caller.actor.principal_id):
            return []
        return await info.context.review_evidence.load(review.id) or []

    @strawberry.field(
        graphql_type=list[Contact],
        description="How who lost a PIN is reached, on record before it was asked for: for whoever"
        " reads the papers.",
    )
    @staticmethod
    async def contacts(review: strawberry.Parent[reviews.Review], info: Info) -> list[Contact]:
        """How who lost a PIN is reached, for whoever reads the papers."""
        standing = await _standing(review, info)
        if not desk.reads_papers(standing, info.context.caller.actor.principal_id):
            return []
        found = await info.context.review_contacts.load(review.id) or {}
        return [Contact(kind=kind, contact=said) for kind, said in sorted(found.items())]


async def _standing(review: reviews.Review, info: Info) -> Standing:
    return await info.context.review_standings.load(review.id) or Standing()


@strawberry.input(description="What a reviewer finds.")
class DecideReviewInput:
    """What a reviewer finds."""

    id: strawberry.ID
    ruling: Ruling
    reason: str = strawberry.field(description="Why, in a sentence; kept with the ruling.")
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whom alone it is about, where there are several."
    )


@strawberry.type(description="The review is yours to decide. That you read it is on record.")
class ReviewTaken:
    """The review is yours to decide."""

    review: reviews.Review = strawberry.field(graphql_type=Review)


@strawberry.type(description="The review waits for another reviewer.")
class ReviewReleased:
    """The review waits for another reviewer."""

    review: reviews.Review = strawberry.field(graphql_type=Review)


@strawberry.type(description="It is decided and took effect; or proposed, where two must agree.")
class ReviewDecided:
    """It is decided and took effect; or proposed, where two must agree."""

    review: reviews.Review = strawberry.field(graphql_type=Review)
    recovery_code: str | None = strawberry.field(
        default=None,
        description="What sets the new PIN, after RENEW: shown this once, for 72 hours, to pass on"
        " by the contact on record.",
    )


TakeReviewResult = Annotated[ReviewTaken | Problem, strawberry.union("TakeReviewResult")]
ReleaseReviewResult = Annotated[ReviewReleased | Problem, strawberry.union("ReleaseReviewResult")]
DecideReviewResult = Annotated[ReviewDecided | Problem, strawberry.union("DecideReviewResult")]


@strawberry.type
class ReviewQuery:
    """Query fields about reviews."""

    @strawberry.field(
        graphql_type=Connection[Review],
        extensions=[requires(Scope.REVIEWS_READ)],
        description="What is before the desk, oldest first. For reviewers.",
    )
    async def reviews(
        self,
        info: Info,
        *,
        kind: ReviewKind | None = None,
        state: ReviewState | None = None,
        mine: bool = False,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Review]:
        """What is before the desk, oldest first."""
        actor = info.context.caller.actor
        desk.require_desk(actor)
        async with info.context.db.reading() as session:
            page = await dockets.page(
                session,
                kind=kind,
                state=state,
                assignee=actor.principal_id if mine else None,
                first=first,
                after=after(after_),
            )
        return connection(page, lambda review: review.id)


@strawberry.type
class ReviewMutation:
    """Mutation fields about reviews. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.REVIEWS_WRITE)],
        description="Take a review that nobody has. Those it is about see that you read of them.",
    )
    async def take_review(self, info: Info, id: strawberry.ID) -> TakeReviewResult:
        """Take a review that nobody has."""
        async with info.context.office.writing() as session:
            review = await desk.take(
                session, review_id=identifier(id, "review"), actor=info.context.caller.actor
            )
        return ReviewTaken(review=review)

    @strawberry.mutation(
        extensions=[requires(Scope.REVIEWS_WRITE)], description="Give a review back."
    )
    async def release_review(self, info: Info, id: strawberry.ID) -> ReleaseReviewResult:
        """Give a review back."""
        async with info.context.office.writing() as session:
            review = await desk.release(
                session, review_id=identifier(id, "review"), actor=info.context.caller.actor
            )
        return ReviewReleased(review=review)

    @strawberry.mutation(
        extensions=[requires(Scope.REVIEWS_WRITE)],
        description="Rule on a review you have taken. Where two must agree, the first proposes.",
    )
    async def decide_review(self, info: Info, input: DecideReviewInput) -> DecideReviewResult:
        """Rule on a review you have taken."""
        context = info.context
        async with context.office.writing() as session:
            review = await desk.decide(
                session,
                review_id=identifier(input.id, "review"),
                ruling=input.ruling,
                subject_id=None
                if input.subject_id is None
                else identifier(input.subject_id, "subject", "subjectId"),
                reason=input.reason,
                actor=context.caller.actor,
                keys=context.state.keys,
            )
            code = await recoveries.issue(session, review, actor=context.caller.actor)
        return ReviewDecided(review=review, recovery_code=code)
