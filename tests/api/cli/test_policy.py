from pathlib import Path

import pytest
import yaml

from registry.policy.prose import DISCLAIMER
from registry.policy.shelf import load_packs
from tests.api.cli.conftest import Likeness, as_a_program, drawn

CASES = Path(__file__).parents[2] / "cases" / "zz.yaml"


def test_the_last_line_counts_and_all_pass(tmp_path: Path) -> None:
    ended = as_a_program("policy", "test", str(CASES), data_dir=tmp_path / "none")
    number = len(yaml.safe_load(CASES.read_text())["cases"])
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == f"{number} passed, 0 failed"
    assert not (tmp_path / "none").exists()


def test_a_failed_case_is_explained_and_ends_with_exit_code_1(
    likeness: Likeness, tmp_path: Path
) -> None:
    cases = yaml.safe_load(CASES.read_text())
    first = cases["cases"][0]
    expected = first["expect"]["outcome"]
    wrong = "UNKNOWN" if expected != "UNKNOWN" else "PROHIBITED"
    first["expect"]["outcome"] = wrong
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(cases))
    ended = likeness("policy", "test", str(file))
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"FAILED {first['id']}: ")
    assert f"outcome is {expected}, not {wrong}" in ended.out
    assert lines[-1] == f"{len(cases['cases']) - 1} passed, 1 failed"
    told = likeness("policy", "test", str(file), str(CASES), "--json")
    assert told.code == 1
    assert (told.json["failed"], told.json["passed"]) == (1, 2 * len(cases["cases"]) - 1)


def test_a_file_that_holds_no_cases_is_refused_with_a_line_for_each_fault(
    likeness: Likeness, tmp_path: Path
) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text("surprise: 1\n")
    ended = likeness("policy", "test", str(file))
    assert (ended.code, ended.out) == (3, "")
    told = ended.err.removeprefix("Error: ").splitlines()
    assert len(told) == 4
    assert all(one.startswith("cases.yaml: line 1: ") for one in told)
    assert likeness("policy", "test", str(tmp_path / "absent")).code == 2


def test_every_pack_is_listed_with_what_is_to_be_checked_of_it(likeness: Likeness) -> None:
    packs = load_packs().packs
    listed = likeness("policy", "list", "--json").json
    assert [(one["id"], one["version"]) for one in listed] == [
        (id, pack.version) for id, pack in sorted(packs.items())
    ]
    assert any(one["fromMemory"] for one in listed)
    shown = likeness("policy", "list").ok
    assert all(one in shown for one in packs)
    assert DISCLAIMER.split(".", maxsplit=1)[0] in shown


def test_a_pack_is_shown_in_words_and_in_any_of_its_versions(likeness: Likeness) -> None:
    shown = likeness("policy", "show", "KR").ok
    assert "Public Official Election Act" in shown
    version = load_packs().packs["KR"].version
    assert likeness("policy", "show", "KR", "--version", version).ok == shown
    told = likeness("policy", "show", "KR", "--json").json
    assert (told["id"], told["version"]) == ("KR", version)


def test_a_pack_that_is_not_there_is_refused(likeness: Likeness) -> None:
    ended = likeness("policy", "show", "QQ")
    assert ended.code == 3
    assert "There is no pack QQ. There are: CN, DE," in ended.err
    for pack in ("KR", "QQ"):
        ended = likeness("policy", "show", pack, "--version", "1999.1.1")
        assert ended.code == 3
        assert f"no version 1999.1.1 of pack {pack}" in ended.err


@pytest.fixture
def decision(saved: Path) -> str:
    """The id of a decision that was made."""
    id: str = yaml.safe_load(saved.read_text())["id"]
    return id


def test_a_decision_is_explained_step_by_step(likeness: Likeness, decision: str) -> None:
    shown = likeness("policy", "explain", decision).ok
    assert f"Decision  {decision}" in shown.replace(":", "")
    assert "SWAP_FACE for GAMES, FACE" in shown
    assert "The worst counts:" in shown
    told = likeness("policy", "explain", decision, "--json").json
    assert told["id"] == decision
    assert told["told"]["outcome"] in shown
    assert told["explanation"]["cases"]


def test_grants_deaths_and_what_the_service_was_not_told_are_explained(
    likeness: Likeness, url: str, folder: Path
) -> None:
    file = drawn(folder / "explained.png", 77)
    subject = likeness("subject", "add", "--name", "Sung", "--born", "1940-01-01", "--verified").ok
    likeness("subject", "picture", subject, str(file))
    grant = likeness("grant", "propose", "--subject", subject, "--use", "SWAP_FACE").ok
    likeness("grant", "sign", grant)
    likeness("attest", "death", subject, "--on", "2020-01-01", "--domicile", "DE", "--source", "x")
    token = likeness("token", "create", "--service", "newcomer", "--tier", "0").ok.splitlines()[-1]
    kept = folder / "explained.json"
    likeness("check", str(file), "--use", "SWAP_FACE", "--purpose", "GAMES", "--territory", "DE",
             "--url", url, "--token", token, "--save", str(kept))  # fmt: skip
    shown = likeness("policy", "explain", yaml.safe_load(kept.read_text())["id"]).ok
    assert "after death, DE: " in shown
    assert f"grant {grant}: lacks" in shown
    assert "it may not learn of matches." in shown


def test_decisions_made_again_are_the_same(likeness: Likeness, decision: str) -> None:
    one = likeness("policy", "replay", "--decision", decision, "--json").json
    assert (one["replayed"], one["fates"]["SAME"], one["different"]) == (1, 1, [])
    for words in ((), ("--current",), ("--since", "2020-01-01")):
        every = likeness("policy", "replay", *words, "--json").json
        assert every["replayed"] >= 1
        assert (every["fates"]["OTHER"], every["different"]) == (0, [])
    assert "the same, 0 different." in likeness("policy", "replay").ok
    none = likeness("policy", "replay", "--since", "2190-01-01", "--json").json
    assert none["replayed"] == 0


@pytest.mark.parametrize("words", [("explain",), ("replay", "--decision")])
def test_a_decision_that_is_not_there_is_refused(
    likeness: Likeness, words: tuple[str, ...]
) -> None:
    for absent in ("00000000-0000-7000-8000-00000000dead", "x"):
        ended = likeness("policy", *words, absent)
        assert ended.code == 3
        assert "No such decision." in ended.err
