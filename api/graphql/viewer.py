"""Who the caller is, as the registry sees it."""

from collections.abc import Sequence

import strawberry

from api.auth import Caller
from api.graphql.attestations import Attestation, of_caller
from api.graphql.cases import Case, case_of
from api.graphql.context import Info
from api.graphql.permissions import requires
from registry import cases
from registry.attestations import Attestation as Made
from registry.principals import PrincipalKind, Scope


@strawberry.type(description="The account your token belongs to.")
class Viewer:
    """The account your token belongs to."""

    handle: str

    @strawberry.field(description="Id of the account; a service names it as a grantee.")
    @staticmethod
    def id(caller: strawberry.Parent[Caller]) -> strawberry.ID:
        """Id of the account."""
        return strawberry.ID(str(caller.actor.principal_id))

    @strawberry.field(
        description="Identity assurance level, 0 to 3: of this token, or by attestation if higher."
    )
    @staticmethod
    async def ial(_: strawberry.Parent[Caller], info: Info) -> int:
        """Identity assurance level, 0 to 3."""
        return await info.context.ial()

    @strawberry.field(
        graphql_type=list[Attestation],
        extensions=[requires(Scope.SUBJECTS_READ)],
        description="By what you are known, newest first.",
    )
    @staticmethod
    async def attestations(_: strawberry.Parent[Caller], info: Info) -> Sequence[Made]:
        """By what you are known, newest first."""
        return await of_caller(info)

    @strawberry.field(description="In what capacity it acts.")
    @staticmethod
    def kind(caller: strawberry.Parent[Caller]) -> PrincipalKind:
        """In what capacity it acts."""
        return PrincipalKind(caller.actor.kind)

    @strawberry.field(description="What this token allows.")
    @staticmethod
    def scopes(caller: strawberry.Parent[Caller]) -> list[str]:
        """What this token allows."""
        return sorted(caller.scopes)

    @strawberry.field(
        graphql_type=Case | None, description="Your case, if your account is one with a PIN."
    )
    @staticmethod
    async def case(caller: strawberry.Parent[Caller], info: Info) -> cases.Case | None:
        """Your case, if your account is one with a PIN."""
        return await case_of(caller, info)


@strawberry.type
class ViewerQuery:
    """Query fields about the caller."""

    @strawberry.field(graphql_type=Viewer, description="The account your token belongs to.")
    async def viewer(self, info: Info) -> Caller:
        """The account your token belongs to."""
        return info.context.caller
