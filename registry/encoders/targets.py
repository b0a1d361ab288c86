"""What was found in an upload: each face and each voice, with what can be compared of it.

Boxes are in pixels of the picture, or of the video's frames, as a viewer shows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from registry.encoders.identity import Condition
from registry.errors import InvalidError

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
