"""Who is in a video: the faces of its frames, gathered by person.

One target a person keeps a blurred frame from being one more stranger; the vector is that of the
frame nearest to the person's mean, so that it is as good as a single photograph's and no better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from registry.encoders.targets import SAME_BOX, FaceTarget

# Cosine of `dlib-resnet/1` at which 1 in 1,000 pairs of different people is taken for one
# (docs/accuracy.md): two people gathered into one would hide one of them.
SAME_PERSON: Final = 0.94
NEAR_FRAMES: Final = 2  # a face that could not be compared is that of the same place, so near


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in one frame; `frame` counts the frames that were taken of the video."""

    frame: int
    face: FaceTarget
    score: float


def people(seen: Sequence[Seen]) -> list[FaceTarget]:
    """One target a person, in the order of appearance.

    A face that cannot be compared counts as whoever is seen in the same place two frames around;
    where nobody is, it is a target of its own, with its trouble. Vectors of unit length.
    """
    tracks: list[list[Seen]] = []
    for one in sorted((one for one in seen if one.face.vectors), key=lambda one: -one.score):
        track = _track_of(one, tracks)
        if track is None:
            tracks.append([one])
        else:
            track.append(one)
    found = [_typical(track) for track in tracks]
    poor = [one for one in seen if not one.face.vectors]
    lost = [one for one in poor if not any(_is_there(one, track) for track in tracks)]
    found.extend(group[0].face for group in _groups(lost))
    return sorted(found, key=lambda face: (face.seconds or 0.0, face.box.x))


def _track_of(one: Seen, tracks: Sequence[list[Seen]]) -> list[Seen] | None:
    """The track whose mean this face is nearest to, if it is near enough and not beside it."""
    vector = _vector(one)
    best, nearest = None, SAME_PERSON
    for track in tracks:
        if any(other.frame == one.frame for other in track):
            continue  # two faces of one frame are two people
        score = float(vector @ _mean(track))
        if score >= nearest:
            best, nearest = track, score
    return best


def _typical(track: Sequence[Seen]) -> FaceTarget:
    """The face nearest to the mean, as first seen."""
    mean = _mean(track)
    best = max(track, key=lambda one: float(_vector(one) @ mean))
    first = min(track, key=lambda one: one.frame)
    return replace(best.face, seconds=first.face.seconds, box=first.face.box)


def _is_there(one: Seen, track: Sequence[Seen]) -> bool:
    return any(
        abs(other.frame - one.frame) <= NEAR_FRAMES
        and other.face.box.overlap(one.face.box) >= SAME_BOX
        for other in track
    )


def _groups(lost: Sequence[Seen]) -> list[list[Seen]]:
    """Faces that follow one another in the same place."""
    groups: list[list[Seen]] = []
    for one in sorted(lost, key=lambda one: one.frame):
        for group in groups:
            if _is_there(one, group[-1:]):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _vector(one: Seen) -> npt.NDArray[np.float32]:
    """The first encoder's vector: that of the built-in one, which SAME_PERSON was measured on."""
    return np.frombuffer(next(iter(one.face.vectors.values())), "<f4")


def _mean(track: Sequence[Seen]) -> npt.NDArray[np.float32]:
    mean = np.mean([_vector(one) for one in track], axis=0)
    unit: npt.NDArray[np.float32] = mean / np.linalg.norm(mean)
    return unit
