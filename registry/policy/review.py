"""What of the packs must be looked at again: what is past its date, and what is from memory.

For readers and for warnings; no decision depends on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from registry.policy.pack import Pack, statements
from registry.policy.pack_words import Evidence
from registry.policy.statement import Statement


@dataclass(frozen=True, slots=True)
class Overdue:
    """A statement, or with place "" a whole pack, whose review was due on `review_by`."""

    pack: str
    place: str
    review_by: date


@dataclass(frozen=True, slots=True)
class Remembered:
    """A statement that nobody has yet held against a source."""

    pack: str
    place: str
    statement: Statement


def overdue(packs: Iterable[Pack], today: date) -> tuple[Overdue, ...]:
    """Packs past their date, and statements past one of their own; by pack, in the file's order."""
    found = []
    for pack in sorted(packs, key=lambda one: one.id):
        dated = [("", pack.review_by), *((place, one.review_by) for place, one in statements(pack))]
        found += [
            Overdue(pack.id, place, day) for place, day in dated if day is not None and day < today
        ]
    return tuple(found)


def from_memory(packs: Iterable[Pack]) -> tuple[Remembered, ...]:
    """Statements whose evidence is memory; by pack, in the file's order."""
    return tuple(
        Remembered(pack.id, place, one)
        for pack in sorted(packs, key=lambda one: one.id)
        for place, one in statements(pack)
        if one.evidence is Evidence.MEMORY
    )
