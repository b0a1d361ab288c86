"""Complaints in the schema: a misuse is reported, followed by its state, and taken back."""

from datetime import UTC, date, datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.grant_terms import NoticeInput, notice_of
from api.graphql.misuse import Misuse
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from api.graphql.subjects import Subject
from registry import complaints, probes, subjects, takedown
from registry.complaint_states import ComplaintState
from registry.misuse import ComplaintKind
from registry.misuse import Misuse as Said
from registry.principals import Scope


@strawberry.type(description="A report that a voice or face was misused, as it was filed.")
class Complaint:
    """A report that a voice or face was misused."""

    id: strawberry.ID = strawberry.field(
        description="Of its review too: for `addEvidence` and `appealReview`."
    )
    kinds: list[ComplaintKind]
    territory: str
    created_at: datetime
    notice_version: str | None
    notice_language: str | None

    @strawberry.field(graphql_type=Subject | None, description="Whose voice or face, if yours.")
    @staticmethod
    async def subject(
        complaint: strawberry.Parent[complaints.Complaint], info: Info
    ) -> subjects.Record | None:
        """Whose voice or face, if yours."""
        return await info.context.subjects.load(complaint.subject_id)

    @strawberry.field(description="Where it stands now.")
    @staticmethod
    async def state(
        complaint: strawberry.Parent[complaints.Complaint], info: Info
    ) -> ComplaintState:
        """Where it stands now."""
        state = await info.context.complaint_states.load(complaint.id)
        return state or ComplaintState.RECEIVED

    @strawberry.field(
        graphql_type=Misuse | None, description="What was said. Null once the person was erased."
    )
    @staticmethod
    async def misuse(complaint: strawberry.Parent[complaints.Complaint], info: Info) -> Said | None:
        """What was said."""
        return await info.context.misuses.load(complaint.id)

    @strawberry.field(
        description="A letter to the platform, ready to send but for what stands in square"
        " brackets: en or zh-Hans. Not legal advice. Null once the person was erased."
    )
    @staticmethod
    async def notice_text(
        complaint: strawberry.Parent[complaints.Complaint], info: Info, language: str
    ) -> str | None:
        """A letter to the platform."""
        said = await info.context.misuses.load(complaint.id)
        if said is None:
            return None
        packs = info.context.state.checker.packs
        return takedown.letter(packs, said, language, datetime.now(UTC).date())


@strawberry.input(description="That a voice or face was misused: what, where and how.")
class FileComplaintInput:
    """That a voice or face was misused."""

    subject_id: strawberry.ID
    kinds: list[ComplaintKind]
    territory: str = strawberry.field(
        description="Where it was seen or whose law is asked for: ISO 3166, EU or 001."
    )
    statement: str = strawberry.field(description="What happened, at most 4,000 characters.")
    links: list[str] = strawberry.field(
        default_factory=list, description="At most 20, each http or https."
    )
    where_seen: str | None = strawberry.field(
        default=None, description="For example the platform, at most 200 characters."
    )
    seen_on: date | None = None
    media_handle: strawberry.ID | None = strawberry.field(
        default=None, description="Of your upload of what was seen. The file is not kept."
    )
    notice: NoticeInput | None = strawberry.field(
        default=None, description="The text you were shown before you sent this."
    )
    idempotency_key: str | None = None


@strawberry.type(description="Received; a person looks at it. Follow it by its state.")
class ComplaintFiled:
    """Received; a person looks at it."""

    complaint: complaints.Complaint = strawberry.field(graphql_type=Complaint)


@strawberry.type(description="Taken back: nobody looks at it any more.")
class ComplaintWithdrawn:
    """Taken back."""

    complaint: complaints.Complaint = strawberry.field(graphql_type=Complaint)


FileComplaintResult = Annotated[ComplaintFiled | Problem, strawberry.union("FileComplaintResult")]
WithdrawComplaintResult = Annotated[
    ComplaintWithdrawn | Problem, strawberry.union("WithdrawComplaintResult")
]


def _misuse_of(given: FileComplaintInput) -> Said:
    return Said(
        kinds=tuple(given.kinds),
        territory=given.territory,
        statement=given.statement,
        links=tuple(given.links),
        place=given.where_seen,
        seen_on=given.seen_on,
    )


@strawberry.type
class ComplaintQuery:
    """Query fields about complaints."""

    @strawberry.field(
        graphql_type=Connection[Complaint],
        extensions=[requires(Scope.OBJECTIONS_READ)],
        description="Complaints that you filed, or that were filed for whom you keep on record,"
        " oldest first.",
    )
    async def complaints(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Complaint]:
        """Complaints that concern you, oldest first."""
        async with info.context.db.reading() as session:
            page = await complaints.page(
                session,
                subject_id=None if subject_id is None else identifier(subject_id, "subject"),
                first=first,
                after=after(after_),
            )
        return connection(page, lambda complaint: complaint.id)


@strawberry.type
class ComplaintMutation:
    """Mutation fields about complaints. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.OBJECTIONS_WRITE)],
        description="Report that the voice or face of your subject was misused. Nobody is too"
        " young to. At most 20 a day.",
    )
    async def file_complaint(self, info: Info, input: FileComplaintInput) -> FileComplaintResult:
        """Report that the voice or face of your subject was misused."""
        context = info.context
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        notice, keys = notice_of(input.notice), context.state.keys
        plain = None if input.notice is None else vars(input.notice)
        async with context.db.writing() as session:
            complaint_id, new = await once.claim(
                info, session, "fileComplaint", input, notice=plain
            )
            if new:
                shown = None
                if input.media_handle is not None:
                    handle = identifier(input.media_handle, "media handle", "mediaHandle")
                    shown = await probes.opened(session, handle, keys=keys)
                await complaints.file(
                    session,
                    complaint_id=complaint_id,
                    subject_id=subject_id,
                    filed_by=context.caller.actor.principal_id,
                    misuse=_misuse_of(input),
                    notice=notice,
                    shown=shown,
                    keys=keys,
                )
            complaint = await complaints.mine(session, complaint_id)
        return ComplaintFiled(complaint=complaint)

    @strawberry.mutation(
        extensions=[requires(Scope.OBJECTIONS_WRITE)],
        description="Take a complaint back while nobody has decided it.",
    )
    async def withdraw_complaint(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> WithdrawComplaintResult:
        """Take a complaint back while nobody has decided it."""
        async with info.context.office.writing() as session:
            complaint = await complaints.withdraw(
                session,
                complaint_id=identifier(id, "complaint"),
                actor_id=info.context.caller.actor.principal_id,
                reason=reason,
            )
        return ComplaintWithdrawn(complaint=complaint)
