"""dlib's own file of the 5-point shape predictor, read as data.

It holds nothing but integers, in the format that dlib_weights.py describes, and its trees are all
alike, so that it is read as a few large tables.
"""

import io
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.encoders.conversion.dlib_weights import (
    INTEGER_BYTES,
    LENGTH,
    MOST_EXPONENT,
    NEGATIVE,
    UNUSED,
    bounded,
    require,
)
from registry.errors import SetupError

LANDMARKS = 5
STEPS, TREES, SPLITS, PIXELS = 64, 10_000, 1023, 10_000  # the most of each

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ShapePredictor:
    """A cascade of C steps of T trees with S splits each, which compare P pixels of the picture.

    `initial` (5, 2); `splits` (C, T, S, 2) pairs of pixels; `thresholds` (C, T, S); `leaves`
    (C, T, S + 1, 10); `anchors` (C, P) landmarks; `deltas` (C, P, 2) from them. Lengths are in
    sides of the face's box. Kazemi and Sullivan, CVPR 2014.
    """

    initial: Array
    splits: npt.NDArray[np.int32]
    thresholds: Array
    leaves: Array
    anchors: npt.NDArray[np.int32]
    deltas: Array


def shape_predictor(data: bytes) -> ShapePredictor:
    """The arrays of `shape_predictor_5_face_landmarks.dat`.

    Raises SetupError for any other predictor, and for files damaged, cut off or above 64 MiB.
    """
    try:
        return _shape_predictor(_Integers(bounded(data)))
    except (ValueError, OverflowError) as error:
        raise SetupError(
            f"The landmark model is damaged, or no 5-point predictor of dlib: {error}."
        ) from error


class _Integers:
    """A file of nothing but integers, decoded at once and taken from its start."""

    def __init__(self, data: bytes) -> None:
        raw = np.frombuffer(data, np.uint8)
        starts = np.array(self._starts(data), np.intp)
        control = raw[starts]
        lengths = control & LENGTH
        sound = (lengths >= 1) & (lengths < INTEGER_BYTES) & (control & UNUSED == 0)
        require(bool(sound.all()), "an integer has no sound length")
        require(len(starts) == 0 or starts[-1] + 1 + lengths[-1] == len(data), "it is cut off")
        values = np.zeros(len(starts), np.int64)
        for index in range(int(lengths.max(initial=0))):
            held = lengths > index
            values[held] |= raw[starts[held] + 1 + index].astype(np.int64) << (8 * index)
        self._values = np.where(control & NEGATIVE, -values, values)
        self._position = 0

    @staticmethod
    def _starts(data: bytes) -> list[int]:
        starts, position = [], 0
        while position < len(data):
            starts.append(position)
            position += 1 + (data[position] & LENGTH)
        return starts

    @property
    def left(self) -> int:
        """How many have not been taken."""
        return len(self._values) - self._position

    def table(self, rows: int, columns: int) -> npt.NDArray[np.int64]:
        """The next rows x columns integers."""
        size = rows * columns
        require(rows >= 0 and columns >= 0 and size <= self.left, "it is cut off")
        self._position += size
        return self._values[self._position - size : self._position].reshape(rows, columns)

    def one(self) -> int:
        """The next integer."""
        return int(self.table(1, 1)[0, 0])

    def count(self, most: int) -> int:
        """The next integer, which counts what follows."""
        value = self.one()
        require(1 <= value <= most, "a count is out of bounds")
        return value


def _shape_predictor(file: _Integers) -> ShapePredictor:
    """A file in which all steps and all trees have the same size, as dlib trains them."""
    coordinates = 2 * LANDMARKS
    require(file.one() == 1, "it has another version")
    require(file.table(1, 2).tolist() == [[-coordinates, -1]], "it has no five landmarks")
    initial = _floats(file.table(coordinates, 2)).reshape(LANDMARKS, 2)
    steps = file.count(STEPS)
    forests = [_forest(file, coordinates) for _ in range(steps)]
    anchors, deltas = _pixels(file, steps)
    require(file.left == 0, "something follows the predictor")
    splits, thresholds, leaves = zip(*forests, strict=True)
    predictor = ShapePredictor(
        initial, np.stack(splits), np.stack(thresholds), np.stack(leaves), anchors, deltas
    )
    pixels = anchors.shape[1]
    inside = predictor.splits.min() >= 0 and predictor.splits.max() < pixels
    require(bool(inside), "a tree compares pixels that are not there")
    require(anchors.min() >= 0 and anchors.max() < LANDMARKS, "a pixel has no landmark")
    return predictor


def _forest(file: _Integers, coordinates: int) -> tuple[Any, Array, Array]:
    """The trees of one step: each its splits (two pixels, a number), then its leaves (matrices)."""
    trees = file.count(TREES)
    splits = file.count(SPLITS)
    width = 1 + 4 * splits + 1 + (splits + 1) * (2 + 2 * coordinates)
    first = np.array([[splits]], np.int64)
    rest = file.table(1, width - 1)
    table = np.concatenate([np.hstack([first, rest]), file.table(trees - 1, width)])
    split = table[:, 1 : 1 + 4 * splits].reshape(trees, splits, 4)
    leaf = table[:, 2 + 4 * splits :].reshape(trees, splits + 1, 2 + 2 * coordinates)
    same = (table[:, 0] == splits) & (table[:, 1 + 4 * splits] == splits + 1)
    sound = same.all() and (leaf[:, :, 0] == -coordinates).all() and (leaf[:, :, 1] == -1).all()
    require(bool(sound) and (splits + 1).bit_count() == 1, "its trees are not all alike")
    return (
        split[:, :, :2].astype(np.int32),
        _floats(split[:, :, 2:]),
        _floats(leaf[:, :, 2:].reshape(trees, splits + 1, coordinates, 2)),
    )


def _pixels(file: _Integers, steps: int) -> tuple[npt.NDArray[np.int32], Array]:
    """For each step the landmark that each pixel is near, and how far from it."""
    other = "its pixels are of other steps than its trees"
    require(file.one() == steps, other)
    anchors = [file.table(1, file.count(PIXELS))[0] for _ in range(steps)]
    require(file.one() == steps, other)
    deltas = [_floats(file.table(file.count(PIXELS), 4).reshape(-1, 2, 2)) for _ in range(steps)]
    require(len({len(one) for one in (*anchors, *deltas)}) == 1, "its steps are not all alike")
    return np.stack(anchors).astype(np.int32), np.stack(deltas)


def _floats(pairs: npt.NDArray[np.int64]) -> Array:
    """Mantissas and exponents (..., 2) as numbers."""
    mantissas, exponents = pairs[..., 0], pairs[..., 1]
    require(bool((np.abs(exponents) <= MOST_EXPONENT).all()), "a number is not finite")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        exact = np.ldexp(mantissas.astype(np.float64), exponents.astype(np.int32))
        values = exact.astype(np.float32)
    require(bool(np.isfinite(values).all()), "a number is not finite")
    return values


def to_npz(predictor: ShapePredictor) -> bytes:
    """The arrays by name in NumPy's own file format, the same bytes each time."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {one.name: getattr(predictor, one.name) for one in fields(predictor)}
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
