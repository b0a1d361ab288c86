"""Creating mutations: the same key and the same input make one thing, once."""

from typing import Any
from uuid import UUID

from api.graphql.context import Info
from registry import idempotency
from registry.database import WriteSession


async def claim(
    info: Info, session: WriteSession, operation: str, input: Any, **plain: Any
) -> tuple[UUID, bool]:
    """The id for what this input makes, and whether it is new. `plain`: nested inputs, opened."""
    return await idempotency.claim(
        session,
        principal_id=info.context.caller.actor.principal_id,
        operation=operation,
        key=input.idempotency_key,
        request={**vars(input), **plain},
        keys=info.context.state.keys,
    )
