"""Explanations: the way to a decision is told by the rules that made it."""

from dataclasses import replace

import pytest
from hypothesis import given

from registry.policy.consulted import consulted
from registry.policy.decision import PackVersion
from registry.policy.engine import decide
from registry.policy.facts import Person, Service
from registry.policy.packs import PackSet
from registry.policy.question import SEVERITY
from registry.policy.trace import described, explain
from registry.policy.vocabulary import ContentFlag, Modality, Outcome

from .build import (
    codes,
    dead,
    facts,
    grant,
    heirs_grant,
    many_packs,
    objection,
    places,
    seen,
    subject,
)
from .worlds import World, worlds


@given(worlds())
def test_the_last_step_of_the_worst_case_is_the_decision(world: World) -> None:
    asked = world.facts()
    told = explain(asked, many_packs())
    assert told.decision == decide(asked, many_packs())
    for case in told.cases:
        assert [one.number for one in case.steps] == sorted(one.number for one in case.steps)
        assert all(one.outcome is None for one in case.steps[:-1])
    targets = [one for one in told.cases if asked.persons[one.person].target]
    if targets:
        worst = max((one.outcome for one in targets), key=SEVERITY.__getitem__)
        assert SEVERITY[told.decision.outcome] >= SEVERITY[worst]
        stricter = {"OBLIGATION_UNSUPPORTED", "NON_TARGET_PERSON"} & codes(told.decision)
        assert stricter or told.decision.outcome is worst


@given(worlds())
def test_a_decision_is_the_same_from_the_packs_it_consulted(world: World) -> None:
    asked = world.facts()
    kept = consulted(asked, many_packs())
    alone = PackSet({one.id: many_packs().packs[one.id] for one in kept})
    assert decide(asked, alone) == decide(asked, many_packs())
    assert {one.id for one in decide(asked, many_packs()).packs} <= {one.id for one in kept}


def test_residence_and_domicile_are_consulted_though_a_refusal_does_not_name_them() -> None:
    living = facts(subject(residence="MX"), **places("NO"))
    gone = facts(dead(domicile_at_death="IT"), **places("NO"))
    assert [one.id for one in consulted(living, many_packs())] == ["MX", "NO", "ZZ"]
    assert [one.id for one in consulted(gone, many_packs())] == ["EU", "IT", "NO", "ZZ"]


def test_of_facts_that_cannot_be_read_every_pack_is_kept() -> None:
    broken = replace(facts(), subjects=None)  # type: ignore[arg-type]  # as if damaged
    kept = consulted(broken, many_packs())
    assert {one.id for one in kept} == set(many_packs().packs)
    assert PackVersion("ZZ", "2026.11.1") in kept


def test_grants_are_told_with_what_they_lack_and_whether_they_stand() -> None:
    person = subject(
        grants=(grant(id="narrow", modalities=frozenset({Modality.FACE})), grant(id="old")),
        objections=(objection(),),
    )
    [case] = explain(facts(person), many_packs()).cases
    assert {one.id: (one.lacks, one.stands) for one in case.grants} == {
        "narrow": (("MODALITY_NOT_GRANTED",), False),
        "old": ((), False),
    }
    assert (case.subject, case.strong, case.packs) == ("s", True, ("ZZ",))
    assert (case.steps[-1].number, case.outcome) == (6, Outcome.PROHIBITED)


def test_the_terms_of_the_dead_are_told_by_pack() -> None:
    told = explain(facts(dead(grants=(heirs_grant(),)), **places("IS", "NO")), many_packs())
    assert told.cases[0].terms == (("IS", "POST_MORTEM_PROTECTED"),)


def test_whoever_is_unknown_has_no_grants_to_tell() -> None:
    [case] = explain(facts(persons=(Person((seen(),)),)), many_packs()).cases
    assert (case.subject, case.grants, case.terms) == (None, (), ())
    assert case.steps[-1].number == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"service": Service("service", active=False)},
        {"content": frozenset({ContentFlag.FRAUD})},
        {"persons": ()},
    ],
)
def test_what_is_refused_whole_looks_at_nobody(changes: dict[str, object]) -> None:
    told = explain(facts(**changes), many_packs())
    assert told.cases == ()
    assert told.refused == told.decision.reasons


def test_a_rule_that_does_not_say_its_step_is_a_defect() -> None:
    with pytest.raises(ValueError, match="which step"):
        described(print)
