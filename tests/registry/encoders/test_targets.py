"""Boxes, and targets as they are stored."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from registry.encoders import targets
from registry.encoders.identity import Condition
from registry.encoders.targets import Box, FaceTarget, VoiceTarget, as_json, choose, from_json
from registry.errors import InvalidError

UNIT = (np.ones(16) / 4).astype("<f4")
UNIT[0] *= -1
RAW = UNIT.tobytes()
FACE = FaceTarget(Box(10, 20, 30, 40), None, None, {"face/1": RAW})
OTHER = FaceTarget(Box(100, 20, 30, 40), 1.5, "Too dark.", {})
VOICE = VoiceTarget(0.5, 4.0, Condition.WIDE, None, {("voice/1", Condition.WIDE): RAW})


def test_overlap_is_intersection_over_union() -> None:
    box = Box(0, 0, 10, 10)
    assert box.overlap(box) == 1
    assert box.overlap(Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert box.overlap(Box(10, 0, 10, 10)) == 0
    assert Box(0, 0, 0, 0).overlap(Box(0, 0, 0, 0)) == 0


def test_a_box_chooses_the_face_it_covers_most() -> None:
    assert choose([FACE, OTHER], None) == [FACE, OTHER]
    assert choose([FACE, OTHER], Box(5, 15, 40, 50)) == [FACE]
    assert choose([FACE, OTHER], Box(90, 20, 40, 40)) == [OTHER]


def test_a_box_beside_the_faces_is_refused_with_where_they_are() -> None:
    with pytest.raises(InvalidError, match="x 10, y 20, width 30, height 40; x 100"):
        choose([FACE, OTHER], Box(500, 500, 10, 10))
    with pytest.raises(InvalidError, match="Faces found: none"):
        choose([], Box(0, 0, 10, 10))


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 5, -5), (0, 0, 10**6, 5)])
def test_a_box_that_holds_nothing_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidError):
        Box.checked(*box)
    assert Box.checked(1, 2, 3, 4) == Box(1, 2, 3, 4)


def test_targets_are_read_as_they_were_written() -> None:
    written = json.loads(json.dumps(as_json([FACE, OTHER], [VOICE])))
    assert from_json(written) == ((FACE, OTHER), (VOICE,))


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(16, "<f4"),
        np.full(16, np.nan, "<f4"),
        np.full(16, np.inf, "<f4"),
        UNIT * 1.01,
    ],
    ids=["zero", "NaN", "inf", "long"],
)
def test_a_worker_s_vector_that_no_search_may_see_is_refused(vector: Any) -> None:
    written = as_json([FACE], [])
    faces: Any = written["faces"]
    faces[0]["vectors"]["face/1"] = base64.b64encode(vector.tobytes()).decode()
    with pytest.raises(ValueError, match="unit length"):
        from_json(written)


def test_a_vector_of_a_torn_number_is_refused() -> None:
    written = as_json([FACE], [])
    faces: Any = written["faces"]
    faces[0]["vectors"]["face/1"] = base64.b64encode(RAW[:-1]).decode()
    with pytest.raises(ValueError, match="multiple"):
        from_json(written)
    assert targets.UNIT_TOLERANCE < 0.01
