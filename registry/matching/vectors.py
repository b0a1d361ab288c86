"""Exact search among unit vectors held in memory, by cosine: nothing above the floor is missed.

Searches go on while another thread appends (registry/matching/rows.py).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidError
from registry.matching.ids import ID_TYPE, Ids, RowsById, packed, raw_id, unpacked
from registry.matching.rows import CHUNK_ROWS, Chunk, Columns, Rows

MOST_SAMPLES: Final = 2**15 - 1
_UNIT_WITHIN: Final = 1e-3
_BEYOND: Final = 2.0  # no cosine
_LEAST_LENGTH: Final = 1e-6
_LEAST_BLOCK: Final = 1024  # rows of one matrix product: fastest for batches of 64
_DECIDED_AT_ONCE: Final = 4096  # rows held in float64, so that a flood takes time and no memory

Vectors = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Score:
    """A reference, whose it is, of how many samples its template is the mean, and its cosine."""

    id: UUID
    subject: UUID
    samples: int
    score: float


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows with their exact scores; the arrays are equally long."""

    ids: Ids
    subjects: Ids
    samples: npt.NDArray[np.int16]
    scores: Values

    def best(self, most: int) -> "_Found":
        """The `most` best of them, best first, then by id."""
        order = np.lexsort((self.ids, -self.scores))[:most]
        return self.at(order)

    def at(self, positions: Any) -> "_Found":
        return _Found(
            self.ids[positions],
            self.subjects[positions],
            self.samples[positions],
            self.scores[positions],
        )

    def plus(self, other: "_Found") -> "_Found":
        return _Found(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.subjects, other.subjects]),
            np.concatenate([self.samples, other.samples]),
            np.concatenate([self.scores, other.scores]),
        )

    def told(self) -> list[Score]:
        return [
            Score(UUID(bytes=id), UUID(bytes=subject), samples, score)
            for id, subject, samples, score in zip(
                unpacked(self.ids),
                unpacked(self.subjects),
                self.samples.tolist(),
                self.scores.tolist(),
                strict=True,
            )
        ]


_NOTHING: Final = _Found(packed([]), packed([]), np.empty(0, np.int16), np.empty(0))


class VectorIndex:
    """Templates of subjects, searched by cosine without approximation.

    Safe for any number of threads: one at a time appends or retires, and none waits to search.
    The rows of retired references are skipped, not freed; a new index frees them.
    """

    def __init__(self, dimensions: int, chunk_rows: int = CHUNK_ROWS) -> None:
        if dimensions < 1:
            raise InvalidError("A vector has at least one dimension.")
        self.dimensions = dimensions
        self._rows = Rows(self._blank, chunk_rows)
        self._latest_of = RowsById()  # of each subject; the rest is reached row by row
        self._subjects = 0
        # |float32 sum - exact sum| of d products of unit vectors is at most d * 2**-24 (Higham,
        # "Accuracy and Stability", 3.1); twice that, and a little for the rounding of the bound.
        self._slack = 2 * (dimensions + 8) * 2.0**-24

    def __len__(self) -> int:
        """How many references are live."""
        return self._rows.alive

    def __contains__(self, id: bytes | UUID) -> bool:
        """Whether this reference is live."""
        return self._rows.holds(id)

    def knows(self, subject: bytes | UUID) -> bool:
        """Whether a live reference is this subject's."""
        return self._is_known(raw_id(subject))

    def subjects(self) -> int:
        """How many subjects have a live reference."""
        return self._subjects

    def add(
        self,
        ids: Sequence[bytes | UUID],
        subjects: Sequence[bytes | UUID],
        samples: Sequence[int],
        vectors: Vectors,
    ) -> None:
        """Take in n templates: ids, whose they are, of how many samples, and (n, d) unit float32.

        Idempotent: an id that is live is left as it is, so a row may be delivered twice; of an id
        that occurs twice in one call the first counts. A retired id becomes live anew. Searches
        that begin after the call see all of them, searches under way see all or none. Raises
        InvalidError for other shapes, types or lengths, for numbers that are not finite, and for
        rows whose length is not 1 within 0.001, and then takes in nothing.
        """
        if not len(ids) == len(subjects) == len(samples) == len(vectors):
            raise InvalidError("Each vector needs one id, one subject and one number of samples.")
        if any(not 1 <= count <= MOST_SAMPLES for count in samples):
            raise InvalidError(f"A template is made of 1 to {MOST_SAMPLES} samples.")
        units = self._units(vectors)
        raw, owners = [raw_id(one) for one in ids], [raw_id(one) for one in subjects]
        with self._rows.writing:
            fresh = self._rows.fresh(raw)
            new, whose = [raw[at] for at in fresh], [owners[at] for at in fresh]
            before = self._rows_before(whose)
            counts = np.array([samples[at] for at in fresh], np.int16)
            first = self._rows.write(new, (units[fresh].T, packed(whose), counts, before))
            again = {one for one, row in zip(whose, before.tolist(), strict=True) if row >= 0}
            known = sum(self._is_known(one) for one in again)
            self._latest_of.put(whose, first)  # a search under way skips what is not complete
            self._rows.publish(new)
            self._subjects += len(set(whose)) - known

    def retire(self, id: bytes | UUID) -> None:
        """Let no search that begins from now on find this reference. An unknown id is no error."""
        raw = raw_id(id)
        with self._rows.writing:
            row = self._rows.retire(raw)
            if row is not None:
                chunk, at = self._rows.place(row)
                _, subjects, _, _ = chunk.columns
                (subject,) = unpacked(subjects[at : at + 1])
                self._subjects -= not self._is_known(subject)

    def search(
        self,
        queries: Vectors,
        floor: float,
        most: int,
        also: Sequence[Collection[bytes | UUID]] | None = None,
    ) -> list[list[Score]]:
        """For each of (q, d) unit float32 queries, the references whose cosine is at least `floor`.

        At most the `most` best of them, and beside these every reference of the subjects in
        `also[i]` whatever its score. Best first, then by id. Exact, because it scans every row in
        float32 and decides in float64 whatever comes near. Raises InvalidError for another shape
        or type, for vectors that `add` would refuse, a floor that is no number, and most < 1.
        """
        units = self._units(queries)
        if np.isnan(floor) or most < 1:
            raise InvalidError("A floor is a number, and at least one result is asked for.")
        if also is not None and len(also) != len(queries):
            raise InvalidError("Each query has its own subjects to be found whatever their score.")
        floor = min(max(floor, -_BEYOND), _BEYOND)
        rows = self._rows.complete
        found = [_NOTHING for _ in queries]
        for chunk, filled in self._rows.parts(rows):
            for first, scores in _products(chunk, filled, units):
                for at, query in enumerate(units):
                    near = self._near(scores[at], chunk.alive[first:], floor, most)
                    for some in _slices(near + first):
                        new = _decided(chunk, some, query)
                        new = new.at(new.scores >= floor)
                        found[at] = found[at].plus(new).best(most)
        if also is not None:
            for at, wanted in enumerate(also):
                found[at] = self._with_claimed(found[at], units[at], wanted, rows)
        return [one.told() for one in found]

    def _near(
        self, scores: Vectors, alive: npt.NDArray[np.bool_], floor: float, most: int
    ) -> Positions:
        """Live rows that may be among the `most` best at or above the floor: none of them lost."""
        near = np.flatnonzero(scores >= np.float32(floor - self._slack))
        near = near[alive[near]]
        if len(near) > most:
            last = np.partition(scores[near], -most)[-most]
            near = near[scores[near] >= last - np.float32(2 * self._slack)]
        return near

    def _with_claimed(
        self, found: _Found, query: Vectors, wanted: Collection[bytes | UUID], rows: int
    ) -> _Found:
        have = set(unpacked(found.ids))
        for subject in {raw_id(one) for one in wanted}:
            for row in self._live_rows_of(subject, rows):
                chunk, at = self._rows.place(row)
                new = _decided(chunk, np.array([at]), query)
                if have.isdisjoint(unpacked(new.ids)):
                    found = found.plus(new)
        return found.best(len(found.ids))

    def _is_known(self, subject: bytes) -> bool:
        return any(True for _ in self._live_rows_of(subject, self._rows.complete))

    def _live_rows_of(self, subject: bytes, rows: int) -> Iterator[int]:
        """The subject's live rows among the first `rows`, the latest first."""
        row = int(self._latest_of.find([subject])[0])
        while row >= 0:
            if row < rows and self._rows.is_alive(row):
                yield row
            chunk, at = self._rows.place(row)
            _, _, _, before = chunk.columns
            row = int(before[at])

    def _rows_before(self, subjects: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """For rows about to be written: the subject's row before, -1 where it is the first."""
        before = self._latest_of.find(subjects)
        latest: dict[bytes, int] = {}
        for position, one in enumerate(subjects):
            before[position] = latest.get(one, before[position])
            latest[one] = self._rows.complete + position
        return before

    def _units(self, vectors: Vectors) -> Vectors:
        """The rows, their length made 1 to the last bit that float32 has."""
        if vectors.dtype != np.float32 or vectors.ndim != 2 or vectors.shape[1] != self.dimensions:  # noqa: PLR2004  # rows, columns
            raise InvalidError(f"Vectors come as float32 of shape (n, {self.dimensions}).")
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        if not (np.abs(lengths - 1) <= _UNIT_WITHIN).all():  # not so of NaN
            raise InvalidError("Vectors are finite and of length 1.")
        units: Vectors = (vectors / lengths[:, None]).astype(np.float32)
        return units

    def _blank(self, rows: int) -> Columns:
        return (
            np.empty((self.dimensions, rows), np.float32, order="F"),  # a row lies in one piece
            np.zeros(rows, ID_TYPE),  # the subject
            np.empty(rows, np.int16),  # samples
            np.empty(rows, np.int64),  # the subject's row before
        )


def unit(vector: object, dimensions: int) -> Vectors:
    """A caller's vector as (d,) float32 of length 1.

    Raises InvalidError unless it is a flat sequence of `dimensions` finite numbers that are not
    all alike (zero among them): no encoder makes such a vector, and it is near to nobody or to all.
    """
    try:
        given = np.asarray(vector, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidError("A vector is a list of numbers.") from error
    if given.shape != (dimensions,):
        raise InvalidError(f"A vector of this encoder has {dimensions} numbers.")
    if not np.isfinite(given).all():
        raise InvalidError("The numbers of a vector are finite.")
    largest = float(np.abs(given).max())
    if largest < _LEAST_LENGTH or float(np.ptp(given)) < _LEAST_LENGTH * largest:
        raise InvalidError("The numbers of a vector are not all alike.")
    given = given / largest  # so that no square is too large to hold
    return (given / np.linalg.norm(given)).astype(np.float32)


def _products(chunk: Chunk, filled: int, queries: Vectors) -> Iterator[tuple[int, Vectors]]:
    """First rows, and the (q, block) float32 products of the queries with the block there."""
    block = max(_LEAST_BLOCK, CHUNK_ROWS // max(1, len(queries)))
    vectors, _, _, _ = chunk.columns
    for first in range(0, filled, block):
        rows = vectors[:, first : min(first + block, filled)].T
        products = rows @ queries[0] if len(queries) == 1 else rows @ queries.T
        yield first, np.ascontiguousarray(products.reshape(len(rows), -1).T)


def _decided(chunk: Chunk, rows: Positions, query: Vectors) -> _Found:
    """Exact scores: summed row by row, so that they do not depend on what else is scored."""
    vectors, subjects, samples, _ = chunk.columns
    scores = (vectors[:, rows].T.astype(np.float64) * query).sum(axis=1)
    return _Found(chunk.ids[rows], subjects[rows], samples[rows], np.clip(scores, -1, 1))


def _slices(rows: Positions) -> Iterator[Positions]:
    for first in range(0, len(rows), _DECIDED_AT_ONCE):
        yield rows[first : first + _DECIDED_AT_ONCE]
