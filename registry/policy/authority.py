"""Who may consent for whom: the person, a guardian, or those who hold the rights of the dead."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from registry.policy import bars
from registry.policy.facts import Grant, Holder, Subject
from registry.policy.pack import Authority, Pack
from registry.policy.pack_words import HolderDecision, Standing
from registry.policy.question import Case, age, is_dead
from registry.policy.vocabulary import GrantorRole

# A later grant overrides an objection only from authority of at least equal rank: a
# child's own no outlasts the guardian's yes, a lifetime no outlasts the heirs' yes.
RANK = {
    GrantorRole.AGENT: 0,
    GrantorRole.AGENCY: 0,
    GrantorRole.ESTATE_REPRESENTATIVE: 1,
    GrantorRole.RIGHTS_HOLDER: 1,
    GrantorRole.GUARDIAN: 2,
    GrantorRole.SELF: 3,
}
_STRICTNESS = {decision: rank for rank, decision in enumerate(HolderDecision)}
_HALF = 0.5


# In what right a grant was signed, by whom, and for what share of the right.
_Signed = tuple[frozenset[GrantorRole], bool, bool, frozenset[str], float | None]


@dataclass(frozen=True, slots=True)
class Demands:
    """Whose signatures the packs of a case ask for: of the person's side, and among the holders.

    `shares`: by each pack that protects or may, who of the holders decides, and how; all must.
    """

    signers: tuple[tuple[Authority, ...], ...]
    shares: frozenset["Deciding"]
    alive_and_of_age: bool  # an agent whom they gave a mandate signs for them
    found: dict[_Signed, tuple[str, ...]] = field(default_factory=dict)  # many are signed alike


@dataclass(frozen=True, slots=True)
class Deciding:
    """The holders that one pack asks, and how many of them must have signed."""

    holders: frozenset[Holder]
    decision: HolderDecision


def demands(case: Case, subject: Subject, protecting: Collection[Pack]) -> Demands:
    """What a grant about this subject must show, whichever grant it is.

    `protecting`: the packs that protect a dead subject, or may.
    """
    return Demands(
        signers=tuple({_signers(case, pack, subject) for pack in case.packs}),
        shares=frozenset(_deciding(case, pack, subject) for pack in protecting),
        alive_and_of_age=any(one.mandated for one in subject.grants)
        and all(standing(case, pack, subject) is Standing.ADULT for pack in case.packs),
    )


def gaps(asked: Demands, grant: Grant) -> tuple[str, ...]:
    """AUTHORITY_MISSING or CO_HOLDER_MISSING, where the demands are not met."""
    signed = (
        grant.grantor_roles,
        grant.mandated,
        grant.complete,
        grant.signed_by,
        grant.interest,
    )
    found = asked.found.get(signed)
    if found is None:
        found = asked.found[signed] = _gaps(asked, grant)
    return found


def _gaps(asked: Demands, grant: Grant) -> tuple[str, ...]:
    if not all(rules and not unmet(rules, roles_of(asked, grant)) for rules in asked.signers):
        return ("AUTHORITY_MISSING",)  # no statement at all, not even the floor's: nobody may sign
    if not all(decided(one, grant) for one in asked.shares):
        return ("CO_HOLDER_MISSING",)
    return () if grant.complete else ("AUTHORITY_MISSING",)


def roles_of(asked: Demands, grant: Grant) -> frozenset[GrantorRole]:
    """The roles in which a grant is signed; within a mandate an agent signs for the person."""
    if grant.mandated and asked.alive_and_of_age:
        return grant.grantor_roles | {GrantorRole.SELF}
    return grant.grantor_roles


def unmet(
    rules: Collection[Authority], roles: frozenset[GrantorRole]
) -> tuple[frozenset[GrantorRole], ...]:
    """For each rule that signatures in these roles do not satisfy: whose would, any of them."""
    missing: list[frozenset[GrantorRole]] = []
    for rule in rules:
        if rule.any_of:
            missing.extend([] if not roles.isdisjoint(rule.any_of) else [frozenset(rule.any_of)])
        else:
            missing.extend(frozenset({one}) for one in sorted(rule.all_of - roles))
    return tuple(missing)


def _signers(case: Case, pack: Pack, subject: Subject) -> tuple[Authority, ...]:
    """The statements of a pack about this subject, or the floor's where it is silent; all bind."""
    return _rules(pack, case, subject) or _rules(case.question.packs.floor, case, subject)


def standing(case: Case, pack: Pack, subject: Subject) -> Standing:
    """What the subject is to this pack's law of consent today."""
    today = case.question.today
    if is_dead(subject, today):
        return Standing.DEAD
    if bars.is_minor(subject, majority=bars.majority(case, pack), today=today):
        return Standing.MINOR
    return Standing.ADULT


def _rules(pack: Pack, case: Case, subject: Subject) -> tuple[Authority, ...]:
    if not pack.consent.by:
        return ()
    now = standing(case, pack, subject)
    years = age(subject.born, case.question.today) if subject.born is not None else None
    return tuple(rule for rule in pack.consent.by if rule.when is now and _of_age(rule, years))


def _of_age(rule: Authority, years: int | None) -> bool:
    """Whether the rule's ages include this one; an unknown age is within any."""
    if years is None:
        return True
    return (rule.age_from is None or years >= rule.age_from) and (
        rule.age_under is None or years < rule.age_under
    )


def _deciding(case: Case, pack: Pack, subject: Subject) -> Deciding:
    """Who decides by a pack, or by the floor: those of the first rank that anybody is of.

    Whoever's kinship is not known may be of that rank: they are asked too, and the strictest way
    to decide counts.
    """
    ranks = pack.dead.holders or case.question.packs.floor.dead.holders
    unranked = frozenset(one for one in subject.holders if one.kinship is None)
    strictest = max((one.decision for one in ranks), key=_STRICTNESS.__getitem__)
    for rank in ranks:
        entitled = frozenset(one for one in subject.holders if one.kinship in rank.any_of)
        if entitled:
            return Deciding(entitled | unranked, strictest if unranked else rank.decision)
    return Deciding(unranked, strictest)


def decided(asked: Deciding, grant: Grant) -> bool:
    """Whether enough of the holders signed."""
    signers = [one for one in asked.holders if one.id in grant.signed_by]
    if asked.decision is HolderDecision.ALL:
        return bool(signers) and len(signers) == len(asked.holders)
    if asked.decision is HolderDecision.MAJORITY_INTEREST:
        return _interest(signers, grant) > _HALF
    return bool(signers)


def _interest(signers: Sequence[Holder], grant: Grant) -> float:
    """The share of the right that stands behind a grant: as it says, or what signers hold."""
    if grant.interest is not None:
        return grant.interest if signers else 0.0
    return math.fsum(one.share or 0.0 for one in signers)
