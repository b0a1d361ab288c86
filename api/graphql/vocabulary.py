"""The registry's enums as the schema knows them: each once, described by its docstring.

Imported by `context`, which every type's module imports: an enum is registered before it is used.
"""

import strawberry

from registry.errors import ProblemCode
from registry.filings import FilingStatus
from registry.policy.pack_words import HolderDecision
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
    ReasonAction,
    Registration,
    SubjectClass,
)
from registry.principals import PrincipalKind
from registry.samples import SampleState
from registry.standing import ProtectionKind

for enum in (
    AiUse,
    Basis,
    CircumstanceName,
    ContentFlag,
    FilingStatus,
    GrantorRole,
    GrantState,
    HolderDecision,
    Kinship,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    PrincipalKind,
    ProblemCode,
    ProtectionKind,
    Purpose,
    ReasonAction,
    Registration,
    SampleState,
    SubjectClass,
):
    strawberry.enum(enum, description=enum.__doc__)
