"""Verification: whether a face or voice is that of one named person, compared with theirs alone.

One comparison of one claim (1:1), so no gallery makes chance matches likelier (ISO/IEC 2382-37).
What cannot be compared is no match.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from registry.encoder_set import Encoder, EncoderSet
from registry.encoders.identity import Condition
from registry.policy.vocabulary import Band, Modality
from registry.samples import Own, Vectors

# L of a cosine with the person's own template below which it is likely to be somebody else: 98 % of
# a person's photographs are above, 1 % of other people's (docs/accuracy.md).
OWN_EVIDENCE: Final = 2.0


def matches(vectors: Vectors, own: Own, encoders: EncoderSet, *, modality: Modality) -> bool:
    """Whether this is that person: a match by everything there is to compare, and there is some."""
    found = band(vectors, own, encoders, modality=modality)
    return found is not None and found.rank >= Band.MATCH.rank


def band(vectors: Vectors, own: Own, encoders: EncoderSet, *, modality: Modality) -> Band | None:
    """How near this is to that person by the encoder that finds it farthest; None: not comparable.

    For a 1:1 comparison of what is claimed to be them.
    """
    bands = [
        encoder.calibration.band(
            score, condition=condition, samples=samples, gallery=0, minor=False, claimed=True
        )
        for encoder, condition, score, samples in _compared(vectors, own, encoders, modality)
    ]
    return min(bands, key=lambda one: one.rank, default=None)


def is_far(vectors: Vectors, own: Own, encoders: EncoderSet, *, modality: Modality) -> bool:
    """Whether that person's own do not resemble this, by any encoder that knows both."""
    return any(
        encoder.calibration.evidence(score, condition=condition, samples=samples) < OWN_EVIDENCE
        for encoder, condition, score, samples in _compared(vectors, own, encoders, modality)
    )


def comparable(vectors: Vectors, own: Own, encoders: EncoderSet, *, modality: Modality) -> bool:
    """Whether any encoder in use knows both."""
    return any(True for _ in _compared(vectors, own, encoders, modality))


def _compared(
    vectors: Vectors, own: Own, encoders: EncoderSet, modality: Modality
) -> Iterator[tuple[Encoder, Condition, float, int]]:
    """The cosine by each encoder of this modality that is in use and knows both."""
    for (name, condition), raw in vectors.items():
        encoder, known = encoders.by_id.get(name), own.get((name, condition))
        if encoder is None or known is None or encoder.modality is not modality:
            continue
        reference, samples = known
        score = float(np.frombuffer(raw, "<f4") @ np.frombuffer(reference, "<f4"))
        yield encoder, condition, score, samples
