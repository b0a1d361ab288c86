"""Subjects in the schema: the people whose voice and face are protected."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from api.graphql.protections import Protection
from api.graphql.representatives import Representative
from registry import accesses, idempotency, subjects
from registry import protections as stated
from registry import representatives as named
from registry import samples as enrolled
from registry.accesses import AccessKind
from registry.errors import NotFoundError
from registry.paging import Page
from registry.policy.vocabulary import ASSURED_IAL, Registration, SubjectClass
from registry.principals import Scope
from registry.standing import Standing, standing

if TYPE_CHECKING:
    from api.graphql.samples import Sample


@strawberry.type(description="That somebody read of a person.")
class Access:
    """That somebody read of a person."""

    id: strawberry.ID
    principal_id: strawberry.ID
    what: AccessKind
    review_id: strawberry.ID | None
    created_at: datetime


@strawberry.type(description="A person whose voice and face are protected. Seen by its owner only.")
class Subject:
    """A person whose voice and face are protected."""

    id: strawberry.ID
    name: str
    aliases: list[str]
    birth_date: date | None
    links: list[str]
    registration: Registration
    created_at: datetime

    @strawberry.field(
        graphql_type=list[Annotated["Sample", strawberry.lazy("api.graphql.samples")]],
        description="Photographs and recordings enrolled of them, oldest first.",
    )
    @staticmethod
    async def samples(
        subject: strawberry.Parent[subjects.Record], info: Info
    ) -> list[enrolled.Sample]:
        """Photographs and recordings enrolled of them, oldest first."""
        if subject.name == subjects.NAMELESS and await info.context.ial() < ASSURED_IAL:
            return []  # which were kept for blocking would tell which had counted
        return await info.context.samples_of.load(subject.id) or []

    @strawberry.field(
        graphql_type=list[Protection], description="What is stated about them, oldest first."
    )
    @staticmethod
    async def protections(
        subject: strawberry.Parent[subjects.Record], info: Info
    ) -> list[stated.Record]:
        """What is stated about them, oldest first."""
        return await info.context.protections_of.load(subject.id) or []

    @strawberry.field(
        graphql_type=list[Representative],
        description="Everybody named to act for them or to hold their rights, oldest first.",
    )
    @staticmethod
    async def representatives(
        subject: strawberry.Parent[subjects.Record], info: Info
    ) -> list[named.Record]:
        """Everybody named to act for them or to hold their rights, oldest first."""
        return await info.context.representatives_of.load(subject.id) or []

    @strawberry.field(
        graphql_type=Connection[Access],
        description="Which office of the registry, or authority, read of them, oldest first."
        " Below IAL2 without the reading for reviews.",
    )
    @staticmethod
    async def accesses(
        subject: strawberry.Parent[subjects.Record],
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Access]:
        """Which office of the registry, or authority, read of them, oldest first."""
        assured = await info.context.ial() >= ASSURED_IAL
        async with info.context.db.reading() as session:
            page = await accesses.page(
                session,
                subject_id=subject.id,
                reviews=assured,  # that there was one may follow from a comparison
                first=first,
                after=after(after_),
            )
        return connection(page, lambda one: one.id)

    @strawberry.field(
        description="What the law sees in them today, majority at 18; PRIVATE if nothing else."
    )
    @staticmethod
    async def classes(
        subject: strawberry.Parent[subjects.Record], info: Info
    ) -> list[SubjectClass]:
        """What the law sees in them today."""
        said = await _standing(subject, info)
        return sorted(subjects.classes(subject, said.classes))

    @strawberry.field(description="When they died, if that is on record.")
    @staticmethod
    async def died_on(subject: strawberry.Parent[subjects.Record], info: Info) -> date | None:
        """When they died, if that is on record."""
        return (await _standing(subject, info)).died

    @strawberry.field(description="Where they lived at death, if that is on record.")
    @staticmethod
    async def domicile_at_death(
        subject: strawberry.Parent[subjects.Record], info: Info
    ) -> str | None:
        """Where they lived at death, if that is on record."""
        return (await _standing(subject, info)).domicile

    @strawberry.field(description="Where they live, if that is on record.")
    @staticmethod
    async def residence(subject: strawberry.Parent[subjects.Record], info: Info) -> str | None:
        """Where they live, if that is on record."""
        return (await _standing(subject, info)).residence


async def _standing(subject: subjects.Record, info: Info) -> Standing:
    said = await info.context.protections_of.load(subject.id) or []
    return standing(one.stated for one in said if one.stands)


@strawberry.input(description="A person to put on record.")
class RegisterSubjectInput:
    """A person to put on record."""

    name: str | None = strawberry.field(
        default=None, description="Left out where only photographs, recordings or links are given."
    )
    aliases: list[str] = strawberry.field(
        default_factory=list, description="Other names under which they are asked for, exactly."
    )
    birth_date: date | None = strawberry.field(
        default=None, description="Makes a minor a minor until the day they are of age."
    )
    links: list[str] = strawberry.field(
        default_factory=list, description="Web addresses where they are to be seen or heard."
    )
    idempotency_key: str | None = None


@strawberry.type(description="The person is on record.")
class SubjectRegistered:
    """The person is on record."""

    subject: subjects.Record = strawberry.field(graphql_type=Subject)


RegisterSubjectResult = Annotated[
    SubjectRegistered | Problem, strawberry.union("RegisterSubjectResult")
]


async def one(info: Info, id: str) -> subjects.Record | None:
    """The subject, if it is the caller's."""
    try:
        return await info.context.subjects.load(identifier(id, "subject"))
    except NotFoundError:
        return None


async def behind(info: Info, subject_id: UUID) -> subjects.Record | None:
    """Whom something is about, if they are the caller's and the token reads people."""
    if Scope.SUBJECTS_READ not in info.context.caller.scopes:
        return None
    return await info.context.subjects.load(subject_id)


@strawberry.type
class SubjectQuery:
    """Query fields about subjects."""

    @strawberry.field(
        graphql_type=Subject | None,
        extensions=[requires(Scope.SUBJECTS_READ)],
        description="The subject, if it is yours; null otherwise.",
    )
    async def subject(self, info: Info, id: strawberry.ID) -> subjects.Record | None:
        """The subject, if it is yours; null otherwise."""
        return await one(info, id)

    @strawberry.field(
        graphql_type=Connection[Subject],
        extensions=[requires(Scope.SUBJECTS_READ)],
        description="Your subjects, oldest first; by exact name or alias if `name` is given.",
    )
    async def subjects(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
        name: str | None = None,
    ) -> Connection[Subject]:
        """Your subjects, oldest first; by exact name or alias if `name` is given."""
        keys = info.context.state.keys
        async with info.context.db.reading() as session:
            page = await subjects.page(
                session,
                first=first,
                after=after(after_),
                name_index=None if name is None else keys.blind_index(name),
            )
            found = await subjects.records(session, page.items, keys=keys)
        await info.context.noted(found.values())
        records = Page([found[id] for id in page.items if id in found], page.more)
        return connection(records, lambda record: record.id)


@strawberry.type
class SubjectMutation:
    """Mutation fields about subjects. Each is one transaction, committed before it answers."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Put a person on record. Verified if your identity is assured at IAL2 or more.",
    )
    async def register_subject(
        self, info: Info, input: RegisterSubjectInput
    ) -> RegisterSubjectResult:
        """Put a person on record."""
        context, owner = info.context, info.context.caller.actor.principal_id
        profile = subjects.Profile(
            subjects.NAMELESS if input.name is None else input.name,
            tuple(input.aliases),
            input.birth_date,
            tuple(input.links),
        )
        ial = await context.ial()
        async with context.db.writing() as session:
            subject_id, new = await idempotency.claim(
                session,
                principal_id=owner,
                operation="registerSubject",
                key=input.idempotency_key,
                request={
                    "name": profile.name,
                    "aliases": profile.aliases,
                    "born": profile.birth_date,
                    "links": profile.links,
                },
                keys=context.state.keys,
            )
            if new:
                await subjects.register(
                    session,
                    subject_id=subject_id,
                    owner_id=owner,
                    profile=profile,
                    verified=ial >= ASSURED_IAL,
                    keys=context.state.keys,
                )
            found = await subjects.records(session, [subject_id], keys=context.state.keys)
        return SubjectRegistered(subject=found[subject_id])
