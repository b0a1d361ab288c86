from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import InvalidError
from registry.matching.ids import RowsById, packed

# Few distinct ids, many of them alike but for a trailing zero: fixed-width bytes strip those.
ID = st.sampled_from(
    [bytes(16), b"\x00" * 15 + b"\x01", b"\x01" + b"\x00" * 15]
    + [b"a" * filled + b"\x00" * (16 - filled) for filled in range(1, 17)]
    + [bytes([255]) * 16, bytes([128]) + b"\x00" * 15]
)


@given(st.lists(st.lists(ID, unique=True, max_size=8)), st.integers(1, 12))
@settings(max_examples=500)
def test_the_latest_row_of_an_id_is_found(batches: list[list[bytes]], merge_at: int) -> None:
    rows, expected, first = RowsById(merge_at), dict[bytes, int](), 0
    for batch in batches:
        rows.put(batch, first)
        expected.update(zip(batch, range(first, first + len(batch)), strict=True))
        first += len(batch)
        asked = [*expected, b"never put here!!"]
        assert rows.find(asked).tolist() == [*expected.values(), -1]


def test_nothing_is_found_before_anything_is_put() -> None:
    assert RowsById().find([bytes(16)]).tolist() == [-1]


@pytest.mark.parametrize("ids", [[b""], [b"x" * 15], [b"x" * 17], [b"x" * 15, b"x" * 17]])
def test_ids_of_another_length_are_refused(ids: list[bytes]) -> None:
    with pytest.raises(InvalidError):
        packed(ids)


def test_what_was_put_is_found_while_another_thread_puts_and_merges() -> None:
    rows, ids, done = RowsById(merge_at=3), [bytes([at]) * 16 for at in range(250)], [0]

    def put() -> None:
        for round_ in range(20):
            for at, one in enumerate(ids):
                rows.put([one], round_ * len(ids) + at)
                done[0] += 1

    with ThreadPoolExecutor(1) as threads:
        writer = threads.submit(put)
        while not writer.done():
            before = min(done[0], len(ids))
            assert (rows.find(ids[:before]) >= 0).all()
        writer.result()
    assert rows.find(ids).tolist() == list(range(19 * len(ids), 20 * len(ids)))
