"""A file that somebody uploads, and what the registry said it found in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Box = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Media:
    """A file, and what was done to make it."""

    data: bytes
    made_by: str


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload is spoken of by, and where its faces are, from left to right."""

    handle: str
    boxes: Sequence[Box]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Upload":
        """What `POST /v1/media` answered."""
        boxes = [face["box"] for face in answer["faces"]]
        return cls(answer["handle"], sorted(boxes, key=lambda box: box["x"]))

    def probe(self, box: Box | None = None) -> dict[str, Any]:
        """The upload as a probe of a check; a box says which face is meant."""
        return {"media": {"handle": self.handle, "box": box}}
