"""dlib's files are read exactly and nothing odd is; dlib itself is the oracle of what they mean."""

import hashlib
import struct
from pathlib import Path

import dlib
import numpy as np
import onnxruntime
import pytest

from registry.encoders.conversion import dlib_landmarks, dlib_weights, graphs
from registry.encoders.conversion.dlib_weights import AddPrevious, Convolution, Dense, Pool, Relu
from registry.encoders.conversion.recipes import FACE_DESCRIPTOR, noise
from registry.encoders.face import DlibEncoder
from registry.encoders.face_alignment import LandmarkPredictor, chip, dlib_template
from registry.encoders.models import Models
from registry.errors import SetupError
from registry.fetch import fetch, read_members
from tests.registry.encoders.conftest import PACKAGES
from tests.registry.encoders.faces import pixels


@pytest.fixture(scope="module")
def files() -> tuple[bytes, bytes]:
    """The ResNet and the shape predictor, as dlib wrote them."""
    archive = fetch(FACE_DESCRIPTOR.package, PACKAGES)
    members = read_members(archive, FACE_DESCRIPTOR.members)
    resnet, predictor = (members[one] for one in FACE_DESCRIPTOR.members)
    return resnet, predictor


@pytest.fixture(scope="module")
def oracle(files: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both files, for dlib."""
    folder = tmp_path_factory.mktemp("dlib")
    for name, data in zip(("resnet.dat", "predictor.dat"), files, strict=True):
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def encoder(models_dir: Path) -> DlibEncoder:
    found = Models.open(models_dir).face
    assert found is not None
    return DlibEncoder(found)


@pytest.fixture(scope="module")
def predictor(models_dir: Path) -> LandmarkPredictor:
    return LandmarkPredictor((models_dir / "dlib-landmarks.npz").read_bytes())


def integer(value: int) -> bytes:
    size = max((abs(value).bit_length() + 7) // 8, 1)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def number(value: float) -> bytes:
    mantissa, exponent = np.frexp(value)
    return integer(int(mantissa * 2**24)) + integer(int(exponent) - 24)


def test_the_layers_are_those_of_the_published_network(files: tuple[bytes, bytes]) -> None:
    layers = dlib_weights.resnet(files[0])
    assert sum(isinstance(one, Convolution) for one in layers) == 29
    assert sum(isinstance(one, AddPrevious) for one in layers) == 14
    assert sum(isinstance(one, Pool) for one in layers) == 6
    assert isinstance(layers[-1], Dense)
    assert layers[-1].weights.shape == (256, 128)


def test_an_embedding_equals_that_of_dlib_for_the_same_chip(
    oracle: Path, encoder: DlibEncoder, photographs: dict[str, bytes]
) -> None:
    network = dlib.face_recognition_model_v1(str(oracle / "resnet.dat"))
    face = pixels(photographs["astronaut"])[50:200, 150:300]
    for picture in (face, noise(150, 150, 3).astype(np.uint8), np.zeros((150, 150, 3), np.uint8)):
        chips = np.ascontiguousarray(picture)[None]
        ours = encoder.embed(chips)
        for found, side in zip(ours, (chips[0], chips[0][:, ::-1]), strict=True):
            expected = np.array(network.compute_face_descriptor(np.ascontiguousarray(side)))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_landmarks_and_chips_are_those_of_dlib(
    oracle: Path, predictor: LandmarkPredictor, photographs: dict[str, bytes]
) -> None:
    reference = dlib.shape_predictor(str(oracle / "predictor.dat"))
    detector = dlib.get_frontal_face_detector()
    apart = []
    for name in ("astronaut", "biden", "obama", "obama2", "obama3"):
        rgb = pixels(photographs[name], side=600)
        (box,) = detector(rgb, 1)[:1]
        shape = reference(rgb, box)
        expected = np.array([(point.x, point.y) for point in shape.parts()], np.float32)
        edges = float(box.left()), float(box.top()), float(box.right()), float(box.bottom())
        apart.append(np.abs(np.round(predictor.predict(rgb, edges)) - expected).max())
        ours = chip(rgb, expected, dlib_template(150), 150).astype(int)
        assert np.abs(ours - dlib.get_face_chip(rgb, shape, 150, 0.25)).mean() < 2
    assert max(apart) <= 3
    assert sorted(apart)[2] == 0


def test_the_predictor_looks_at_nothing_outside_of_the_picture(
    predictor: LandmarkPredictor,
) -> None:
    grey = np.full((20, 20, 3), 128, np.uint8)
    for box in ((-50.0, -50.0, -10.0, -10.0), (-5.0, 5.0, 40.0, 50.0), (1e4, 0.0, 2e4, 1e4)):
        assert np.isfinite(predictor.predict(grey, box)).all()


@pytest.mark.parametrize("kept", [0, 1, 20, 200, 1000, 100_000, -1])
def test_a_file_cut_off_is_refused(files: tuple[bytes, bytes], kept: int) -> None:
    for read, data in zip(
        (dlib_weights.resnet, dlib_landmarks.shape_predictor), files, strict=True
    ):
        with pytest.raises(SetupError, match="damaged"):
            read(data[:kept])


def test_anything_behind_the_end_is_refused(files: tuple[bytes, bytes]) -> None:
    with pytest.raises(SetupError, match="follows"):
        dlib_weights.resnet(files[0] + b"\1")
    with pytest.raises(SetupError, match="follows"):
        dlib_landmarks.shape_predictor(files[1] + integer(1))


def test_a_file_of_more_than_64_mib_is_not_read() -> None:
    for read in (dlib_weights.resnet, dlib_landmarks.shape_predictor):
        with pytest.raises(SetupError, match="64 MiB"):
            read(bytes(dlib_weights.FILE_BYTES + 1))


def replaced(data: bytes, old: bytes, new: bytes, *, last: bool = False) -> bytes:
    at = data.rindex(old) if last else data.index(old)
    return data[:at] + new + data[at + len(old) :]


def test_another_network_is_refused(files: tuple[bytes, bytes]) -> None:
    data = files[0]
    for old, new in (
        (b"loss_metric_2", b"loss_metric_9"),
        (b"input_rgb_image_sized", b"input_rgb_image_SIZED"),
        (b"affine_", b"fc_____"),
        (b"con_4", b"con_5"),
        (b"110" + b"\1\2", b"119" + b"\1\2"),
        (b"fc_2", b"fc_3"),
    ):
        with pytest.raises(SetupError):
            dlib_weights.resnet(replaced(data, old, new))


def test_sizes_that_do_not_fit_are_refused(files: tuple[bytes, bytes]) -> None:
    data = files[0]
    at = data.index(b"con_4") + 5
    for name, tensor in (
        ("version", integer(3)),
        ("negative", integer(2) + integer(-1) * 4),
        ("large", integer(2) + integer(2**40) + integer(1) * 3),
        ("beyond the end", integer(2) + integer(2**24) + integer(1) * 3),
        ("other", integer(2) + integer(3) + integer(1) * 3 + bytes(12)),
        ("not finite", integer(2) + integer(1) * 4 + struct.pack("<f", float("nan"))),
        ("no integer", b"\x09" + bytes(9)),
        ("odd control", b"\x72" + bytes(9)),
        ("name", b""),
    ):
        with pytest.raises(SetupError, match="damaged"):
            dlib_weights.resnet(data[:at] + tensor + data[at + 40 :])
        assert name


def test_every_damaged_byte_of_the_structure_is_refused_or_harmless(
    files: tuple[bytes, bytes],
) -> None:
    data = files[0]
    digest = hashlib.sha256(b"where").digest()
    for index in range(12, 240, 3):
        damaged = data[:index] + bytes([data[index] ^ (digest[index % 32] | 1)]) + data[index + 1 :]
        try:
            layers = dlib_weights.resnet(damaged)
        except SetupError:
            continue
        assert len(layers) == 109


def small_predictor(**changed: bytes) -> bytes:
    """Two steps of two trees with three splits each, over four pixels."""
    matrix = integer(-10) + integer(-1)
    splits = (integer(0) + integer(1) + number(0.5)) * 3
    leaves = (matrix + number(0.25) * 10) * 4
    tree = integer(3) + splits + integer(4) + leaves
    parts = {
        "version": integer(1),
        "initial": matrix + b"".join(number(one / 10) for one in (3, 5, 7, 1, 2, 8, 4, 9, 6, 5)),
        "steps": integer(2),
        "forest": integer(2) + tree * 2,
        "more_forest": integer(2) + tree * 2,
        "anchors": integer(2) + (integer(4) + integer(1) * 4) * 2,
        "deltas": integer(2) + (integer(4) + number(0.125) * 8) * 2,
    }
    return b"".join((parts | changed).values())


def test_a_small_predictor_is_read_as_it_was_written() -> None:
    found = dlib_landmarks.shape_predictor(small_predictor())
    assert found.splits.shape == (2, 2, 3, 2)
    assert found.leaves.shape == (2, 2, 4, 10)
    assert found.anchors.tolist() == [[1] * 4] * 2
    np.testing.assert_allclose(found.initial[:2], [[0.3, 0.5], [0.7, 0.1]], atol=1e-6)
    assert (found.thresholds == 0.5).all()
    assert (found.leaves == 0.25).all()
    assert (found.deltas == 0.125).all()
    assert dlib_landmarks.to_npz(found) == dlib_landmarks.to_npz(found)
    predictor = LandmarkPredictor(dlib_landmarks.to_npz(found))
    assert predictor.predict(np.zeros((9, 9, 3), np.uint8), (0, 0, 8, 8)).shape == (5, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": integer(2)},
        {"initial": integer(-136) + integer(-1) + number(0.5) * 136},
        {"initial": integer(-10) + integer(-1) + (integer(1) + integer(32_000)) * 10},
        {"initial": integer(-10) + integer(-1) + (integer(1) + integer(1000)) * 10},
        {"steps": integer(0)},
        {"steps": integer(2**40)},
        {"forest": integer(2**33)},
        {"forest": integer(1) + integer(2**30)},
        {"anchors": integer(3) + (integer(4) + integer(1) * 4) * 3},
        {"anchors": integer(2) + (integer(4) + integer(5) * 4) * 2},
        {"anchors": integer(2) + (integer(1) + integer(1)) * 2},
        {"deltas": integer(1) + integer(4) + number(0.125) * 8},
        {"deltas": integer(2) + (integer(3) + number(0.125) * 6) * 2},
        {"deltas": b"\x09"},
    ],
    ids=repr,
)
def test_a_predictor_that_does_not_fit_is_refused(changed: dict[str, bytes]) -> None:
    with pytest.raises(SetupError, match="5-point predictor"):
        dlib_landmarks.shape_predictor(small_predictor(**changed))


def test_trees_that_compare_other_pixels_or_differ_are_refused() -> None:
    sound = small_predictor()
    far = replaced(
        sound, integer(0) + integer(1) + number(0.5), integer(0) + integer(9) + number(0.5)
    )
    unlike = replaced(sound, integer(4) + integer(-10), integer(3) + integer(-10))
    for data in (far, unlike):
        with pytest.raises(SetupError):
            dlib_landmarks.shape_predictor(data)


def test_a_landmark_file_that_is_none_is_refused() -> None:
    for data in (b"", b"PK\x03\x04", dlib_landmarks.to_npz(
        dlib_landmarks.shape_predictor(small_predictor())
    )[:-200]):  # fmt: skip
        with pytest.raises(SetupError, match="landmark model"):
            LandmarkPredictor(data)


def test_layers_in_another_order_make_no_graph(files: tuple[bytes, bytes]) -> None:
    layers = dlib_weights.resnet(files[0])
    for wrong in (
        layers[1:],
        [layers[0], layers[1], Relu()],
        [layers[0], AddPrevious()],
        layers[:2],
        [layers[0], Dense(np.zeros((7, 3), np.float32))],
    ):
        with pytest.raises(SetupError):
            graphs.dlib_resnet(wrong)


def test_a_graph_is_the_same_bytes_each_time_and_runs(files: tuple[bytes, bytes]) -> None:
    layers = dlib_weights.resnet(files[0])
    model = graphs.dlib_resnet(layers)
    assert model == graphs.dlib_resnet(layers)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": noise(3, 150, 150, 3)})
    assert found.shape == (3, 128)


def test_a_cascade_without_its_weights_is_refused() -> None:
    with pytest.raises(SetupError, match="lacks weights of pnet"):
        graphs.mtcnn("pnet", {})
    wrong = {"conv1.weight": np.zeros((4, 5, 3, 3), np.float32)}
    with pytest.raises(SetupError):
        graphs.mtcnn("pnet", wrong)
