"""The face detector MTCNN: three small networks, each of which looks closer at what the last found.

Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks"
(2016). Boxes are (n, 4) left, top, right, bottom in pixels; they may reach beyond the picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from registry.encoders.conversion.graphs import BOX, INPUT, LANDMARKS, PROBABILITY
from registry.encoders.models import FaceFiles
from registry.encoders.onnx_session import open_session

# Of facenet-pytorch: what a window must score to be looked at closer, and the step between scales.
_WINDOW_SCORE, _CLOSER_SCORE, _FACE_SCORE = 0.6, 0.7, 0.7
_STEP = 0.709
_WINDOW, _STRIDE = 12, 2
# A picture of noise, or of a thousand faces, costs no more than this many looks. The photograph of
# 100 people that needs most has 60 % of it.
WINDOWS_A_SCALE, CANDIDATES, CLOSE_CANDIDATES = 600, 400, 160

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces, surest first: boxes (n, 4), landmarks (n, 5, 2) and scores (n,).

    The landmarks are both eyes, the nose and both corners of the mouth, left to right.
    """

    boxes: Array
    landmarks: Array
    scores: Array


NOTHING = Detections(
    np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
)


class Mtcnn:
    """The three networks."""

    def __init__(self, files: FaceFiles) -> None:
        """Raises SetupError where a file is no model, OSError where it cannot be read."""
        self._windows = open_session(files.pnet.read_bytes(), files.pnet.name)
        self._closer = open_session(files.rnet.read_bytes(), files.rnet.name)
        self._closest = open_session(files.onet.read_bytes(), files.onet.name)

    def detect(self, image: Image.Image, smallest: float) -> Detections:
        """Every face of an RGB picture that is at least so many pixels wide."""
        boxes, scores = self._proposed(image, smallest)
        boxes, scores = _best(boxes, scores, CANDIDATES)
        if not len(boxes):
            return NOTHING
        boxes, scores = self._refined(image, boxes)
        boxes, scores = _best(boxes, scores, CLOSE_CANDIDATES)
        if not len(boxes):
            return NOTHING
        return self._confirmed(image, boxes)

    def _proposed(self, image: Image.Image, smallest: float) -> tuple[Array, Array]:
        """Squares that may hold a face, from windows of 12 pixels slid over ever smaller copies."""
        scale = _WINDOW / smallest
        found: list[tuple[Array, Array]] = []
        copy = image
        while min(image.size) * scale >= _WINDOW:
            size = round(image.width * scale), round(image.height * scale)
            copy = copy.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            found.append(self._slid(copy, image.width / size[0], image.height / size[1]))
            scale *= _STEP
        if not found:
            return NOTHING.boxes, NOTHING.scores
        boxes, scores = (np.concatenate(one) for one in zip(*found, strict=True))
        kept = suppress(boxes, scores, 0.7)
        return _squared(boxes[kept]), scores[kept]

    def _slid(self, copy: Image.Image, x_scale: float, y_scale: float) -> tuple[Array, Array]:
        probability, corrections = self._run(self._windows, np.asarray(copy)[None])
        rows, columns = np.nonzero(probability[0, 1] >= _WINDOW_SCORE)
        scores = probability[0, 1, rows, columns]
        if len(scores) > WINDOWS_A_SCALE:
            kept = np.argsort(-scores, kind="stable")[:WINDOWS_A_SCALE]
            rows, columns, scores = rows[kept], columns[kept], scores[kept]
        corners = np.stack([columns, rows, columns, rows], axis=1).astype(np.float32) * _STRIDE
        corners[:, 2:] += _WINDOW
        corners *= np.array([x_scale, y_scale] * 2, np.float32)
        kept = suppress(corners, scores, 0.5)
        corrected = _corrected(corners[kept], corrections[0, :, rows[kept], columns[kept]])
        return corrected, scores[kept]

    def _refined(self, image: Image.Image, boxes: Array) -> tuple[Array, Array]:
        probability, corrections = self._run(self._closer, _crops(image, boxes, 24))
        likely = probability[:, 1] >= _CLOSER_SCORE
        boxes, scores, corrections = boxes[likely], probability[likely, 1], corrections[likely]
        kept = suppress(boxes, scores, 0.7)
        return _squared(_corrected(boxes[kept], corrections[kept])), scores[kept]

    def _confirmed(self, image: Image.Image, boxes: Array) -> Detections:
        outputs = self._run(self._closest, _crops(image, boxes, 48))
        probability, corrections, points = outputs
        likely = probability[:, 1] >= _FACE_SCORE
        boxes, scores = boxes[likely], probability[likely, 1]
        sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]
        landmarks = points[likely].reshape(-1, 2, 5).transpose(0, 2, 1) * sizes + boxes[:, None, :2]
        boxes = _corrected(boxes, corrections[likely])
        kept = suppress(boxes, scores, 0.7, of_smaller=True)
        return Detections(boxes[kept], landmarks[kept], scores[kept])

    @staticmethod
    def _run(session: Any, pixels: npt.NDArray[np.uint8]) -> list[Array]:
        names = [one for one in (PROBABILITY, BOX, LANDMARKS) if one in _outputs(session)]
        found: list[Array] = session.run(names, {INPUT: pixels.astype(np.float32)})
        return found


def _outputs(session: Any) -> set[str]:
    return {one.name for one in session.get_outputs()}


def suppress(
    boxes: Array, scores: Array, most: float, *, of_smaller: bool = False
) -> npt.NDArray[np.intp]:
    """Which boxes are left, surest first, once none overlaps a surer one by more than `most`.

    Overlap is intersection over union, or over the smaller of the two boxes.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(int(first))
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        smaller = np.minimum(areas[first], areas[rest])
        whole = smaller if of_smaller else areas[first] + areas[rest] - shared
        order = rest[shared <= most * whole]
    return np.array(kept, np.intp)


def _best(boxes: Array, scores: Array, most: int) -> tuple[Array, Array]:
    """The surest boxes that have an extent; they come surest first."""
    sound = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
    return boxes[sound][:most], scores[sound][:most]


def _corrected(boxes: Array, corrections: Array) -> Array:
    """Boxes moved by corrections in their own width and height."""
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved: Array = boxes + corrections * sizes
    return moved


def _squared(boxes: Array) -> Array:
    """The squares about the same centres with the longer side."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _crops(image: Image.Image, boxes: Array, side: int) -> npt.NDArray[np.uint8]:
    """What lies in each box, within the picture, as (n, side, side, 3)."""
    crops = np.zeros((len(boxes), side, side, 3), np.uint8)
    low = np.maximum(boxes[:, :2], 0)
    high = np.minimum(boxes[:, 2:], image.size)
    for index, box in enumerate(np.concatenate([low, high], axis=1).tolist()):
        if box[2] - box[0] >= 1 and box[3] - box[1] >= 1:
            crops[index] = np.asarray(
                image.resize((side, side), Image.Resampling.BILINEAR, tuple(box))
            )
    return crops
