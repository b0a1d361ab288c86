"""An operator's own face model is configuration alone, and held to what was said of it."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from registry.encoders.conversion.graphs import Graph
from registry.encoders.face import FaceReader
from registry.encoders.face_alignment import chip
from registry.encoders.face_onnx import TEMPLATES, FaceEncoderConfig, OnnxFaceEncoder
from registry.encoders.identity import FACE
from registry.encoders.models import Models
from registry.errors import SetupError
from tests.registry.encoders.faces import pixels

WHERE = "encoders.yaml: faces.0"
SIDE = 64
Entry = dict[str, object]
POINTS = np.array([[40, 50], [80, 48], [61, 75], [45, 95], [78, 94]], np.float32)
BOX = (20.0, 10.0, 80.0, 110.0)


def model(shape: tuple[str | int, ...], dimensions: int) -> bytes:
    """A network that gives the picture itself, in coarse squares."""
    graph = Graph()
    channels_last = shape[-1] == 3
    x = graph.add("Transpose", "input", perm=[0, 3, 1, 2]) if channels_last else "input"
    pooled = graph.add("AveragePool", x, kernel_shape=[16, 16], strides=[16, 16])
    graph.add("Flatten", pooled, output="embedding")
    return graph.model("own", shape, {"embedding": (shape[0], dimensions)})


def configured(path: Path, data: bytes, **changed: object) -> Entry:
    path.write_bytes(data)
    entry: Entry = {
        "id": "acme-face/1",
        "model": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
        "dimensions": 48,
        "licence": "MIT",
        "source": "Acme",
        "size": SIDE,
        "template": "arcface",
    }
    return entry | changed


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return configured(tmp_path / "own.onnx", model((1, 3, SIDE, SIDE), 48))


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (140, 130, 3), dtype=np.uint8)


def encoder(entry: Entry) -> OnnxFaceEncoder:
    return OnnxFaceEncoder(FaceEncoderConfig.from_mapping(entry, WHERE))


def squares(levels: np.ndarray) -> np.ndarray:
    """What the network of `model` gives, for (64, 64, 3)."""
    return levels.reshape(4, 16, 4, 16, 3).mean(axis=(1, 3)).transpose(2, 0, 1).reshape(-1)


def test_a_face_is_encoded_as_it_was_configured(entry: Entry, rgb: np.ndarray) -> None:
    entry |= {"flip": False, "mean": [10, 20, 30], "scale": 0.5}
    side, points = TEMPLATES["arcface"]
    template = np.array(points, np.float32) * SIDE / side
    face = chip(rgb, POINTS, template, SIDE).astype(np.float32)
    expected = squares((face - [10, 20, 30]) * 0.5)
    found = encoder(entry).encode(rgb, BOX, POINTS)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_channels_and_layout_are_as_the_network_wants_them(
    tmp_path: Path, entry: Entry, rgb: np.ndarray
) -> None:
    entry["flip"] = False
    usual = encoder(entry).encode(rgb, BOX, POINTS)
    swapped = encoder(entry | {"channels": "BGR"}).encode(rgb, BOX, POINTS)
    np.testing.assert_allclose(swapped.reshape(3, 16)[::-1], usual.reshape(3, 16), atol=1e-5)
    last = configured(
        tmp_path / "last.onnx", model(("batch", SIDE, SIDE, 3), 48), layout="NHWC", flip=False
    )
    np.testing.assert_allclose(encoder(last).encode(rgb, BOX, POINTS), usual, atol=1e-5)


def test_a_face_and_its_mirror_image_are_averaged(entry: Entry, rgb: np.ndarray) -> None:
    plain = encoder(entry | {"flip": False}).encode(rgb, BOX, POINTS).reshape(3, 4, 4)
    both = encoder(entry).encode(rgb, BOX, POINTS).reshape(3, 4, 4)
    np.testing.assert_allclose(both, (plain + plain[:, :, ::-1]) / 2, atol=1e-5)


@pytest.mark.parametrize("name", ["arcface", "dlib"])
def test_templates_have_their_points_where_they_say(entry: Entry, name: str) -> None:
    config = FaceEncoderConfig.from_mapping(entry | {"template": name}, WHERE)
    left, right, nose, *mouth = config.template
    assert 0 < left[0] < nose[0] < right[0] < SIDE
    assert left[1] < nose[1] < min(one[1] for one in mouth) < SIDE


def test_points_of_ones_own_are_taken(entry: Entry, rgb: np.ndarray) -> None:
    points = [[20, 20], [44, 20], [32, 32], [22, 46], [42, 46.5]]
    config = FaceEncoderConfig.from_mapping(entry | {"template": points}, WHERE)
    assert config.template == tuple((float(x), float(y)) for x, y in points)
    assert OnnxFaceEncoder(config).encode(rgb, BOX, POINTS).shape == (48,)


def test_own_encoders_stand_beside_the_built_in_one(
    entry: Entry, models_dir: Path, photographs: dict[str, bytes]
) -> None:
    own = FaceEncoderConfig.from_mapping(entry, WHERE)
    reader = FaceReader.open(Models.open(models_dir), [own])
    (face,) = reader.read(pixels(photographs["astronaut"]))
    assert face.vectors.keys() == {FACE, "acme-face/1"}
    assert face.vectors["acme-face/1"].shape == (48,)
    for vector in face.vectors.values():
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": "RGB"}, "faces.0.colour is not known. Known are: calibration, "),
        ({"id": "acme"}, "faces.0.id must be a name and a version"),
        ({"id": FACE}, "faces.0.id must be another than dlib-resnet/1"),
        ({"id": None}, "faces.0.id must be a text"),
        ({"model": 3}, "faces.0.model must be a text"),
        ({"licence": " "}, "faces.0.licence must be a text"),
        ({"sha256": "0" * 63}, "faces.0.sha256 must be 64 hexadecimal digits"),
        ({"dimensions": 8}, "faces.0.dimensions must be a whole number from 16 to 4096"),
        ({"dimensions": True}, "faces.0.dimensions must be a whole number"),
        ({"size": 112.0}, "faces.0.size must be a whole number from 32 to 512"),
        ({"channels": "GBR"}, "faces.0.channels must be RGB or BGR"),
        ({"layout": ["NCHW"]}, "faces.0.layout must be NCHW or NHWC"),
        ({"flip": "no"}, "faces.0.flip must be true or false"),
        ({"mean": [1, 2]}, "faces.0.mean must be a number, or a list of 3"),
        ({"scale": float("nan")}, "faces.0.scale must be a number"),
        ({"scale": 1e9}, "faces.0.scale must be a number"),
        ({"template": "cosface"}, "faces.0.template must be arcface, dlib, or five"),
        ({"template": [[1, 1]] * 5}, "faces.0.template must be"),
        ({"template": [[1, 1], [2, 1], [3, 3], [4, 4], [5]]}, "faces.0.template must be"),
        ({"template": [[1, 1], [2, 1], [3, 3], [4, 4], [5, 65]]}, "faces.0.template must be"),
        ({"template": [[1, 1], [2, 1], [3, 3], [4, 4], [5, "6"]]}, "faces.0.template must be"),
        ({"input": 1}, "faces.0.input must be a text"),
        ({"calibration": 1}, "faces.0.calibration must be a text"),
    ],
    ids=repr,
)
def test_a_wrong_entry_is_said_with_its_place(entry: Entry, changed: Entry, message: str) -> None:
    with pytest.raises(SetupError) as refusal:
        FaceEncoderConfig.from_mapping(entry | changed, WHERE)
    assert message in str(refusal.value)


def test_names_and_paths_may_be_given(entry: Entry) -> None:
    named = entry | {"input": "input", "output": "embedding", "calibration": "own.json"}
    config = FaceEncoderConfig.from_mapping(named, WHERE)
    assert config.calibration == Path("own.json")
    assert OnnxFaceEncoder(config).dimensions == 48


def test_a_model_that_is_not_what_was_said_is_refused(entry: Entry, tmp_path: Path) -> None:
    for changed, message in (
        ({"sha256": "0" * 64}, f"is another file: its sha256 is {entry['sha256']}"),
        ({"model": str(tmp_path / "absent.onnx")}, "cannot be read: No such file"),
        ({"dimensions": 64}, "gives 48 dimensions, not 64"),
        ({"size": 96}, "does not run"),
        ({"layout": "NHWC"}, "does not run"),
        ({"input": "picture"}, "does not run"),
        ({"output": "vector"}, "does not run"),
    ):
        with pytest.raises(SetupError) as refusal:
            encoder(entry | changed)
        assert message in str(refusal.value)
        assert "acme-face/1" in str(refusal.value)


def test_a_file_that_is_no_model_or_too_large_is_refused(
    tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SetupError, match="no ONNX model"):
        encoder(configured(tmp_path / "none.onnx", b"GIF89a"))
    monkeypatch.setattr("registry.encoders.entry.MODEL_BYTES", 10)
    with pytest.raises(SetupError, match="has more than"):
        encoder(entry)


def test_a_model_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    graph = Graph()
    flat = graph.add("Flatten", graph.add("GlobalAveragePool", "input"))
    tiled = graph.add("Tile", flat, graph.constant(np.array([1, 16], np.int64)))
    graph.add("Log", graph.add("Sub", tiled, graph.constant(np.float32(1e9))), output="embedding")
    data = graph.model("own", (1, 3, SIDE, SIDE), {"embedding": (1, 48)})
    with pytest.raises(SetupError, match="no numbers"):
        encoder(configured(tmp_path / "nan.onnx", data))
