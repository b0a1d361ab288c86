"""Exact search among the hashes held in memory: every live reference within a radius, none missed.

Rows are only ever appended, in chunks that never move, and count once they are complete: a search
reads what was complete when it began, while another thread appends.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidError
from registry.matching.bands import HASH_BITS
from registry.matching.ids import ID_BYTES, ID_TYPE, Ids, RowsById, packed

HASH_BYTES: Final = HASH_BITS // 8
CHUNK_ROWS: Final = 65_536
_WORDS: Final = HASH_BYTES // 8

Bytes = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.uint16]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Hit:
    """A reference within the radius."""

    id: UUID
    distance_bits: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A fixed block of rows. `values` is laid out as its kind of search reads it fastest."""

    ids: Ids  # (rows,)
    alive: npt.NDArray[np.bool_]  # (rows,)
    values: npt.NDArray[Any]

    @classmethod
    def of(cls, rows: int, values: npt.NDArray[Any]) -> Self:
        return cls(np.zeros(rows, ID_TYPE), np.zeros(rows, np.bool_), values)


@dataclass(frozen=True, slots=True)
class _Scratch:
    """Room for the distances of one chunk, made once a search."""

    word: Words
    bits: Bytes
    distance: Distances
    within: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: int) -> Self:
        return cls(
            np.empty(rows, np.uint64),
            np.empty((_WORDS, rows), np.uint8),
            np.empty(rows, np.uint16),
            np.empty(rows, np.bool_),
        )


class HashIndex:
    """Ids and 256-bit hashes, searched by Hamming distance without approximation.

    Safe for any number of threads: one at a time appends or retires, and none waits to search.
    The rows of retired references are skipped, not freed; a new index frees them.
    """

    def __init__(self, chunk_rows: int = CHUNK_ROWS) -> None:
        if chunk_rows < 1:
            raise InvalidError("A chunk has at least one row.")
        self._chunk_rows = chunk_rows
        self._writing = threading.Lock()
        self._chunks: list[_Chunk] = []
        self._rows = 0  # complete rows: what a search may read
        self._alive = 0
        self._row_of = RowsById()

    def __len__(self) -> int:
        """How many references are live."""
        return self._alive

    def __contains__(self, reference_id: bytes | UUID) -> bool:
        """Whether this reference is live."""
        with self._writing:
            return self._live_row(_raw(reference_id)) is not None

    def add(self, ids: Sequence[bytes | UUID], hashes: Bytes) -> None:
        """Take in references: n ids of 16 bytes, and (n, 32) uint8, one hash a row.

        Idempotent: an id that is live is left as it is, so a row may be delivered twice; of an id
        that occurs twice in one call the first counts. A retired id becomes live anew. Searches
        that begin after the call see all of them, searches under way see all or none. Raises
        InvalidError for other shapes, types or lengths, and then takes in nothing.
        """
        _check_hashes(hashes)
        if len(ids) != len(hashes):
            raise InvalidError("Each hash needs one id.")
        raw = [_raw(one) for one in ids]
        with self._writing:
            fresh = self._fresh(raw)
            if fresh:
                self._append([raw[at] for at in fresh], _words(hashes)[fresh])

    def retire(self, reference_id: bytes | UUID) -> None:
        """Let no search that begins from now on find this reference. An unknown id is no error."""
        with self._writing:
            row = self._live_row(_raw(reference_id))
            if row is not None:
                chunk, at = divmod(row, self._chunk_rows)
                self._chunks[chunk].alive[at] = False
                self._alive -= 1

    def search(self, queries: Bytes, radius_bits: int) -> list[list[Hit]]:
        """For each of (q, 32) uint8 hashes, every live reference at most `radius_bits` away.

        Nearest first, then by id. Exact, because it scans every row. Raises InvalidError for
        another shape or type, and for a radius that is not 0 to 256.
        """
        _check_hashes(queries)
        if not 0 <= radius_bits <= HASH_BITS:
            raise InvalidError(f"A radius is 0 to {HASH_BITS} bits.")
        rows = self._rows  # read before the chunks: they hold at least these
        scratch = _Scratch.of(min(rows, self._chunk_rows))
        words = _words(queries)
        found: list[list[tuple[int, bytes]]] = [[] for _ in queries]
        for number in range(-(-rows // self._chunk_rows)):
            chunk = self._chunks[number]
            filled = min(self._chunk_rows, rows - number * self._chunk_rows)
            for hits, query in zip(found, words, strict=True):
                near = _near(chunk.values[:, :filled], query, radius_bits, scratch)
                near = near[chunk.alive[near]]
                hits.extend(_pairs(scratch.distance[near], chunk.ids[near]))
        return [
            [Hit(UUID(bytes=raw), distance) for distance, raw in sorted(hits)] for hits in found
        ]

    def _live_row(self, raw: bytes) -> int | None:
        row = int(self._row_of.find([raw])[0])
        return row if row >= 0 and self._is_alive(row) else None

    def _is_alive(self, row: int) -> bool:
        chunk, at = divmod(row, self._chunk_rows)
        return bool(self._chunks[chunk].alive[at])

    def _fresh(self, raw: Sequence[bytes]) -> list[int]:
        """Positions of the ids that are not live yet, the first of each."""
        first: dict[bytes, int] = {}
        for position, (one, row) in enumerate(
            zip(raw, self._row_of.find(raw).tolist(), strict=True)
        ):
            if row < 0 or not self._is_alive(row):
                first.setdefault(one, position)
        return list(first.values())

    def _append(self, raw: Sequence[bytes], words: Words) -> None:
        first_row, ids, done = self._rows, packed(raw), 0
        while done < len(raw):
            number, at = divmod(first_row + done, self._chunk_rows)
            if number == len(self._chunks):
                values = np.empty((_WORDS, self._chunk_rows), np.uint64)
                self._chunks.append(_Chunk.of(self._chunk_rows, values))
            chunk = self._chunks[number]
            taken = min(self._chunk_rows - at, len(raw) - done)
            chunk.values[:, at : at + taken] = words[done : done + taken].T
            chunk.ids[at : at + taken] = ids[done : done + taken]
            chunk.alive[at : at + taken] = True
            done += taken
        self._rows = first_row + len(raw)  # after the rows are whole: from here searches see them
        self._alive += len(raw)
        self._row_of.put(raw, first_row)


def _near(
    columns: Words, query: Words, radius_bits: int, scratch: _Scratch
) -> npt.NDArray[np.intp]:
    """Rows of (4, n) columns within the radius; leaves all n distances in `scratch.distance`.

    Whole columns a call, since each call may cost a wait for the interpreter lock. Half sums fit
    uint8 (128); the whole does not: the exact complement is 256 bits away, which uint8 reads as 0.
    """
    rows = columns.shape[1]
    word, bits, distance = scratch.word[:rows], scratch.bits[:, :rows], scratch.distance[:rows]
    for number in range(_WORDS):
        np.bitwise_xor(columns[number], query[number], out=word)
        np.bitwise_count(word, out=bits[number])
    np.add(bits[:2], bits[2:], out=bits[:2])
    np.add(bits[0], bits[1], out=distance, dtype=np.uint16)
    np.less_equal(distance, radius_bits, out=scratch.within[:rows])
    return np.flatnonzero(scratch.within[:rows])


def _pairs(distances: Distances, ids: Ids) -> list[tuple[int, bytes]]:
    raw = ids.tobytes()
    return [
        (distance, raw[at * ID_BYTES : (at + 1) * ID_BYTES])
        for at, distance in enumerate(distances.tolist())
    ]


def _words(hashes: Bytes) -> Words:
    return np.ascontiguousarray(hashes).view(np.uint64)


def _raw(reference_id: bytes | UUID) -> bytes:
    raw = reference_id.bytes if isinstance(reference_id, UUID) else reference_id
    if len(raw) != ID_BYTES:
        raise InvalidError(f"An id has {ID_BYTES} bytes.")
    return raw


def _check_hashes(hashes: Bytes) -> None:
    if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != HASH_BYTES:  # noqa: PLR2004  # rows, columns
        raise InvalidError(f"Hashes come as uint8 of shape (n, {HASH_BYTES}).")
