"""The packs that are shipped: whole, honest about where they come from, and held to cases."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from registry.policy.cases import read_case_file, run_case_files
from registry.policy.pack import Authority, Holders, Pack, Term, statements
from registry.policy.pack_words import Confidence, Evidence, InstrumentStatus, Status
from registry.policy.review import from_memory, overdue
from registry.policy.shelf import SHIPPED, load_packs
from registry.policy.statement import Statement
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
        if one.evidence is Evidence.READ and one.is_law:
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
            assert part in {"consent.forms", "dead.holders", "exceptions"}, place
            assert pack.id == "DK", place


def test_every_instrument_is_relied_on() -> None:
    for pack in PACKS.values():
        relied = {law for _, one in statements(pack) for law in one.law}
        assert {law.id for law in pack.instruments} == relied, pack.id


def test_only_a_bar_to_come_waits_for_its_day() -> None:
    waiting = {place: one.effective for place, one in each_statement() if one.effective}
    assert all(day is not None and day > COMPILED for day in waiting.values())
    assert {place.partition(":")[0] for place in waiting} == {"EU"}


TERMS = """
ZZ fixed 70
CN while_relatives_living
EU delegated
DK none; draft fixed 50
DE fixed 10
FR none
GB none
US delegated; draft renewable 10
US-CA fixed 70 since 1915-01-01
US-NY fixed 40 since 2021-05-29 of US-NY
US-TN renewable 10
US-IL fixed 50 since 1999-01-01
US-TX fixed 50
US-IN fixed 100 since 1994-07-01
IN unsettled
KR unsettled; draft fixed 30
JP unsettled
"""
HOLDERS = """
ZZ any of CHILD PARENT SPOUSE
CN any of CHILD PARENT SPOUSE; any of GRANDCHILD GRANDPARENT SIBLING
DK any of CHILD PARENT SPOUSE
DE all of CHILD LIFE_PARTNER SPOUSE; all of PARENT
FR any of DESIGNATED_BY_DIRECTIVE; any of INTESTATE_HEIR
US-CA majority_interest of TESTAMENTARY_BENEFICIARY TRANSFEREE; majority_interest of CHILD GRANDCHILD SPOUSE; majority_interest of PARENT
US-NY majority_interest of TESTAMENTARY_BENEFICIARY TRANSFEREE; majority_interest of INTESTATE_HEIR
US-TN any of EXECUTOR INTESTATE_HEIR TESTAMENTARY_BENEFICIARY TRANSFEREE
US-IL majority_interest of TRANSFEREE; majority_interest of CHILD PARENT SPOUSE
US-TX majority_interest of TRANSFEREE; majority_interest of CHILD GRANDCHILD PARENT SPOUSE
US-IN majority_interest of TESTAMENTARY_BENEFICIARY TRANSFEREE; majority_interest of INTESTATE_HEIR
"""  # noqa: E501  # a line for each pack
EXCEPTIONS = """
ZZ HISTORICAL NEWS_REPORTING PARODY_SATIRE SCHOLARSHIP
CN NEWS_REPORTING SCHOLARSHIP STATE_DUTY
EU NEWS_REPORTING SCHOLARSHIP advisory PARODY_SATIRE
DK PARODY_SATIRE
DE HISTORICAL NEWS_REPORTING
FR HISTORICAL NEWS_REPORTING advisory PARODY_SATIRE
GB NEWS_REPORTING PARODY_SATIRE
US NEWS_REPORTING PARODY_SATIRE draft HISTORICAL SCHOLARSHIP
US-CA HISTORICAL NEWS_REPORTING PARODY_SATIRE
US-NY HISTORICAL NEWS_REPORTING PARODY_SATIRE
US-TN NEWS_REPORTING PARODY_SATIRE
US-IN NEWS_REPORTING
IN NEWS_REPORTING PARODY_SATIRE
KR NEWS_REPORTING
JP NEWS_REPORTING PARODY_SATIRE
"""
SIGNERS = """
ZZ adult SELF; minor GUARDIAN; dead ESTATE_REPRESENTATIVE RIGHTS_HOLDER
CN adult SELF; minor under 14 GUARDIAN; minor from 14 all GUARDIAN SELF; dead RIGHTS_HOLDER
EU adult SELF; minor GUARDIAN
GB adult SELF; minor GUARDIAN
US-CA adult SELF; minor GUARDIAN; dead RIGHTS_HOLDER
US-NY adult SELF; minor GUARDIAN; dead RIGHTS_HOLDER
US-TN adult SELF; minor GUARDIAN; dead RIGHTS_HOLDER
US-IL adult SELF; minor GUARDIAN; dead RIGHTS_HOLDER
US-TX adult SELF; minor GUARDIAN; dead RIGHTS_HOLDER
US-IN adult SELF; dead RIGHTS_HOLDER
IN adult SELF; minor GUARDIAN
KR adult SELF; minor GUARDIAN
JP adult SELF; minor GUARDIAN
"""


def of_term(one: Term) -> str:
    draft = "draft " if one.status is Status.DRAFT else ""
    years = f" {one.years}" if one.years else ""
    since = f" since {one.died_on_or_after}" if one.died_on_or_after else ""
    return f"{draft}{one.kind}{years}{since}" + (f" of {one.domicile}" if one.domicile else "")


def of_holders(one: Holders) -> str:
    return f"{one.decision} of {' '.join(sorted(one.any_of))}"


def of_exceptions(pack: Pack) -> str:
    groups: dict[str, list[str]] = {}
    for one in pack.exceptions:
        kind = "draft" if one.status is Status.DRAFT else one.effect.value
        groups.setdefault(kind, []).append(one.claim)
    parts = [" ".join(sorted(groups.get("review", [])))]
    marked = sorted(set(groups) - {"review"})
    parts += [f"{name} {' '.join(sorted(groups[name]))}" for name in marked]
    return " ".join(parts)


def of_authority(one: Authority) -> str:
    under = f" under {one.age_under}" if one.age_under is not None else ""
    start = f" from {one.age_from}" if one.age_from is not None else ""
    every = " all" if one.all_of else ""
    return f"{one.when}{under}{start}{every} {' '.join(sorted(one.any_of | one.all_of))}"


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (TERMS, lambda pack: "; ".join(map(of_term, pack.dead.terms))),
        (HOLDERS, lambda pack: "; ".join(map(of_holders, pack.dead.holders))),
        (EXCEPTIONS, of_exceptions),
        (SIGNERS, lambda pack: "; ".join(map(of_authority, pack.consent.by))),
    ],
    ids=["terms", "holders", "exceptions", "signers"],
)
def test_every_jurisdiction_says_what_it_is_read_to_say(
    expected: str, said: Callable[[Pack], str]
) -> None:
    """Written out a second time, so that no value changes by a slip."""
    told = {f"{id} {what}" for id, pack in PACKS.items() if (what := said(pack))}
    assert told == set(expected.strip().splitlines())


def test_majority_is_eighteen_but_in_korea() -> None:
    majorities = {id: pack.minors.majority for id, pack in PACKS.items() if pack.minors}
    assert {id for id, years in majorities.items() if years != 18} == {"KR"}
    assert majorities["KR"] == 19


def test_what_is_from_memory_is_marked_in_every_pack_but_the_floor() -> None:
    law = [one.pack for one in from_memory(PACKS.values()) if one.statement.is_law]
    remembered = Counter(law)
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
