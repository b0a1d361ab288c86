import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import InvalidError
from registry.matching.rows import CHUNK_ROWS
from registry.matching.vectors import MOST_SAMPLES, Score, VectorIndex, unit

Vectors = npt.NDArray[np.float32]

EXAMPLES = 5000 if os.environ.get("LONG_TESTS") else 300
D = 5
ALL = 10_000


def of(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def directions(seed: int, count: int, dimensions: int = D) -> Vectors:
    values = np.random.default_rng(seed).standard_normal((count, dimensions))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def at_cosine(cosine: float, dimensions: int = D) -> Vectors:
    """A vector at this cosine to the first axis."""
    vector = np.zeros((1, dimensions))
    vector[0, :2] = cosine, np.sqrt(1 - cosine**2)
    return vector.astype(np.float32)


AXIS = at_cosine(1.0)


def filled(vectors: Vectors, chunk_rows: int = CHUNK_ROWS) -> VectorIndex:
    index = VectorIndex(vectors.shape[1], chunk_rows)
    ids = of(*range(len(vectors)))
    index.add(ids, ids, [1] * len(ids), vectors)
    return index


def numbers(scores: Sequence[Score]) -> list[int]:
    return [one.id.int for one in scores]


# Few directions, so that equal scores and scores on the floor are common.
POOL = np.concatenate([directions(3, 9), AXIS, -AXIS, at_cosine(0.5), at_cosine(0.25)])
# As the index holds them: their length is made 1 once more.
HELD = (POOL / np.linalg.norm(POOL.astype(np.float64), axis=1)[:, None]).astype(np.float32)
row = st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, len(POOL) - 1))
changes = st.tuples(st.sampled_from(["add", "add", "retire"]), st.lists(row, max_size=7))


class Model:
    """What the index ought to hold."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[int, int]] = {}

    def change(self, change: str, rows: list[tuple[int, int, int]]) -> None:
        for id, subject, vector in rows:
            if change == "add":
                self.rows.setdefault(id, (subject, vector))
            else:
                self.rows.pop(id, None)

    def search(
        self, query: int, floor: float, most: int, also: set[int]
    ) -> list[tuple[float, int]]:
        scored = []
        for id, (_, vector) in self.rows.items():
            exact = (HELD[vector].astype(np.float64) * HELD[query]).sum()
            scored.append((-min(1.0, max(-1.0, float(exact))), id))
        best = sorted(one for one in scored if -one[0] >= floor)[:most]
        return sorted({*best, *(one for one in scored if self.rows[one[1]][0] in also)})


@given(
    st.lists(changes, max_size=8),
    st.lists(st.integers(0, len(POOL) - 1), max_size=3),
    st.integers(1, 9),
    st.one_of(st.sampled_from([-1.0, 0.25, 0.5, 1.0, 1.5]), st.floats(-1, 1)),
    st.sampled_from([1, 2, 5, ALL]),
    st.sets(st.integers(0, 5)),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_search_finds_what_brute_force_finds(
    history: list[tuple[str, list[tuple[int, int, int]]]],
    queries: list[int],
    chunk_rows: int,
    floor: float,
    most: int,
    also: set[int],
) -> None:
    index, model = VectorIndex(D, chunk_rows), Model()
    for change, rows in history:
        model.change(change, rows)
        ids = of(*(one for one, _, _ in rows))
        if change == "add":
            subjects = of(*(100 + one for _, one, _ in rows))
            vectors = POOL[[one for _, _, one in rows]].reshape(-1, D)
            index.add(ids, subjects, [one + 1 for one, _, _ in rows], vectors)
        else:
            for one in ids:
                index.retire(one)
    claimed = [of(*(100 + one for one in also))] * len(queries)
    found = index.search(POOL[queries].reshape(-1, D), floor, most, claimed)
    for query, scores in zip(queries, found, strict=True):
        expected = model.search(query, floor, most, also)
        assert [(-one.score, one.id.int) for one in scores] == expected
        assert all(one.samples == one.id.int + 1 for one in scores)
        assert all(one.subject.int - 100 == model.rows[one.id.int][0] for one in scores)
    live = {subject for subject, _ in model.rows.values()}
    assert index.subjects() == len(live)
    assert [index.knows(one) for one in of(*range(100, 106))] == [n in live for n in range(6)]
    assert len(index) == len(model.rows)


@pytest.mark.parametrize("dimensions", [2, 128, 192])
@pytest.mark.parametrize("queries", [1, 2, 64])
def test_the_floor_is_exact_to_the_last_bit(dimensions: int, queries: int) -> None:
    vectors = directions(5, 400, dimensions)
    index = filled(vectors, 150)
    query = directions(6, 1, dimensions)
    for one in index.search(query, -1, ALL)[0][::40]:
        batch = np.repeat(query, queries, axis=0)
        assert one in index.search(batch, one.score, ALL)[-1]
        assert one not in index.search(batch, np.nextafter(one.score, 2), ALL)[-1]


def test_a_score_is_the_cosine_and_the_same_in_every_batch() -> None:
    vectors, queries = directions(1, 300, 128), directions(2, 70, 128)
    index = filled(vectors, 64)
    found = index.search(queries, -1, ALL)
    exact = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    for at, scores in enumerate(found):
        assert [one.score for one in scores] == pytest.approx(np.sort(exact[at])[::-1], abs=1e-6)
        assert scores == index.search(queries[at : at + 1], -1, ALL)[0]


def test_rows_a_little_off_unit_length_are_compared_by_their_angle() -> None:
    index = filled(AXIS * np.float32(1.0009))
    assert index.search(AXIS * np.float32(0.9992), 1.0, 1)[0][0].score == 1.0


def test_a_flood_of_equal_vectors_gives_the_first_ids_and_no_more() -> None:
    index = filled(np.repeat(at_cosine(0.5), 9000, axis=0), 4000)
    assert numbers(index.search(AXIS, 0.4, 3)[0]) == [0, 1, 2]
    assert len(index.search(AXIS, 0.4, ALL)[0]) == 9000


def test_the_best_are_kept_wherever_they_lie() -> None:
    index = filled(np.concatenate([at_cosine(0.1 + at / 20) for at in (3, 9, 1, 12, 5, 12)]), 2)
    assert numbers(index.search(AXIS, 0.0, 4)[0]) == [3, 5, 1, 4]


def test_the_claimed_subject_is_found_below_the_floor_and_once() -> None:
    index = VectorIndex(D, 2)
    vectors = np.concatenate([at_cosine(cosine) for cosine in (0.9, -0.5, 0.8, 0.1)])
    index.add(of(1, 2, 3, 4), of(7, 7, 8, 9), [1, 2, 3, 4], vectors)
    (found,) = index.search(AXIS, 0.7, 1, [of(7, 7, 8, 55)])
    assert [(one.id.int, one.subject.int, one.samples) for one in found] == [
        (1, 7, 1),
        (3, 8, 3),
        (2, 7, 2),
    ]
    assert [one.score for one in found] == pytest.approx([0.9, 0.8, -0.5])
    assert [numbers(one) for one in index.search(POOL[:2], 2, 1, [[], of(9)])] == [[], [4]]


def test_a_row_delivered_twice_stays_what_it_was() -> None:
    index = VectorIndex(D)
    index.add(of(1, 1), of(5, 6), [1, 2], np.concatenate([AXIS, -AXIS]))
    index.add(of(1), of(6), [3], -AXIS)
    assert index.search(AXIS, -1, ALL) == [[Score(*of(1, 5), 1, 1.0)]]
    assert (len(index), index.subjects()) == (1, 1)
    assert index.knows(UUID(int=5))
    assert not index.knows(UUID(int=6))


def test_a_subject_is_known_until_its_last_row_is_retired() -> None:
    index = VectorIndex(D, 1)
    index.add(of(1, 2, 3), of(5, 5, 6), [1, 1, 1], np.repeat(AXIS, 3, axis=0))
    index.retire(UUID(int=1))
    index.retire(UUID(int=1))
    index.retire(UUID(int=99))
    assert (index.subjects(), index.knows(UUID(int=5)), UUID(int=1) in index) == (2, True, False)
    index.retire(UUID(int=2).bytes)
    assert (index.subjects(), index.knows(UUID(int=5).bytes)) == (1, False)
    assert numbers(index.search(AXIS, -1, ALL, [of(5)])[0]) == [3]
    index.add(of(2), of(5), [4], AXIS)
    assert (index.subjects(), index.knows(UUID(int=5)), UUID(int=2) in index) == (2, True, True)
    assert index.search(AXIS, 2, 1, [of(5)]) == [[Score(*of(2, 5), 4, 1.0)]]


def test_an_empty_index_answers_each_query_with_nothing() -> None:
    index = VectorIndex(D)
    assert index.search(POOL[:2], -1, 1, [of(1), []]) == [[], []]
    assert index.search(np.empty((0, D), np.float32), -1, 1) == []
    index.add([], [], [], np.empty((0, D), np.float32))
    assert (len(index), index.subjects(), index.knows(UUID(int=0))) == (0, 0, False)


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((1, D), np.float32),
        AXIS.astype(np.float64),
        AXIS[0],
        AXIS[:, :4],
        AXIS * np.float32(1.0011),
        AXIS * np.float32(np.nan),
        np.full((1, D), np.inf, np.float32),
        np.array([[1, 0, 0, 0, np.nan]], np.float32),
    ],
)
def test_vectors_that_are_no_unit_vectors_are_refused(vectors: Vectors) -> None:
    index = VectorIndex(D)
    ids = of(*range(len(vectors)))
    with pytest.raises(InvalidError):
        index.add(ids, ids, [1] * len(ids), vectors)
    with pytest.raises(InvalidError):
        index.search(vectors, 0, 1)
    assert len(index) == 0


def test_what_does_not_belong_together_is_refused_and_nothing_is_taken_in() -> None:
    index, two = VectorIndex(D), np.repeat(AXIS, 2, axis=0)
    for ids, subjects, samples in (
        (of(1), of(1, 2), [1, 1]),
        (of(1, 2), of(1), [1, 1]),
        (of(1, 2), of(1, 2), [1]),
        (of(1, 2), of(1, 2), [1, 0]),
        (of(1, 2), of(1, 2), [1, MOST_SAMPLES + 1]),
        ([UUID(int=1), b"short"], of(1, 2), [1, 1]),
        (of(1, 2), [UUID(int=1), b"short"], [1, 1]),
    ):
        with pytest.raises(InvalidError):
            index.add(ids, subjects, samples, two)
    with pytest.raises(InvalidError):
        index.retire(b"short")
    assert (len(index), index.subjects()) == (0, 0)


def test_searches_that_make_no_sense_are_refused() -> None:
    index = filled(AXIS)
    for floor, most, also in ((np.nan, 1, None), (0, 0, None), (0, 1, []), (0, 1, [[b"short"]])):
        with pytest.raises(InvalidError):
            index.search(AXIS, floor, most, also)
    for dimensions, chunk_rows in ((0, 1), (1, 0)):
        with pytest.raises(InvalidError):
            VectorIndex(dimensions, chunk_rows)


def test_searches_beside_a_writer_see_whole_batches_and_every_row_of_the_claimed() -> None:
    index, start, batch, batches = VectorIndex(D, 16), Barrier(3), 50, 60
    claimed = of(3)
    added = 0

    def write() -> None:
        nonlocal added
        start.wait()
        for number in range(batches):
            ids = of(*range(number * batch, (number + 1) * batch))
            subjects = of(*(one.int % 10 for one in ids))
            index.add(ids, subjects, [1] * batch, np.repeat(AXIS, batch, axis=0))
            added = (number + 1) * batch

    def read() -> None:
        start.wait()
        before = 0
        while before < batch * batches:
            before = added
            everything, of_one = (
                index.search(np.repeat(AXIS, 2, axis=0), 0.5, ALL, [[], []]),
                index.search(AXIS, 1.5, 1, [claimed]),
            )
            assert {len(one) for one in everything} == {len(everything[0])}
            assert len(everything[0]) % batch == 0
            assert len(everything[0]) >= before
            assert len(of_one[0]) % (batch // 10) == 0
            assert len(of_one[0]) * 10 >= before
            assert {one.subject for one in of_one[0]} <= set(claimed)

    with ThreadPoolExecutor(3) as threads:
        for one in [threads.submit(write), threads.submit(read), threads.submit(read)]:
            one.result()


def test_a_callers_vector_is_brought_to_unit_length() -> None:
    assert unit([3, 0, 4], 3).tolist() == pytest.approx([0.6, 0, 0.8])
    assert unit([1e300, -1e300], 2).tolist() == pytest.approx([2**-0.5, -(2**-0.5)])
    assert unit(np.array([1, 2], np.float32), 2).dtype == np.float32


@pytest.mark.parametrize(
    "vector",
    [
        [0, 0, 0],
        [1e-30, 0, 0],
        [2, 2, 2],
        [0.1, 0.1, 0.1 + 1e-9],
        [1, 2],
        [[1, 2, 3]],
        [1, 2, float("nan")],
        [1, 2, float("inf")],
        ["a", 1, 2],
        [[1], [2, 3], [4]],
        {"a": 1},
        None,
    ],
)
def test_a_vector_no_encoder_makes_is_refused(vector: object) -> None:
    with pytest.raises(InvalidError):
        unit(vector, 3)
