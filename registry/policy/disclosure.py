"""What a service may be told. Below contract tier no match shows, but in a permission.

Otherwise the registry would be a face search engine: "consent required" means "is registered".
"""

from dataclasses import replace

from registry.policy import reasons
from registry.policy.decision import Decision, PersonDecision
from registry.policy.facts import Facts, Person
from registry.policy.vocabulary import Outcome

CONTRACT_TIER = 2
_SHOWN = frozenset({Outcome.PROHIBITED, Outcome.REVIEW_REQUIRED})


def blind(facts: Facts) -> Facts:
    """The same question with nothing known of any match: no candidates, claims, names or subjects.

    That a sighting exists, was searched and was usable stays: those come from the probe alone.
    Callers therefore make sightings from probes, never from matches. Public figures stay too: who
    they are is no secret.
    """
    public = {figure for one in facts.persons for figure in one.figures}
    return replace(
        facts,
        persons=tuple(_blinded(one) for one in facts.persons),
        subjects=tuple(one for one in facts.subjects if one.id in public),
    )


def tells_all(decision: Decision, tier: int) -> bool:
    """Whether a service of this tier sees this decision as it is."""
    return tier >= CONTRACT_TIER or decision.may_proceed


def disclose(decision: Decision, blind: Decision, tier: int) -> Decision:
    """What a service of this trust tier sees of a decision.

    `blind` is the decision on `blind(facts)`. From tier 2, and for a permission at any tier: the
    decision itself. Else the blind decision if it forbids or needs review, and NOT_CLEARED if not.
    The result depends only on request, service and whether the decision is a permission.
    """
    if tells_all(decision, tier):
        return decision
    if blind.outcome in _SHOWN:
        return blind
    # Duties the service lacks follow from the request alone; without them it could never proceed.
    lacking = [one for one in blind.reasons if one.code == "OBLIGATION_UNSUPPORTED"]
    why = (reasons.make("NOT_CLEARED"), *lacking)
    each = PersonDecision(Outcome.NOT_CLEARED, (reasons.make("NOT_CLEARED"),))
    return replace(
        blind,
        outcome=Outcome.NOT_CLEARED,
        reasons=why,
        persons=(each,) * len(blind.persons),
    )


def _blinded(person: Person) -> Person:
    return replace(
        person,
        sightings=tuple(
            replace(one, candidates=(), clear_runner_up=True) for one in person.sightings
        ),
        claimed_subject=None,
        name_given=False,
        name_hit=None,
    )
