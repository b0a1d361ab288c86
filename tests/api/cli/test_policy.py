from pathlib import Path

import yaml

from tests.api.cli.conftest import Likeness, as_a_program

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
