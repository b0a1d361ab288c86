"""Services in the schema: the AI services that ask."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.filings import Filing
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection
from api.graphql.permissions import requires
from registry import filings as declared
from registry import services
from registry.policy.vocabulary import ObligationCode
from registry.principals import Scope


@strawberry.type(description="An AI service that may ask the registry.")
class Service:
    """An AI service that may ask the registry."""

    id: strawberry.ID
    name: str
    established_in: str | None
    supported_obligations: list[ObligationCode]
    created_at: datetime

    @strawberry.field(
        graphql_type=list[Filing], description="Filing numbers it declared, oldest first."
    )
    @staticmethod
    async def filings(
        service: strawberry.Parent[services.Service], info: Info
    ) -> list[declared.Filing]:
        """Filing numbers it declared, oldest first."""
        return await info.context.filings_of.load(service.id) or []


@strawberry.input(description="An AI service to put on record.")
class RegisterServiceInput:
    """An AI service to put on record."""

    name: str
    established_in: str | None = strawberry.field(
        default=None, description="Territory it is established in: ISO 3166-1, 3166-2 or EU."
    )
    supported_obligations: list[ObligationCode] = strawberry.field(
        default_factory=list,
        description="Duties it can fulfil; a permission with any other is REVIEW_REQUIRED.",
    )
    idempotency_key: str | None = None


@strawberry.type(description="The service is on record, at tier 0.")
class ServiceRegistered:
    """The service is on record, at tier 0."""

    service: services.Service = strawberry.field(graphql_type=Service)


RegisterServiceResult = Annotated[
    ServiceRegistered | Problem, strawberry.union("RegisterServiceResult")
]


@strawberry.type
class ServiceQuery:
    """Query fields about services."""

    @strawberry.field(
        graphql_type=Connection[Service],
        extensions=[requires(Scope.SERVICES_WRITE, Scope.ORDERS_READ, Scope.AUDIT_READ)],
        description="Your services; every service for regulators and auditors. Oldest first.",
    )
    async def services(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Service]:
        """Services you may see, oldest first."""
        async with info.context.db.reading() as session:
            page = await services.page(session, first=first, after=after(after_))
        return connection(page, lambda service: service.id)


@strawberry.type
class ServiceMutation:
    """Mutation fields about services."""

    @strawberry.mutation(
        extensions=[requires(Scope.SERVICES_WRITE)],
        description="Put an AI service on record; the operator mints its tokens. Names are unique.",
    )
    async def register_service(
        self, info: Info, input: RegisterServiceInput
    ) -> RegisterServiceResult:
        """Put an AI service on record."""
        owner_id = info.context.caller.actor.principal_id
        async with info.context.db.writing() as session:
            service_id, new = await once.claim(info, session, "registerService", input)
            if new:
                await services.register(
                    session,
                    service_id=service_id,
                    owner_id=owner_id,
                    name=input.name,
                    established_in=input.established_in,
                    supported_obligations=input.supported_obligations,
                )
            service = await services.mine(session, service_id)
        return ServiceRegistered(service=service)
