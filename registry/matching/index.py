"""Exact search among the hashes held in memory: every live reference within a radius, none missed.

Searches go on while another thread appends (registry/matching/rows.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidError
from registry.matching.bands import HASH_BITS
from registry.matching.ids import raw_id, unpacked
from registry.matching.rows import CHUNK_ROWS, Columns, Rows

HASH_BYTES: Final = HASH_BITS // 8
_WORDS: Final = HASH_BYTES // 8

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Hit:
    """A reference within the radius."""

    id: UUID
    distance_bits: int


@dataclass(frozen=True, slots=True)
class _Scratch:
    """Room for the distances of one chunk, made once a search."""

    word: Words
    bits: Bytes
    distance: npt.NDArray[np.uint16]
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
        self._rows = Rows(_blank, chunk_rows)

    def __len__(self) -> int:
        """How many references are live."""
        return self._rows.alive

    def __contains__(self, reference_id: bytes | UUID) -> bool:
        """Whether this reference is live."""
        return self._rows.holds(reference_id)

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
        raw = [raw_id(one) for one in ids]
        with self._rows.writing:
            fresh = self._rows.fresh(raw)
            new = [raw[at] for at in fresh]
            self._rows.write(new, (_words(hashes)[fresh].T,))
            self._rows.publish(new)

    def retire(self, reference_id: bytes | UUID) -> None:
        """Let no search that begins from now on find this reference. An unknown id is no error."""
        raw = raw_id(reference_id)
        with self._rows.writing:
            self._rows.retire(raw)

    def search(self, queries: Bytes, radius_bits: int) -> list[list[Hit]]:
        """For each of (q, 32) uint8 hashes, every live reference at most `radius_bits` away.

        Nearest first, then by id. Exact, because it scans every row. Raises InvalidError for
        another shape or type, and for a radius that is not 0 to 256.
        """
        _check_hashes(queries)
        if not 0 <= radius_bits <= HASH_BITS:
            raise InvalidError(f"A radius is 0 to {HASH_BITS} bits.")
        rows = self._rows.complete
        scratch = _Scratch.of(min(rows, self._rows.chunk_rows))
        words = _words(queries)
        found: list[list[tuple[int, bytes]]] = [[] for _ in queries]
        for chunk, filled in self._rows.parts(rows):
            (values,) = chunk.columns
            for hits, query in zip(found, words, strict=True):
                near = _near(values[:, :filled], query, radius_bits, scratch)
                near = near[chunk.alive[near]]
                ids = unpacked(chunk.ids[near])
                hits.extend(zip(scratch.distance[near].tolist(), ids, strict=True))
        return [
            [Hit(UUID(bytes=raw), distance) for distance, raw in sorted(hits)] for hits in found
        ]


def _blank(rows: int) -> Columns:
    return (np.empty((_WORDS, rows), np.uint64),)


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


def _words(hashes: Bytes) -> Words:
    return np.ascontiguousarray(hashes).view(np.uint64)


def _check_hashes(hashes: Bytes) -> None:
    if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != HASH_BYTES:  # noqa: PLR2004  # rows, columns
        raise InvalidError(f"Hashes come as uint8 of shape (n, {HASH_BYTES}).")
