"""Packs in words: everything a pack can say, and how a page that says little looks."""

from pathlib import Path

from registry.policy.prose import after_death, prose, title
from registry.policy.shelf import read_folder

from .build import many_packs

FOLDER = Path(__file__).with_name("prose")


def test_everything_a_pack_can_say_is_written_out() -> None:
    pack = read_folder(FOLDER)["AQ"]
    assert prose(pack) == (FOLDER / "AQ.md").read_text(encoding="utf-8")


def test_a_pack_that_says_little_has_few_sections() -> None:
    told = prose(many_packs().packs["CL"])
    assert [line for line in told.splitlines() if line.startswith("#")] == [
        "# Unsettled (CL)",
        "## After death",
    ]
    assert "hold here too" not in told
    assert told.endswith("[registry policy; confidence low]\n")


def test_what_holds_after_death_fits_a_table() -> None:
    packs = many_packs().packs
    assert title(packs["DK"]) == "In force, with a draft term (DK)"
    assert after_death(packs["DK"]) == "50 years after death (draft)"
    assert after_death(packs["PE"]) == "while close relatives live"
    assert after_death(packs["EU"]) == "left to the states within: name the state"
    assert after_death(packs["NO"]) == "none: the right ends with the person"
    assert after_death(packs["MX"]).count("; ") == 2
