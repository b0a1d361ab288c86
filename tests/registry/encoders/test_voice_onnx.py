import hashlib
from pathlib import Path

import numpy as np
import pytest

from registry.encoders.conversion.graphs import Graph
from registry.encoders.identity import VOICE, Condition
from registry.encoders.models import Models
from registry.encoders.voice import VoiceReader
from registry.encoders.voice_onnx import (
    FrontEnd,
    OnnxVoiceEncoder,
    Partials,
    VoiceEncoderConfig,
    unit,
)
from registry.errors import SetupError
from tests.registry.encoders import voices

BINS = 40
WHERE = "encoders.yaml: voices.0"
Entry = dict[str, object]


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """An encoder of one's own: the mean of 40 bands over time, and a configuration for it."""
    graph = Graph()
    graph.add("ReduceMean", "input", output="embedding", axes=[1], keepdims=0)
    model = graph.model("own", ("batch", "frames", BINS), {"embedding": ("batch", BINS)})
    path = tmp_path / "own.onnx"
    path.write_bytes(model)
    return {
        "id": "acme-voice/1",
        "model": str(path),
        "sha256": hashlib.sha256(model).hexdigest(),
        "dimensions": BINS,
        "licence": "MIT",
        "source": "Acme",
        "front_end": {"n_mels": BINS, "window": "hamming", "scale": 32768, "cmn": False},
    }


def encoder(entry: Entry) -> OnnxVoiceEncoder:
    return OnnxVoiceEncoder(VoiceEncoderConfig.from_mapping(entry, WHERE))


def test_an_encoder_of_ones_own_gives_unit_vectors(entry: Entry) -> None:
    found = encoder(entry).encode([voices.said(), voices.said(voices.SECOND)])
    assert found.shape == (2, BINS)
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1], abs=1e-5)
    expected = FrontEnd(n_mels=BINS, window="hamming", scale=32768.0, cmn=False)
    assert np.allclose(found[0], unit(expected.features(voices.said())[0].mean(axis=0)), atol=1e-5)


def test_partials_are_encoded_each_and_averaged(entry: Entry) -> None:
    entry["windowing"] = {"partials": {"seconds": 1.6, "rate": 1.3}}
    assert encoder(entry).encode([voices.said()]).shape == (1, BINS)
    windows = Partials(1.6, 1.3).of(np.zeros(5 * 16_000, np.float32))
    assert [len(one) for one in windows] == [25_600] * 5
    assert len(Partials(1.6, 1.3).of(np.ones(8_000, np.float32))[0]) == 25_600


def test_it_is_used_beside_the_one_that_is_built_in(entry: Entry, models_dir: Path) -> None:
    own = VoiceEncoderConfig.from_mapping(entry, WHERE)
    reader = VoiceReader.open(Models.open(models_dir), [own])
    (found,) = reader.read(voices.said(), enrolling=True)
    assert set(found.vectors) == {
        (name, condition)
        for name in (VOICE, "acme-voice/1")
        for condition in (Condition.WIDE, Condition.TELEPHONE)
    }


def test_what_has_no_direction_has_no_vector() -> None:
    for vector in ([0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]):
        assert not unit(np.array(vector, np.float32)).any()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("id", "Acme Voice", "voices.0.id must be a name and a version"),
        ("id", VOICE, "voices.0.id must be another than"),
        ("sha256", "abc", "voices.0.sha256 must be 64"),
        ("model", None, "voices.0.model must be a text"),
        ("licence", "", "voices.0.licence must be a text"),
        ("dimensions", "192", "voices.0.dimensions must be a whole number"),
        ("dimensions", True, "voices.0.dimensions must be a whole number"),
        ("colour", "red", "voices.0.colour is not known"),
        ("front_end", "fbank", "voices.0.front_end must be a mapping"),
        ("front_end", {"kind": "mfcc"}, "voices.0.front_end.kind must be kaldi-fbank or raw"),
        ("front_end", {"scale": 2}, "voices.0.front_end.scale must be 1 or 32768"),
        ("front_end", {"cmn": "yes"}, "voices.0.front_end.cmn must be true or false"),
        ("front_end", {"dither": 0}, "voices.0.front_end.dither is not known"),
        ("windowing", {"partials": {"seconds": 0, "rate": 1}}, "partials.seconds must be a number"),
        ("windowing", "halves", "voices.0.windowing must be a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_field(
    entry: Entry, key: str, value: object, said: str
) -> None:
    entry[key] = value
    with pytest.raises(SetupError, match=said) as refused:
        VoiceEncoderConfig.from_mapping(entry, WHERE)
    assert str(refused.value).startswith("encoders.yaml: voices.0")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sha256": "0" * 64}, "another file"),
        ({"model": "/nowhere/own.onnx"}, "cannot be read"),
        ({"dimensions": 64}, "gives 40 dimensions, not 64"),
        ({"front_end": {"n_mels": 80}}, "does not run"),
        ({"front_end": {"kind": "raw"}}, "does not run"),
        ({"output": "nothing"}, "does not run"),
    ],
    ids=["hash", "absent", "dimensions", "bins", "raw", "output"],
)
def test_an_encoder_that_does_not_do_as_was_said_is_refused(
    entry: Entry, changed: Entry, said: str
) -> None:
    with pytest.raises(SetupError, match=said):
        encoder(entry | changed)
