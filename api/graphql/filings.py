"""Filings in the schema: numbers that services declare, and how far they are proved."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from registry import filings
from registry.filings import FilingStatus
from registry.principals import Scope


@strawberry.type(description="A filing number that a service declared for a territory.")
class Filing:
    """A filing number that a service declared for a territory."""

    id: strawberry.ID
    territory: str
    kind: str
    number: str
    created_at: datetime

    @strawberry.field(description="How far it is proved. A number that fits proves nothing.")
    @staticmethod
    async def status(filing: strawberry.Parent[filings.Filing], info: Info) -> FilingStatus:
        """How far it is proved."""
        standing = await info.context.filing_standings.load(filing.id)
        return standing.status if standing is not None else FilingStatus.REVOKED

    @strawberry.field(description="Whether the duty to file counts as met by it.")
    @staticmethod
    async def counts(filing: strawberry.Parent[filings.Filing], info: Info) -> bool:
        """Whether the duty to file counts as met by it."""
        standing = await info.context.filing_standings.load(filing.id)
        return standing is not None and standing.counts


@strawberry.input(description="A filing number to declare.")
class SetFilingInput:
    """A filing number to declare."""

    service_id: strawberry.ID | None = strawberry.field(
        default=None, description="Left out: the service whose token this is."
    )
    territory: str
    number: str
    idempotency_key: str | None = None


@strawberry.type(description="The filing is on record.")
class FilingSet:
    """The filing is on record."""

    filing: filings.Filing = strawberry.field(graphql_type=Filing)


@strawberry.type(description="The filing does not count any more.")
class FilingRevoked:
    """The filing does not count any more."""

    filing: filings.Filing = strawberry.field(graphql_type=Filing)


SetFilingResult = Annotated[FilingSet | Problem, strawberry.union("SetFilingResult")]
RevokeFilingResult = Annotated[FilingRevoked | Problem, strawberry.union("RevokeFilingResult")]


@strawberry.type
class FilingMutation:
    """Mutation fields about filings."""

    @strawberry.mutation(
        extensions=[requires(Scope.SERVICES_WRITE)],
        description="Declare the number under which a service is filed in a territory.",
    )
    async def set_filing(self, info: Info, input: SetFilingInput) -> SetFilingResult:
        """Declare a filing number."""
        actor = info.context.caller.actor
        service_id = (
            actor.principal_id
            if input.service_id is None
            else identifier(input.service_id, "service", "serviceId")
        )
        async with info.context.db.writing() as session:
            filing_id, new = await once.claim(info, session, "setFiling", input)
            if new:
                await filings.set_filing(
                    session,
                    filing_id=filing_id,
                    service_id=service_id,
                    territory=input.territory,
                    number=input.number,
                    actor=actor,
                    packs=info.context.state.checker.packs,
                )
            return FilingSet(filing=await filings.mine(session, filing_id))

    @strawberry.mutation(
        extensions=[requires(Scope.SERVICES_WRITE, Scope.ORDERS_WRITE)],
        description="Take a filing back: its service, the service's owner, a regulator.",
    )
    async def revoke_filing(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RevokeFilingResult:
        """Take a filing back."""
        async with info.context.db.writing() as session:
            filing = await filings.revoke(
                session,
                filing_id=identifier(id, "filing"),
                actor=info.context.caller.actor,
                reason=reason,
            )
        return FilingRevoked(filing=filing)
