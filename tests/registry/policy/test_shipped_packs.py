"""The packs that are shipped: whole, honest about where they come from, and held to cases."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from registry.policy.cases import read_case_file, run_case_files
from registry.policy.pack import Pack, Statement, statements
from registry.policy.pack_words import Confidence, Evidence, InstrumentStatus, Status, TermKind
from registry.policy.packs import in_force
from registry.policy.review import from_memory, overdue
from registry.policy.shelf import SHIPPED, load_packs
from registry.policy.vocabulary import Outcome

CASES = Path(__file__).parents[2] / "cases"
OWN = [CASES / "decisions.yaml", CASES / "elections.yaml"]
IDS = {
    "ZZ", "CN", "EU", "DK", "DE", "FR", "GB", "US", "US-CA", "US-NY", "US-TN", "US-IL", "US-TX",
    "US-IN", "IN", "KR", "JP",
}  # fmt: skip
PACKS = load_packs().packs
COMPILED = date(2026, 11, 22)


def each_statement() -> list[tuple[str, Statement]]:
    return [(f"{id}:{place}", one) for id, pack in PACKS.items() for place, one in statements(pack)]


def test_seventeen_jurisdictions_are_shipped() -> None:
    assert set(PACKS) == IDS
    assert {pack.version for pack in PACKS.values()} == {"2026.11.1"}


@pytest.mark.parametrize("id", sorted(IDS))
def test_a_pack_says_what_it_is_before_anything_else(id: str) -> None:
    first, second, third = (SHIPPED / f"{id}.yaml").read_text("utf-8").splitlines()[:3]
    assert first == "# yaml-language-server: $schema=pack.schema.json"
    assert second.startswith(f"# Pack {id}: ")
    opening = (SHIPPED / f"{id}.yaml").read_text("utf-8").split("\nid: ")[0].lower()
    assert "not legal advice" in opening
    assert third.startswith("# ")


def schema() -> Any:
    return json.loads((SHIPPED / "pack.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("id", sorted(IDS))
def test_a_pack_fits_the_schema_that_editors_use(id: str) -> None:
    Draft202012Validator.check_schema(schema())
    checker = Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    document = yaml.safe_load((SHIPPED / f"{id}.yaml").read_text("utf-8"))
    assert [one.message for one in checker.iter_errors(document)] == []
    document["bars"] = [{"id": "lower case", "effect": "allow"}]
    assert len(list(checker.iter_errors(document))) >= 3


def test_law_that_was_read_rests_on_an_instrument_that_was() -> None:
    for place, one in each_statement():
        pack = PACKS[place.partition(":")[0]]
        if one.evidence is Evidence.READ:
            named = [law for law in pack.instruments if law.id in one.law]
            assert Evidence.READ in {law.evidence for law in named}, place
            assert all(law.source for law in named if law.evidence is Evidence.READ), place


def test_draft_law_is_marked_as_draft() -> None:
    """What rests on drafts alone is no law, but for advice on forms and claims nobody relies on."""
    for place, one in each_statement():
        pack = PACKS[place.partition(":")[0]]
        kinds = {law.status for law in pack.instruments if law.id in one.law}
        if kinds == {InstrumentStatus.DRAFT} and one.status is not Status.DRAFT:
            part = place.partition(":")[2].rpartition(".")[0]
            assert part in {"consent.forms", "dead.holders", "exceptions", "service_duties"}, place
            assert pack.id == "DK", place


def test_every_instrument_is_relied_on() -> None:
    for pack in PACKS.values():
        relied = {law for _, one in statements(pack) for law in one.law}
        assert {law.id for law in pack.instruments} == relied, pack.id


def test_only_a_bar_to_come_waits_for_its_day() -> None:
    waiting = {place: one.effective for place, one in each_statement() if one.effective}
    assert all(day is not None and day > COMPILED for day in waiting.values())
    assert {place.partition(":")[0] for place in waiting} == {"EU"}


def test_whatever_protects_the_dead_today_is_told_of_every_jurisdiction() -> None:
    told = {
        id: [(term.kind, term.years) for term in in_force(pack).dead.terms]
        for id, pack in PACKS.items()
    }
    assert told == {
        "ZZ": [(TermKind.FIXED, 70)],
        "CN": [(TermKind.WHILE_RELATIVES_LIVING, None)],
        "EU": [(TermKind.DELEGATED, None)],
        "DK": [(TermKind.NONE, None)],
        "DE": [(TermKind.FIXED, 10)],
        "FR": [(TermKind.NONE, None)],
        "GB": [(TermKind.NONE, None)],
        "US": [(TermKind.DELEGATED, None)],
        "US-CA": [(TermKind.FIXED, 70)],
        "US-NY": [(TermKind.FIXED, 40)],
        "US-TN": [(TermKind.RENEWABLE, 10)],
        "US-IL": [(TermKind.FIXED, 50)],
        "US-TX": [(TermKind.FIXED, 50)],
        "US-IN": [(TermKind.FIXED, 100)],
        "IN": [(TermKind.UNSETTLED, None)],
        "KR": [(TermKind.UNSETTLED, None)],
        "JP": [(TermKind.UNSETTLED, None)],
    }


def test_what_is_from_memory_is_marked_in_every_pack_but_the_floor() -> None:
    remembered = Counter(one.pack for one in from_memory(PACKS.values()))
    assert remembered["ZZ"] == 0
    assert all(remembered[id] for id in IDS - {"ZZ"})


def test_the_packs_are_within_their_review_when_compiled() -> None:
    assert overdue(PACKS.values(), COMPILED) == ()
    late = overdue(PACKS.values(), date(2027, 2, 23))
    assert {one.pack for one in late if not one.place} == IDS


def test_nothing_is_said_with_more_confidence_than_its_source() -> None:
    order = list(reversed(Confidence))  # low, medium, high
    for place, one in each_statement():
        pack = PACKS[place.partition(":")[0]]
        sources = [order.index(law.confidence) for law in pack.instruments if law.id in one.law]
        if sources and one.evidence is not Evidence.POLICY:
            assert order.index(one.confidence) <= max(sources), place


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_the_engine_answers_the_project_s_own_cases(path: Path) -> None:
    results = run_case_files([path], load_packs())
    assert [f"{one.id}: {one.differences}" for one in results if not one.passed] == []


def test_the_cases_reach_every_jurisdiction_and_every_outcome() -> None:
    read = [case for path in OWN for case, _ in read_case_file(path)]
    assert len(read) >= 80
    named = Counter(code for case in read for code in case.request.territories)
    assert {id: named[id] for id in IDS - {"ZZ"} if named[id] < 3} == {}
    assert sum(not case.request.territories for case in read) >= 1
    assert {case.expect.outcome for case in read} == set(Outcome) - {Outcome.NOT_CLEARED}


def test_packs_are_models_of_the_data_and_nothing_else() -> None:
    for id in sorted(IDS):
        document = yaml.safe_load((SHIPPED / f"{id}.yaml").read_text("utf-8"))
        again = Pack.model_validate_json(json.dumps(document), strict=True)
        assert again == PACKS[id]
