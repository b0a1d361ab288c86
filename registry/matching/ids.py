"""Which row an id stands in: 20 to 40 bytes an id where a dict costs 150.

Sorted arrays for most, a small dict for the latest, merged into the arrays when it has grown to an
eighth of them.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidError

ID_BYTES: Final = 16
# Fixed-width bytes compare in all 16 places; but read them with `tobytes`, because a single element
# comes without its trailing zero bytes.
ID_TYPE: Final = np.dtype(f"S{ID_BYTES}")
_MERGE_AT: Final = 4096

Ids = npt.NDArray[np.bytes_]
Rows = npt.NDArray[np.int64]


def packed(ids: Sequence[bytes]) -> Ids:
    """The ids as one (n,) array of 16-byte strings; InvalidError if one has another length."""
    if any(len(one) != ID_BYTES for one in ids):
        raise InvalidError(f"An id has {ID_BYTES} bytes.")
    return np.frombuffer(b"".join(ids), ID_TYPE)


def raw_id(id: bytes | UUID) -> bytes:
    """The 16 bytes of an id; InvalidError if it has another length."""
    raw = id.bytes if isinstance(id, UUID) else id
    if len(raw) != ID_BYTES:
        raise InvalidError(f"An id has {ID_BYTES} bytes.")
    return raw


def unpacked(ids: Ids) -> list[bytes]:
    """The ids of an array, each with all its 16 bytes."""
    raw = ids.tobytes()
    return [raw[at : at + ID_BYTES] for at in range(0, len(raw), ID_BYTES)]


class RowsById:
    """The latest row of each id. One thread at a time puts; any number may find meanwhile."""

    def __init__(self, merge_at: int = _MERGE_AT) -> None:
        self._merge_at = merge_at
        self._sorted: tuple[Ids, Rows] = (packed([]), np.empty(0, np.int64))
        self._latest: dict[bytes, int] = {}

    def find(self, ids: Sequence[bytes]) -> Rows:
        """Row of each id, -1 where there is none: (n,) int64."""
        wanted = packed(ids)
        latest = self._latest  # before the arrays: a merge fills these, then begins a new dict
        known, known_rows = self._sorted
        rows = np.full(len(ids), -1, np.int64)
        if len(known):
            at = np.searchsorted(known, wanted)
            at[at == len(known)] = 0
            found = known[at] == wanted
            rows[found] = known_rows[at[found]]
        if latest:
            for position, one in enumerate(ids):
                rows[position] = latest.get(one, rows[position])
        return rows

    def put(self, ids: Sequence[bytes], first_row: int) -> None:
        """Let the ids stand in the rows `first_row`, `first_row + 1`, ...; a later put wins."""
        packed(ids)
        self._latest.update(zip(ids, range(first_row, first_row + len(ids)), strict=True))
        if len(self._latest) >= max(self._merge_at, len(self._sorted[0]) // 8):
            self._merge()

    def _merge(self) -> None:
        known, known_rows = self._sorted
        ids = np.concatenate([known, packed(list(self._latest))])
        rows = np.concatenate([known_rows, np.fromiter(self._latest.values(), np.int64)])
        order = np.argsort(ids, kind="stable")  # of equal ids the later put stands last
        ids, rows = ids[order], rows[order]
        last = np.append(ids[1:] != ids[:-1], True)
        self._sorted = (ids[last], rows[last])
        self._latest = {}
