"""The rules of a case in the order that decides: the first with something to say says it.

The steps are numbered as in docs/decision-table.md, which is written from them. For the dead whom
no pack protects, grants change nothing, whether withdrawn or with duties: there is no right left to
grant, and removing such a grant would otherwise turn a refusal into a permission.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from registry.policy import bars, objections, scope, terms
from registry.policy.decision import Reason
from registry.policy.facts import Grant, Objection, Subject
from registry.policy.pack import Pack
from registry.policy.pack_words import Effect
from registry.policy.question import SEVERITY, Case, Finding, is_dead
from registry.policy.vocabulary import (
    Basis,
    ObligationCode,
    Outcome,
    Registration,
    SubjectClass,
)

Rule = Callable[..., Finding | None]


@dataclass(frozen=True, slots=True)
class Known:
    """A case whose subject is clear, with what is known of them.

    `refusals`: objections that hold. `covering`: grants that cover the whole case and stand against
    them all. `protection`: what packs say of the dead.
    """

    case: Case
    subject: Subject
    weighed: tuple[scope.Weighed, ...]
    refusals: tuple[Objection, ...]
    covering: tuple[Grant, ...]
    dead: bool
    protection: tuple[tuple[str, Pack], ...]

    @property
    def unprotected(self) -> bool:
        """Whether the person is dead and no pack protects them, or may."""
        return self.dead and not self.protection


def judge(case: Case) -> Finding:
    """What holds in one case: what the last step said."""
    *_, (_, found) = walk(case)
    return cast("Finding", found)  # the last step has something to say


def walk(case: Case) -> Iterator[tuple[Rule, Finding | None]]:
    """Each rule in turn with what it says, up to the one that decides."""
    for rule in BEFORE:
        finding = rule(case)
        yield rule, finding
        if finding is not None:
            return
    if case.subject is None:
        yield unmatched, unmatched(case)
        return
    known = know(case, case.subject)
    for known_rule in AFTER:
        finding = known_rule(known)
        if finding is not None:
            yield known_rule, _with_picture(case, finding)
            return
        yield known_rule, None
    yield consent_required, _with_picture(case, consent_required(known))


def incurable_bar(case: Case) -> Finding | None:
    """Step 1: what nobody can allow."""
    hit = bars.incurable(case)
    return Finding(Outcome.PROHIBITED, hit) if hit else None


def claim_mismatch(case: Case) -> Finding | None:
    """Step 2: the claimed subject is not who is seen or heard."""
    return case.finding(Outcome.PROHIBITED, "CLAIMED_SUBJECT_MISMATCH") if case.mismatch else None


def ordered(case: Case) -> Finding | None:
    """Step 3: a court or regulator said no."""
    return case.finding(Outcome.PROHIBITED, "ORDER") if objections.ordered(case) else None


def unclear(case: Case) -> Finding | None:
    """Step 4: who it is stays open."""
    if not case.doubts:
        return None
    found = case.finding(Outcome.REVIEW_REQUIRED, *case.doubts)
    told = Finding(found.outcome, (*found.reasons, *_of_figure(case)))
    return _whatever_the_name(case, told) or _unless_barred(case, told)


def _whatever_the_name(case: Case, told: Finding) -> Finding | None:
    """What forbids the use of who is seen or heard, whatever a service calls them."""
    if "NAME_CONFLICT" not in case.doubts:
        return None
    for one in case.suspects:
        found = judge(replace(case, subject=one, suspects=(one,), doubts=()))
        if SEVERITY[found.outcome] > SEVERITY[told.outcome]:
            return Finding(found.outcome, (*found.reasons, *told.reasons))
    return None


def _of_figure(case: Case) -> Iterator[Reason]:
    """What the law sees in the one public figure of that name. It permits nothing."""
    if len(case.named) != 1:
        return
    [figure] = case.named
    if SubjectClass.PUBLIC_FIGURE in figure.classes:
        yield case.reason("PUBLIC_FIGURE")
    if is_dead(figure, case.question.today):
        said = terms.standing(case, figure)
        yield from (case.reason(code, pack=pack.id) for code, pack in said)
        if not said:
            yield case.reason("NO_PROTECTED_TERM")


def unmatched(case: Case) -> Finding:
    """Step 5: nobody the registry knows."""
    found = case.finding(Outcome.UNKNOWN, "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED")
    return _unless_barred(case, found)


def objected(known: Known) -> Finding | None:
    """Step 6: the person said no, and no grant stands against it."""
    if not known.refusals or known.covering:
        return None
    no_term_runs = known.dead and not any(code == terms.PROTECTED for code, _ in known.protection)
    if no_term_runs or bars.curable(known.case):
        found = known.case.finding(Outcome.REVIEW_REQUIRED, "OBJECTION")
        return _unless_barred(known.case, found)
    return _unless_excepted(known, "OBJECTION", outcome=Outcome.PROHIBITED)


def disputed(known: Known) -> Finding | None:
    """Step 7: the registration or an objection is contested."""
    codes = []
    if known.subject.registration is Registration.DISPUTED:
        codes.append("CLAIM_DISPUTED")
    if objections.disputed(known.case, known.subject):
        codes.append("OBJECTION_DISPUTED")
    if not codes:
        return None
    return _unless_barred(known.case, known.case.finding(Outcome.REVIEW_REQUIRED, *codes))


def term_expired(known: Known) -> Finding | None:
    """Step 8: dead, no pack protects, and nothing is barred."""
    if not known.unprotected or bars.curable(known.case):
        return None
    if known.subject.registration is not Registration.VERIFIED:
        return known.case.finding(Outcome.REVIEW_REQUIRED, "REGISTRATION_NOT_VERIFIED")
    return _permission(known, known.case.reason("NO_PROTECTED_TERM"), Basis.TERM_EXPIRED, None)


def granted(known: Known) -> Finding | None:
    """Step 9: one grant covers everything."""
    if not known.covering:
        return None
    supported = known.case.question.supported
    grant = min(known.covering, key=lambda one: _preference(one, supported))
    return _permission(known, known.case.reason("GRANT", grant=grant.id), Basis.CONSENT, grant)


def curable_bar(known: Known) -> Finding | None:
    """Step 10: what only a grant would have lifted."""
    hit = bars.curable(known.case)
    return Finding(Outcome.PROHIBITED, hit) if hit else None


def withdrawn(known: Known) -> Finding | None:
    """Step 11: a grant in scope was withdrawn, or waits for a person."""
    in_scope = [one for one in known.weighed if not one.scope]
    if any(scope.WITHDRAWN in one.condition for one in in_scope):
        return _unless_excepted(known, scope.WITHDRAWN, outcome=Outcome.PROHIBITED)
    waiting = {
        code
        for one in in_scope
        if one.condition and scope.REVIEWABLE.issuperset(one.condition)
        for code in one.condition
    }
    return known.case.finding(Outcome.REVIEW_REQUIRED, *sorted(waiting)) if waiting else None


def unsettled(known: Known) -> Finding | None:
    """Step 12: dead, and the law that may protect is not clear."""
    open_questions = [one for one in known.protection if one[0] != terms.PROTECTED]
    if not open_questions:
        return None
    spoken = tuple(known.case.reason(code, pack=pack.id) for code, pack in known.protection)
    return Finding(Outcome.REVIEW_REQUIRED, spoken)


def consent_required(known: Known) -> Finding:
    """Step 13: it takes a grant; what the nearest one lacks."""
    codes = list(scope.nearest_gaps(known.weighed))
    if known.dead:
        codes.insert(0, terms.PROTECTED)
    return _unless_excepted(known, *codes, outcome=Outcome.CONSENT_REQUIRED)


BEFORE: tuple[Callable[[Case], Finding | None], ...] = (
    incurable_bar,
    claim_mismatch,
    ordered,
    unclear,
)
AFTER: tuple[Callable[[Known], Finding | None], ...] = (
    objected,
    disputed,
    term_expired,
    granted,
    curable_bar,
    withdrawn,
    unsettled,
)


def know(case: Case, subject: Subject) -> Known:
    """What the rules about a known person look at."""
    dead = is_dead(subject, case.question.today)
    protection = terms.standing(case, subject) if dead else ()
    weighed = scope.weigh(case, subject, [pack for _, pack in protection])
    refusals = objections.standing(case, subject)
    return Known(
        case=case,
        subject=subject,
        weighed=weighed,
        refusals=refusals,
        covering=tuple(
            one.grant for one in weighed if one.covers and objections.survives(one.grant, refusals)
        ),
        dead=dead,
        protection=protection,
    )


def _unless_barred(case: Case, finding: Finding) -> Finding:
    """A curable bar makes of any doubt a prohibition: nobody's consent is known."""
    hit = bars.curable(case)
    return Finding(Outcome.PROHIBITED, (*hit, *finding.reasons)) if hit else finding


def _unless_excepted(known: Known, *codes: str, outcome: Outcome) -> Finding:
    """Step 14: an exception known in every named territory leads to review, never to permission."""
    case = known.case
    if SubjectClass.PUBLIC_FIGURE in known.subject.classes:
        codes = (*codes, "PUBLIC_FIGURE")
    claimed = case.question.request.claimed_exception
    if claimed is None:
        return case.finding(outcome, *codes)
    if not all(
        any(
            one.claim is claimed and one.effect is Effect.REVIEW
            for pack in group
            for one in pack.exceptions
        )
        for group in case.question.reading.by_territory
    ):
        return case.finding(outcome, *codes, "EXCEPTION_NOT_RECOGNISED")
    return case.finding(Outcome.REVIEW_REQUIRED, "EXCEPTION_CLAIMED", *codes)


def _permission(known: Known, reason: Reason, basis: Basis, grant: Grant | None) -> Finding:
    """A permission, or review where anything about it is in doubt."""
    case = known.case
    doubts = []
    if not case.strong:
        doubts.append(case.reason("IDENTITY_NOT_STRONG"))
    if known.dead and not known.subject.death_assured:
        doubts.append(case.reason("DEATH_NOT_VERIFIED"))
    if bars.age_matters(case, known.subject):
        doubts.append(case.reason("AGE_UNKNOWN"))
    doubts.extend(
        case.reason(code, pack=pack.id)
        for code, pack in known.protection
        if code == "NAME_THE_STATE"
    )
    doubts.extend(bars.for_review(case))
    if doubts:
        return Finding(Outcome.REVIEW_REQUIRED, (*doubts, reason))
    return Finding(Outcome.PERMITTED, (reason,), basis, grant, case.packs)


def _preference(grant: Grant, supported: frozenset[ObligationCode]) -> tuple[object, ...]:
    """Which of several grants to rely on: duties that can be kept, fewest, uncounted, longest."""
    ends = grant.ends_at.timestamp() if grant.ends_at is not None else float("inf")
    return (
        len(grant.obligations - supported),
        len(grant.obligations),
        grant.uses_left is not None,
        -ends,
        sorted(grant.obligations),
        grant.starts_at,
        grant.id,
    )


def _with_picture(case: Case, finding: Finding) -> Finding:
    """Say that a registered picture told who it is."""
    if not case.asset:
        return finding
    reasons = (*finding.reasons, case.reason("ASSET_MATCH"))
    return Finding(finding.outcome, reasons, finding.basis, finding.grant, finding.packs)


def worst(findings: list[Finding]) -> list[Finding]:
    """The findings, most severe first; equals keep their order."""
    return sorted(findings, key=lambda one: -SEVERITY[one.outcome])
