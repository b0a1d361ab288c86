"""What a rule says to the letter: of whom, in what, and who is not excused by whom."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from registry.policy import disclosure
from registry.policy.case_file import moment, scope
from registry.policy.cases import read_case_file
from registry.policy.decision import Decision, PersonDecision
from registry.policy.engine import decide
from registry.policy.facts import Facts, Order, Person, Sighting
from registry.policy.reasons import make
from registry.policy.vocabulary import Band, Modality, Outcome

from .build import AT, answer, codes, facts, grant, many_packs, objection, seen, strong, subject
from .test_cases import FILE

FACE = frozenset({Modality.FACE})
NAME = frozenset({Modality.NAME})


def face(*who: tuple[str, Band], **changes: Any) -> Sighting:
    return seen(*who, modality=Modality.FACE, **changes)


def named(decision: Decision, code: str) -> set[tuple[int | None, Modality | None]]:
    return {(one.person, one.modality) for one in decision.reasons if one.code == code}


# ---------------------------------------------------------------- who it is


def test_without_a_probe_the_modality_that_lacks_it_is_named() -> None:
    told = answer(persons=(Person((strong(),)), Person(name_given=True)))
    assert named(told, "BIOMETRIC_PROOF_REQUIRED") == {(1, Modality.VOICE)}
    assert named(told, "NAME_ONLY") == {(1, Modality.VOICE)}
    claimed = answer(persons=(Person(claimed_subject="s"),))
    assert codes(claimed) == {"BIOMETRIC_PROOF_REQUIRED"}


def test_a_new_picture_is_told_of_the_person_it_is_of() -> None:
    first = Person((face(("s", Band.STRONG)),))
    told = answer(persons=(first, Person((face(asset=True),))), modalities=FACE)
    assert named(told, "NO_MATCH") == {(1, Modality.FACE)}
    faceless = answer(persons=(first, Person((face(asset=True, faces=0),))), modalities=FACE)
    assert named(faceless, "PROBE_QUALITY_LOW") == {(1, Modality.FACE)}


def test_a_registered_picture_is_told_of_the_person_it_is_of() -> None:
    pictured = Person((face(("t", Band.MATCH), asset=True),))
    persons = (Person((face(("s", Band.STRONG)),)), pictured)
    told = answer(subject(), subject(id="t"), persons=persons, modalities=FACE)
    assert told.may_proceed
    assert named(told, "ASSET_MATCH") == {(1, Modality.FACE)}
    assert named(told, "GRANT") == {(0, Modality.FACE), (1, Modality.FACE)}


def test_an_order_about_somebody_pictured_forbids() -> None:
    pictured = Person((face(("s", Band.MATCH), asset=True),))
    told = answer(subject(orders=(Order("r"),)), persons=(pictured,), modalities=FACE)
    assert (told.outcome, codes(told)) == (Outcome.PROHIBITED, {"ORDER"})


def test_a_doubtful_picture_is_told_of_the_person_it_is_of() -> None:
    near = face(("t", Band.GREY), asset=True)
    first, known = Person((face(("s", Band.STRONG)),)), (subject(), subject(id="t"))
    told = answer(*known, persons=(first, Person((near,))), modalities=FACE)
    assert named(told, "GREY_ZONE_MATCH") == {(1, Modality.FACE)}
    claimed = Person((near,), claimed_subject="s")
    told = answer(*known, persons=(first, claimed), modalities=FACE)
    assert named(told, "CLAIMED_SUBJECT_MISMATCH") == {(1, Modality.FACE)}


def test_an_order_about_the_pictured_holds_under_another_s_name() -> None:
    shown = face(("s", Band.MATCH), asset=True)
    person = Person((shown,), name_given=True, name_hit="t")
    told = answer(subject(orders=(Order("r"),)), persons=(person,), modalities=NAME)
    assert codes(told) == {"ORDER"}


def test_the_name_of_the_pictured_is_theirs() -> None:
    pictured = Person((face(("s", Band.MATCH), asset=True),), name_given=True, name_hit="s")
    assert answer(persons=(pictured,), modalities=NAME).may_proceed


def test_another_face_in_a_registered_picture_excuses_no_stranger() -> None:
    enrolled = [subject(enrolled=FACE), subject(id="t", enrolled=FACE)]
    sightings = (face(("s", Band.MATCH), asset=True), face(("t", Band.STRONG)))
    both = answer(*enrolled, persons=(Person(sightings),), modalities=FACE)
    assert both.may_proceed
    third = answer(*enrolled, persons=(Person((*sightings, face())),), modalities=FACE)
    assert third.outcome is Outcome.UNKNOWN


# ---------------------------------------------------------------- what is disclosed


def hidden(known: Facts, tier: int) -> Decision:
    decision = decide(known, many_packs())
    return disclosure.disclose(decision, decide(disclosure.blind(known), many_packs()), tier)


def test_facts_are_blind_to_everything_but_the_probe() -> None:
    sighting = seen(("s", Band.MATCH), ("t", Band.GREY), clear_runner_up=False)
    person = Person((sighting,), claimed_subject="s", name_given=True, name_hit="t")
    known = facts(subject(), subject(id="t"), persons=(person, Person(target=False)))
    blinded = disclosure.blind(known)
    assert blinded.subjects == ()
    assert blinded.persons == (Person((seen(),)), Person(target=False))
    poor = replace(person, sightings=(replace(sighting, usable=False, searched=False),))
    assert disclosure.blind(facts(persons=(poor,))).persons == (
        Person((seen(usable=False, searched=False),)),
    )


def test_what_is_not_cleared_is_so_for_each_person_without_a_why() -> None:
    known = facts(
        subject(objections=(objection(),)), persons=(Person((strong(),)), Person((seen(),)))
    )
    told = hidden(known, tier=1)
    alone = (make("NOT_CLEARED"),)
    assert (told.outcome, told.reasons) == (Outcome.NOT_CLEARED, alone)
    assert told.persons == (PersonDecision(Outcome.NOT_CLEARED, alone),) * 2
    assert hidden(known, tier=2) == decide(known, many_packs())


# ---------------------------------------------------------------- what a case file says


def test_moments_of_a_case_file_are_utc_and_a_day_begins_at_midnight() -> None:
    assert moment(date(2026, 1, 2)) == datetime(2026, 1, 2, tzinfo=UTC)
    noon = datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=8)))
    assert moment(noon) == datetime(2026, 1, 2, 4, tzinfo=UTC)
    assert moment(noon).utcoffset() == timedelta(0)


def test_the_day_a_case_is_decided_on_is_that_of_utc(tmp_path: Path) -> None:
    east = FILE.replace('now: "2026-11-22T12:00:00Z"', 'now: "2026-11-23T01:00:00+08:00"')
    path = tmp_path / "cases.yaml"
    path.write_text(east, encoding="utf-8")
    days = {known.at.date() for _, known in read_case_file(path)}
    assert days == {date(2026, 11, 22)}


def test_a_star_in_a_case_file_is_everything_whatever_stands_beside_it() -> None:
    assert scope(frozenset({"*"})) is None
    assert scope(frozenset({"*", "CN"})) is None
    assert scope(frozenset({"CN"})) == {"CN"}
    assert scope(frozenset[str]()) == frozenset()


# ---------------------------------------------------------------- deciding with many grants


@pytest.mark.parametrize("filled", [False, True])
def test_one_covering_grant_is_enough_among_others_that_lack_something(filled: bool) -> None:
    short = [
        grant(id="place", territories=frozenset({"NZ"})),
        grant(id="late", starts_at=AT + timedelta(days=1)),
        grant(id="over", ends_at=AT),
        grant(id="used", uses_left=0),
    ]
    whole = [grant(id="whole", territories=frozenset({"NO"}))] if filled else []
    told = answer(subject(grants=(*short, *whole)), territories=frozenset({"NO"}))
    assert told.may_proceed is filled


def test_a_place_that_was_not_named_is_in_a_grant_for_the_world_alone() -> None:
    for granted, permitted in ((None, True), (frozenset({"001"}), True), (frozenset(), False)):
        told = answer(subject(grants=(grant(territories=granted),)))
        assert told.may_proceed is permitted
    some = answer(subject(grants=(grant(territories=frozenset({"CN", "NO"})),)))
    assert codes(some) == {"TERRITORY_NOT_GRANTED"}
