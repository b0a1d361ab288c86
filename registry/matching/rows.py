"""Rows in memory that one thread appends while others search: what every kind of index shares.

Rows are only ever appended, in chunks that never move, and count once they are complete: a search
reads what was complete when it began. Retired rows are skipped, not freed; a new index frees them.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidError
from registry.matching.ids import ID_TYPE, Ids, RowsById, packed, raw_id

CHUNK_ROWS: Final = 65_536

Columns = tuple[npt.NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A fixed block of rows. The last axis of each column counts the rows."""

    ids: Ids  # (rows,)
    alive: npt.NDArray[np.bool_]  # (rows,)
    columns: Columns


class Rows:
    """Ids, whether each is live, and columns laid out as their kind of search reads them fastest.

    `blank` makes the columns of a chunk of so many rows. A writer holds `writing`; readers none.
    """

    def __init__(self, blank: Callable[[int], Columns], chunk_rows: int) -> None:
        if chunk_rows < 1:
            raise InvalidError("A chunk has at least one row.")
        self.writing = threading.Lock()
        self.complete = 0  # what a search may read
        self.alive = 0
        self._blank = blank
        self.chunk_rows = chunk_rows
        self._chunks: list[Chunk] = []
        self._row_of = RowsById()

    def holds(self, id: bytes | UUID) -> bool:
        """Whether this id is live."""
        with self.writing:
            return self._live_row(raw_id(id)) is not None

    def is_alive(self, row: int) -> bool:
        """Whether the row has not been retired; the row is complete."""
        chunk, at = self.place(row)
        return bool(chunk.alive[at])

    def place(self, row: int) -> tuple[Chunk, int]:
        """The chunk of a row, and which of its rows it is."""
        number, at = divmod(row, self.chunk_rows)
        return self._chunks[number], at

    def parts(self, rows: int) -> Iterator[tuple[Chunk, int]]:
        """The chunks of the first `rows` rows, and how many rows of each these are."""
        for first in range(0, rows, self.chunk_rows):
            chunk, _ = self.place(first)
            yield chunk, min(self.chunk_rows, rows - first)

    def fresh(self, raw: Sequence[bytes]) -> list[int]:
        """Positions of the ids that are not live yet, the first of each. For the writer."""
        first: dict[bytes, int] = {}
        for position, (one, row) in enumerate(
            zip(raw, self._row_of.find(raw).tolist(), strict=True)
        ):
            if row < 0 or not self.is_alive(row):
                first.setdefault(one, position)
        return list(first.values())

    def write(self, raw: Sequence[bytes], columns: Columns) -> int:
        """Write rows behind the complete ones, unseen as yet; the first of them. For the writer."""
        ids, done = packed(raw), 0
        while done < len(raw):
            number, at = divmod(self.complete + done, self.chunk_rows)
            if number == len(self._chunks):
                self._chunks.append(self._empty_chunk())
            chunk = self._chunks[number]
            taken = min(self.chunk_rows - at, len(raw) - done)
            for column, values in zip(chunk.columns, columns, strict=True):
                column[..., at : at + taken] = values[..., done : done + taken]
            chunk.ids[at : at + taken] = ids[done : done + taken]
            chunk.alive[at : at + taken] = True
            done += taken
        return self.complete

    def publish(self, raw: Sequence[bytes]) -> None:
        """Let searches that begin from here on see the rows just written. For the writer."""
        first = self.complete
        self.complete = first + len(raw)
        self.alive += len(raw)
        self._row_of.put(raw, first)

    def retire(self, raw: bytes) -> int | None:
        """Let no search that begins from now on find this id; the row it had. For the writer."""
        row = self._live_row(raw)
        if row is not None:
            chunk, at = self.place(row)
            chunk.alive[at] = False
            self.alive -= 1
        return row

    def _live_row(self, raw: bytes) -> int | None:
        row = int(self._row_of.find([raw])[0])
        return row if row >= 0 and self.is_alive(row) else None

    def _empty_chunk(self) -> Chunk:
        rows = self.chunk_rows
        return Chunk(np.zeros(rows, ID_TYPE), np.zeros(rows, np.bool_), self._blank(rows))
