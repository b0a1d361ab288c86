"""From a comparison score to a band. Scores stay inside the registry; only bands leave it.

One function a kind of reference: `image_band` for picture hashes. The band of a face or a voice is
read from its encoder's calibration (score -> -log10 FMR), so such a function takes that table as an
argument; its place is beside `image_band`.
"""

from typing import Final

from registry.errors import InvalidError
from registry.policy.vocabulary import Band

HASH_BITS: Final = 256
MATCH_BITS: Final = 48
GREY_BITS: Final = 60


def image_band(distance_bits: int) -> Band:
    """Band of a Hamming distance between two `phash-256/1` hashes: MATCH <= 48 bits, GREY <= 60.

    The nearest two of 1.3 million pairs of different pictures were 72 bits apart. Never STRONG: the
    same picture is evidence of a picture, and STRONG is about a person. Raises InvalidError for a
    distance that two 256-bit hashes cannot have.
    """
    if not 0 <= distance_bits <= HASH_BITS:
        raise InvalidError(f"A distance between hashes is 0 to {HASH_BITS} bits.")
    if distance_bits <= MATCH_BITS:
        return Band.MATCH
    return Band.GREY if distance_bits <= GREY_BITS else Band.NONE
