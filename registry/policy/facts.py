"""Everything a decision may look at, as values. What is not here cannot influence an answer.

Built by `registry.checks` from one database snapshot, by `registry.policy.cases` from case files,
and by replay from the stored copy. Times are aware UTC; `at` is the database clock.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from registry.policy.vocabulary import (
    AiUse,
    Band,
    CircumstanceName,
    ContentFlag,
    GrantorRole,
    GrantState,
    Kinship,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Purpose,
    Registration,
    SubjectClass,
)

T = TypeVar("T")

# A scope dimension: a set of values, or None for "all of them" (`*` in files and the API).
Scope = frozenset[T] | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One consent and what had become of it at the snapshot."""

    id: str
    grantees: Scope[str]
    state: GrantState
    starts_at: datetime
    ends_at: datetime | None
    revoked_at: datetime | None
    modalities: Scope[Modality]
    uses: Scope[AiUse]
    purposes: Scope[Purpose]
    territories: Scope[str]
    content_allowed: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    uses_left: int | None = None  # None: not counted
    grantor_roles: frozenset[GrantorRole] = frozenset({GrantorRole.SELF})
    grantor_ial: int = 2  # NIST SP 800-63A identity assurance of whoever signed
    mandated: bool = False  # an agent signed within a mandate that the person confirmed
    complete: bool = True  # everybody signed whom the law of all that it covers asks for
    signed_by: frozenset[str] = frozenset()
    interest: float | None = None  # share of the right the signers hold, 0..1
    written: bool = False
    separate: bool = False
    represented: bool = False
    replaces_performance: bool = False
    obligations: frozenset[ObligationCode] = frozenset()
    acknowledges_objections: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Objection:
    """One refusal by, or for, a person."""

    id: str
    state: ObjectionState
    since: datetime
    modalities: Scope[Modality]
    uses: Scope[AiUse]
    purposes: Scope[Purpose]
    territories: Scope[str]
    filed_by_role: GrantorRole = GrantorRole.SELF
    carve_out_grants: frozenset[str] = frozenset()
    until: datetime | None = None  # when it was withdrawn or lapsed


@dataclass(frozen=True, slots=True)
class Order:
    """What a court or regulator forbade. An empty scope forbids everything."""

    id: str
    modalities: Scope[Modality] = None
    uses: Scope[AiUse] = None
    purposes: Scope[Purpose] = None
    territories: Scope[str] = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds rights of a dead person. Without kinship, of any rank."""

    id: str
    kinship: Kinship | None = None
    share: float | None = None  # of the right, 0..1


@dataclass(frozen=True, slots=True)
class Subject:
    """A registered person, with every grant, objection and order about them.

    `death_assured`: whether somebody who answers for it recorded the death; any other death
    protects, and permits nothing.
    """

    id: str
    registration: Registration
    classes: frozenset[SubjectClass] = frozenset()
    born: date | None = None
    died: date | None = None
    death_assured: bool = True
    relatives_living: bool | None = None
    holders: frozenset[Holder] = frozenset()
    domicile_at_death: str | None = None
    residence: str | None = None  # while they live
    enrolled: frozenset[Modality] | None = None  # with a template to compare; None: not told
    grants: tuple[Grant, ...] = ()
    objections: tuple[Objection, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered subject whom a probe is near to."""

    subject_id: str
    band: Band


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face, voice or picture found in a probe, and whom it may be.

    A picture (`asset=True`) shows every candidate it matches; a face or voice is one person, so
    several candidates at MATCH make it ambiguous. `clear_runner_up`: the second best is a margin
    away. `faces`: how many a picture was found to show; None where it was not looked at.
    """

    modality: Modality
    candidates: tuple[Candidate, ...] = ()
    asset: bool = False
    usable: bool = True  # False: quality too low to compare
    searched: bool = True  # False: no matcher was available
    clear_runner_up: bool = True
    complete: bool = True  # False: somebody is known only to an encoder that is being replaced
    faces: int | None = None
    probe: int = 0  # sightings of one probe share a number: they are of one picture or recording


@dataclass(frozen=True, slots=True)
class Person:
    """One person the request names, shows or lets be heard."""

    sightings: tuple[Sighting, ...] = ()
    claimed_subject: str | None = None
    name_given: bool = False
    name_hit: str | None = None  # subject found by exact alias
    figures: tuple[str, ...] = ()  # imported public figures of exactly that name
    target: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """The AI service that asks."""

    id: str
    active: bool
    tier: int = 0
    filings: frozenset[str] = frozenset()  # territories whose filing duty is met
    establishment: str | None = None
    supported_obligations: frozenset[ObligationCode] | None = None  # None: registered none


@dataclass(frozen=True, slots=True)
class Request:
    """What the service wants to do."""

    use: AiUse
    purpose: Purpose
    modalities: frozenset[Modality]
    territories: frozenset[str] = frozenset()  # empty: not given
    content: frozenset[ContentFlag] = frozenset()
    commercial: bool = True
    claimed_exception: LegalException | None = None
    supported_obligations: frozenset[ObligationCode] | None = None  # None: as registered
    include_draft_law: bool = False


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Whether something outside the request is so at this moment, in one territory."""

    name: CircumstanceName
    territory: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """One question and all that is known about it at `at`.

    What `circumstances` does not speak of is not known.
    """

    at: datetime
    request: Request
    service: Service
    persons: tuple[Person, ...]
    subjects: tuple[Subject, ...] = ()
    circumstances: tuple[Circumstance, ...] = ()

    def subject(self, subject_id: str) -> Subject | None:
        """The subject with this id, if the snapshot had one."""
        return next((one for one in self.subjects if one.id == subject_id), None)


def identifier(value: UUID) -> str:
    """How database ids appear in facts."""
    return str(value)
