"""Who is in a picture: every face in it, and what each can be compared by.

Encoder `dlib-resnet/1`: MTCNN finds a face and its points, dlib's predictor five other points,
and dlib's ResNet turns each of the two upright chips, and their mirror images, into 128 numbers.
The vector is their mean, at unit length. Against one chip and its mirror image the second chip
finds 4 of 100 more genuine pairs at FMR 1e-4 (bootstrap over people: +-2), for 12 ms of CPU.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from registry.encoders import face_detection
from registry.encoders.conversion.graphs import EMBEDDING, INPUT
from registry.encoders.face_alignment import LandmarkPredictor, chip, dlib_template, sharpness
from registry.encoders.face_onnx import TEMPLATES, FaceEncoderConfig, OnnxFaceEncoder
from registry.encoders.identity import FACE, FACE_DIMENSIONS
from registry.encoders.models import FaceFiles, Models
from registry.encoders.mtcnn import Mtcnn
from registry.encoders.onnx_session import open_session
from registry.errors import SetupError, TooLargeError

FACES = 64
# Pixels. Of faces 97, 48, 39, 31, 27, 24, 21, 18 and 15 pixels wide 88, 87, 86, 83, 77, 72, 63, 43
# and 21 % match another photograph of the person at the threshold of FMR 1e-3, and no more of
# strangers than it says: what is too small is missed, not mistaken.
SMALLEST, ADVISED = 24, 40
# Blurred on purpose, 27 % of faces of 0.030 to 0.035 match so, 38 % of those up to 0.040, 68 % of
# those up to 0.045; of sharp photographs of 24 pixels 95 of 100 are above 0.0416.
LEAST_SHARPNESS = 0.04
SIDE = 150

Pixels = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]
FaceBox = tuple[float, float, float, float]

# The box that dlib's predictor was trained with, from MTCNN's: a square of so much of its mean
# side, moved down by so much of that.
_BOX_SIDE, _BOX_DOWN = 0.97, 0.082
_LEAST_LENGTH = 1e-6


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a picture.

    `box` is x, y, width and height in pixels of the picture, clipped to it; `landmarks` (5, 2) are
    the eyes, the nose and the corners of the mouth, left to right in the face's own upright;
    `score` is the detector's confidence, 0 to 1. `trouble` says why the face cannot be compared, in
    words a person can act on; then `vectors` is empty, else it is a unit vector by encoder id.
    """

    box: tuple[int, int, int, int]
    landmarks: Vector
    score: float
    trouble: str | None
    vectors: Mapping[str, Vector]


class FaceEncoder(Protocol):
    """What turns a face into a vector that is near for one person and far for two."""

    @property
    def id(self) -> str:
        """Name and version, which templates are stored with."""
        ...

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        ...

    def encode(self, rgb: Pixels, face_box: FaceBox, landmarks: Vector) -> Vector:
        """Float32 (dimensions,) of any length, of the face in an upright picture (h, w, 3).

        The box is x, y, width and height, and may reach beyond the picture; landmarks are those of
        `Face`, with the centre of the first pixel at (0, 0).
        """
        ...


class DlibEncoder:
    """The built-in encoder."""

    id = FACE
    dimensions = FACE_DIMENSIONS

    def __init__(self, files: FaceFiles) -> None:
        """Raises SetupError where a file is no model, OSError where it cannot be read."""
        self._predictor = LandmarkPredictor(files.landmarks.read_bytes())
        self._session = open_session(files.resnet.read_bytes(), files.resnet.name)
        self._dlib_template = dlib_template(SIDE)
        self._mtcnn_template = np.array(TEMPLATES["dlib"][1], np.float32)

    def encode(self, rgb: Pixels, face_box: FaceBox, landmarks: Vector) -> Vector:
        """As FaceEncoder says."""
        mean: Vector = self.embed(self.chips(rgb, face_box, landmarks)).mean(axis=0)
        return mean

    def chips(self, rgb: Pixels, face_box: FaceBox, landmarks: Vector) -> Pixels:
        """The upright face (2, 150, 150, 3), by dlib's five points and by those of MTCNN."""
        x, y, width, height = face_box
        half = _BOX_SIDE / 2 * (width * height) ** 0.5
        middle = x + width / 2 - 0.5, y + height / 2 - 0.5 + 2 * _BOX_DOWN * half
        box = middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half
        points = self._predictor.predict(rgb, box)
        by_dlib = chip(rgb, points, self._dlib_template, SIDE)
        return np.stack([by_dlib, chip(rgb, landmarks, self._mtcnn_template, SIDE)])

    def embed(self, chips: Pixels) -> Vector:
        """The network's answers (2n, 128) for n chips and for their mirror images."""
        pixels = np.concatenate([chips, chips[:, :, ::-1]]).astype(np.float32)
        (vectors,) = self._session.run([EMBEDDING], {INPUT: pixels})
        return np.asarray(vectors, np.float32)


class FaceReader:
    """Finds faces and has them encoded by every encoder."""

    def __init__(self, detector: Mtcnn, encoders: Sequence[FaceEncoder]) -> None:
        self._detector = detector
        self._encoders = tuple(encoders)
        self._template = np.array(TEMPLATES["dlib"][1], np.float32)

    @classmethod
    def open(cls, models: Models, own: Sequence[FaceEncoderConfig] = ()) -> Self:
        """The built-in encoder, and the operator's own.

        Raises SetupError where a model is missing, or another than was configured.
        """
        if models.face is None:
            raise SetupError(models.missing["face"])
        return cls(
            Mtcnn(models.face), [DlibEncoder(models.face), *(OnnxFaceEncoder(one) for one in own)]
        )

    def read(self, rgb: Pixels) -> list[Face]:
        """Every face of a picture (height, width, 3) as a viewer shows it, largest first.

        Raises TooLargeError for more than 64 faces.
        """
        found = face_detection.find(self._detector, rgb)
        faces = found.faces
        if len(faces.scores) > FACES:
            raise TooLargeError(
                f"More than {FACES} faces are in this picture. Send the part that matters."
            )
        sizes = np.prod(faces.boxes[:, 2:] - faces.boxes[:, :2], axis=1)
        return [
            self._face(found, faces.boxes[at], faces.landmarks[at], float(faces.scores[at]))
            for at in np.argsort(-sizes, kind="stable")
        ]

    def _face(
        self, found: face_detection.Found, edges: Vector, points: Vector, score: float
    ) -> Face:
        corners = found.back(edges.reshape(2, 2))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        height, width = found.original
        x, y = max(round(left), 0), max(round(top), 0)
        box = x, y, min(round(right), width) - x, min(round(bottom), height) - y
        trouble, vectors = _too_small(box), dict[str, Vector]()
        if trouble is None:
            trouble, vectors = self._encoded(found.rgb, edges, points - 0.5)
        return Face(box, found.back(points) - 0.5, score, trouble, vectors)

    def _encoded(
        self, rgb: Pixels, edges: Vector, landmarks: Vector
    ) -> tuple[str | None, dict[str, Vector]]:
        if sharpness(chip(rgb, landmarks, self._template, SIDE)) < LEAST_SHARPNESS:
            return "The face is blurred; send a picture in which it is sharp.", {}
        left, top, right, bottom = (float(one) for one in edges)
        vectors = {}
        for encoder in self._encoders:
            vector = encoder.encode(rgb, (left, top, right - left, bottom - top), landmarks)
            if (unit := unit_vector(vector)) is None:
                return "The face cannot be encoded. Send another picture of the person.", {}
            vectors[encoder.id] = unit
        return None, vectors


def unit_vector(vector: Vector) -> Vector | None:
    """The vector at unit length; None where it has no direction, or the same in every dimension."""
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact))
    if not np.isfinite(length) or length < _LEAST_LENGTH or np.ptp(exact) < _LEAST_LENGTH * length:
        return None
    return (exact / length).astype(np.float32)


def _too_small(box: tuple[int, int, int, int]) -> str | None:
    width = min(box[2:])
    if width >= SMALLEST:
        return None
    return f"The face is only {width} pixels wide; send a picture where it is at least {ADVISED}."
