"""Each fault of a file that people write, with its line, in words."""

from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.errors import SetupError
from registry.policy.documents import parse
from registry.policy.pack import Pack
from registry.policy.shelf import SHIPPED
from registry.policy.vocabulary import ContentFlag, ObligationCode


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    cure: Literal["none", "consent"] = "none"
    years: Annotated[int, Field(ge=1)] | None = None
    day: date | None = None
    flags: frozenset[ContentFlag] = frozenset()
    duty: ObligationCode | None = None
    homes: frozenset[str] | dict[str, int] = frozenset()


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    leaves: tuple[Leaf, ...] = ()

    @model_validator(mode="after")
    def _no_dead_leaf(self) -> "Tree":
        for number, one in enumerate(self.leaves):
            if one.name == "dead":
                raise ValueError(f"leaves.{number}: a dead leaf.")
            if one.name == "lost":
                raise ValueError("nobody: where")
            if one.name == "sick":
                raise ValueError("Something is wrong")
        return self


GOOD = """title: Oak
leaves:
  - name: first
    cure: none
  - name: second
    years: 3
    day: "2026-01-01"
    flags: [SEXUAL, FRAUD]
"""


def told(text: str) -> list[str]:
    with pytest.raises(SetupError) as caught:
        parse(text, file="oak.yaml", model=Tree, error=SetupError)
    return str(caught.value).split("\n")


def test_a_good_document_is_the_model() -> None:
    tree = parse(GOOD, file="oak.yaml", model=Tree, error=SetupError)
    assert tree.leaves[1].day == date(2026, 1, 1)
    assert tree.leaves[1].flags == {ContentFlag.SEXUAL, ContentFlag.FRAUD}


OUTSIDE = (
    "Input should be a valid date in the format YYYY-MM-DD, day value is outside expected range"
)


@pytest.mark.parametrize(
    ("old", "new", "line", "place", "message"),
    [
        ("cure: none", "cure: never", 4, "leaves.0.cure", "Input should be 'none' or 'consent'"),
        ("cure: none", "cure: NO", 4, "leaves.0.cure",
         """Input should be 'none' or 'consent': write "NO\""""),
        ("cure: none", "curry: none", 4, "leaves.0.curry", "there is no such key"),
        ("name: first", "nmae: first", 3, "leaves.0.nmae",
         "there is no such key, and name is missing"),
        ("- name: second\n    years: 3", "- years: 3", 5, "leaves.1.name", "is missing"),
        ("title: Oak\n", "", 1, "title", "is missing"),
        ("years: 3", 'years: "3"', 6, "leaves.1.years", "Input should be a valid integer"),
        ("years: 3", "years: 0", 6, "leaves.1.years",
         "Input should be greater than or equal to 1"),
        ("name: first", "name: 5", 3, "leaves.0.name",
         'Input should be a valid string: write "5"'),
        ("name: first", "name: [a]", 3, "leaves.0.name", "Input should be a valid string"),
        ('"2026-01-01"', "2026-01-01", 7, "leaves.1.day", "quote dates"),
        ('"2026-01-01"', '"2026-02-30"', 7, "leaves.1.day",
         OUTSIDE),
        ("[SEXUAL, FRAUD]", "[SEXUAL, FRUAD]", 8, "leaves.1.flags.1",
         "there is no FRUAD, but there is FRAUD"),
        ("[SEXUAL, FRAUD]", "SEXUAL", 8, "leaves.1.flags", "Input should be a list"),
        ("cure: none", "duty: SING", 4, "leaves.0.duty", "there is no SING"),
        ("cure: none", "homes: {a: b}", 4, "leaves.0.homes.a", "Input should be a valid integer"),
        ("cure: none", "homes: 3", 4, "leaves.0.homes", "Input should be a list"),
        ("cure: none", "cure: none\n    cure: none", 5, "leaves.0", "cure is said twice"),
        ("name: first", "name: dead", 3, "leaves.0", "a dead leaf"),
        ("name: first", "name: sick", 1, "", "Something is wrong"),
        ("name: first", "name: lost", 1, "", "nobody: where"),
        ("leaves:\n", "leaves: 5\nx:\n", 2, "leaves", "Input should be a list"),
        (GOOD, "[1]", 1, "", "Input should be a mapping"),
        (GOOD, "", 1, "", "Input should be a mapping"),
        ("name: second", "name: &a second", 5, "leaves.1.name",
         "anchors and aliases (& and *) are not read"),
        ("first", "\x00", 3, "", "the character U+0000 is not YAML"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line(old: str, new: str, line: int, place: str, message: str) -> None:
    assert old in GOOD
    where = f"oak.yaml: line {line}: {place}".removesuffix(": ")
    assert f"{where}: {message}." in told(GOOD.replace(old, new, 1))


def test_an_unclosed_list_is_one_fault() -> None:
    assert len(told(GOOD.replace("[SEXUAL, FRAUD]", "[SEXUAL"))) == 1


def test_every_fault_is_told_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("title", "tilte")
        .replace("cure: none", "cure: x")
        .replace('"2026-01-01"', "2026-01-01")
        .replace("years: 3", "years: many")
    )
    assert told(text) == [
        "oak.yaml: line 1: tilte: there is no such key, and title is missing.",
        "oak.yaml: line 4: leaves.0.cure: Input should be 'none' or 'consent'.",
        "oak.yaml: line 6: leaves.1.years: Input should be a valid integer.",
        "oak.yaml: line 7: leaves.1.day: quote dates.",
    ]


def test_of_many_faults_twenty_are_told() -> None:
    text = GOOD + "".join(f"  - {{name: {number}}}\n" for number in range(21))
    lines = told(text)
    assert len(lines) == 21
    assert (
        lines[19]
        == 'oak.yaml: line 28: leaves.21.name: Input should be a valid string: write "19".'
    )
    assert lines[20] == "oak.yaml: ... and 1 more."
    assert len(told(text.replace("  - {name: 20}\n", ""))) == 20


def test_two_missing_keys_and_two_unknown_ones_are_paired_as_they_are_alike() -> None:
    lines = told("ttile: Oak\nleaves: [{nmae: a}, {other: b}]\n")
    assert lines == [
        "oak.yaml: line 1: ttile: there is no such key, and title is missing.",
        "oak.yaml: line 2: leaves.0.nmae: there is no such key, and name is missing.",
        "oak.yaml: line 2: leaves.1.name: is missing.",
        "oak.yaml: line 2: leaves.1.other: there is no such key.",
    ]


def test_a_pack_that_names_no_instrument_of_its_own_is_told_at_the_statement() -> None:
    text = (SHIPPED / "GB.yaml").read_text("utf-8")
    before, _, _ = text.partition("law: [DUAA138]\n")
    with pytest.raises(SetupError) as caught:
        parse(
            text.replace("law: [DUAA138]\n", "law: [DUAA139]\n"),
            file="GB.yaml", model=Pack, error=SetupError,
        )  # fmt: skip
    line = text[: before.rindex("- id: ")].count("\n") + 1
    assert str(caught.value) == f"GB.yaml: line {line}: bars.0: there is no instrument DUAA139."
