"""Who may consent for whom: the person, a guardian, or those who hold the rights of the dead."""

from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Demands:
    """Whose signatures the packs of a case ask for: of the person's side, and among the holders."""

    signers: tuple[tuple[Authority, ...], ...]
    holders: frozenset[str]
    decisions: frozenset[HolderDecision]  # every one must be met; none where nothing is protected


def demands(case: Case, subject: Subject) -> Demands:
    """What a grant about this subject must show, whichever grant it is."""
    dead = is_dead(subject, case.question.today)
    protecting = terms.standing(case, subject) if dead else ()
    return Demands(
        signers=tuple({_signers(case, pack, subject) for pack in case.packs}),
        holders=subject.holders,
        decisions=frozenset(_decision(case, pack) for _, pack in protecting),
    )


def gaps(asked: Demands, grant: Grant) -> Iterator[str]:
    """AUTHORITY_MISSING or CO_HOLDER_MISSING, where the demands are not met."""
    roles = grant.grantor_roles
    for rules in asked.signers:
        # No statement at all, not even the floor's, lets nobody sign.
        if not rules or not all(
            (not roles.isdisjoint(rule.any_of)) if rule.any_of else rule.all_of <= roles
            for rule in rules
        ):
            yield "AUTHORITY_MISSING"
            return
    if not all(_decided(asked.holders, one, grant) for one in asked.decisions):
        yield "CO_HOLDER_MISSING"


def _signers(case: Case, pack: Pack, subject: Subject) -> tuple[Authority, ...]:
    """The statements of a pack about this subject, or the floor's where it is silent; all bind."""
    return _rules(pack, case, subject) or _rules(case.question.packs.floor, case, subject)


def _rules(pack: Pack, case: Case, subject: Subject) -> tuple[Authority, ...]:
    today = case.question.today
    if is_dead(subject, today):
        standing = Standing.DEAD
    elif bars.is_minor(subject, majority=bars.majority(case, pack), today=today):
        standing = Standing.MINOR
    else:
        standing = Standing.ADULT
    years = age(subject.born, today) if subject.born is not None else None
    return tuple(rule for rule in pack.consent.by if rule.when is standing and _of_age(rule, years))


def _of_age(rule: Authority, years: int | None) -> bool:
    """Whether the rule's ages include this one; an unknown age is within any."""
    if years is None:
        return True
    return (rule.age_from is None or years >= rule.age_from) and (
        rule.age_under is None or years < rule.age_under
    )


def _decision(case: Case, pack: Pack) -> HolderDecision:
    """How holders decide by a pack, or by the floor: the strictest of its ranks counts."""
    holders = pack.dead.holders or case.question.packs.floor.dead.holders
    return max((one.decision for one in holders), key=_STRICTNESS.__getitem__)


def _decided(holders: frozenset[str], decision: HolderDecision, grant: Grant) -> bool:
    """Whether enough of the holders signed."""
    if not holders:
        return False
    if decision is HolderDecision.ALL:
        return holders <= grant.signed_by
    if decision is HolderDecision.MAJORITY_INTEREST:
        return grant.interest is not None and grant.interest > 0.5  # noqa: PLR2004  # more than half
    return not holders.isdisjoint(grant.signed_by)
