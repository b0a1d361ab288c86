import pytest

from registry.errors import InvalidError
from registry.matching.bands import GREY_BITS, MATCH_BITS, image_band
from registry.policy.vocabulary import Band


@pytest.mark.parametrize(
    ("distance_bits", "band"),
    [
        (0, Band.MATCH),
        (48, Band.MATCH),
        (49, Band.GREY),
        (60, Band.GREY),
        (61, Band.NONE),
        (72, Band.NONE),
        (256, Band.NONE),
    ],
)
def test_a_distance_falls_into_its_band(distance_bits: int, band: Band) -> None:
    assert image_band(distance_bits) is band


def test_the_thresholds_are_those_that_were_measured() -> None:
    assert (MATCH_BITS, GREY_BITS) == (48, 60)


def test_a_nearer_picture_is_never_in_a_lower_band() -> None:
    ranks = [image_band(distance).rank for distance in range(257)]
    assert ranks == sorted(ranks, reverse=True)


def test_a_picture_is_never_strong_evidence_of_a_person() -> None:
    assert Band.STRONG not in {image_band(distance) for distance in range(257)}


@pytest.mark.parametrize("distance_bits", [-1, 257])
def test_an_impossible_distance_is_refused(distance_bits: int) -> None:
    with pytest.raises(InvalidError):
        image_band(distance_bits)
