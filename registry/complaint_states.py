"""Where a complaint about misuse stands: the fold of what became of it. Pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class ComplaintState(StrEnum):
    """Where a complaint stands. CONFIRMED: whoever looked found that it shows a misuse."""

    RECEIVED = "RECEIVED"
    IN_REVIEW = "IN_REVIEW"
    CONFIRMED = "CONFIRMED"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    WITHDRAWN = "WITHDRAWN"


class ComplaintEventKind(StrEnum):
    """What may become of a complaint."""

    TAKEN_UP = "TAKEN_UP"
    CONFIRMED = "CONFIRMED"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    WITHDRAWN = "WITHDRAWN"


WAITING: Final = frozenset({ComplaintState.RECEIVED, ComplaintState.IN_REVIEW})


def state_of(kinds: Iterable[str]) -> ComplaintState:
    """What these event kinds, oldest first, add up to.

    The latest finding counts, since one may be overturned on appeal; what was withdrawn while it
    waited is out of the desk's hands.
    """
    state = ComplaintState.RECEIVED
    for kind in kinds:
        if state is ComplaintState.WITHDRAWN:
            break
        match ComplaintEventKind(kind):
            case ComplaintEventKind.TAKEN_UP if state is ComplaintState.RECEIVED:
                state = ComplaintState.IN_REVIEW
            case ComplaintEventKind.WITHDRAWN if state in WAITING:
                state = ComplaintState.WITHDRAWN
            case ComplaintEventKind.CONFIRMED | ComplaintEventKind.NOT_CONFIRMED:
                state = ComplaintState(kind)
    return state
