"""What a decision is: an outcome with the reasons, duties and packs that made it."""

from dataclasses import dataclass
from datetime import datetime

from registry.policy.vocabulary import (
    Basis,
    Modality,
    ObligationCode,
    Outcome,
    ReasonAction,
)

ENGINE_VERSION = "1.3.0"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in a code, a sentence and something to do about it."""

    code: str
    message: str
    action: ReasonAction
    person: int | None = None
    modality: Modality | None = None
    pack: str | None = None
    grant: str | None = None


@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty, its parameters as (name, value) pairs, and which pack or grant it comes from."""

    code: ObligationCode
    source: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """The worst that holds for one person of the request."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PackVersion:
    """A rule pack that spoke, and which version of it."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The engine's answer. Only `PERMITTED` means go."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    persons: tuple[PersonDecision, ...]
    packs: tuple[PackVersion, ...]
    valid_until: datetime
    basis: Basis | None = None
    obligations: tuple[Obligation, ...] = ()
    engine: str = ENGINE_VERSION

    @property
    def may_proceed(self) -> bool:
        """Whether this is a permission."""
        return self.outcome is Outcome.PERMITTED
