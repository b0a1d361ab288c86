"""How somebody stands before the law: the fold of the statements about them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from registry.policy.vocabulary import SubjectClass


class ProtectionKind(StrEnum):
    """What a statement is about."""

    CLASS = "CLASS"
    DEATH = "DEATH"
    RELATIVES = "RELATIVES"
    RESIDENCE = "RESIDENCE"


@dataclass(frozen=True, slots=True)
class Stated:
    """A standing statement, opened."""

    kind: ProtectionKind
    assured: bool
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject's statements add up to."""

    classes: frozenset[SubjectClass] = frozenset()
    died: date | None = None
    death_assured: bool = True
    domicile: str | None = None
    relatives_living: bool | None = None
    residence: str | None = None


def standing(stated: Iterable[Stated]) -> Standing:
    """The fold of standing statements, oldest first.

    An assured death beats one that is not, a later one an earlier. A later word that relatives
    live protects, whoever says it; that none do counts from an office only.
    """
    by_kind: dict[ProtectionKind, list[Stated]] = {kind: [] for kind in ProtectionKind}
    for one in stated:
        by_kind[one.kind].append(one)
    death = _latest(by_kind[ProtectionKind.DEATH])
    classes = {SubjectClass(one.body["class"]) for one in by_kind[ProtectionKind.CLASS]}
    if death is not None:
        classes.add(SubjectClass.DECEASED)
    died = death.body["died_on"] if death is not None else None
    home = by_kind[ProtectionKind.RESIDENCE]
    return Standing(
        classes=frozenset(classes),
        died=None if died is None else date.fromisoformat(died),
        death_assured=death is None or death.assured,
        domicile=None if death is None else death.body["domicile"],
        relatives_living=_relatives(by_kind[ProtectionKind.RELATIVES]),
        residence=home[-1].body["territory"] if home else None,
    )


def _latest(deaths: Sequence[Stated]) -> Stated | None:
    assured = [one for one in deaths if one.assured]
    return next(reversed(assured or deaths), None)


def _relatives(said: Sequence[Stated]) -> bool | None:
    living: bool | None = None
    for one in said:
        if one.assured or one.body["living"]:
            living = one.body["living"]
    return living
