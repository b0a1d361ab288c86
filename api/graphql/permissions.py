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
    """Refuses a caller whose token has none of the scopes; the schema says which they are."""

    def __init__(self, *scopes: Scope) -> None:
        self._scopes = scopes

    @override
    def apply(self, field: StrawberryField) -> None:
        scopes = [[str(one)] for one in self._scopes]
        field.directives = [*field.directives, RequiresScopes(scopes=scopes)]

    @override
    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if info.context.caller.scopes.isdisjoint(self._scopes):
            wanted = " or ".join(self._scopes)
            raise ForbiddenError(f"This needs a token with the scope {wanted}.")
        return await next_(source, info, **kwargs)


def requires(*scopes: Scope) -> Requires:
    """Guard a field: `extensions=[requires(Scope.GRANTS_WRITE)]`. Of several, any one will do."""
    return Requires(*scopes)
