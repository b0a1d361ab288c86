"""What a rule pack can say. Data that a lawyer reads: closed, and never a grant.

A pack adds bars, forms, authorities, terms and duties. Where it is silent on who may consent, on
majority or on how holders decide, pack ZZ's statement is read in its place. Each statement says
which instrument it rests on, whether that was read or is from memory, how sure its authors are, and
when it must be looked at again.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from registry.policy import territories
from registry.policy.pack_words import (
    Confidence,
    Cure,
    Effect,
    Evidence,
    Factor,
    HolderDecision,
    InstrumentStatus,
    Need,
    Parameter,
    ProtectionHolder,
    ProtectionLevel,
    Standing,
    Status,
    TermKind,
)
from registry.policy.statement import Part, Statement
from registry.policy.urgent import Deadline, HelpLine, Words
from registry.policy.vocabulary import (
    AiUse,
    CircumstanceName,
    ContentFlag,
    GrantorRole,
    Kinship,
    LegalException,
    Modality,
    ObligationCode,
    Purpose,
    SubjectClass,
)

Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Protection(Statement):
    """How one attribute of a person is protected. For readers; the engine protects all alike."""

    modality: Modality
    level: ProtectionLevel
    holder: ProtectionHolder


class Instrument(Part):
    """A law or ruling the pack rests on. `source`: what its authors actually read."""

    id: Code
    title: str
    status: InstrumentStatus
    effective: date | None = None
    evidence: Evidence
    confidence: Confidence
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _says_what_was_read(self) -> Self:
        if self.evidence is Evidence.READ and not self.source:
            raise ValueError("say in `source` what was read")
        return self


class Authority(Statement):
    """Who must have signed: any one of some roles, or all of them."""

    when: Standing
    age_from: int | None = None
    age_under: int | None = None
    any_of: frozenset[GrantorRole] = frozenset()
    all_of: frozenset[GrantorRole] = frozenset()

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if bool(self.any_of) == bool(self.all_of):
            raise ValueError("say either any_of or all_of")
        return self


class Form(Statement):
    """How consent must have been given. `when`: by whom; left out, by anybody."""

    can_begin_later = True

    when: Standing | None = None
    separate: Need = Need.NOT_REQUIRED
    written: Need = Need.NOT_REQUIRED
    represented_if_performance_replaced: Need = Need.NOT_REQUIRED  # counsel or union
    max_term_years: Annotated[int, Field(ge=1, le=200)] | None = None


class Consent(Part):
    """Whose consent, in what forms. Every form binds: the strictest of each counts."""

    by: tuple[Authority, ...] = ()
    forms: tuple[Form, ...] = ()


class Minors(Statement):
    """When childhood ends, in years. `data_consent_age` is for readers."""

    majority: Annotated[int, Field(ge=14, le=25)]
    data_consent_age: Annotated[int, Field(ge=0, le=25)] | None = None


class Term(Statement):
    """How long a dead person is protected, and whom of the dead that is for."""

    can_begin_later = True

    kind: TermKind
    years: Annotated[int, Field(ge=1, le=200)] | None = None
    domicile: str | None = None
    died_on_or_after: date | None = None

    @model_validator(mode="after")
    def _years_where_they_count(self) -> Self:
        counted = self.kind in {TermKind.FIXED, TermKind.RENEWABLE}
        if counted != (self.years is not None):
            raise ValueError("years belong to kinds fixed and renewable, and to no other")
        if self.domicile is not None and not territories.exists(self.domicile):
            raise ValueError(f"domicile {self.domicile} is no territory")
        return self


class Holders(Statement):
    """Who holds the rights of the dead at one rank, and how they decide."""

    rank: Annotated[int, Field(ge=1)]
    any_of: Annotated[frozenset[Kinship], Field(min_length=1)]
    decision: HolderDecision


class Dead(Part):
    """What holds after death. All terms that are law protect; holders are asked by rank."""

    terms: Annotated[tuple[Term, ...], Field(min_length=1)]
    holders: tuple[Holders, ...] = ()

    @model_validator(mode="after")
    def _ranks_once(self) -> Self:
        ranks = [one.rank for one in self.holders]
        if ranks != sorted(set(ranks)):
            raise ValueError("the ranks of holders ascend, each said once")
        return self


class Exemption(Statement):
    """A freedom this law knows. It leads to a person, never to a permission."""

    claim: LegalException
    effect: Effect

    @model_validator(mode="after")
    def _never_a_bar(self) -> Self:
        if self.effect is Effect.PROHIBIT:
            raise ValueError("an exception is review or advisory")
        return self


class Bar(Statement):
    """What is forbidden. Every condition that is given must hold.

    `unfiled`: holds for services without a filing in this territory. `when`: holds while this fact
    outside the request does; while nobody has said whether it does, a person decides. `effect:
    review` is for a condition that only a person can see. `binds_service`: it speaks only where the
    service publishes or is established, not where the person lives.
    """

    can_begin_later = True

    id: Code
    message: str
    cure: Cure
    effect: Effect = Effect.PROHIBIT
    uses: frozenset[AiUse] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    content: frozenset[ContentFlag] = frozenset()
    who: SubjectClass | None = None
    unfiled: str | None = None
    when: CircumstanceName | None = None
    binds_service: bool = False

    @model_validator(mode="after")
    def _a_condition(self) -> Self:
        if not (self.uses or self.purposes or self.content or self.who or self.unfiled):
            raise ValueError("a bar without a condition would forbid everything")
        if self.effect is Effect.ADVISORY:
            raise ValueError("a bar is prohibit or review")
        if self.unfiled is not None and not self.binds_service:
            raise ValueError("a filing is the service's: say `binds_service: true`")
        return self


class Duty(Statement):
    """An obligation that comes with every permission under this pack."""

    can_begin_later = True

    code: ObligationCode
    parameters: dict[Parameter, Annotated[int, Field(ge=0)]] = Field(default={})
    binds_service: bool = False


class FilingFormat(Statement):
    """What the number of a service's filing looks like. A number that fits proves nothing."""

    kind: Code
    pattern: str
    example: str

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        try:
            fits = re.fullmatch(self.pattern, self.example)
        except re.error as error:
            raise ValueError(f"pattern: {error}") from error
        if not fits:
            raise ValueError("the example does not fit the pattern")
        return self


class Advice(Statement):
    """Something the law asks that this registry does not decide on: for readers."""

    can_begin_later = True

    text: str


class Pack(Part):
    """One territory's rules, with where they come from and how sure that is.

    `place`: what people call the territory; left out, the name. It, deadlines and help decide
    nothing, and change without a new version.
    """

    id: str
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d+$")]
    name: str
    place: Words | None = None
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
    filing_formats: tuple[FilingFormat, ...] = ()
    service_duties: tuple[Advice, ...] = ()
    remedies: tuple[Advice, ...] = ()
    registry_duties: tuple[Advice, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    help: tuple[HelpLine, ...] = ()

    @model_validator(mode="after")
    def _ids_once_and_known(self) -> Self:
        for what, ids in (
            ("instruments", [one.id for one in self.instruments]),
            ("bars", [one.id for one in self.bars]),
            ("filing_formats", [one.kind for one in self.filing_formats]),
        ):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            if twice:
                raise ValueError(f"{what}: {twice[0]} is said twice")
        known = {one.id for one in self.instruments}
        for place, statement in statements(self):
            for one in statement.law:
                if one not in known:
                    raise ValueError(f"{place}: there is no instrument {one}")
        return self


def statements(pack: Pack) -> Iterator[tuple[str, Statement]]:
    """Everything a pack says, with its place in the file: `bars.0`, `consent.forms.1`."""
    yield from _statements(pack, "")


def _statements(value: Any, place: str) -> Iterator[tuple[str, Statement]]:
    if isinstance(value, Statement):
        yield place, value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _statements(getattr(value, name), f"{place}.{name}" if place else name)
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _statements(one, f"{place}.{number}")
