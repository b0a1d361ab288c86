"""Who may resolve a field."""

from typing import Any

import strawberry
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField
from typing_extensions import override

from api.graphql.context import Info
from registry.errors import ForbiddenError
from registry.principals import Scope


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresScopes",
    description="The scopes a token needs for this field: all of one inner list.",
)
class RequiresScopes:
    """The scopes a token needs for a field, as the schema shows them."""

    scopes: list[list[str]]


class Requires(FieldExtension):
    """Refuses a caller whose token lacks the scope; the schema says which it is."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @override
    def apply(self, field: StrawberryField) -> None:
        field.directives = [*field.directives, RequiresScopes(scopes=[[str(self._scope)]])]

    @override
    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if self._scope not in info.context.caller.scopes:
            raise ForbiddenError(f"This needs a token with the scope {self._scope}.")
        return await next_(source, info, **kwargs)


def requires(scope: Scope) -> Requires:
    """Guard a field: `extensions=[requires(Scope.GRANTS_WRITE)]`."""
    return Requires(scope)
