"""What a grant or an objection is about: modalities, uses, purposes and territories.

A dimension that is null means all of it; an empty one would mean nothing and is refused.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from registry.database import EnumList, ordered
from registry.errors import InvalidError
from registry.policy import territories as known_territories
from registry.policy.vocabulary import AiUse, Modality, Purpose


@dataclass(frozen=True, slots=True)
class Scope:
    """The four dimensions, as a client gives them."""

    modalities: frozenset[Modality] | None = None
    uses: frozenset[AiUse] | None = None
    purposes: frozenset[Purpose] | None = None
    territories: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        *,
        modalities: Collection[Modality] | None,
        uses: Collection[AiUse] | None,
        purposes: Collection[Purpose] | None,
        territories: Collection[str] | None,
    ) -> "Scope":
        """A checked scope: no empty dimension, no territory that does not exist."""
        given = {
            "modalities": modalities,
            "uses": uses,
            "purposes": purposes,
            "territories": territories,
        }
        for name, values in given.items():
            if values is not None and not values:
                raise InvalidError(
                    f"{name} is empty: leave it out to mean all, or name at least one.", field=name
                )
        return cls(
            modalities=None if modalities is None else frozenset(modalities),
            uses=None if uses is None else frozenset(uses),
            purposes=None if purposes is None else frozenset(purposes),
            territories=None
            if territories is None
            else known_territories.check(territories, field="territories"),
        )


class Scoped:
    """The columns of a table whose rows have a scope."""

    modalities: Mapped[list[Modality] | None] = mapped_column(EnumList(Modality))
    uses: Mapped[list[AiUse] | None] = mapped_column(EnumList(AiUse))
    purposes: Mapped[list[Purpose] | None] = mapped_column(EnumList(Purpose))
    territories: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


def scope_in(row: Scoped) -> Scope:
    """The scope of a row."""
    given = (row.modalities, row.uses, row.purposes, row.territories)
    modalities, uses, purposes, territories = (None if v is None else frozenset(v) for v in given)
    return Scope(modalities, uses, purposes, territories)  # type: ignore[arg-type]  # in that order


def within(inner: Scope, outer: Scope) -> bool:
    """Whether everything in one scope is in another; a territory holds what lies in it."""
    return (
        _contains(outer.modalities, inner.modalities)
        and _contains(outer.uses, inner.uses)
        and _contains(outer.purposes, inner.purposes)
        and _covers(outer.territories, inner.territories)
    )


def _contains(outer: frozenset[Any] | None, inner: frozenset[Any] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _covers(outer: frozenset[str] | None, inner: frozenset[str] | None) -> bool:
    if outer is None or known_territories.WORLD in outer:
        return True
    return inner is not None and all(
        not outer.isdisjoint({one, *known_territories.enclosing(one)}) for one in inner
    )


def columns(scope: Scope) -> dict[str, Any]:
    """The scope as the columns of `Scoped`."""
    return {
        "modalities": ordered(scope.modalities),
        "uses": ordered(scope.uses),
        "purposes": ordered(scope.purposes),
        "territories": ordered(scope.territories),
    }
