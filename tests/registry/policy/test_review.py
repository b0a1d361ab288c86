"""What of the packs is past its review, and what is only remembered."""

from datetime import date

from registry.policy.pack_words import Evidence
from registry.policy.review import Overdue, from_memory, overdue

from .build import packs

FLOOR = packs().floor
DUE = FLOOR.review_by


def test_a_pack_is_overdue_the_day_after_its_review() -> None:
    assert overdue([FLOOR], DUE) == ()
    assert overdue([FLOOR], date(2027, 2, 23)) == (Overdue("ZZ", "", DUE),)


def test_a_statement_with_a_date_of_its_own_is_overdue_by_itself() -> None:
    early = FLOOR.bars[1].model_copy(update={"review_by": date(2026, 12, 1)})
    pack = FLOOR.model_copy(update={"bars": (FLOOR.bars[0], early)})
    assert overdue([pack], date(2026, 12, 1)) == ()
    assert overdue([pack], date(2026, 12, 2)) == (Overdue("ZZ", "bars.1", date(2026, 12, 1)),)


def test_packs_are_told_in_order_of_their_ids() -> None:
    other = FLOOR.model_copy(update={"id": "AA"})
    told = overdue([FLOOR, other], date(2030, 1, 1))
    assert [one.pack for one in told] == ["AA", "ZZ"]


def test_what_is_from_memory_is_listed_with_its_place() -> None:
    silent = FLOOR.model_copy(update={"help": ()})
    assert from_memory([silent]) == ()
    assert {one.place.partition(".")[0] for one in from_memory([FLOOR])} == {"help"}
    remembered = FLOOR.emits[0].model_copy(update={"evidence": Evidence.MEMORY})
    pack = silent.model_copy(update={"emits": (remembered, *FLOOR.emits[1:])})
    assert [(one.pack, one.place, one.statement) for one in from_memory([pack])] == [
        ("ZZ", "emits.0", remembered)
    ]
