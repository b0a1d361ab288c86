"""The pack loader: strict, and ZZ underneath everything."""

from datetime import date
from pathlib import Path

import pytest

from registry.errors import SetupError
from registry.policy.pack import Cure, Factor, TermKind
from registry.policy.packs import SHIPPED, assemble, load_packs

from .build import many_packs, packs

PACK = """
id: FR
version: "2026.1.1"
name: Test
status: in_force
confidence: low
source: "Invented."
review_by: "2027-01-01"
dead: {term: {kind: none}}
"""


def load(folder: Path, text: str, name: str = "FR.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")
    load_packs(folder)


def ids(*codes: str, drafts: bool = False, establishment: str | None = None) -> list[str]:
    reading = many_packs().for_territories(
        frozenset(codes), include_drafts=drafts, establishment=establishment
    )
    return [pack.id for pack in reading.packs]


def test_the_shipped_baseline_says_what_the_registry_promises() -> None:
    floor = packs().floor
    assert floor.version == "2026.11.1"
    assert floor.dead.term.kind is TermKind.FIXED
    assert floor.dead.term.years == 70
    assert floor.consent.form.max_term_years == 10
    assert {bar.id for bar in floor.bars if bar.cure is Cure.NONE} == {
        "MINOR_SEXUAL",
        "MINOR_POLITICAL",
        "ID_VERIFICATION_BYPASS",
        "FRAUD_IMPERSONATION",
    }


def test_no_shipped_pack_is_past_its_review() -> None:
    stale = [pack.id for pack in packs().packs.values() if pack.review_by < date(2026, 11, 22)]
    assert stale == []


def test_a_pack_loads_beside_the_shipped_ones(tmp_path: Path) -> None:
    load(tmp_path, PACK)
    (tmp_path / "README.md").write_text("not a pack", encoding="utf-8")
    assert set(load_packs(tmp_path).packs) == {"ZZ", "FR"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("name: Test", "name: Test\nnmae: Typo"), "nmae"),
        (("name: Test", "name: Test\nname: Twice"), "name is said twice"),
        (("kind: none", "kind: eternal"), "dead.term.kind"),
        (("kind: none", "kind: fixed"), "years belong to kinds fixed and renewable"),
        (("kind: none", "kind: none, years: 5"), "years belong to kinds fixed and renewable"),
        (("in_force", "maybe"), "status"),
        (('"2027-01-01"', '"2027-13-01"'), "review_by"),
        (('"2027-01-01"', "2027-01-01"), "quote dates"),
        (('"2026.1.1"', "2026.1"), "version"),
        (("id: FR", "id: DE"), "is named DE.yaml"),
        (("dead: {term: {kind: none}}", ""), "dead"),
        (("name: Test", "name: [unclosed"), "line"),
        (("name: Test", "name: \x07"), "not YAML"),
        (("name: Test", "name: T\nextends: [IT]"), "there is no pack IT"),
        (("name: Test", "name: T\nextends: [FR]"), "go in a circle"),
        (("name: Test", "name: T\nminors: {majority: '18'}"), "minors.majority"),
        (
            ("name: Test", "name: T\nemits: [{code: KEEP_LOG, parameters: {years: 1}}]"),
            "emits.0.parameters",
        ),
        (("name: Test", "name: T\nbars: [{id: X, message: m, cure: none}]"), "a bar without"),
        (
            (
                "name: Test",
                "name: T\nbars: [{id: X, message: m, cure: none, unfiled: FR, effect: advisory}]",
            ),
            "a bar is prohibit or review",
        ),
        (
            (
                "name: Test",
                "name: T\nbars:\n- &a {id: X, message: m, cure: none, unfiled: FR}\n- *a",
            ),
            "an id is said twice",
        ),
        (
            ("name: Test", "name: T\nexceptions: [{claim: HISTORICAL, effect: prohibit}]"),
            "an exception is review or advisory",
        ),
        (("name: Test", "name: T\nconsent: {by: [{when: adult}]}"), "either any_of or all_of"),
    ],
)
def test_a_fault_is_one_line_with_file_and_place(
    tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    assert change[0] in PACK
    with pytest.raises(SetupError) as caught:
        load(tmp_path, PACK.replace(*change))
    message = str(caught.value)
    assert place in message
    assert message.startswith("FR")
    assert "\n" not in message


def test_a_pack_is_named_after_a_territory(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no territory"):
        load(tmp_path, PACK.replace("FR", "XX"), "XX.yaml")
    (tmp_path / "XX.yaml").unlink()
    with pytest.raises(SetupError, match="no territory"):
        load(tmp_path, PACK.replace("FR", '"001"'), "001.yaml")


def test_a_shipped_pack_is_not_redefined(tmp_path: Path) -> None:
    floor = (SHIPPED / "ZZ.yaml").read_text(encoding="utf-8")
    with pytest.raises(SetupError, match="there already is a pack ZZ"):
        load(tmp_path, floor, "ZZ.yaml")


def test_packs_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "DE.yaml").write_text(
        PACK.replace("FR", "DE") + "extends: [FR]\n", encoding="utf-8"
    )
    with pytest.raises(SetupError, match="circle"):
        load(tmp_path, PACK + "extends: [DE]\n")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        load_packs(tmp_path / "absent")
    (tmp_path / "FR.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SetupError, match="UTF-8"):
        load_packs(tmp_path)
    (tmp_path / "FR.yaml").unlink()
    with pytest.raises(SetupError, match=r"ends in \.yaml"):
        load(tmp_path, PACK, "FR.yml")


def test_without_a_whole_floor_there_are_no_packs() -> None:
    floor = packs().floor
    with pytest.raises(SetupError, match="There is no pack ZZ"):
        assemble({})
    with pytest.raises(SetupError, match="authorities, majority and holders"):
        assemble({"ZZ": floor.model_copy(update={"minors": None})})
    with pytest.raises(SetupError, match="extends nothing"):
        assemble({"ZZ": floor.model_copy(update={"extends": ("FR",)})})


def test_territories_are_read_by_their_packs_and_else_by_the_floor() -> None:
    assert ids() == ["ZZ"]
    assert ids("IS") == ["IS"]
    assert ids("BR") == ["ZZ"]
    assert ids("IS", "BR") == ["IS", "ZZ"]
    assert ids("IT") == ["EU", "IT"]
    assert ids("FR") == ["EU", "ZZ"]
    assert ids("IS-1") == ["IS", "ZZ"]


def test_a_draft_is_heard_only_if_asked_and_beside_the_floor() -> None:
    assert ids("SE") == ["EU", "ZZ"]
    assert ids("SE", drafts=True) == ["EU", "SE", "ZZ"]


def test_the_world_is_read_by_every_pack() -> None:
    in_force = sorted(set(many_packs().packs) - {"SE"})
    assert ids("001") == in_force
    assert ids("001", drafts=True) == sorted(many_packs().packs)


def test_where_a_service_is_established_counts_where_the_pack_says_so() -> None:
    assert ids("IS", establishment="PE") == ["IS", "PE"]
    assert ids("IS", establishment="IT") == ["IS"]
    assert many_packs().by_factor("BR", Factor.PUBLICATION, include_drafts=False) == ()


def test_readings_are_remembered_but_not_without_limit() -> None:
    fresh = assemble(packs().packs)
    first = fresh.for_territories(frozenset({"BR"}))
    assert fresh.for_territories(frozenset({"BR"})) is first
    for number in range(1100):
        fresh.for_territories(frozenset({f"X{number}"}))
    assert fresh.for_territories(frozenset({"BR"})) == first
    assert len(fresh._readings) <= 1024


def test_versions_always_name_the_floor() -> None:
    names = [(one.id, one.version) for one in many_packs().versions([many_packs().packs["IS"]])]
    assert names == [("IS", "2026.1.1"), ("ZZ", "2026.11.1")]
