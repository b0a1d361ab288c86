"""The registry's enums as the schema knows them: each once, described by its docstring.

Imported by `context`, which every type's module imports: an enum is registered before it is used.
"""

import strawberry

from registry.errors import ProblemCode
from registry.policy.vocabulary import (
    AiUse,
    Basis,
    ContentFlag,
    GrantorRole,
    GrantState,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    Purpose,
    ReasonAction,
    Registration,
)
from registry.principals import PrincipalKind
from registry.samples import SampleState

for enum in (
    AiUse,
    Basis,
    ContentFlag,
    GrantorRole,
    GrantState,
    LegalException,
    Modality,
    ObjectionState,
    ObligationCode,
    Outcome,
    PrincipalKind,
    ProblemCode,
    Purpose,
    ReasonAction,
    Registration,
    SampleState,
):
    strawberry.enum(enum, description=enum.__doc__)
