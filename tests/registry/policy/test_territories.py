"""Territory codes: which exist, and what lies in what."""

import pytest

from registry.errors import InvalidError
from registry.policy import territories


def test_every_official_country_code_exists() -> None:
    assert len(territories.COUNTRIES) == 249
    assert len(territories.MEMBERS_OF_THE_UNION) == 27
    assert territories.MEMBERS_OF_THE_UNION <= territories.COUNTRIES
    assert len(territories.PARTS_OF_THE_UNITED_STATES) == 57


@pytest.mark.parametrize("code", ["CN", "EU", "001", "US-CA", "US-DC", "DE-BY", "GB-SCT", "FR-75"])
def test_a_real_code_exists(code: str) -> None:
    assert territories.exists(code)


@pytest.mark.parametrize(
    "code",
    ["", "XX", "ZZ", "UK", "cn", "CHN", "US-XX", "XX-CA", "DE-", "DE-BAYE", "EU-DE", "*", "002"],
)
def test_other_codes_do_not(code: str) -> None:
    assert not territories.exists(code)
    with pytest.raises(InvalidError, match="does not exist") as caught:
        territories.check(["CN", code], field="territories")
    assert caught.value.field == "territories"


def test_codes_that_exist_come_back_as_a_set() -> None:
    assert territories.check(["CN", "CN", "EU"]) == {"CN", "EU"}


def test_a_territory_lies_in_its_country_the_union_and_the_world() -> None:
    assert territories.enclosing("001") == frozenset()
    assert territories.enclosing("EU") == {"001"}
    assert territories.enclosing("US-CA") == {"US", "001"}
    assert territories.enclosing("DE-BY") == {"DE", "EU", "001"}


def test_territories_overlap_where_one_holds_the_other() -> None:
    assert territories.overlap(["US-CA"], ["US"])
    assert territories.overlap(["US"], ["US-CA"])
    assert territories.overlap(["CN"], ["BR", "CN"])
    assert territories.overlap(["001"], ["BR"])
    assert not territories.overlap(["US-CA"], ["US-NY"])
    assert not territories.overlap([], ["BR"])
