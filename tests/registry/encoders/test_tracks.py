"""Faces of a video's frames, gathered by person."""

import numpy as np
import numpy.typing as npt

from registry.encoders.targets import Box, FaceTarget
from registry.encoders.tracks import SAME_PERSON, Seen, people

HERE, THERE = Box(100, 100, 80, 80), Box(400, 100, 80, 80)
Vector = npt.NDArray[np.float32]
_random = np.random.default_rng(3)


def unit() -> Vector:
    vector = _random.standard_normal(128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def near(vector: Vector, cosine: float) -> Vector:
    other = unit() @ vector * -vector + unit()
    other -= (other @ vector) * vector
    mixed = cosine * vector + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)
    return mixed.astype(np.float32)


def seen(frame: int, vector: Vector | None, box: Box = HERE, score: float = 0.99) -> Seen:
    vectors = {} if vector is None else {"face/1": vector.tobytes()}
    trouble = "Too small." if vector is None else None
    return Seen(frame, FaceTarget(box, float(frame), trouble, vectors), score)


def test_one_person_in_many_frames_is_one_target_first_seen_at_the_first() -> None:
    vector = unit()
    frames = [seen(at, near(vector, 0.99)) for at in (4, 2, 7)]
    (found,) = people(frames)
    assert (found.seconds, found.trouble) == (2.0, None)
    assert found.vectors["face/1"] in [one.face.vectors["face/1"] for one in frames]


def test_two_people_are_two_targets() -> None:
    first, second = unit(), unit()
    found = people([seen(0, first), seen(0, second, THERE), seen(1, first), seen(1, second, THERE)])
    assert len(found) == 2


def test_two_faces_of_one_frame_are_two_people_however_alike() -> None:
    vector = unit()
    assert len(people([seen(0, vector), seen(0, near(vector, 0.999), THERE)])) == 2


def test_who_is_not_near_enough_is_somebody_else() -> None:
    vector = unit()
    other = near(vector, SAME_PERSON - 0.01)
    assert len(people([seen(0, vector), seen(1, other)])) == 2


def test_a_poor_face_is_that_of_the_same_place_around() -> None:
    vector = unit()
    (found,) = people([seen(0, vector), seen(1, None), seen(2, None)])
    assert found.trouble is None


def test_a_poor_face_elsewhere_or_much_later_is_a_target_of_its_own() -> None:
    vector = unit()
    found = people([seen(0, vector), seen(1, None, THERE), seen(2, None, THERE), seen(9, None)])
    assert [one.trouble for one in found] == [None, "Too small.", "Too small."]


def test_nobody_is_nobody() -> None:
    assert people([]) == []
