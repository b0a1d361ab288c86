"""Orders and circumstances in the schema: what authorities forbid, and what they state."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from api.graphql.scopes import ScopeInput, scope_of
from registry import circumstances, orders
from registry.policy.vocabulary import AiUse, CircumstanceName, Modality, Purpose
from registry.principals import Scope


@strawberry.type(description="What a court or regulator forbids. A null dimension means all of it.")
class Order:
    """What a court or regulator forbids."""

    id: strawberry.ID
    subject_id: strawberry.ID
    modalities: list[Modality] | None
    uses: list[AiUse] | None
    purposes: list[Purpose] | None
    territories: list[str] | None
    authority: str
    reference: str
    created_at: datetime

    @strawberry.field(description="Whether it has ended.")
    @staticmethod
    async def lifted(order: strawberry.Parent[orders.Order], info: Info) -> bool:
        """Whether it has ended."""
        return await info.context.orders_lifted.load(order.id) or False


@strawberry.type(description="Something outside any request that is so, or is not, for a time.")
class Circumstance:
    """Something outside any request that is so, or is not, for a time."""

    id: strawberry.ID
    name: CircumstanceName
    territory: str
    holds: bool
    starts_at: datetime
    ends_at: datetime
    source: str


@strawberry.input(description="An order to put on record.")
class PlaceOrderInput:
    """An order to put on record."""

    subject_id: strawberry.ID
    scope: ScopeInput = strawberry.field(
        default_factory=ScopeInput, description="Left out: everything is forbidden."
    )
    authority: str = strawberry.field(description="Which court or authority.")
    reference: str = strawberry.field(description="Its case number.")
    idempotency_key: str | None = None


@strawberry.input(description="What an authority states: for example, when elections are near.")
class StateCircumstanceInput:
    """What an authority states."""

    name: CircumstanceName
    territory: str
    holds: bool
    starts_at: datetime
    ends_at: datetime
    source: str = strawberry.field(description="The document that says so.")
    idempotency_key: str | None = None


@strawberry.type(description="The order binds every check from now on.")
class OrderPlaced:
    """The order binds every check from now on."""

    order: orders.Order = strawberry.field(graphql_type=Order)


@strawberry.type(description="The order has ended.")
class OrderLifted:
    """The order has ended."""

    order: orders.Order = strawberry.field(graphql_type=Order)


@strawberry.type(description="The statement counts from now on.")
class CircumstanceStated:
    """The statement counts from now on."""

    circumstance: circumstances.Circumstance = strawberry.field(graphql_type=Circumstance)


@strawberry.type(description="The statement does not count any more.")
class CircumstanceRetracted:
    """The statement does not count any more."""

    circumstance: circumstances.Circumstance = strawberry.field(graphql_type=Circumstance)


PlaceOrderResult = Annotated[OrderPlaced | Problem, strawberry.union("PlaceOrderResult")]
LiftOrderResult = Annotated[OrderLifted | Problem, strawberry.union("LiftOrderResult")]
StateCircumstanceResult = Annotated[
    CircumstanceStated | Problem, strawberry.union("StateCircumstanceResult")
]
RetractCircumstanceResult = Annotated[
    CircumstanceRetracted | Problem, strawberry.union("RetractCircumstanceResult")
]


@strawberry.type
class OrderQuery:
    """Query fields about orders and circumstances."""

    @strawberry.field(
        graphql_type=Connection[Order],
        extensions=[requires(Scope.ORDERS_READ)],
        description="Orders you placed, or about your subjects; all for regulators and auditors.",
    )
    async def orders(
        self,
        info: Info,
        subject_id: strawberry.ID | None = None,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Order]:
        """Orders you may see, oldest first."""
        async with info.context.db.reading() as session:
            page = await orders.page(
                session,
                subject_id=None if subject_id is None else identifier(subject_id, "subject"),
                first=first,
                after=after(after_),
            )
        return connection(page, lambda order: order.id)

    @strawberry.field(
        graphql_type=Connection[Circumstance],
        extensions=[requires(Scope.ORDERS_READ)],
        description="What authorities state and have not taken back, oldest first.",
    )
    async def circumstances(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Circumstance]:
        """What authorities state and have not taken back."""
        async with info.context.db.reading() as session:
            page = await circumstances.page(session, first=first, after=after(after_))
        return connection(page, lambda one: one.id)


@strawberry.type
class OrderMutation:
    """Mutation fields of authorities."""

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE)],
        description="Forbid uses of a person, as a regulator, or as the operator for a court.",
    )
    async def place_order(self, info: Info, input: PlaceOrderInput) -> PlaceOrderResult:
        """Forbid uses of a person."""
        subject_id = identifier(input.subject_id, "subject", "subjectId")
        async with info.context.db.writing() as session:
            order_id, new = await once.claim(
                info, session, "placeOrder", input, scope=vars(input.scope)
            )
            if new:
                await orders.place(
                    session,
                    order_id=order_id,
                    subject_id=subject_id,
                    scope=scope_of(input.scope),
                    authority=input.authority,
                    reference=input.reference,
                    actor=info.context.caller.actor,
                )
            return OrderPlaced(order=await orders.mine(session, order_id))

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE)],
        description="End an order that you placed.",
    )
    async def lift_order(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> LiftOrderResult:
        """End an order that you placed."""
        async with info.context.db.writing() as session:
            order = await orders.lift(
                session,
                order_id=identifier(id, "order"),
                actor=info.context.caller.actor,
                reason=reason,
            )
        return OrderLifted(order=order)

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE)],
        description="State what is so outside any request, for example an election window.",
    )
    async def state_circumstance(
        self, info: Info, input: StateCircumstanceInput
    ) -> StateCircumstanceResult:
        """State what is so outside any request."""
        async with info.context.db.writing() as session:
            circumstance_id, new = await once.claim(info, session, "stateCircumstance", input)
            if new:
                await circumstances.state(
                    session,
                    circumstance_id=circumstance_id,
                    name=input.name,
                    territory=input.territory,
                    holds=input.holds,
                    starts_at=input.starts_at,
                    ends_at=input.ends_at,
                    source=input.source,
                    actor=info.context.caller.actor,
                )
            made = await circumstances.mine(session, circumstance_id)
        return CircumstanceStated(circumstance=made)

    @strawberry.mutation(
        extensions=[requires(Scope.ORDERS_WRITE)],
        description="Take back what you stated.",
    )
    async def retract_circumstance(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> RetractCircumstanceResult:
        """Take back what you stated."""
        async with info.context.db.writing() as session:
            gone = await circumstances.retract(
                session,
                circumstance_id=identifier(id, "circumstance"),
                actor=info.context.caller.actor,
                reason=reason,
            )
        return CircumstanceRetracted(circumstance=gone)
