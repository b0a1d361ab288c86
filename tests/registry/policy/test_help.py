"""Urgent help: near before wide, told once, and every shipped pack leads somebody somewhere."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry.policy.cases import run_case_files
from registry.policy.help import Help, help_for, territories
from registry.policy.pack import Pack
from registry.policy.pack_words import Party, Status, Whom
from registry.policy.packs import PackSet
from registry.policy.shelf import load_packs
from registry.policy.territories import COUNTRIES
from registry.policy.urgent import Deadline, HelpLine, Words

from .build import many_packs
from .test_shipped_packs import OWN

SHIPPED = load_packs()


def words(text: str) -> Words:
    return Words(en=text)


def line(name: str, **changes: Any) -> HelpLine:
    said = {"name": {"en": name}, "whom": "EVERYBODY", "text": {"en": "Help."}, "phone": "1"}
    return HelpLine.model_validate({**said, "evidence": "memory", "confidence": "high", **changes})


def due(text: str, **changes: Any) -> Deadline:
    said = {"text": {"en": text}, "who": "PLATFORM", "evidence": "policy", "confidence": "high"}
    return Deadline.model_validate({**said, **changes})


def saying(packs: PackSet, id: str, **changes: Any) -> PackSet:
    return PackSet({**packs.packs, id: packs.packs[id].model_copy(update=changes)})


def names(lines: Iterable[HelpLine]) -> list[str]:
    return [one.name.en for one in lines]


def told(found: Help) -> list[tuple[str, str]]:
    return [(one.pack, one.deadline.text.en) for one in found.deadlines]


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("code", sorted({*SHIPPED.packs, *COUNTRIES, "US-WA", "001", "nowhere"}))
def test_there_is_help_for_everybody_and_for_minors_wherever_one_is(
    code: str, *, minor: bool
) -> None:
    lines = help_for(SHIPPED, code, minor=minor).lines
    assert {one.whom for one in lines} == set(Whom)
    assert (lines[0].whom is Whom.MINORS) is minor
    assert sum(one.emergency for one in lines) >= 1


@pytest.mark.parametrize(
    ("code", "near", "packs"),
    [
        ("US-CA", "US-CA", {"US-CA", "US", "ZZ"}),
        ("US-WA", "US", {"US", "ZZ"}),
        ("PR", "US", {"US", "ZZ"}),
        ("DE", "DE", {"DE", "EU", "ZZ"}),
        ("DE-BY", "DE", {"DE", "EU", "ZZ"}),
        ("AT", "EU", {"EU", "ZZ"}),
        ("HK", "ZZ", {"ZZ"}),
        ("BR", "ZZ", {"ZZ"}),
        ("ZZ", "ZZ", {"ZZ"}),
        ("001", "ZZ", {"ZZ"}),
        ("'; --", "ZZ", {"ZZ"}),
    ],
)
def test_a_place_is_answered_by_its_pack_and_those_around_it(
    code: str, near: str, packs: set[str]
) -> None:
    found = help_for(SHIPPED, code)
    assert found.territory == near
    assert {one.pack for one in found.deadlines} == packs
    assert found.name == SHIPPED.packs[near].place
    wide = SHIPPED.packs["ZZ"].help
    assert {"StopNCII.org", "Take It Down (NCMEC)"} <= set(names(wide)) & set(names(found.lines))


def test_what_the_nearest_pack_says_is_not_said_again() -> None:
    found = help_for(SHIPPED, "DE").lines
    assert [one.phone for one in found if one.emergency] == ["110", "112"]
    assert sum(one.phone == "116 111" for one in found) == 1
    assert "Nummer gegen Kummer" in names(found)
    assert "Helpline for children 116 111" not in names(found)


def test_lines_are_known_again_by_their_number_or_their_address() -> None:
    packs = saying(many_packs(), "ZZ", help=(
        line("spaced", phone="1-2 3"),
        line("same site", phone="9", url="https://Help.example/"),
        line("new", phone="77"),
        line("site alone", phone=None, url="https://other.example"),
    ))  # fmt: skip
    packs = saying(packs, "DK", help=(line("near", phone="123", url="https://help.example"),))
    assert names(help_for(packs, "DK").lines) == ["near", "new", "site alone"]


def test_one_pack_may_say_two_emergency_numbers_and_a_wider_one_adds_none() -> None:
    packs = saying(many_packs(), "ZZ", help=(line("wide", phone="3", emergency=True),))
    near = (line("police", emergency=True), line("fire", phone="2", emergency=True))
    assert names(help_for(packs, "DK").lines) == ["wide"]
    packs = saying(packs, "DK", help=near)
    assert names(help_for(packs, "DK").lines) == ["police", "fire"]


def test_emergency_numbers_come_first_and_for_minors_after_what_is_theirs() -> None:
    lines = (
        line("any"),
        line("young", phone="2", whom="MINORS"),
        line("emergency", phone="3", emergency=True),
        line("intimate", phone="4", whom="INTIMATE"),
    )
    packs = saying(many_packs(), "ZZ", help=lines)
    assert names(help_for(packs, "ZZ").lines) == ["emergency", "any", "intimate", "young"]
    minor = help_for(packs, "ZZ", minor=True).lines
    assert names(minor) == ["young", "emergency", "any", "intimate"]


def test_a_draft_is_no_deadline_and_laws_are_told_by_their_titles() -> None:
    packs = many_packs()
    packs = saying(packs, "DK", deadlines=(due("holds"), due("bill", status=Status.DRAFT)))
    assert told(help_for(packs, "DK")) == [("DK", "holds"), *told(help_for(packs, "ZZ"))]
    packs = saying(packs, "DK", status=Status.DRAFT)
    assert told(help_for(packs, "DK")) == told(help_for(packs, "ZZ"))
    [first, *_] = help_for(SHIPPED, "US").deadlines
    assert first.laws == ("TAKE IT DOWN Act",)
    assert first.deadline.within_hours == 48


def test_packs_that_are_extended_are_read_after_those_around() -> None:
    packs = many_packs()
    packs = saying(packs, "DK", extends=("NO", "EU", "ZZ"), deadlines=(due("dk"),))
    for id in ("NO", "EU", "ZZ"):
        packs = saying(packs, id, deadlines=(due(id.lower()),))
    assert [one.pack for one in help_for(packs, "DK").deadlines] == ["DK", "EU", "NO", "ZZ"]


def test_what_can_be_chosen_has_names_and_ends_with_everywhere_else() -> None:
    found = territories(SHIPPED)
    assert {one.code for one in found} == set(SHIPPED.packs)
    assert found[-1].code == "ZZ"
    assert all(one.name.zh for one in found)
    invented = {one.code: one.name for one in territories(many_packs())}
    assert invented["DK"] == words("In force, with a draft term")


def test_a_text_is_told_in_chinese_where_there_is_one() -> None:
    both = Words(en="Help", zh="帮助")
    assert {tag: both.in_language(tag) for tag in ("zh", "zh-Hans", "ZH-CN", "en", "de")} == {
        **dict.fromkeys(("zh", "zh-Hans", "ZH-CN"), "帮助"),
        **dict.fromkeys(("en", "de"), "Help"),
    }
    assert words("Help").in_language("zh-Hans") == "Help"


@pytest.mark.parametrize("id", sorted(SHIPPED.packs))
def test_everything_a_shipped_pack_says_of_help_can_be_used(id: str) -> None:
    pack = SHIPPED.packs[id]
    texts = [pack.place, *(one.text for one in (*pack.help, *pack.deadlines))]
    for one in pack.help:
        texts += [one.name, *([one.hours] if one.hours else [])]
        assert one.phone is None or re.fullmatch(r"[0-9 +#*-]+", one.phone)
        if one.url is not None:
            parts = urlsplit(one.url)
            assert parts.scheme == "https"
            assert parts.hostname
            assert not parts.query
    assert all(text is not None and re.search("[\u4e00-\u9fff]", text.zh) for text in texts)
    assert all(one.within_hours is None or str(one.within_hours) in one.text.en
               for one in pack.deadlines)  # fmt: skip


def test_no_sentence_is_a_deadline_and_advice_as_well() -> None:
    for pack in SHIPPED.packs.values():
        advice = (*pack.service_duties, *pack.remedies, *pack.registry_duties)
        said = [one.text for one in advice] + [one.text.en for one in pack.deadlines]
        assert len(said) == len(set(said))


HOURS = """
US PLATFORM 48 SEXUAL
GB PLATFORM 48 SEXUAL draft
IN PLATFORM 3
IN PLATFORM 2 SEXUAL
IN PLATFORM 36
IN DEFENDANT 72
FR PLATFORM 24 SEXUAL
"""


def test_every_number_of_hours_is_what_the_law_is_read_to_say() -> None:
    """Written out a second time, so that no value changes by a slip."""
    found = {
        " ".join([id, one.who, str(one.within_hours), *sorted(one.content),
                  *(["draft"] if one.status is Status.DRAFT else [])])
        for id, pack in SHIPPED.packs.items()
        for one in pack.deadlines
        if one.within_hours is not None
    }  # fmt: skip
    assert found == set(HOURS.strip().splitlines())
    parties = {one.who for pack in SHIPPED.packs.values() for one in pack.deadlines}
    assert parties == set(Party)


def test_help_and_deadlines_decide_nothing() -> None:
    """Why they change without a new version: every case is answered alike without them."""
    bare = {"help": (), "deadlines": (), "place": None}
    packs = {id: one.model_copy(update=bare) for id, one in SHIPPED.packs.items()}
    assert packs != SHIPPED.packs
    given, wanted = (run_case_files(OWN, one) for one in (PackSet(packs), SHIPPED))
    assert given == wanted
    assert len(given) >= 80


def with_section(section: str, said: dict[str, Any]) -> dict[str, Any]:
    return {**SHIPPED.packs["ZZ"].model_dump(mode="json"), section: [said]}


LINE = {
    "name": {"en": "Line"},
    "whom": "MINORS",
    "text": {"en": "Help."},
    "phone": "+1 (2)",
    "evidence": "memory",
    "confidence": "high",
}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, "a number is digits"),
        ({"phone": ""}, "a number is digits"),
        ({"phone": "1  2"}, "a number is digits"),
        ({"phone": "1-"}, "a number is digits"),
        ({"phone": None}, "say phone, url or both"),
        ({"phone": "1", "url": "http://help.example/"}, "begins with https"),
        ({"phone": "1", "url": "https://help/"}, "begins with https"),
        ({"phone": "1", "url": "https:///x"}, "begins with https"),
        ({"phone": "1", "url": "https://help.example:8443/"}, "begins with https"),
        ({"phone": "1", "url": "https://me@help.example/"}, "begins with https"),
        ({"phone": "1", "url": "https://help.example/a b"}, "begins with https"),
        ({"phone": "1", "url": "https://[help.example/"}, "url: "),
        ({"phone": "1", "url": "javascript:alert(1)"}, "begins with https"),
        ({"phone": "1", "evidence": "read"}, "what was read"),
        ({"phone": "1", "whom": "ADULTS"}, "EVERYBODY"),
        ({"phone": "1", "languages": ["English"]}, "pattern"),
        ({"phone": "1", "text": {"en": ""}}, "at least 1 character"),
        ({"phone": "1", "text": {"en": "x", "fr": "y"}}, "Extra inputs"),
        ({"phone": "1", "effective": "2026-01-01"}, "effective is for"),
        ({"phone": "1", "law": ["NO_SUCH"]}, "there is no instrument NO_SUCH"),
    ],
)
def test_a_line_that_leads_nowhere_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        Pack.model_validate(with_section("help", {**LINE, **changes}))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"evidence": "memory"}, "name the law"),
        ({"within_hours": 0}, "greater than or equal to 1"),
        ({"who": "MINISTER"}, "PLATFORM"),
        ({"content": ["INDECENT"]}, "SEXUAL"),
        ({"effective": "2027-01-01"}, "effective is for"),
    ],
)
def test_a_deadline_that_cannot_stand_is_refused(changes: dict[str, Any], fault: str) -> None:
    said = {"text": {"en": "Soon."}, "who": "SERVICE", "evidence": "policy", "confidence": "low"}
    assert Pack.model_validate(with_section("deadlines", said))
    with pytest.raises(ValueError, match=re.escape(fault)):
        Pack.model_validate(with_section("deadlines", {**said, **changes}))


def test_a_number_may_be_written_in_every_way_people_dial() -> None:
    for phone in ("112", "#9110", "*31#", "+49 30 123-45", "1-800-843-5678"):
        assert line("any", phone=phone).phone == phone
    assert line("site", phone=None, url="https://a.example/x/").url == "https://a.example/x/"


def test_help_is_immutable() -> None:
    found = help_for(SHIPPED, "DE")
    assert replace(found, territory="FR") != found
    with pytest.raises(AttributeError):
        found.territory = "FR"  # type: ignore[misc]
