"""Who may consent for whom: the person, a guardian, or those who hold the rights of the dead."""

from collections.abc import Iterator

from registry.policy import bars, terms
from registry.policy.facts import Grant, Subject
from registry.policy.pack import Authority, HolderDecision, Pack, Standing
from registry.policy.question import Case, age, is_dead
from registry.policy.vocabulary import GrantorRole

# A later grant overrides an objection only from authority of at least equal rank: a
# child's own no outlasts the guardian's yes, a lifetime no outlasts the heirs' yes.
RANK = {
    GrantorRole.AGENT: 0,
    GrantorRole.ESTATE_REPRESENTATIVE: 1,
    GrantorRole.RIGHTS_HOLDER: 1,
    GrantorRole.GUARDIAN: 2,
    GrantorRole.SELF: 3,
}
_STRICTNESS = {decision: rank for rank, decision in enumerate(HolderDecision)}


def gaps(case: Case, subject: Subject, grant: Grant) -> Iterator[str]:
    """AUTHORITY_MISSING and CO_HOLDER_MISSING, where any pack that speaks asks for more."""
    if not all(_authorised(case, pack, subject, grant) for pack in case.packs):
        yield "AUTHORITY_MISSING"
    elif is_dead(subject, case.question.today):
        protecting = [pack for _, pack in terms.standing(case, subject)]
        if not all(_decided(case, pack, subject, grant) for pack in protecting):
            yield "CO_HOLDER_MISSING"


def _authorised(case: Case, pack: Pack, subject: Subject, grant: Grant) -> bool:
    rules = _rules(pack, case, subject)
    # Where a pack is silent the floor speaks, and the floor states every standing.
    rules = rules or _rules(case.question.packs.floor, case, subject)
    return bool(rules) and all(
        not grant.grantor_roles.isdisjoint(rule.any_of)
        if rule.any_of
        else rule.all_of <= grant.grantor_roles
        for rule in rules
    )


def _rules(pack: Pack, case: Case, subject: Subject) -> list[Authority]:
    """The statements of a pack that are about this subject; all of them bind."""
    today = case.question.today
    if is_dead(subject, today):
        standing = Standing.DEAD
    elif bars.is_minor(subject, majority=bars.majority(case, pack), today=today):
        standing = Standing.MINOR
    else:
        standing = Standing.ADULT
    years = age(subject.born, today) if subject.born is not None else None
    return [rule for rule in pack.consent.by if rule.when is standing and _of_age(rule, years)]


def _of_age(rule: Authority, years: int | None) -> bool:
    """Whether the rule's ages include this one; an unknown age is within any."""
    if years is None:
        return True
    return (rule.age_from is None or years >= rule.age_from) and (
        rule.age_under is None or years < rule.age_under
    )


def _decided(case: Case, pack: Pack, subject: Subject, grant: Grant) -> bool:
    """Whether enough of the holders signed. The strictest of a pack's ranks counts."""
    holders = pack.dead.holders or case.question.packs.floor.dead.holders
    decision = max((one.decision for one in holders), key=_STRICTNESS.__getitem__)
    if not subject.holders:
        return False
    if decision is HolderDecision.ALL:
        return subject.holders <= grant.signed_by
    if decision is HolderDecision.MAJORITY_INTEREST:
        return grant.interest is not None and grant.interest > 0.5  # noqa: PLR2004  # more than half
    return not subject.holders.isdisjoint(grant.signed_by)
