"""Faces are found however they stand in a picture, and are one person's or another's."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from registry.encoders import face_detection, mtcnn
from registry.encoders.face import SMALLEST, Face, FaceReader, unit_vector
from registry.encoders.face_alignment import sharpness
from registry.encoders.face_detection import Found
from registry.encoders.identity import FACE, FACE_DIMENSIONS
from registry.encoders.models import Models
from registry.encoders.mtcnn import Detections, Mtcnn, suppress
from registry.encoders.onnx_session import open_session
from registry.errors import SetupError, TooLargeError
from tests.registry.encoders.faces import Pixels, head, image, pixels

PEOPLE = {"obama": "obama", "obama2": "obama", "obama3": "obama", "biden": "b", "astronaut": "a"}
SAME = 0.945  # the cosine that one pair of strangers in 10,000 has


@pytest.fixture(scope="module")
def reader(models_dir: Path) -> FaceReader:
    return FaceReader.open(Models.open(models_dir))


@pytest.fixture(scope="module")
def faces(reader: FaceReader, photographs: dict[str, bytes]) -> dict[str, Face]:
    found = {}
    for name in PEOPLE:
        (found[name],) = reader.read(pixels(photographs[name]))
    return found


def alike(one: Face, other: Face) -> float:
    return float(one.vectors[FACE] @ other.vectors[FACE])


def test_a_person_is_alike_in_other_photographs_and_others_are_not(faces: dict[str, Face]) -> None:
    for one, person in PEOPLE.items():
        for other, another in PEOPLE.items():
            if person == another:
                assert alike(faces[one], faces[other]) > SAME
            else:
                assert alike(faces[one], faces[other]) < 0.9


def test_a_face_is_told_with_its_place_and_a_vector(faces: dict[str, Face]) -> None:
    face = faces["astronaut"]
    x, y, width, height = face.box
    assert 150 < x < 200
    assert 40 < y < 80
    assert 70 < width < 110
    assert 90 < height < 140
    assert face.landmarks.shape == (5, 2)
    assert face.score > 0.99
    assert face.trouble is None
    left, right, nose, *mouth = face.landmarks
    assert x < left[0] < nose[0] < right[0] < x + width
    assert max(left[1], right[1]) < nose[1] < min(one[1] for one in mouth)
    vector = face.vectors[FACE]
    assert (vector.shape, vector.dtype) == ((FACE_DIMENSIONS,), np.float32)
    assert abs(float(np.linalg.norm(vector)) - 1) < 1e-6


def test_things_have_no_face(reader: FaceReader, photographs: dict[str, bytes]) -> None:
    for name in ("chelsea", "coffee", "rocket"):
        assert reader.read(pixels(photographs[name])) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (13, 13), (400, 3), (300, 300)], ids=str)
def test_a_plain_picture_of_any_shape_has_no_face(
    reader: FaceReader, size: tuple[int, int]
) -> None:
    assert reader.read(np.full((*size, 3), 200, np.uint8)) == []


def test_the_same_picture_gives_the_same_to_the_last_bit(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    (again,) = reader.read(pixels(photographs["obama"]))
    assert again.box == faces["obama"].box
    np.testing.assert_array_equal(again.vectors[FACE], faces["obama"].vectors[FACE])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_shows_the_same_person_in_the_turned_place(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face], turns: int
) -> None:
    for name in ("obama", "astronaut"):
        upright = pixels(photographs[name])
        height, width = upright.shape[:2]
        (face,) = reader.read(np.ascontiguousarray(np.rot90(upright, turns)))
        assert alike(face, faces[name]) > 0.98
        x, y, wide, high = face.box
        corners = np.array([[x, y], [x + wide, y + high]], np.float32)
        turned = _turn(corners, width, height, turns)
        expected = np.array(faces[name].box)
        assert np.abs([*turned.min(axis=0), *np.ptp(turned, axis=0)] - expected).max() < 20
        nose = _turn(face.landmarks[2:3], width, height, turns)
        assert np.abs(nose - faces[name].landmarks[2]).max() < 12


def _turn(points: np.ndarray, width: int, height: int, turns: int) -> np.ndarray:
    """Points of the picture after quarter turns anticlockwise, in pixels of the picture before."""
    x, y = points[:, 0], points[:, 1]
    before = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(before[turns], axis=1)


def test_a_mirrored_person_is_the_same_person(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    mirrored = np.array(ImageOps.mirror(image(photographs["obama"])))
    (face,) = reader.read(mirrored)
    assert alike(face, faces["obama"]) > 0.97
    x, _, width, _ = faces["obama"].box
    assert abs(face.box[0] - (mirrored.shape[1] - x - width)) < 20


def test_a_picture_at_a_quarter_of_its_size_shows_the_same_person(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    for name in PEOPLE:
        whole = image(photographs[name])
        small = whole.resize((whole.width // 4, whole.height // 4), Image.Resampling.LANCZOS)
        (face,) = reader.read(np.array(small))
        assert np.abs(np.array(face.box) * 4 - faces[name].box).max() < 40
        if face.trouble is None and min(face.box[2:]) > 40:
            assert alike(face, faces[name]) > SAME


def test_everyone_in_a_group_is_found_largest_first(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    scene = Image.new("RGB", (1400, 900), (90, 110, 100))
    for name, width, place in (("obama", 130, (20, 100)), ("biden", 100, (700, 200))):
        scene.paste(head(photographs[name], width, faces[name].box), place)
    scene.paste(head(photographs["astronaut"], 40, faces["astronaut"].box), (1200, 700))
    found = reader.read(np.array(scene))
    assert [round(face.box[2], -1) for face in found] == sorted(
        (round(face.box[2], -1) for face in found), reverse=True
    )
    assert len(found) == 3
    for face, name in zip(found[:2], ("obama", "biden"), strict=True):
        assert alike(face, faces[name]) > 0.9
        others = [alike(face, faces[one]) for one in ("obama", "biden", "astronaut") if one != name]
        assert max(others) < 0.9


@pytest.mark.parametrize("side", [140, 600, 1600])
def test_a_face_of_20_pixels_is_found_and_said_to_be_too_small(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face], side: int
) -> None:
    scene = Image.new("RGB", (side, side), (90, 110, 100))
    small = head(photographs["obama"], 20, faces["obama"].box)
    scene.paste(small, (side // 3, side // 4))
    if side > 1024:  # where it would be 13 pixels wide at the size that is looked at
        scene = scene.crop((side // 4, side // 8, side // 4 + 900, side // 8 + 900))
    (face,) = reader.read(np.array(scene))
    assert face.trouble is not None
    assert "pixels wide; send a picture where it is at least 40" in face.trouble
    assert face.vectors == {}
    assert min(face.box[2:]) < SMALLEST


def test_a_face_that_fills_the_frame_is_found(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    for name in ("obama", "biden"):
        x, y, width, height = faces[name].box
        tight = image(photographs[name]).crop((x, y, x + width, y + height))
        (face,) = reader.read(np.array(tight))
        assert alike(face, faces[name]) > 0.85
        assert face.box[0] >= 0
        assert face.box[0] + face.box[2] <= tight.width


def test_a_drawing_is_read_without_harm(reader: FaceReader) -> None:
    drawing = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((60, 40, 240, 270), outline="black", width=5)
    for left in (105, 165):
        pen.ellipse((left, 110, left + 30, 125), fill="black")
    pen.arc((110, 170, 190, 220), 20, 160, fill="black", width=5)
    for face in reader.read(np.array(drawing)):  # it may pass for a face
        assert (face.trouble is None) == (FACE in face.vectors)


def test_a_face_in_the_dark_is_the_same_face(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    for name in ("obama2", "biden", "astronaut"):
        dark = (pixels(photographs[name]) * 0.1).astype(np.uint8)
        (face,) = reader.read(dark)
        assert alike(face, faces[name]) > 0.93


def test_a_blurred_face_is_said_to_be(
    reader: FaceReader, photographs: dict[str, bytes], faces: dict[str, Face]
) -> None:
    for name in ("obama", "biden"):
        blur = ImageFilter.GaussianBlur(faces[name].box[2] / 20)
        (face,) = reader.read(np.array(image(photographs[name]).filter(blur)))
        assert face.trouble == "The face is blurred; send a picture in which it is sharp."
        assert face.vectors == {}


def test_sharpness_takes_no_notice_of_light_and_contrast(photographs: dict[str, bytes]) -> None:
    face = pixels(photographs["astronaut"])[60:210, 150:300]
    sharp = sharpness(face)
    assert sharpness((face * 0.4 + 20).astype(np.uint8)) == pytest.approx(sharp, rel=0.1)
    blurred = np.array(Image.fromarray(face).filter(ImageFilter.GaussianBlur(4)))
    assert sharpness(blurred) < sharp / 2
    assert sharpness(np.full((150, 150, 3), 90, np.uint8)) == 0


@pytest.mark.parametrize("grain", [1, 4, 16])
def test_noise_is_looked_at_for_a_bounded_time(
    reader: FaceReader, grain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    crops = mtcnn._crops

    def counted(image: Image.Image, boxes: mtcnn.Array, side: int) -> Pixels:
        looked.append(len(boxes))
        return crops(image, boxes, side)

    monkeypatch.setattr(mtcnn, "_crops", counted)
    levels = np.random.default_rng(grain).integers(0, 256, (1024 // grain, 1024 // grain, 3))
    noisy = Image.fromarray(levels.astype(np.uint8)).resize((1024, 1024))
    reader.read(np.array(noisy))
    assert max(looked, default=0) <= mtcnn.CANDIDATES
    assert len(looked) <= 2 * 6


def many(count: int) -> Detections:
    corners = np.arange(count, dtype=np.float32)[:, None] * 50
    boxes = np.concatenate([corners, corners, corners + 40, corners + 40], axis=1)
    return Detections(boxes, np.ones((count, 5, 2), np.float32), np.ones(count, np.float32))


def test_more_than_64_faces_are_refused(
    reader: FaceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    monkeypatch.setattr(face_detection, "find", lambda _detector, rgb: Found(rgb, 0, many(65)))
    with pytest.raises(TooLargeError, match="64 faces"):
        reader.read(rgb)


class Broken:
    """An encoder whose vectors are none."""

    id, dimensions = "broken/1", 3

    def __init__(self, values: list[float]) -> None:
        self._values = values

    def encode(self, *_arguments: object) -> mtcnn.Array:
        return np.array(self._values, np.float32)


@pytest.mark.parametrize(
    "values", [[0, 0, 0], [1, 1, 1], [1, float("nan"), 0], [float("inf"), 0, 1]], ids=str
)
def test_a_vector_that_is_none_is_trouble(
    models_dir: Path, photographs: dict[str, bytes], values: list[float]
) -> None:
    found = Models.open(models_dir).face
    assert found is not None
    (face,) = FaceReader(Mtcnn(found), [Broken(values)]).read(pixels(photographs["astronaut"]))
    assert face.trouble is not None
    assert face.vectors == {}
    assert unit_vector(np.array(values, np.float32)) is None


def test_without_models_it_is_said_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Run: likeness models install"):
        FaceReader.open(Models.open(tmp_path))


def test_what_is_no_model_is_refused_by_name() -> None:
    with pytest.raises(SetupError, match="pnet is no ONNX model"):
        open_session(b"nothing", "pnet")


def test_overlapping_boxes_are_told_once_the_surest() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 30, 40, 40], [2, 2, 5, 5]], np.float32)
    scores = np.array([0.8, 0.9, 0.7, 0.6], np.float32)
    assert suppress(boxes, scores, 0.5).tolist() == [1, 2, 3]
    assert suppress(boxes, scores, 0.5, of_smaller=True).tolist() == [1, 2]
    assert suppress(boxes[:0], scores[:0], 0.5).tolist() == []
