"""Whether one grant covers the whole of a case; if not, what is missing.

No stitching: each dimension is asked of the same grant. Scope (what was granted, to whom) comes
before condition (whether it holds now, in its form, from those who may give it).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from registry.policy import authority, territories
from registry.policy.facts import Grant, Request, Subject
from registry.policy.pack import Pack
from registry.policy.pack_words import Need, Standing
from registry.policy.question import Case
from registry.policy.vocabulary import ASSURED_IAL, GrantState, Purpose, Registration

WITHDRAWN = "CONSENT_WITHDRAWN"
# What is missing here a person can look into; anything else needs consent.
_SIGNED = frozenset({GrantState.ACTIVE, GrantState.EXPIRED})
REVIEWABLE = frozenset({"GRANT_SUSPENDED", "CO_HOLDER_MISSING"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """A grant and the codes of what it lacks in scope and, if nothing there, in condition."""

    grant: Grant
    scope: tuple[str, ...]
    condition: tuple[str, ...]

    @property
    def covers(self) -> bool:
        """Whether it lacks nothing."""
        return not self.scope and not self.condition

    @property
    def distance(self) -> tuple[bool, bool, int, int]:
        """How far it is from covering: other modality, other grantee, then number of gaps."""
        return (
            "MODALITY_NOT_GRANTED" in self.scope,
            "GRANTEE_NOT_GRANTED" in self.scope,
            len(self.scope),
            len(self.condition),
        )


def weigh(case: Case, subject: Subject, protecting: Collection[Pack] = ()) -> tuple[Weighed, ...]:
    """Every grant of the subject that was not rejected, with what it lacks.

    `protecting`: the packs that protect a dead subject, or may.
    """
    conditions = _Conditions(case, subject, protecting)
    return tuple(
        _weighed(conditions, grant)
        for grant in subject.grants
        if grant.state is not GrantState.REJECTED
    )


def nearest_gaps(weighed: tuple[Weighed, ...]) -> tuple[str, ...]:
    """Codes of what the nearest grants lack; the same whatever their order or ids."""
    if not weighed:
        return ("NO_GRANT",)
    least = min(one.distance for one in weighed)
    codes = {
        code for one in weighed if one.distance == least for code in (*one.scope, *one.condition)
    }
    return tuple(sorted(codes))


@dataclass(frozen=True)
class _Conditions:
    """What any grant about a subject must meet; found out once, for the first grant in scope."""

    case: Case
    subject: Subject
    protecting: Collection[Pack]

    @cached_property
    def authority(self) -> authority.Demands:
        return authority.demands(self.case, self.subject, self.protecting)

    @cached_property
    def form(self) -> "_Form":
        """The strictest of each form that the packs ask for, of somebody of this standing."""
        today = self.case.question.today
        forms = [
            form
            for pack in self.case.packs
            for form in pack.consent.forms
            if form.holds(today) and (form.when is None or form.when is self._standing(pack))
        ]
        limits = [form.max_term_years for form in forms if form.max_term_years is not None]
        advised = [form.represented_if_performance_replaced for form in forms]
        return _Form(
            separate=Need.REQUIRED in {form.separate for form in forms},
            written=Need.REQUIRED in {form.written for form in forms},
            represented=Need.REQUIRED in advised,
            max_term_years=min(limits, default=None),
        )

    def _standing(self, pack: Pack) -> Standing:
        return authority.standing(self.case, pack, self.subject)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a grant must show of how it was given."""

    separate: bool
    written: bool
    represented: bool  # by counsel or union, where a performance is replaced
    max_term_years: int | None


def _weighed(conditions: _Conditions, grant: Grant) -> Weighed:
    gaps = _scope_gaps(conditions.case, grant)
    if gaps:
        return Weighed(grant, tuple(gaps), ())
    return Weighed(grant, (), tuple(_condition_gaps(conditions, grant)))


def _scope_gaps(case: Case, grant: Grant) -> list[str]:
    request, gaps = case.question.facts.request, []
    if grant.modalities is not None and case.modality not in grant.modalities:
        gaps.append("MODALITY_NOT_GRANTED")
    if grant.grantees is not None and case.question.facts.service.id not in grant.grantees:
        gaps.append("GRANTEE_NOT_GRANTED")
    if grant.uses is not None and request.use not in grant.uses:
        gaps.append("USE_NOT_GRANTED")
    if not _covers_purpose(grant, request.purpose):
        gaps.append("PURPOSE_NOT_GRANTED")
    if not _covers_territories(grant, request):
        gaps.append("TERRITORY_NOT_GRANTED")
    if not request.content <= grant.content_allowed:
        gaps.append("CONTENT_NOT_GRANTED")
    if request.commercial and not grant.commercial:
        gaps.append("COMMERCIAL_NOT_GRANTED")
    return gaps


def _covers_purpose(grant: Grant, purpose: Purpose) -> bool:
    """An unspecified purpose may be any: only a grant for all of them covers it."""
    if grant.purposes is None:
        return True
    return purpose is not Purpose.UNSPECIFIED and purpose in grant.purposes


def _covers_territories(grant: Grant, request: Request) -> bool:
    """A grant for a territory covers what lies within; one not named may be anywhere."""
    granted = grant.territories
    if granted is None or territories.WORLD in granted:
        return True
    if request.territories <= granted:
        return bool(request.territories)
    missing = request.territories - granted
    return all(not granted.isdisjoint(territories.enclosing(code)) for code in missing)


def _condition_gaps(conditions: _Conditions, grant: Grant) -> list[str]:
    at, gaps = conditions.case.question.facts.at, []
    if grant.state is GrantState.REVOKED or (grant.revoked_at and grant.revoked_at <= at):
        gaps.append(WITHDRAWN)
    elif grant.state is GrantState.SUSPENDED:
        gaps.append("GRANT_SUSPENDED")
    elif (
        grant.state not in _SIGNED
        or grant.grantor_ial < ASSURED_IAL
        or conditions.subject.registration is not Registration.VERIFIED
    ):
        gaps.append("GRANT_NOT_VERIFIED")
    _add_time_gaps(grant, at, gaps)
    gaps.extend(authority.gaps(conditions.authority, grant))
    _add_form_gaps(conditions.form, grant, gaps)
    return gaps


def _add_time_gaps(grant: Grant, at: datetime, gaps: list[str]) -> None:
    if grant.starts_at > at:
        gaps.append("GRANT_NOT_STARTED")
    if grant.state is GrantState.EXPIRED or (grant.ends_at is not None and grant.ends_at <= at):
        gaps.append("GRANT_EXPIRED")
    if grant.uses_left is not None and grant.uses_left <= 0:
        gaps.append("QUOTA_EXHAUSTED")


def _add_form_gaps(form: _Form, grant: Grant, gaps: list[str]) -> None:
    advised = grant.represented or not grant.replaces_performance
    if (
        (form.separate and not grant.separate)
        or (form.written and not grant.written)
        or (form.represented and not advised)
    ):
        gaps.append("FORM_NOT_MET")
    if form.max_term_years is not None and _runs_longer(grant, form.max_term_years):
        gaps.append("TERM_TOO_LONG")


def _runs_longer(grant: Grant, years: int) -> bool:
    """A grant without an end is longer than any limit."""
    if grant.ends_at is None:
        return True
    start, end = grant.starts_at, grant.ends_at
    span = end.year - start.year
    if span != years:
        return span > years
    # The same day and time `years` later, compared field by field: no 29 February to mend.
    return end.timetuple()[1:6] > start.timetuple()[1:6]
