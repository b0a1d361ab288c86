"""1:1 comparison: what cannot be compared is no match, and one that is far outweighs the rest."""

import pytest

from registry.encoder_set import EncoderSet
from registry.encoders.identity import FACE, VOICE, VOICE_DIMENSIONS, Condition
from registry.policy.vocabulary import Modality
from registry.samples import Own, Vectors
from registry.verification import comparable, is_far, matches
from tests.registry.enrolling import face, unit, voice


@pytest.fixture(scope="module")
def encoders() -> EncoderSet:
    return EncoderSet.load()


def own(vectors: Vectors) -> Own:
    return {key: (raw, 1) for key, raw in vectors.items()}


def test_the_same_person_matches_and_a_stranger_is_far(encoders: EncoderSet) -> None:
    one, other = face(), face()
    assert matches(one, own(one), encoders, modality=Modality.FACE)
    assert not is_far(one, own(one), encoders, modality=Modality.FACE)
    assert not matches(other, own(one), encoders, modality=Modality.FACE)
    assert is_far(other, own(one), encoders, modality=Modality.FACE)


def test_what_cannot_be_compared_is_no_match(encoders: EncoderSet) -> None:
    one, spoken = face(), voice()
    unknown = {("forgotten/1", Condition.PHOTO): one[FACE, Condition.PHOTO]}
    for shown, known, modality in (
        (one, {}, Modality.FACE),
        ({}, own(one), Modality.FACE),
        (one, own(spoken), Modality.FACE),
        (one, own(one), Modality.VOICE),
        (unknown, own(unknown), Modality.FACE),
    ):
        assert not comparable(shown, known, encoders, modality=modality)
        assert not matches(shown, known, encoders, modality=modality)
        assert not is_far(shown, known, encoders, modality=modality)


def test_one_that_does_not_match_outweighs_the_rest(encoders: EncoderSet) -> None:
    spoken = voice()
    half = {**spoken, (VOICE, Condition.WIDE): unit(VOICE_DIMENSIONS).tobytes()}
    assert matches(spoken, own(spoken), encoders, modality=Modality.VOICE)
    assert not matches(half, own(spoken), encoders, modality=Modality.VOICE)
    assert is_far(half, own(spoken), encoders, modality=Modality.VOICE)
