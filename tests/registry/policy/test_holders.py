"""Who of a dead person's heirs decides, by rank and by share."""

from datetime import date

import pytest

from registry.policy.facts import Holder, Service
from registry.policy.vocabulary import Kinship

from .build import answer, codes, dead, heirs_grant, places


def heirs(*entries: tuple[str, Kinship | None, float | None]) -> frozenset[Holder]:
    return frozenset(Holder(*one) for one in entries)


@pytest.mark.parametrize(
    ("held", "signed", "enough"),
    [
        (heirs(("a", Kinship.CHILD, None), ("b", Kinship.SPOUSE, None)), "a", False),
        (heirs(("a", Kinship.CHILD, None), ("b", Kinship.SPOUSE, None)), "ab", True),
        (heirs(("a", Kinship.CHILD, None), ("b", Kinship.SIBLING, None)), "a", True),
        (heirs(("a", Kinship.CHILD, None), ("b", Kinship.SIBLING, None)), "b", False),
        (heirs(("b", Kinship.SIBLING, None), ("c", Kinship.SIBLING, None)), "b", True),
        (heirs(("b", Kinship.SIBLING, None), ("u", None, None)), "b", False),
        (heirs(("b", Kinship.SIBLING, None), ("u", None, None)), "bu", True),
        (heirs(("p", Kinship.PARENT, None)), "p", False),
    ],
)
def test_the_first_rank_that_anybody_is_of_decides(
    held: frozenset[Holder], signed: str, enough: bool
) -> None:
    given = heirs_grant(signed_by=frozenset(signed))
    person = dead(died=date(2024, 1, 1), holders=held, grants=(given,))
    filed = Service("service", active=True, filings=frozenset({"MX"}))
    assert answer(person, service=filed, **places("MX")).may_proceed is enough


@pytest.mark.parametrize(
    ("shares", "interest", "signed", "enough"),
    [
        ((0.6, 0.4), None, "a", True),
        ((0.5, 0.5), None, "a", False),
        ((0.3, 0.3), None, "ab", True),
        ((None, None), None, "ab", False),
        ((None, None), 0.6, "a", True),
        ((None, None), 0.6, "x", False),
        ((0.9, 0.1), 0.5, "a", False),
    ],
)
def test_most_of_the_right_must_stand_behind_a_grant(
    shares: tuple[float | None, float | None], interest: float | None, signed: str, enough: bool
) -> None:
    heir = Kinship.INTESTATE_HEIR
    held = heirs(("a", heir, shares[0]), ("b", heir, shares[1]))
    given = heirs_grant(signed_by=frozenset(signed), interest=interest)
    person = dead(holders=held, grants=(given,))
    told = answer(person, **places("NZ"))
    assert ("CO_HOLDER_MISSING" not in codes(told)) is enough
