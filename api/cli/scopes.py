"""The options that say what a grant or an objection is about, and how they read afterwards."""

from collections.abc import Collection
from typing import Annotated

import typer

from registry.policy.vocabulary import AiUse, Modality, Purpose
from registry.scopes import Scope, Scoped

Modalities = Annotated[
    list[Modality] | None,
    typer.Option("--modality", help="May be repeated; left out: all.", show_default=False),
]
Uses = Annotated[
    list[AiUse] | None,
    typer.Option("--use", help="May be repeated; left out: all.", show_default=False),
]
Purposes = Annotated[
    list[Purpose] | None,
    typer.Option("--purpose", help="May be repeated; left out: all.", show_default=False),
]
Territories = Annotated[
    list[str] | None,
    typer.Option(
        "--territory",
        help="ISO 3166-1, 3166-2 (US-CA) or EU; may be repeated; left out: all.",
        show_default=False,
    ),
]


def scope_of(
    modalities: Collection[Modality] | None,
    uses: Collection[AiUse] | None,
    purposes: Collection[Purpose] | None,
    territories: Collection[str] | None,
) -> Scope:
    """The scope; a dimension that was not given means all of it."""
    return Scope.of(
        modalities=modalities or None,
        uses=uses or None,
        purposes=purposes or None,
        territories=territories or None,
    )


def as_words(scoped: Scoped) -> list[str]:
    """Modalities, uses, purposes and territories, each as one cell of a table."""
    dimensions = (scoped.modalities, scoped.uses, scoped.purposes, scoped.territories)
    return ["all" if one is None else ", ".join(sorted(one)) for one in dimensions]


def as_document(scoped: Scope | Scoped) -> dict[str, object]:
    """The four dimensions with the names the schema gives them."""
    return {
        "modalities": scoped.modalities,
        "uses": scoped.uses,
        "purposes": scoped.purposes,
        "territories": scoped.territories,
    }
