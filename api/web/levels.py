"""How much somebody forbids: three plain levels, or their own choice of the fine scopes."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, TypeVar

from api.web.forms import Form
from api.web.languages import N_
from registry.errors import InvalidError
from registry.policy.vocabulary import AiUse, Modality, Purpose
from registry.scopes import Scope


class Level(StrEnum):
    """How much is forbidden."""

    ALL = "ALL"
    IMITATION = "IMITATION"
    COMMERCE = "COMMERCE"
    OWN = "OWN"


_NO_IMITATION: Final = frozenset({AiUse.BIOMETRIC_MATCH, AiUse.REDISTRIBUTE})
_OF_THE_PUBLIC: Final = frozenset(
    {
        Purpose.NEWS,
        Purpose.EDUCATION,
        Purpose.RESEARCH,
        Purpose.ARCHIVAL,
        Purpose.ACCESSIBILITY,
        Purpose.MEMORIAL,
        Purpose.SATIRE,
        Purpose.PERSONAL,
        Purpose.SAFETY_DETECTION,
    }
)
SCOPES: Final = {
    Level.ALL: Scope(),
    Level.IMITATION: Scope(uses=frozenset(AiUse) - _NO_IMITATION),
    Level.COMMERCE: Scope(purposes=frozenset(Purpose) - _OF_THE_PUBLIC),
}
WORDS: Final = {
    Level.ALL: (
        N_("Everything"),
        N_("No AI service may use my voice or face for anything. Most people choose this."),
    ),
    Level.IMITATION: (
        N_("Imitating me"),
        N_(
            "No cloned voice, no face swap, no pictures or videos of me, no training. To recognise"
            " me and to pass on what exists stays allowed."
        ),
    ),
    Level.COMMERCE: (
        N_("Business and politics"),
        N_(
            "No advertising, shows, shops, campaigns or the like. News, teaching, research, satire"
            " and private use stay open."
        ),
    ),
    Level.OWN: (N_("My own choice"), N_("I choose below exactly what I forbid.")),
}
NOTHING: Final = N_("Choose at least one thing that you forbid, or one of the first three levels.")
WHICH: Final = N_("Choose how much you forbid.")
T = TypeVar("T", bound=StrEnum)


def scope_of(form: Form) -> Scope:
    """What the form forbids; InvalidError where nothing, or nothing known, was chosen."""
    try:
        level = Level(form.text("level"))
    except ValueError as error:
        raise InvalidError(WHICH, field="level") from error
    if level is not Level.OWN:
        return SCOPES[level]
    try:
        chosen = Scope(
            modalities=_some(Modality, form.texts("modality")),
            uses=_some(AiUse, form.texts("use")),
            purposes=_some(Purpose, form.texts("purpose")),
        )
    except ValueError as error:
        raise InvalidError(NOTHING, field="level") from error
    if chosen == Scope():
        raise InvalidError(NOTHING, field="level")
    return chosen


def _some(members: type[T], chosen: Collection[str]) -> frozenset[T] | None:
    """The members that were ticked; none ticked means that this does not narrow the no."""
    return frozenset(map(members, chosen)) or None
