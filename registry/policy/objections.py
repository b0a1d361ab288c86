"""Who said no: orders, objections, and which grant stands against an objection.

No last write wins and no specific beats general: an objection ends earlier grants in its scope
unless it carves them out; a later one stands only if it names the objection, at no lower authority.
"""

from collections.abc import Sequence

from registry.policy import territories
from registry.policy.authority import RANK
from registry.policy.facts import Grant, Objection, Order, Subject
from registry.policy.question import Case
from registry.policy.vocabulary import ObjectionState, Purpose

_STANDING = frozenset({ObjectionState.PROVISIONAL, ObjectionState.VERIFIED})
_OVER = frozenset({ObjectionState.WITHDRAWN, ObjectionState.LAPSED})


def ordered(case: Case) -> bool:
    """Whether an order forbids this of anyone it may be."""
    return any(_in_scope(case, order) for one in case.suspects for order in one.orders)


def standing(case: Case, subject: Subject) -> tuple[Objection, ...]:
    """Objections to this that hold now, provisional ones too."""
    return tuple(
        one
        for one in subject.objections
        if one.state in _STANDING and _now(case, one) and _in_scope(case, one)
    )


def disputed(case: Case, subject: Subject) -> bool:
    """Whether an objection to this is contested, or in a state that is not known."""
    return any(
        one.state not in _STANDING
        and one.state not in _OVER
        and _now(case, one)
        and _in_scope(case, one)
        for one in subject.objections
    )


def survives(grant: Grant, objections: Sequence[Objection]) -> bool:
    """Whether a grant stands against every one of these."""
    return not objections or all(
        grant.id in one.carve_out_grants or _overrides(grant, one) for one in objections
    )


def _overrides(grant: Grant, objection: Objection) -> bool:
    highest = max((RANK[role] for role in grant.grantor_roles), default=-1)
    return (
        objection.id in grant.acknowledges_objections
        and grant.starts_at >= objection.since
        and highest >= RANK[objection.filed_by_role]
    )


def _now(case: Case, objection: Objection) -> bool:
    at = case.question.at
    return objection.since <= at and (objection.until is None or at < objection.until)


def _in_scope(case: Case, refusal: Objection | Order) -> bool:
    """Whether any part of what is asked is refused; what is not said may be what is refused."""
    request = case.question.request
    return (
        (refusal.modalities is None or case.modality in refusal.modalities)
        and (refusal.uses is None or request.use in refusal.uses)
        and (
            refusal.purposes is None
            or request.purpose is Purpose.UNSPECIFIED
            or request.purpose in refusal.purposes
        )
        and (
            refusal.territories is None
            or not request.territories
            or territories.overlap(request.territories, refusal.territories)
        )
    )
