"""Which packs speak where, with ZZ underneath everything."""

import pytest

from registry.errors import SetupError
from registry.policy.pack_words import Cure, Factor, Status, TermKind
from registry.policy.packs import assemble, in_force

from .build import many_packs, packs


def ids(*codes: str, drafts: bool = False, establishment: str | None = None) -> list[str]:
    reading = many_packs().for_territories(
        frozenset(codes), include_drafts=drafts, establishment=establishment
    )
    return [pack.id for pack in reading.packs]


def test_the_shipped_baseline_says_what_the_registry_promises() -> None:
    floor = packs().floor
    assert floor.version == "2026.11.1"
    assert floor.dead.terms[0].kind is TermKind.FIXED
    assert floor.dead.terms[0].years == 70
    assert floor.consent.forms[0].max_term_years == 10
    assert {bar.id for bar in floor.bars if bar.cure is Cure.NONE} == {
        "MINOR_SEXUAL",
        "MINOR_POLITICAL",
        "ID_VERIFICATION_BYPASS",
        "FRAUD_IMPERSONATION",
    }


def test_without_a_whole_floor_there_are_no_packs() -> None:
    floor = packs().floor
    with pytest.raises(SetupError, match="There is no pack ZZ"):
        assemble({})
    with pytest.raises(SetupError, match="authorities, majority and holders"):
        assemble({"ZZ": floor.model_copy(update={"minors": None})})
    with pytest.raises(SetupError, match="extends nothing"):
        assemble({"ZZ": floor.model_copy(update={"extends": ("FR",)})})
    late = floor.bars[0].model_copy(update={"status": Status.DRAFT})
    with pytest.raises(SetupError, match="holds already"):
        assemble({"ZZ": floor.model_copy(update={"bars": (late,)})})


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


def test_draft_statements_are_no_law() -> None:
    drafted = many_packs().packs["MX"]
    assert len(in_force(drafted).dead.terms) == len(drafted.dead.terms) - 1
    assert len(in_force(drafted).consent.forms) == len(drafted.consent.forms) - 1
    minors = many_packs().packs["TH"].minors
    assert minors is not None
    later = minors.model_copy(update={"status": Status.DRAFT})
    assert in_force(drafted.model_copy(update={"minors": later})).minors is None
    assert in_force(drafted.model_copy(update={"minors": minors})).minors == minors
