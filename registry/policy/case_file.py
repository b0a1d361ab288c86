"""The format of decision-case files: fixtures, questions and expected answers.

Scores become bands by the file's thresholds: `low` to `high` is GREY; from `high` on STRONG, or
MATCH where a `strong` threshold is given and not reached. ASSET thresholds are distances, in bits.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from registry.policy.vocabulary import (
    AiUse,
    Basis,
    CircumstanceName,
    ContentFlag,
    GrantorRole,
    GrantState,
    Kinship,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    Purpose,
    Registration,
    SubjectClass,
)

T = TypeVar("T", bound=str)

Moment = AwareDatetime | date
Listed = frozenset[str]
Everything = Literal["*"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(_Entry):
    """Where bands begin for one kind of probe. `margin`: how far behind the runner-up must be."""

    low: float
    high: float
    strong: float | None = None
    margin: float = 0.0


class ServiceEntry(_Entry):
    """An AI service."""

    state: Literal["ACTIVE", "SUSPENDED"]
    filings: dict[str, str] = {}
    tier: int = 0
    establishment: str | None = None


class HolderEntry(_Entry):
    """By what title somebody holds rights of a dead person, and how much of them."""

    kinship: Kinship | None = None
    share: float | None = None


class SubjectEntry(_Entry):
    """A registered person. Holders are ids, or ids with what is known of each."""

    born: date | None = None
    died: date | None = None
    death_assured: bool = True
    classes: frozenset[SubjectClass] = frozenset()
    registration: Registration
    relatives_living: bool | None = None
    holders: Listed | dict[str, HolderEntry] = frozenset()
    domicile_at_death: str | None = None
    residence: str | None = None


class _Scoped(_Entry):
    """What a statement is about. `"*"` in a list: all of them."""

    id: str
    subject: str
    modalities: frozenset[Modality | Everything] = frozenset({"*"})
    uses: frozenset[AiUse | Everything] = frozenset({"*"})
    purposes: frozenset[Purpose | Everything] = frozenset({"*"})
    territories: Listed = frozenset({"*"})


class GrantEntry(_Scoped):
    """A consent. Every dimension is said."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    modalities: frozenset[Modality | Everything]
    uses: frozenset[AiUse | Everything]
    purposes: frozenset[Purpose | Everything]
    territories: Listed
    grantee: Listed
    grantor_roles: frozenset[GrantorRole]
    grantor_ial: int = 2
    state: GrantState
    begins: Annotated[Moment, Field(alias="from")]
    until: Moment | None = None
    revoked_at: Moment | None = None
    content_allowed: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    quota_remaining: int | None = None
    signed_by: Listed = frozenset()
    interest: float | None = None
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    id_only_ok: bool = False  # changes nothing: a permission needs evidence of who it is
    obligations: frozenset[ObligationCode] = frozenset()
    acknowledges_objections: Listed = frozenset()


class ObjectionEntry(_Scoped):
    """A refusal by, or for, a person."""

    state: ObjectionState
    since: Moment
    until: Moment | None = None
    filed_by_role: GrantorRole = GrantorRole.SELF
    carve_out_grants: Listed = frozenset()


class OrderEntry(_Scoped):
    """What a court or regulator forbade; what is not said is all of it."""


class CircumstanceEntry(_Entry):
    """Whether something outside the request is so in a territory."""

    name: CircumstanceName
    territory: str
    holds: bool


class Fixtures(_Entry):
    """What all cases of a file share. `name_index` may say whose each name is."""

    now: AwareDatetime
    thresholds: dict[Literal["FACE", "VOICE", "BODY", "ASSET"], Threshold]
    name_index: tuple[str, ...] | dict[str, str] = ()
    services: dict[str, ServiceEntry]
    subjects: dict[str, SubjectEntry]
    grants: tuple[GrantEntry, ...] = ()
    objections: tuple[ObjectionEntry, ...] = ()
    orders: tuple[OrderEntry, ...] = ()
    circumstances: tuple[CircumstanceEntry, ...] = ()


class ScoreEntry(_Entry):
    """How near a probe is to a subject."""

    subject: str
    score: float


class DistanceEntry(_Entry):
    """How far a picture is from a registered one, in bits."""

    subject: str
    distance: int


class PersonEntry(_Entry):
    """One person of the request."""

    probe: dict[Modality, tuple[ScoreEntry, ...]] = {}
    quality: dict[Modality, Literal["OK", "LOW"]] = {}
    asset: DistanceEntry | tuple[DistanceEntry, ...] | None = None
    claimed: str | None = None
    name: str | None = None
    target: bool = True


class RequestEntry(_Entry):
    """What a service asks. Without `supported` it keeps every duty."""

    service: str
    use: AiUse
    purpose: Purpose
    modalities: frozenset[Modality]
    territories: Listed = frozenset()
    content: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    claimed_exception: LegalException | None = None
    supported: frozenset[ObligationCode] | None = None
    include_draft_law: bool = False
    at: AwareDatetime | None = None
    matcher: Literal["UP", "DOWN"] = "UP"
    persons: tuple[PersonEntry, ...]


class Expectation(_Entry):
    """The answer. Lists are subsets that must, or must not, be there; reasons may be CODE:grant."""

    outcome: Outcome
    may_proceed: bool
    basis: Basis | None = None
    reasons: tuple[str, ...] = ()
    reasons_absent: tuple[str, ...] = ()
    obligations: tuple[ObligationCode, ...] = ()


class CaseEntry(_Entry):
    """One question with its answer."""

    id: str
    title: str
    request: RequestEntry
    expect: Expectation


class WorkflowEntry(_Entry):
    """A case about states over time. For readers; nothing is run."""

    id: str
    given: str
    then: str


class CaseFile(_Entry):
    """A whole file."""

    schema_version: Literal["1.0"]
    outcomes_by_severity: tuple[Outcome, ...] = ()
    fixtures: Fixtures
    cases: tuple[CaseEntry, ...]
    workflow_cases: tuple[WorkflowEntry, ...] = ()


def scope(entries: frozenset[T | Everything]) -> frozenset[T] | None:
    """A list of a file as a scope: with `"*"` in it, everything."""
    if "*" in entries:
        return None
    return cast("frozenset[T]", entries)  # the only other member was "*"


def moment(value: Moment) -> datetime:
    """In UTC, as facts have it, since the day is read off it. A date is its first moment."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
