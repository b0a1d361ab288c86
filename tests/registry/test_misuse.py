"""What somebody says of a misuse is kept as they said it, or refused."""

from dataclasses import asdict, replace
from datetime import date, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidError
from registry.misuse import MAX_PLACE, ComplaintKind, Misuse, SeenMedia

TODAY = date(2026, 11, 25)
SAID = Misuse(kinds=(ComplaintKind.OTHER,), territory="DE", statement="It is me.")
LINKS = st.lists(st.integers(0, 99).map("https://a.example/{}".format), max_size=20)


@given(
    st.builds(
        Misuse,
        kinds=st.lists(st.sampled_from(ComplaintKind), min_size=1).map(tuple),
        territory=st.sampled_from(["DE", "CN", "US-CA", "001"]),
        statement=st.text(st.characters(codec="utf-8"), min_size=1, max_size=4000).filter(
            str.strip
        ),
        links=LINKS.map(tuple),
        place=st.none() | st.text("abc ", max_size=MAX_PLACE),
        seen_on=st.none() | st.dates(date(2000, 1, 1), TODAY),
        media=st.none() | st.builds(SeenMedia, kind=st.just("image"), sha256=st.just("ab" * 32)),
    )
)
def test_what_was_checked_is_read_again_as_it_was_stored(said: Misuse) -> None:
    checked = said.checked(TODAY)
    assert Misuse.from_json(orjson.loads(orjson.dumps(asdict(checked)))) == checked
    assert checked.checked(TODAY) == checked


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidError, match="statement"):
        replace(SAID, statement="half \ud800").checked(TODAY)


def test_clocks_may_be_ahead_by_a_day_and_no_more() -> None:
    for days in (0, 1):
        assert replace(SAID, seen_on=TODAY + timedelta(days=days)).checked(TODAY).seen_on
    with pytest.raises(InvalidError, match="future"):
        replace(SAID, seen_on=TODAY + timedelta(days=2)).checked(TODAY)


@pytest.mark.parametrize(
    "link",
    ["http://a.example", "https://例え.jp/ページ", "HTTPS://A.example:8443/x?y=z#w"],
)
def test_every_address_of_a_page_is_taken(link: str) -> None:
    assert replace(SAID, links=(f" {link} ", link)).checked(TODAY).links == (link,)
