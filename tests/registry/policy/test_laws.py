"""Laws that hold for every decision, tried on generated facts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.policy import disclosure
from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import Facts, Grant, Objection
from registry.policy.question import SEVERITY
from registry.policy.vocabulary import Basis, ContentFlag, Outcome

from . import worlds
from .build import many_packs
from .naive import naive
from .worlds import World

LAW = settings.get_profile("policy")


def permits(facts: Facts) -> bool:
    return decide(facts, many_packs()).may_proceed


def with_subject(facts: Facts, index: int, **changes: Any) -> Facts:
    subjects = list(facts.subjects)
    subjects[index] = replace(subjects[index], **changes)
    return replace(facts, subjects=tuple(subjects))


@settings(LAW)
@given(worlds.facts())
def test_the_engine_agrees_with_a_naive_second_reading(facts: Facts) -> None:
    decision = decide(facts, many_packs())
    assert decision.outcome is naive(facts, many_packs())
    assert "FACTS_INCOMPLETE" not in {one.code for one in decision.reasons} or not (
        facts.request.modalities and any(person.target for person in facts.persons)
    )


@settings(LAW)
@given(worlds.worlds())
def test_nothing_that_narrows_ever_permits(world: worlds.World) -> None:
    facts = world.facts()
    if permits(facts):
        return
    assert [one for one in narrowed(facts, world) if permits(one)] == []


def narrowed(facts: Facts, world: worlds.World) -> Iterator[Facts]:
    """The facts with one objection, content flag, target or territory more, or one grant less."""
    request = facts.request
    for index, subject in enumerate(facts.subjects):
        more = (*subject.objections, world.objection(subject.id, 9))
        yield with_subject(facts, index, objections=more)
        for removed in subject.grants:
            kept = tuple(one for one in subject.grants if one is not removed)
            yield with_subject(facts, index, grants=kept)
    flag = world.chance.choice(list(ContentFlag))
    yield replace(facts, request=replace(request, content=request.content | {flag}))
    if any(person.target for person in facts.persons):
        wanted = sorted(request.modalities)
        another = world.person(wanted, target=True)
        yield replace(facts, persons=(*facts.persons, another))
    if request.territories:
        wider = request.territories | {world.chance.choice(worlds.PLACES)}
        yield replace(facts, request=replace(request, territories=wider))


@settings(LAW)
@given(worlds.worlds())
def test_order_and_ids_change_nothing(world: worlds.World) -> None:
    facts, chance = world.facts(), world.chance

    def renamed(one: str) -> str:
        return f"{97 - ord(one[-1])}{one}"

    def shuffled(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(values, len(values)))

    def grant(one: Grant) -> Grant:
        known = frozenset(renamed(each) for each in one.acknowledges_objections)
        return replace(one, id=renamed(one.id), acknowledges_objections=known)

    def objection(one: Objection) -> Objection:
        carved = frozenset(renamed(each) for each in one.carve_out_grants)
        return replace(one, id=renamed(one.id), carve_out_grants=carved)

    other = replace(
        facts,
        subjects=shuffled(
            tuple(
                replace(
                    one,
                    grants=shuffled(tuple(grant(each) for each in one.grants)),
                    objections=shuffled(tuple(objection(each) for each in one.objections)),
                )
                for one in facts.subjects
            )
        ),
        persons=tuple(
            replace(
                one,
                sightings=shuffled(
                    tuple(
                        replace(each, candidates=shuffled(each.candidates))
                        for each in one.sightings
                    )
                ),
            )
            for one in facts.persons
        ),
    )
    assert essence(decide(facts, many_packs())) == essence(decide(other, many_packs()))


def essence(decision: Decision) -> tuple[object, ...]:
    """A decision without the ids of grants and the order of reasons."""
    return (
        decision.outcome,
        frozenset(replace(one, grant=None) for one in decision.reasons),
        tuple(one.outcome for one in decision.persons),
        decision.packs,
        decision.basis,
        frozenset((one.code, one.parameters) for one in decision.obligations),
        decision.valid_until,
    )


@settings(LAW)
@given(worlds.facts())
def test_a_permission_names_what_it_rests_on(facts: Facts) -> None:
    decision = decide(facts, many_packs())
    if not decision.may_proceed:
        assert decision.basis is None
        return
    by_id = {one.id: one for subject in facts.subjects for one in subject.grants}
    for index, person in enumerate(facts.persons):
        for modality in facts.request.modalities if person.target else ():
            here = [
                one for one in decision.reasons if one.person == index and one.modality is modality
            ]
            assert {one.code for one in here} & {"GRANT", "NO_PROTECTED_TERM"}
            for reason in here:
                if reason.grant is not None:
                    relied = by_id[reason.grant]
                    assert covers_plainly(relied, facts, modality)
                    assert relied.ends_at is None or decision.valid_until <= relied.ends_at
    assert decision.basis in set(Basis)
    assert facts.at < decision.valid_until <= facts.at + timedelta(minutes=10)


def covers_plainly(grant: Grant, facts: Facts, modality: object) -> bool:
    request = facts.request
    return (
        (grant.modalities is None or modality in grant.modalities)
        and (grant.uses is None or request.use in grant.uses)
        and (grant.purposes is None or request.purpose in grant.purposes)
        and request.content <= grant.content_allowed
        and grant.starts_at <= facts.at
        and (grant.ends_at is None or facts.at < grant.ends_at)
    )


@settings(LAW)
@given(worlds.facts(), worlds.facts(), st.sampled_from([0, 1]))
def test_below_contract_tier_the_match_does_not_show(one: Facts, two: Facts, tier: int) -> None:
    """Two worlds that differ in people only, with probes of the same shape, look the same."""
    other = replace(
        one,
        subjects=two.subjects,
        persons=tuple(
            replace(
                person,
                claimed_subject=None,
                name_given=False,
                name_hit=None,
                sightings=tuple(
                    replace(sighting, candidates=(), clear_runner_up=False)
                    for sighting in person.sightings
                ),
            )
            for person in one.persons
        ),
    )
    assert disclosure.blind(one) == disclosure.blind(other)
    shown = []
    for facts in (one, other):
        decision = decide(facts, many_packs())
        unseen = decide(disclosure.blind(facts), many_packs())
        told = disclosure.disclose(decision, unseen, tier)
        assert told.may_proceed is decision.may_proceed
        assert disclosure.disclose(decision, unseen, 2) is decision
        shown.append(told)
    if not any(told.may_proceed for told in shown):
        assert shown[0] == shown[1]
        assert shown[0].outcome in {
            Outcome.NOT_CLEARED,
            Outcome.PROHIBITED,
            Outcome.REVIEW_REQUIRED,
        }


ODD: tuple[Any, ...] = (None, "ODD", 7, (), frozenset({"ODD"}), b"", -1)


@settings(LAW)
@given(worlds.worlds())
def test_facts_that_make_no_sense_never_raise(world: worlds.World) -> None:
    facts, pick = world.facts(), world.chance.choice
    index = pick((0, 1))
    subject = facts.subjects[index]
    odd = pick(ODD)

    def spoilt(value: Any) -> Any:
        return replace(value, **{pick(value.__slots__): odd})

    made = [
        spoilt(facts),
        replace(facts, request=spoilt(facts.request)),
        replace(facts, service=spoilt(facts.service)),
        replace(facts, subjects=(spoilt(subject), facts.subjects[1 - index])),
        replace(facts, persons=tuple(spoilt(one) for one in facts.persons)),
        with_subject(facts, index, grants=tuple(spoilt(one) for one in subject.grants)),
        with_subject(facts, index, objections=tuple(spoilt(one) for one in subject.objections)),
    ]
    for one in made:
        outcome = decide(one, many_packs()).outcome
        assert outcome in set(Outcome) - {Outcome.NOT_CLEARED}


def test_generated_facts_reach_every_outcome() -> None:
    """Laws about permissions say something only while some facts are permitted."""
    found = Counter(decide(World(seed).facts(), many_packs()).outcome for seed in range(2000))
    assert min(found[one] for one in SEVERITY) > 30, found
