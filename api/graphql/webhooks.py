"""Webhooks in the schema: where a service is told its notices."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection, identifier
from api.graphql.permissions import requires
from registry import webhooks
from registry.principals import Scope


@strawberry.type(description="An address that a service is told its notices at.")
class Webhook:
    """An address that a service is told its notices at."""

    id: strawberry.ID
    service_id: strawberry.ID
    url: str
    created_at: datetime

    @strawberry.field(description="Whether nothing is sent there any more.")
    @staticmethod
    async def ended(webhook: strawberry.Parent[webhooks.Webhook], info: Info) -> bool:
        """Whether nothing is sent there any more."""
        return await info.context.webhooks_ended.load(webhook.id) or False


@strawberry.input(description="An address to be told at.")
class RegisterWebhookInput:
    """An address to be told at."""

    url: str = strawberry.field(description="An https address of the public internet.")
    service_id: strawberry.ID | None = strawberry.field(
        default=None, description="A service of yours; left out: the service that asks."
    )
    idempotency_key: str | None = None


@strawberry.type(description="Notices are sent there from now on, signed with the secret.")
class WebhookRegistered:
    """Notices are sent there from now on."""

    webhook: webhooks.Webhook = strawberry.field(graphql_type=Webhook)
    secret: str | None = strawberry.field(
        description="`whsec_` and 32 bytes, base64. Shown this once: null when you repeat it."
    )


@strawberry.type(description="Nothing is sent there any more.")
class WebhookEnded:
    """Nothing is sent there any more."""

    webhook: webhooks.Webhook = strawberry.field(graphql_type=Webhook)


RegisterWebhookResult = Annotated[
    WebhookRegistered | Problem, strawberry.union("RegisterWebhookResult")
]
EndWebhookResult = Annotated[WebhookEnded | Problem, strawberry.union("EndWebhookResult")]


@strawberry.type
class WebhookQuery:
    """Query fields about webhooks."""

    @strawberry.field(
        graphql_type=Connection[Webhook],
        extensions=[requires(Scope.SERVICES_WRITE, Scope.REQUESTS_READ)],
        description="Webhooks of the service that asks, or of your services, oldest first.",
    )
    async def webhooks(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Webhook]:
        """Webhooks you may see, oldest first."""
        async with info.context.db.reading() as session:
            page = await webhooks.page(session, first=first, after=after(after_))
        return connection(page, lambda one: one.id)


@strawberry.type
class WebhookMutation:
    """Mutation fields about webhooks."""

    @strawberry.mutation(
        extensions=[requires(Scope.SERVICES_WRITE, Scope.REQUESTS_WRITE)],
        description="Have a service's notices sent to an address, signed (Standard Webhooks).",
    )
    async def register_webhook(
        self, info: Info, input: RegisterWebhookInput
    ) -> RegisterWebhookResult:
        """Have a service's notices sent to an address."""
        context, secret = info.context, None
        actor = context.caller.actor
        service_id = (
            actor.principal_id
            if input.service_id is None
            else identifier(input.service_id, "service", "serviceId")
        )
        async with context.db.writing() as session:
            webhook_id, new = await once.claim(info, session, "registerWebhook", input)
            if new:
                secret = await webhooks.register(
                    session,
                    webhook_id=webhook_id,
                    service_id=service_id,
                    url=input.url,
                    actor=actor,
                    private=context.state.settings.webhook_private,
                    keys=context.state.keys,
                )
            webhook = await webhooks.mine(session, webhook_id)
        return WebhookRegistered(webhook=webhook, secret=secret)

    @strawberry.mutation(
        extensions=[requires(Scope.SERVICES_WRITE, Scope.REQUESTS_WRITE)],
        description="Send nothing to an address any more.",
    )
    async def end_webhook(
        self, info: Info, id: strawberry.ID, reason: str | None = None
    ) -> EndWebhookResult:
        """Send nothing to an address any more."""
        async with info.context.db.writing() as session:
            webhook = await webhooks.end(
                session,
                webhook_id=identifier(id, "webhook"),
                actor=info.context.caller.actor,
                reason=reason,
            )
        return WebhookEnded(webhook=webhook)
