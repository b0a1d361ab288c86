"""How somebody stands before the law, from what is stated of them."""

from datetime import date
from typing import Any

import pytest

from registry.policy.vocabulary import SubjectClass
from registry.standing import ProtectionKind, Standing, Stated, standing


def death(died_on: str | None, *, assured: bool, domicile: str | None = None) -> Stated:
    body: dict[str, Any] = {"died_on": died_on, "domicile": domicile, "source": "x"}
    return Stated(ProtectionKind.DEATH, assured, body)


def relatives(living: bool, *, assured: bool) -> Stated:
    return Stated(ProtectionKind.RELATIVES, assured, {"living": living, "source": "x"})


def residence(territory: str) -> Stated:
    return Stated(ProtectionKind.RESIDENCE, False, {"territory": territory, "source": "x"})


def of_class(name: SubjectClass) -> Stated:
    return Stated(ProtectionKind.CLASS, True, {"class": name, "source": "x"})


def test_of_whom_nothing_is_said_nothing_is_known() -> None:
    assert standing([]) == Standing()
    assert Standing().death_assured


def test_of_two_deaths_of_one_rank_the_later_word_counts() -> None:
    for assured in (False, True):
        said = [
            death("2001-01-01", assured=assured, domicile="DE"),
            death("2002-02-02", assured=assured, domicile="FR"),
        ]
        found = standing(said)
        assert (found.died, found.domicile) == (date(2002, 2, 2), "FR")
        assert found.death_assured is assured


@pytest.mark.parametrize("turned", [False, True])
def test_a_death_that_an_office_answers_for_beats_one_that_nobody_does(turned: bool) -> None:
    said = [
        death("2001-01-01", assured=True, domicile="DE"),
        death("1901-01-01", assured=False, domicile="FR"),
    ]
    found = standing(reversed(said) if turned else said)
    assert (found.died, found.domicile, found.death_assured) == (date(2001, 1, 1), "DE", True)


def test_the_dead_may_have_died_on_a_day_that_nobody_knows() -> None:
    found = standing([death(None, assured=False)])
    assert found.classes == {SubjectClass.DECEASED}
    assert (found.died, found.death_assured) == (None, False)


def test_dead_as_a_class_alone_is_no_death_with_a_day() -> None:
    found = standing([of_class(SubjectClass.DECEASED)])
    assert found == Standing(classes=frozenset({SubjectClass.DECEASED}))


@pytest.mark.parametrize(
    ("said", "living"),
    [
        ([], None),
        ([(True, False)], True),
        ([(False, False)], None),
        ([(False, True)], False),
        ([(False, True), (True, False)], True),
        ([(True, False), (False, False)], True),
        ([(True, True), (False, False)], True),
        ([(True, False), (False, True)], False),
    ],
)
def test_that_relatives_live_protects_whoever_says_it_and_that_none_do_an_office_says(
    said: list[tuple[bool, bool]], living: bool | None
) -> None:
    found = standing(relatives(lives, assured=assured) for lives, assured in said)
    assert found.relatives_living is living


def test_where_somebody_lives_is_the_latest_word() -> None:
    assert standing(map(residence, ("DE", "FR", "US-CA"))).residence == "US-CA"


def test_classes_add_up() -> None:
    said = [of_class(one) for one in (SubjectClass.PERFORMER, SubjectClass.HISTORICAL)]
    assert standing([*said, said[0], death("2001-01-01", assured=True)]).classes == {
        SubjectClass.PERFORMER,
        SubjectClass.HISTORICAL,
        SubjectClass.DECEASED,
    }
