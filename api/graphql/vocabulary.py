"""The registry's enums as the schema knows them: each once, described by its docstring.

Imported by `context`, which every type's module imports: an enum is registered before it is used.
"""

import strawberry

from registry.accesses import AccessKind
from registry.attestations import AttestationMethod
from registry.cases import ContactKind
from registry.complaint_states import ComplaintState
from registry.consent_answers import Answer
from registry.consent_requests import RequestState
from registry.errors import ProblemCode
from registry.filings import FilingStatus
from registry.misuse import ComplaintKind
from registry.notices import NoticeKind
from registry.policy.pack_words import HolderDecision
from registry.policy.vocabulary import (
    AiUse,
    Band,
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
    ReasonAction,
    Registration,
    SubjectClass,
)
from registry.principals import PrincipalKind
from registry.reviews import ReviewEventKind, ReviewKind, ReviewState, Ruling
from registry.samples import SampleState
from registry.standing import ProtectionKind

for enum in (
    AccessKind,
    AiUse,
    AttestationMethod,
    Band,
    Basis,
    CircumstanceName,
    ComplaintKind,
    ComplaintState,
    ContactKind,
    ContentFlag,
    FilingStatus,
    GrantorRole,
    GrantState,
    HolderDecision,
    Kinship,
    LegalException,
    Modality,
    NoticeKind,
    ObjectionState,
    ObligationCode,
    Outcome,
    PrincipalKind,
    ProblemCode,
    ProtectionKind,
    Purpose,
    ReasonAction,
    Registration,
    RequestState,
    ReviewEventKind,
    ReviewKind,
    ReviewState,
    Ruling,
    SampleState,
    SubjectClass,
):
    strawberry.enum(enum, description=enum.__doc__)
strawberry.enum(Answer, name="ConsentAnswer", description=Answer.__doc__)
