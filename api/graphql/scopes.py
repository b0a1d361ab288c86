"""The words of a scope in the schema, and how null means all."""

import strawberry

from registry.policy.vocabulary import AiUse, Modality, Purpose
from registry.scopes import Scope


@strawberry.input(
    description="What a grant or objection is about. A dimension left out means all of it."
)
class ScopeInput:
    """What a grant or objection is about."""

    modalities: list[Modality] | None = None
    uses: list[AiUse] | None = None
    purposes: list[Purpose] | None = None
    territories: list[str] | None = strawberry.field(
        default=None, description="ISO 3166-1, 3166-2 (US-CA) or EU."
    )


def scope_of(given: ScopeInput) -> Scope:
    """The scope in the registry's own form; InvalidError for one that cannot be."""
    return Scope.of(
        modalities=given.modalities,
        uses=given.uses,
        purposes=given.purposes,
        territories=given.territories,
    )
