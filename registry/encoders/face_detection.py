"""Where the faces of a picture are: large or small, alone or in a group, upright or turned.

What is looked at, and when to look again, was measured on photographs of known people; the figures
stand beside the constants.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from registry.encoders.mtcnn import NOTHING, Detections, Mtcnn, suppress

SIDE, LARGE_SIDE = 512, 1024
SMALLEST = 20.0
# The first percentile of true faces is 0.993, so this costs none.
SCORE = 0.95
# A face upside down is found as well, at 0.976 to 0.986, with points that are not where they seem:
# below this figure the turned picture is looked at, too.
_UPRIGHT_SCORE = 0.995
# Where a group was photographed, some faces are below the 20 pixels of the first look.
_GROUP = 40.0
_TURNS = (1, 3, 2)  # quarter turns anticlockwise
# Of turned copies, and of enlarged ones, whose faces were smaller by half.
_TURNED_SMALLEST = _ENLARGED_SMALLEST = 32.0
_TURNED_SIDE = 416
_CLOSE_UP, _BORDER = 160, 48


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of a picture after `turns` quarter turns anticlockwise, in pixels of that."""

    rgb: npt.NDArray[np.uint8]
    turns: int
    faces: Detections

    @property
    def original(self) -> tuple[int, int]:
        """Height and width of the picture before it was turned."""
        height, width = self.rgb.shape[:2]
        return (width, height) if self.turns % 2 else (height, width)

    def back(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Points (n, 2) of the turned picture in pixels of the original, from its corner."""
        height, width = self.original
        x, y = points[:, 0], points[:, 1]
        places = {0: (x, y), 1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
        return np.stack(places[self.turns], axis=1)


def find(detector: Mtcnn, rgb: npt.NDArray[np.uint8]) -> Found:
    """Every face of a picture (height, width, 3) that MTCNN is sure of.

    Looks at 512 pixels; where faces there are small, or there are none, at up to 1024; then, for
    faces that fill the frame, with a border; at last at the picture turned.
    """
    image = Image.fromarray(rgb)
    faces = _look(detector, image, SIDE, SMALLEST)
    if _may_be_a_group(faces, image):
        faces = _merged(faces, _look(detector, image, LARGE_SIDE, SMALLEST))
    if not len(faces.scores):
        looks = _closer_looks(detector, image)
        faces = next((one for one in looks if len(one.scores)), NOTHING)
    if faces.scores.max(initial=0.0) >= _UPRIGHT_SCORE:
        return Found(rgb, 0, faces)
    return _turned(detector, Found(rgb, 0, faces))


def _look(detector: Mtcnn, image: Image.Image, side: int, smallest: float) -> Detections:
    """The sure faces, in pixels of `image`, looked for in a copy of at most that side.

    A copy larger than the picture shows no more than twice its size.
    """
    scale = side / max(image.size)
    if side <= SIDE:
        scale = min(scale, 1.0)
    scale = min(scale, 2.0)
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    method = Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC
    copy = image if size == image.size else image.resize(size, method, reducing_gap=2.0)
    return _rescaled(detector.detect(copy, smallest), 1 / scale)


def _closer_looks(detector: Mtcnn, image: Image.Image) -> Iterator[Detections]:
    """The faces of a small or dark picture, then of one that a face fills.

    At a tenth of its light 13 of 100 faces are found in the picture as it is; encoded they are as
    well as in full light.
    """
    image = ImageOps.autocontrast(image, cutoff=1)
    enlarged = max(image.size) < LARGE_SIDE
    yield _look(detector, image, LARGE_SIDE, _ENLARGED_SMALLEST if enlarged else SMALLEST)
    scale = _CLOSE_UP / max(image.size)
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    framed = Image.new("RGB", (size[0] + 2 * _BORDER, size[1] + 2 * _BORDER))
    framed.paste(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), (_BORDER,) * 2)
    yield _rescaled(detector.detect(framed, _TURNED_SMALLEST), 1 / scale, _BORDER)


def _turned(detector: Mtcnn, upright: Found) -> Found:
    """The turn in which a face is surest, or the picture as it is."""
    best = upright
    for turns in _TURNS:
        turned = np.ascontiguousarray(np.rot90(upright.rgb, turns))
        faces = _look(detector, Image.fromarray(turned), _TURNED_SIDE, _TURNED_SMALLEST)
        if faces.scores.max(initial=0.0) > best.faces.scores.max(initial=0.0):
            best = Found(turned, turns, faces)
    return best


def _may_be_a_group(faces: Detections, image: Image.Image) -> bool:
    """Whether there are faces, and one so small that its neighbours may have been missed."""
    longer = max(image.size)
    if not len(faces.scores) or longer <= SIDE:
        return False
    widths = (faces.boxes[:, 2] - faces.boxes[:, 0]) * SIDE / longer
    return bool(widths.min() < _GROUP)


def _rescaled(faces: Detections, scale: float, border: float = 0.0) -> Detections:
    sure = faces.scores >= SCORE
    boxes, landmarks = (
        (faces.boxes[sure] - border) * scale,
        (faces.landmarks[sure] - border) * scale,
    )
    return Detections(boxes, landmarks, faces.scores[sure])


def _merged(first: Detections, second: Detections) -> Detections:
    """The faces of both looks, each once."""
    both = Detections(
        np.concatenate([first.boxes, second.boxes]),
        np.concatenate([first.landmarks, second.landmarks]),
        np.concatenate([first.scores, second.scores]),
    )
    kept = suppress(both.boxes, both.scores, 0.5, of_smaller=True)
    return Detections(both.boxes[kept], both.landmarks[kept], both.scores[kept])
