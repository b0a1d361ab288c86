"""Where a grant stands: the fold of what became of it. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from registry.policy.vocabulary import GrantState


class GrantEventKind(StrEnum):
    """What may become of a grant. ACTIVATED: everybody who must sign has."""

    SIGNED = "SIGNED"
    ACTIVATED = "ACTIVATED"
    SUSPENDED = "SUSPENDED"
    RESUMED = "RESUMED"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"
    LAPSED = "LAPSED"


class HoldCause(StrEnum):
    """Why a grant is held back. What is held for several causes is free once none is left."""

    CLAIM_CONFLICT = "CLAIM_CONFLICT"
    MAJORITY = "MAJORITY"  # until the person, of age now, signs it themselves
    DEATH = "DEATH"  # until those who hold the rights of the dead decide


class Step(NamedTuple):
    """One event. `effective_at`: when an activation takes effect, if later than it was said.

    `cause`: of a suspension, or of its end.
    """

    kind: str
    effective_at: datetime | None = None
    cause: str | None = None


FINAL = frozenset({GrantState.REVOKED, GrantState.REJECTED})
ENDING = {
    GrantEventKind.REVOKED: GrantState.REVOKED,
    GrantEventKind.REJECTED: GrantState.REJECTED,
    GrantEventKind.LAPSED: GrantState.EXPIRED,
}


def state_of(steps: Iterable[Step], *, ends_at: datetime | None, at: datetime) -> GrantState:
    """The state these steps, oldest first, add up to at that moment.

    The first that ends a grant is final whatever came after it. Signatures alone make nothing
    effective: an activation does, and after a cooling-off period where there is one.
    """
    steps = list(steps)
    effective = False
    for step in steps:
        match GrantEventKind(step.kind):
            case GrantEventKind.ACTIVATED:
                effective = effective or step.effective_at is None or step.effective_at <= at
            case GrantEventKind.SIGNED | GrantEventKind.SUSPENDED | GrantEventKind.RESUMED:
                pass
            case ending:
                return ENDING[ending]
    if ends_at is not None and ends_at <= at:
        return GrantState.EXPIRED
    if held_for(steps):
        return GrantState.SUSPENDED
    return GrantState.ACTIVE if effective else GrantState.PENDING


def held_for(steps: Iterable[Step]) -> frozenset[str | None]:
    """The causes for which these steps, oldest first, leave a grant held back."""
    causes: set[str | None] = set()
    for step in steps:
        if step.kind == GrantEventKind.SUSPENDED:
            causes.add(step.cause)
        elif step.kind == GrantEventKind.RESUMED:
            causes.discard(step.cause)
    return frozenset(causes)
