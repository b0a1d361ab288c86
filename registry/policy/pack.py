"""What a rule pack can say. Data that a lawyer reads: closed, and never a grant.

A pack adds bars, forms, authorities, terms and duties. Where it is silent on who may consent, on
majority or on how holders decide, pack ZZ's statement is read in its place.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    GrantorRole,
    LegalException,
    Modality,
    ObligationCode,
    Purpose,
    SubjectClass,
)


class Status(StrEnum):
    """Whether it is law. A draft speaks only when a request includes draft law."""

    IN_FORCE = "in_force"
    PARTLY_IN_FORCE = "partly_in_force"
    DRAFT = "draft"


class Confidence(StrEnum):
    """How sure its authors are of it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Factor(StrEnum):
    """Which fact pulls a pack in."""

    PUBLICATION = "PUBLICATION"
    SERVICE_ESTABLISHMENT = "SERVICE_ESTABLISHMENT"
    SUBJECT_RESIDENCE = "SUBJECT_RESIDENCE"
    DOMICILE_AT_DEATH = "DOMICILE_AT_DEATH"


class Cure(StrEnum):
    """What lifts a bar: nothing, or a grant that allows the barred thing."""

    NONE = "none"
    CONSENT = "consent"


class Effect(StrEnum):
    """What a bar or exception leads to. `advisory` informs, and changes nothing."""

    PROHIBIT = "prohibit"
    REVIEW = "review"
    ADVISORY = "advisory"


class Need(StrEnum):
    """Whether a form is demanded. Only `required` binds."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    NOT_REQUIRED = "not_required"


class Standing(StrEnum):
    """What a person is to the law of consent."""

    ADULT = "adult"
    MINOR = "minor"
    DEAD = "dead"


class TermKind(StrEnum):
    """How long the dead are protected."""

    FIXED = "fixed"
    RENEWABLE = "renewable"
    WHILE_RELATIVES_LIVING = "while_relatives_living"
    UNSETTLED = "unsettled"
    DELEGATED = "delegated"
    NONE = "none"


class HolderDecision(StrEnum):
    """How many of the holders must sign; later ones are stricter."""

    ANY = "any"
    MAJORITY_INTEREST = "majority_interest"
    ALL = "all"


class Parameter(StrEnum):
    """What a duty can be measured in."""

    MONTHS = "months"
    DAYS = "days"
    DEADLINE_HOURS = "deadline_hours"
    HEIGHT_PERCENT = "height_percent"
    SECONDS = "seconds"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Protection(_Part):
    """How one attribute of a person is protected. For readers; the engine protects all alike."""

    modality: Modality
    level: str
    holder: str
    note: str = ""


class Instrument(_Part):
    """A law or ruling the pack rests on."""

    id: str
    title: str
    effective: date | None = None
    status: str
    confidence: Confidence
    source: str = ""
    note: str = ""


class Authority(_Part):
    """Who must have signed: any one of some roles, or all of them."""

    when: Standing
    age_from: int | None = None
    age_under: int | None = None
    any_of: frozenset[GrantorRole] = frozenset()
    all_of: frozenset[GrantorRole] = frozenset()
    note: str = ""

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if bool(self.any_of) == bool(self.all_of):
            raise ValueError("say either any_of or all_of")
        return self


class Form(_Part):
    """How consent must have been given."""

    separate: Need = Need.NOT_REQUIRED
    written: Need = Need.NOT_REQUIRED
    represented_if_performance_replaced: Need = Need.NOT_REQUIRED  # counsel or union
    max_term_years: Annotated[int, Field(ge=1)] | None = None
    note: str = ""


class Consent(_Part):
    """Whose consent, in what form."""

    by: tuple[Authority, ...] = ()
    form: Form = Form()


class Minors(_Part):
    """When childhood ends, in years."""

    majority: Annotated[int, Field(ge=14, le=25)]
    note: str = ""


class Term(_Part):
    """How long a dead person is protected, and by which law. `draft` counts only if asked for."""

    kind: TermKind
    years: Annotated[int, Field(ge=1)] | None = None
    draft: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _years_where_they_count(self) -> Self:
        counted = self.kind in {TermKind.FIXED, TermKind.RENEWABLE}
        if counted != (self.years is not None):
            raise ValueError("years belong to kinds fixed and renewable, and to no other")
        return self


class AppliesIf(_Part):
    """Whom of the dead the term is for."""

    domicile: str | None = None
    died_on_or_after: date | None = None


class Holders(_Part):
    """Who holds the rights of the dead, by rank, and how they decide."""

    rank: Annotated[int, Field(ge=1)]
    any_of: tuple[str, ...]
    decision: HolderDecision
    note: str = ""


class Dead(_Part):
    """What holds after death."""

    term: Term
    applies_if: AppliesIf = AppliesIf()
    holders: tuple[Holders, ...] = ()
    note: str = ""


class Exemption(_Part):
    """A freedom this law knows. It leads to a person, never to a permission."""

    claim: LegalException
    effect: Effect
    note: str = ""

    @model_validator(mode="after")
    def _never_a_bar(self) -> Self:
        if self.effect is Effect.PROHIBIT:
            raise ValueError("an exception is review or advisory")
        return self


class Bar(_Part):
    """What is forbidden. Every condition that is given must hold.

    `effect: review` is for a bar whose condition lies outside the request: a person looks.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    message: str
    cure: Cure
    effect: Effect = Effect.PROHIBIT
    uses: frozenset[AiUse] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    content: frozenset[ContentFlag] = frozenset()
    who: SubjectClass | None = None
    unfiled: str | None = None  # holds for services without a filing in this territory
    effective: date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _a_condition(self) -> Self:
        if not (self.uses or self.purposes or self.content or self.who or self.unfiled):
            raise ValueError("a bar without a condition would forbid everything")
        if self.effect is Effect.ADVISORY:
            raise ValueError("a bar is prohibit or review")
        return self


class Duty(_Part):
    """An obligation that comes with every permission under this pack."""

    code: ObligationCode
    parameters: dict[Parameter, int] = {}


class Pack(_Part):
    """One territory's rules, with where they come from and how sure that is."""

    id: str
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d+$")]
    name: str
    status: Status
    confidence: Confidence
    source: str
    review_by: date
    rationale: str = ""
    extends: tuple[str, ...] = ()
    connecting_factors: frozenset[Factor] = frozenset({Factor.PUBLICATION})
    instruments: tuple[Instrument, ...] = ()
    protected: tuple[Protection, ...] = ()
    consent: Consent = Consent()
    minors: Minors | None = None
    dead: Dead
    exceptions: tuple[Exemption, ...] = ()
    bars: tuple[Bar, ...] = ()
    emits: tuple[Duty, ...] = ()
    duties: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    registry_duties: tuple[str, ...] = ()
