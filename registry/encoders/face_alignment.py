"""Where the eyes and the nose of a face are, and the upright picture of it that is encoded.

Coordinates are pixels with the centre of the first one at (0, 0), x before y.
"""

import io
import math
import zipfile
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from registry.errors import SetupError

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

# dlib/image_transforms/interpolation.h: where the corners of the eyes (outer and inner, of the
# left eye, then of the right one) and the base of the nose are in a face of side 1.
DLIB_FACE: Final[tuple[tuple[float, float], ...]] = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
_NAMES = ("initial", "splits", "thresholds", "leaves", "anchors", "deltas")


def dlib_template(side: int, padding: float = 0.25) -> Points:
    """The five points (5, 2) in dlib's square chip of that side, with so much around the face."""
    points = (padding + np.array(DLIB_FACE)) / (2 * padding + 1) * side - 0.5
    return points.astype(np.float32)


class LandmarkPredictor:
    """dlib's 5-point shape predictor: regression trees that compare pixels, step by step.

    Kazemi and Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression Trees",
    CVPR 2014. The arrays are those of registry/encoders/conversion/dlib_landmarks.py.
    """

    def __init__(self, file: bytes) -> None:
        """Raises SetupError where the bytes are no file of these arrays."""
        try:
            with np.load(io.BytesIO(file), allow_pickle=False) as arrays:
                initial, splits, thresholds, leaves, anchors, deltas = (
                    arrays[one] for one in _NAMES
                )
        except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SetupError(f"The landmark model cannot be read: {error}.") from error
        steps, trees, nodes, _ = splits.shape
        self._initial = _complex(initial)
        self._first, self._second = splits[..., 0], splits[..., 1]
        self._thresholds = thresholds
        self._leaves = leaves.reshape(steps, trees * (nodes + 1), -1)
        self._anchors = anchors
        self._deltas = _complex(deltas)
        self._nodes = nodes
        self._depth = (nodes + 1).bit_length() - 1
        self._trees = np.arange(trees)

    def predict(self, rgb: Pixels, box: tuple[float, float, float, float]) -> Points:
        """The five points of `DLIB_FACE` (5, 2), for a box given as left, top, right and bottom."""
        left, top, right, bottom = box
        corner = complex(left, top)
        current = self._initial
        for step in range(len(self._thresholds)):
            turn = _similarity(self._initial, current)
            places = self._deltas[step] * turn + current[self._anchors[step]]
            x = places.real * (right - left) + left
            y = places.imag * (bottom - top) + top
            current = current + self._correction(step, _intensity(rgb, x, y))
        points = current.real * (right - left) + 1j * current.imag * (bottom - top) + corner
        return np.stack([points.real, points.imag], axis=1).astype(np.float32)

    def _correction(self, step: int, levels: npt.NDArray[np.int16]) -> npt.NDArray[np.complex128]:
        """What the trees of one step add to the shape, (5,)."""
        right = levels[self._first[step]] - levels[self._second[step]] <= self._thresholds[step]
        node = np.zeros(len(self._trees), np.intp)
        for _ in range(self._depth):
            node = 2 * node + 1 + right[self._trees, node]
        leaf = self._trees * (self._nodes + 1) + node - self._nodes
        return _complex(self._leaves[step][leaf].sum(axis=0, dtype=np.float64).reshape(-1, 2))


def chip(rgb: Pixels, points: Points, template: Points, side: int) -> Pixels:
    """The square picture (side, side, 3) in which `points` lie where `template` has them.

    As well as turning, scaling and moving can do it (least squares); black outside of the picture.
    """
    a, b = _complex(template), _complex(points)
    turn = _similarity(a, b)
    shift = b.mean() - a.mean() * turn
    factor = max(1, math.floor(abs(turn)))  # what is reduced more than that would lose pixels
    image, corner = _around(rgb, turn, shift, side, factor)
    turn, shift = turn / factor, (shift - corner - (factor - 1) / 2 * (1 + 1j)) / factor
    # Pillow counts from the corner of a pixel, we from its centre.
    half = 0.5 + 0.5j
    shift = shift + half - half * turn
    matrix = (turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag)
    method, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    return np.asarray(image.transform((side, side), method, matrix, resample=bilinear))


def sharpness(face: Pixels) -> float:
    """How much of a chip (150, 150, 3) is fine detail: 0 for none, 0.06 to 0.15 for photographs.

    The mean difference between its middle and a copy of a quarter of the size enlarged again, in
    standard deviations of the levels, so that neither light nor contrast matter.
    """
    middle = face[20:130, 20:130].mean(axis=2)
    grey = Image.fromarray(middle.astype(np.uint8))
    coarse = grey.resize((28, 28), Image.Resampling.BOX).resize(grey.size, Image.Resampling.BICUBIC)
    spread = float(middle.std())
    return float(np.abs(middle - np.asarray(coarse)).mean()) / spread if spread >= 1 else 0.0


def _around(
    rgb: Pixels, turn: complex, shift: complex, side: int, factor: int
) -> tuple[Image.Image, complex]:
    """The part of the picture that the chip shows, reduced, and where in the picture it begins."""
    height, width = rgb.shape[:2]
    corners = np.array([0, side, side * 1j, side * (1 + 1j)]) * turn + shift
    margin = 2 * factor
    left, right = _within(corners.real, width, margin)
    top, bottom = _within(corners.imag, height, margin)
    image = Image.fromarray(np.ascontiguousarray(rgb[top:bottom, left:right]))
    return (image if factor == 1 else image.reduce(factor)), complex(left, top)


def _within(values: npt.NDArray[np.float64], size: int, margin: int) -> tuple[int, int]:
    """A range of pixels that covers the values and holds at least one pixel of the picture."""
    first = min(max(math.floor(values.min()) - margin, 0), size - 1)
    return first, max(min(math.ceil(values.max()) + margin, size), first + 1)


def _intensity(
    rgb: Pixels, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.int16]:
    """The grey level, as dlib counts it, of the nearest pixels; 0 outside of the picture."""
    height, width = rgb.shape[:2]
    column, row = np.floor(x + 0.5).astype(np.intp), np.floor(y + 0.5).astype(np.intp)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    levels = rgb[np.where(inside, row, 0), np.where(inside, column, 0)]
    return np.where(inside, levels.sum(axis=1, dtype=np.int16) // 3, 0).astype(np.int16)


def _similarity(a: npt.NDArray[np.complex128], b: npt.NDArray[np.complex128]) -> complex:
    """The factor that turns and scales `a` onto `b` about their means, by least squares."""
    from_, to = a - a.mean(), b - b.mean()
    return complex(np.vdot(from_, to) / np.vdot(from_, from_).real)


def _complex(points: npt.NDArray[np.floating]) -> npt.NDArray[np.complex128]:
    return points[..., 0].astype(np.float64) + 1j * points[..., 1].astype(np.float64)
