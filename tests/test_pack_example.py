"""The pack, the cases and the faults that docs/guides/write-a-pack.md prints are real."""

import re
from pathlib import Path

import pytest

from registry.errors import SetupError
from registry.policy.cases import run_case_files
from registry.policy.decision import PackVersion
from registry.policy.prose import prose
from registry.policy.shelf import SHIPPED, Shelf, load_packs, read_folder

GUIDE = Path(__file__).parent.parent / "docs" / "guides" / "write-a-pack.md"
PACK, CASES = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
MISTAKES = (
    ('review_by: "2027-06-30"', "review_by: 2027-06-30"),
    ("years: 25", "yaers: 25"),
    ("[GAMBLING_ALCOHOL_TOBACCO]", "[GAMBLING]"),
)


def folder_with(root: Path, text: str) -> Path:
    (root / "BV.yaml").write_text(text, encoding="utf-8")
    return root


def test_the_pack_of_the_guide_joins_the_shipped_ones(tmp_path: Path) -> None:
    packs = load_packs(folder_with(tmp_path, PACK)).packs
    assert set(packs) - set(read_folder(SHIPPED)) == {"BV"}
    assert "FROM MEMORY" in prose(packs["BV"])


def test_the_cases_of_the_guide_pass(tmp_path: Path) -> None:
    packs = load_packs(folder_with(tmp_path, PACK))
    cases = tmp_path / "bv-cases.txt"
    cases.write_text(CASES, encoding="utf-8")
    results = run_case_files([cases], packs)
    assert len(results) >= 4
    assert [(one.id, one.differences) for one in results if not one.passed] == []


def test_the_cases_of_the_guide_need_the_pack_of_the_guide(tmp_path: Path) -> None:
    cases = tmp_path / "bv-cases.yaml"
    cases.write_text(CASES, encoding="utf-8")
    assert not all(one.passed for one in run_case_files([cases], load_packs()))


def test_an_older_version_stays_loadable_where_the_guide_puts_it(tmp_path: Path) -> None:
    folder_with(tmp_path, PACK.replace('"2026.11.1"', '"2026.12.1"').replace("25", "30"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "BV@2026.11.1.yaml").write_text(PACK, encoding="utf-8")
    shelf = Shelf.of(tmp_path)
    [now] = shelf.current().packs["BV"].dead.terms
    [then] = shelf.at([PackVersion("BV", "2026.11.1")]).packs["BV"].dead.terms
    assert (now.years, then.years) == (30, 25)


def test_the_faults_are_told_as_the_guide_prints_them(tmp_path: Path) -> None:
    text = PACK
    for right, wrong in MISTAKES:
        assert right in text
        text = text.replace(right, wrong)
    with pytest.raises(SetupError) as refused:
        load_packs(folder_with(tmp_path, text))
    told = str(refused.value)
    assert len(told.splitlines()) == len(MISTAKES)
    assert f"```\n{told}\n```" in GUIDE.read_text(encoding="utf-8")
