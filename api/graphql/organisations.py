"""Organisations in the schema: who acts for them."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import organisations
from registry.principals import Scope


@strawberry.type(description="Somebody who acts for an organisation, with an account of their own.")
class Member:
    """Somebody who acts for an organisation."""

    id: strawberry.ID
    organisation_id: strawberry.ID
    principal_id: strawberry.ID
    created_at: datetime


@strawberry.input(description="An account that is to act for your organisation.")
class AddMemberInput:
    """An account that is to act for your organisation."""

    principal_id: strawberry.ID = strawberry.field(description="Their account.")
    organisation_id: strawberry.ID | None = strawberry.field(
        default=None, description="Left out: the organisation that asks."
    )
    idempotency_key: str | None = None


@strawberry.type(description="They see what the organisation keeps, and act where it is named.")
class MemberAdded:
    """They act for the organisation."""

    member: organisations.Member = strawberry.field(graphql_type=Member)


@strawberry.type(description="They act for the organisation no more.")
class MembershipEnded:
    """They act for the organisation no more."""

    member: organisations.Member = strawberry.field(graphql_type=Member)


AddMemberResult = Annotated[MemberAdded | Problem, strawberry.union("AddMemberResult")]
EndMembershipResult = Annotated[MembershipEnded | Problem, strawberry.union("EndMembershipResult")]


@strawberry.type
class OrganisationQuery:
    """Query fields about organisations."""

    @strawberry.field(
        graphql_type=list[Member],
        extensions=[requires(Scope.SUBJECTS_READ)],
        description="Who acts for an organisation now: yours, if none is named.",
    )
    async def members(
        self, info: Info, organisation_id: strawberry.ID | None = None
    ) -> list[organisations.Member]:
        """Who acts for an organisation now."""
        wanted = (
            info.context.caller.actor.principal_id
            if organisation_id is None
            else identifier(organisation_id, "organisation")
        )
        async with info.context.db.reading() as session:
            return await organisations.members(session, wanted)


@strawberry.type
class OrganisationMutation:
    """Mutation fields about organisations."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Let an account act for your organisation.",
    )
    async def add_member(self, info: Info, input: AddMemberInput) -> AddMemberResult:
        """Let an account act for your organisation."""
        actor = info.context.caller.actor
        member_of = input.organisation_id
        async with info.context.db.writing() as session:
            member_id, new = await once.claim(info, session, "addMember", input)
            if new:
                await organisations.add(
                    session,
                    member_id=member_id,
                    organisation_id=actor.principal_id
                    if member_of is None
                    else identifier(member_of, "organisation", "organisationId"),
                    principal_id=identifier(input.principal_id, "account", "principalId"),
                    by=actor,
                )
            member = await organisations.get(session, member_id)
        return MemberAdded(member=member)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="End a membership: the organisation does.",
    )
    async def end_membership(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> EndMembershipResult:
        """End a membership."""
        async with info.context.db.writing() as session:
            member = await organisations.end(
                session,
                member_id=identifier(id, "member"),
                by=info.context.caller.actor,
                reason=reason,
            )
        return MembershipEnded(member=member)
