"""Who may resolve a field."""

from typing import Any

from strawberry.permission import BasePermission, PermissionExtension
from typing_extensions import override

from api.graphql.context import Info
from registry.errors import ForbiddenError
from registry.principals import Scope


class HasScope(BasePermission):
    """The caller's token carries this scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @override
    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return self.scope in info.context.caller.scopes

    @override
    def on_unauthorized(self) -> None:
        raise ForbiddenError(f"This needs a token with the scope {self.scope}.")


def requires(scope: Scope) -> PermissionExtension:
    """Guard a field: `extensions=[requires(Scope.GRANTS_WRITE)]`."""
    return PermissionExtension(permissions=[HasScope(scope)])
