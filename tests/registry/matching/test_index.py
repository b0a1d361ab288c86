import os
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import InvalidError
from registry.matching.index import CHUNK_ROWS, HashIndex, Hit

Hashes = npt.NDArray[np.uint8]
Stored = dict[UUID, int]

EXAMPLES = 20_000 if os.environ.get("LONG_TESTS") else 1000
EVERY_BIT = 2**256 - 1
THRESHOLDS = (0, 1, 48, 49, 60, 61, 255, 256)


def array(values: list[int]) -> Hashes:
    raw = b"".join(value.to_bytes(32, "big") for value in values)
    return np.frombuffer(raw, np.uint8).reshape(len(values), 32)


def flipped(value: int, bits: int) -> int:
    """The value at exactly this distance: an odd stride visits all 256 places."""
    for step in range(bits):
        value ^= 1 << (step * 37 % 256)
    return value


def brute_force(stored: Stored, query: int, radius: int) -> list[Hit]:
    near = [(one, (value ^ query).bit_count()) for one, value in stored.items()]
    hits = [Hit(one, distance) for one, distance in near if distance <= radius]
    return sorted(hits, key=lambda hit: (hit.distance_bits, hit.id.bytes))


def filled(values: list[int], chunk_rows: int = CHUNK_ROWS) -> tuple[HashIndex, Stored]:
    index = HashIndex(chunk_rows)
    ids = [UUID(int=number) for number in range(len(values))]
    index.add(ids, array(values))
    return index, dict(zip(ids, values, strict=True))


hash_values = st.one_of(
    st.integers(0, EVERY_BIT),
    st.builds(flipped, st.just(0), st.sampled_from([*THRESHOLDS, 47, 59])),
)
ids = st.one_of(st.integers(0, 12), st.integers(0, 2**128 - 1)).map(lambda value: UUID(int=value))
changes = st.one_of(
    st.tuples(st.just("add"), st.lists(st.tuples(ids, hash_values), max_size=9)),
    st.tuples(st.just("retire"), st.lists(st.tuples(ids, hash_values), max_size=2)),
)


@given(
    st.lists(changes, max_size=8),
    st.lists(hash_values, max_size=4),
    st.integers(1, 9),
    st.one_of(st.sampled_from(THRESHOLDS), st.integers(0, 256)),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_search_finds_what_brute_force_finds(
    history: list[tuple[str, list[tuple[UUID, int]]]],
    queries: list[int],
    chunk_rows: int,
    radius: int,
) -> None:
    index, stored = HashIndex(chunk_rows), Stored()
    for change, rows in history:
        if change == "add":
            index.add([one for one, _ in rows], array([value for _, value in rows]))
            for one, value in rows:
                stored.setdefault(one, value)
        else:
            for one, _ in rows:
                index.retire(one)
                stored.pop(one, None)
    probes = [0, *queries, *stored.values()]
    expected = [brute_force(stored, query, radius) for query in probes]
    assert index.search(array(probes), radius) == expected
    assert len(index) == len(stored)
    assert all(one in index for one in stored)


@pytest.mark.parametrize("radius", THRESHOLDS)
@pytest.mark.parametrize("chunk_rows", [1, 7, CHUNK_ROWS])
def test_the_radius_is_inclusive_at_every_distance(radius: int, chunk_rows: int) -> None:
    index, _ = filled([flipped(0, bits) for bits in range(257)], chunk_rows)
    distances = [hit.distance_bits for hit in index.search(array([0]), radius)[0]]
    assert distances == list(range(radius + 1))


def test_the_exact_complement_is_256_bits_away_and_not_0() -> None:
    index, _ = filled([EVERY_BIT])
    assert index.search(array([0]), 255) == [[]]
    assert index.search(array([0]), 256) == [[Hit(UUID(int=0), 256)]]


@pytest.mark.parametrize("count", [1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1])
def test_the_last_row_is_found_on_both_sides_of_a_chunk_border(count: int) -> None:
    values = [EVERY_BIT] * (count - 1) + [flipped(0, 60)]
    index, _ = filled(values)
    assert index.search(array([0]), 60) == [[Hit(UUID(int=count - 1), 60)]]


def test_equal_distances_are_ordered_by_id() -> None:
    index = HashIndex(chunk_rows=2)
    shuffled = [UUID(int=number << 120 | 1) for number in (3, 0, 255, 1, 128)]
    index.add(shuffled, array([5] * 5))
    assert [hit.id for hit in index.search(array([5]), 0)[0]] == sorted(shuffled)


def test_an_empty_index_answers_each_query_with_nothing() -> None:
    index = HashIndex()
    assert index.search(array([0, EVERY_BIT]), 256) == [[], []]
    assert index.search(array([]).reshape(0, 32), 256) == []
    assert len(index) == 0


def test_adding_no_rows_changes_nothing() -> None:
    index = HashIndex()
    index.add([], np.empty((0, 32), np.uint8))
    assert len(index) == 0


def test_a_row_delivered_twice_is_found_once() -> None:
    index = HashIndex()
    one = UUID(int=7)
    index.add([one, one], array([1, 2]))
    index.add([one.bytes], array([4]))
    assert index.search(array([1]), 256) == [[Hit(one, 0)]]


def test_a_retired_reference_is_not_found() -> None:
    index, _ = filled([1, 1])
    index.retire(UUID(int=0))
    index.retire(UUID(int=0))
    index.retire(UUID(int=99))
    assert index.search(array([1]), 256) == [[Hit(UUID(int=1), 0)]]
    assert UUID(int=0) not in index
    assert UUID(int=1) in index
    assert len(index) == 1


def test_a_reference_added_again_after_its_retirement_is_found_once() -> None:
    index, _ = filled([1])
    index.retire(UUID(int=0))
    index.add([UUID(int=0)], array([3]))
    assert index.search(array([3]), 256) == [[Hit(UUID(int=0), 0)]]
    index.retire(UUID(int=0))
    assert index.search(array([3]), 256) == [[]]


def test_strided_and_unaligned_hashes_are_read_right() -> None:
    values = [flipped(9, bits) for bits in range(8)]
    wide = np.zeros((16, 33), np.uint8)
    wide[::2, 1:] = array(values)
    index = HashIndex()
    index.add([UUID(int=number) for number in range(8)], wide[::2, 1:])
    assert [hit.distance_bits for hit in index.search(wide[:1, 1:], 256)[0]] == list(range(8))


@pytest.mark.parametrize(
    "hashes",
    [
        np.zeros((1, 32), np.int8),
        np.zeros((1, 4), np.uint64),
        np.zeros((1, 31), np.uint8),
        np.zeros(32, np.uint8),
        np.zeros((1, 1, 32), np.uint8),
    ],
)
def test_hashes_of_another_shape_or_type_are_refused(hashes: Hashes) -> None:
    index = HashIndex()
    with pytest.raises(InvalidError):
        index.add([UUID(int=0)], hashes)
    with pytest.raises(InvalidError):
        index.search(hashes, 60)
    assert len(index) == 0


@pytest.mark.parametrize("radius", [-1, 257])
def test_an_impossible_radius_is_refused(radius: int) -> None:
    with pytest.raises(InvalidError):
        HashIndex().search(array([0]), radius)


@pytest.mark.parametrize("bad", [b"", b"x" * 15, b"x" * 17])
def test_an_id_of_another_length_is_refused_and_nothing_is_taken_in(bad: bytes) -> None:
    index = HashIndex()
    with pytest.raises(InvalidError):
        index.add([UUID(int=0), bad], array([0, 1]))
    with pytest.raises(InvalidError):
        index.retire(bad)
    assert index.search(array([0]), 256) == [[]]


def test_each_hash_needs_one_id() -> None:
    with pytest.raises(InvalidError):
        HashIndex().add([UUID(int=0)], array([0, 1]))


def test_a_chunk_has_at_least_one_row() -> None:
    with pytest.raises(InvalidError):
        HashIndex(chunk_rows=0)
