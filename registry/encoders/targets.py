"""What was found in an upload: each face and each voice, with what can be compared of it.

Boxes are in pixels of the picture, or of the video's frames, as a viewer shows them.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from registry.encoders.identity import Condition
from registry.errors import InvalidError

UNIT_TOLERANCE: Final = 1e-3
BEYOND: Final = 100_000  # pixels a side
SAME_BOX: Final = (
    0.2  # intersection over union: hand-drawn boxes are loose, neighbours do not touch
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its upper left corner, its width and its height."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def checked(cls, x: int, y: int, width: int, height: int) -> "Box":
        """A box that a client drew; InvalidError where it holds nothing of any picture."""
        if min(x, y) < 0 or min(width, height) < 1 or max(x, y, width, height) > BEYOND:
            raise InvalidError(
                "A box begins at 0 or more and is at least one pixel wide and high.", field="box"
            )
        return cls(x, y, width, height)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(wide, 0) * max(high, 0)
        union = self.width * self.height + other.width * other.height - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class FaceTarget:
    """One person's face, in a picture or through the frames of a video.

    `seconds`: when it is first seen in a video. `trouble`: why it cannot be compared, in words a
    person can act on. `vectors`: by encoder id, little-endian float32 of unit length; none where
    there is trouble.
    """

    box: Box
    seconds: float | None
    trouble: str | None
    vectors: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class VoiceTarget:
    """One speaker of a recording; `vectors` by encoder id and condition, else as for a face.

    `start` and `end` are the first and last second in which they are heard.
    """

    start: float
    end: float
    condition: Condition
    trouble: str | None
    vectors: Mapping[tuple[str, Condition], bytes]


def choose(faces: Sequence[FaceTarget], box: Box | None) -> list[FaceTarget]:
    """The face in this box, or every face where none is given.

    Raises InvalidError, which says where the faces are, for a box without one.
    """
    if box is None:
        return list(faces)
    best = max(faces, key=lambda face: box.overlap(face.box), default=None)
    if best is None or box.overlap(best.box) < SAME_BOX:
        where = "; ".join(
            f"x {one.x}, y {one.y}, width {one.width}, height {one.height}"
            for one in (face.box for face in faces[:8])
        )
        raise InvalidError(f"No face is in this box. Faces found: {where or 'none'}.", field="box")
    return [best]


def as_json(faces: Sequence[FaceTarget], voices: Sequence[VoiceTarget]) -> dict[str, object]:
    """What `from_json` reads again."""
    return {
        "faces": [
            {
                "box": [one.box.x, one.box.y, one.box.width, one.box.height],
                "seconds": one.seconds,
                "trouble": one.trouble,
                "vectors": {
                    encoder: base64.b64encode(vector).decode()
                    for encoder, vector in one.vectors.items()
                },
            }
            for one in faces
        ],
        "voices": [
            {
                "start": one.start,
                "end": one.end,
                "condition": one.condition,
                "trouble": one.trouble,
                "vectors": [
                    [encoder, condition, base64.b64encode(vector).decode()]
                    for (encoder, condition), vector in one.vectors.items()
                ],
            }
            for one in voices
        ],
    }


def from_json(body: Mapping[str, Any]) -> tuple[tuple[FaceTarget, ...], tuple[VoiceTarget, ...]]:
    """The targets again. Raises KeyError, TypeError or ValueError for what `as_json` never gave."""
    faces = tuple(
        FaceTarget(
            box=Box(*(int(one) for one in face["box"])),
            seconds=None if face["seconds"] is None else float(face["seconds"]),
            trouble=_text(face["trouble"]),
            vectors={str(name): _vector(text) for name, text in face["vectors"].items()},
        )
        for face in body["faces"]
    )
    voices = tuple(
        VoiceTarget(
            start=float(voice["start"]),
            end=float(voice["end"]),
            condition=Condition(voice["condition"]),
            trouble=_text(voice["trouble"]),
            vectors={
                (str(name), Condition(condition)): _vector(text)
                for name, condition, text in voice["vectors"]
            },
        )
        for voice in body["voices"]
    )
    return faces, voices


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _vector(text: str) -> bytes:
    """The bytes of a vector of unit length; ValueError for any other, which no search may see."""
    raw = base64.b64decode(text, validate=True)
    length = float(np.linalg.norm(np.frombuffer(raw, "<f4").astype(np.float64)))
    if not abs(length - 1.0) < UNIT_TOLERANCE:  # so written, NaN is refused too
        raise ValueError("A vector is not of unit length.")
    return raw
