"""Packs as files: strict, versioned, and an operator's beside those that are shipped."""

from pathlib import Path

import pytest

from registry.errors import NotFoundError, SetupError
from registry.policy.decision import PackVersion
from registry.policy.shelf import SHIPPED, Shelf, load_packs, read_folder

BAR = "message: m, cure: none, who: MINOR, POL"
POL = "evidence: policy, confidence: low"
PACK = """
id: IS
version: "2026.1.1"
name: Test
status: in_force
confidence: low
source: "Invented."
review_by: "2027-01-01"
dead: {terms: [{kind: none, POL}]}
""".replace("POL", POL)


def load(folder: Path, text: str, name: str = "IS.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")
    load_packs(folder)


def test_a_pack_loads_beside_the_shipped_ones(tmp_path: Path) -> None:
    load(tmp_path, PACK)
    (tmp_path / "README.md").write_text("not a pack", encoding="utf-8")
    assert set(load_packs(tmp_path).packs) - set(read_folder(SHIPPED)) == {"IS"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("name: Test", "name: Test\nnmae: Typo"), "nmae"),
        (("name: Test", "name: Test\nname: Twice"), "name is said twice"),
        (("kind: none", "kind: eternal"), "dead.terms.0.kind"),
        (("kind: none", "kind: fixed"), "years belong to kinds fixed and renewable"),
        (("kind: none", "kind: none, years: 5"), "years belong to kinds fixed and renewable"),
        (("in_force", "maybe"), "status"),
        (('"2027-01-01"', '"2027-13-01"'), "review_by"),
        (('"2027-01-01"', "2027-01-01"), "quote dates"),
        (('"2026.1.1"', "2026.1"), "version"),
        (("id: IS", "id: NO-1"), "is named NO-1.yaml"),
        (("dead: {terms: [{kind: none, POL}]}", ""), "dead"),
        (("name: Test", "name: [unclosed"), "line"),
        (("name: Test", "name: \x07"), "not YAML"),
        (("name: Test", "name: T\nextends: [CL]"), "there is no pack CL"),
        (("name: Test", "name: T\nextends: [IS]"), "go in a circle"),
        (
            ("name: Test", "name: T\nminors: {majority: '18', POL}"),
            "minors.majority",
        ),
        (
            (
                "name: Test",
                "name: T\nemits: [{code: KEEP_LOG, parameters: {years: 1}, POL}]",
            ),
            "emits.0.parameters",
        ),
        (
            (
                "name: Test",
                "name: T\nbars: [{id: X, message: m, cure: none, POL}]",
            ),
            "a bar without",
        ),
        (
            (
                "name: Test",
                "name: T\nbars: [{id: X, effect: advisory, " + BAR + "}]",
            ),
            "a bar is prohibit or review",
        ),
        (
            (
                "name: Test",
                "name: T\nbars:\n- {id: X, " + BAR + "}\n- {id: X, " + BAR + "}",
            ),
            "bars: X is said twice",
        ),
        (
            (
                "name: Test",
                "name: T\nexceptions: [{claim: HISTORICAL, effect: prohibit, POL}]",
            ),
            "an exception is review or advisory",
        ),
        (
            (
                "name: Test",
                "name: T\nconsent: {by: [{when: adult, POL}]}",
            ),
            "either any_of or all_of",
        ),
    ],
)
def test_a_fault_is_one_line_with_file_and_place(
    tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    assert change[0].replace("POL", POL) in PACK
    with pytest.raises(SetupError) as caught:
        load(tmp_path, PACK.replace(change[0].replace("POL", POL), change[1]).replace("POL", POL))
    message = str(caught.value)
    assert place in message
    assert message.startswith("IS")
    assert "\n" not in message


def test_a_pack_is_named_after_a_territory(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no territory"):
        load(tmp_path, PACK.replace("IS", "XX"), "XX.yaml")
    (tmp_path / "XX.yaml").unlink()
    with pytest.raises(SetupError, match="no territory"):
        load(tmp_path, PACK.replace("IS", '"001"'), "001.yaml")


def test_a_shipped_pack_is_not_redefined(tmp_path: Path) -> None:
    floor = (SHIPPED / "ZZ.yaml").read_text(encoding="utf-8")
    with pytest.raises(SetupError, match="there already is a pack ZZ"):
        load(tmp_path, floor, "ZZ.yaml")


def test_packs_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "NZ.yaml").write_text(
        PACK.replace("IS", "NZ") + "extends: [IS]\n", encoding="utf-8"
    )
    with pytest.raises(SetupError, match="circle"):
        load(tmp_path, PACK + "extends: [NZ]\n")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        load_packs(tmp_path / "absent")
    (tmp_path / "IS.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SetupError, match="UTF-8"):
        load_packs(tmp_path)
    (tmp_path / "IS.yaml").unlink()
    with pytest.raises(SetupError, match=r"ends in \.yaml"):
        load(tmp_path, PACK, "IS.yml")


def test_old_versions_stay_on_the_shelf(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "IS@2026.1.1.yaml").write_text(PACK, encoding="utf-8")
    load(tmp_path, PACK.replace("2026.1.1", "2026.2.1").replace("name: Test", "name: Newer"))
    shelf = Shelf.of(tmp_path)
    assert shelf.current().packs["IS"].name == "Newer"
    floor = PackVersion("ZZ", shelf.current().floor.version)
    for version, name in (("2026.1.1", "Test"), ("2026.2.1", "Newer")):
        packs = Shelf.of(tmp_path).at([PackVersion("IS", version), floor])
        assert packs.packs["IS"].name == name
        assert set(packs.packs) == {"IS", "ZZ"}
    assert shelf.at([floor]).packs["ZZ"] == shelf.current().floor
    with pytest.raises(NotFoundError, match=r"no version 2025\.1\.1 of pack IS"):
        shelf.at([PackVersion("IS", "2025.1.1")])
