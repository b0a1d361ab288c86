"""What is planted to be found: pictures by their hash, faces by their template.

Both kinds say how references are put on record, how a probe near to one is made and what it must
be answered; and what a plain scan of everything on record, in numpy alone, answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import numpy as np
import numpy.typing as npt
from asking import Json, face_question, question
from filling import (
    Filled,
    Person,
    face_near,
    faces,
    insert_references,
    insert_templates,
    neighbour,
    samples_of,
)
from stage import Stage

from registry.encoder_set import EncoderSet
from registry.encoders.identity import FACE, Condition
from registry.matching.bands import GREY_BITS, MATCH_BITS
from registry.matching.calibration import ALL, GREY_EVIDENCE, MATCH_EVIDENCE, SMALLEST_GALLERY

Rows = npt.NDArray[Any]
Row = tuple[Person, Rows, int]  # whose it is, the reference, its number

# What is answered about people who allowed nothing.
MATCH, GREY, NONE = "CONSENT_REQUIRED", "REVIEW_REQUIRED", "UNKNOWN"
STEP = 1e-6  # from a threshold; float32 tells cosines apart from 0.0000002 on
_AT_ONCE = 64  # probes of a scan


@dataclass(frozen=True, slots=True)
class Plant:
    """A probe, the check of it, and what was meant to come of that."""

    probe: Rows
    asked: Json
    expected: str


class Kind(Protocol):
    """A kind of reference."""

    what: str
    edge: str

    def on_record(self, filled: Filled) -> Rows:
        """Those of this kind that are on record from the start."""

    def made(self, count: int, rng: np.random.Generator) -> Rows:
        """New ones, near to no other."""

    async def insert(
        self, connection: asyncpg.Connection, stage: Stage, rows: Sequence[Row]
    ) -> None:
        """Put them on record."""

    def plant(self, row: Rows, number: int, turn: int, rng: np.random.Generator) -> Plant:
        """What must be found by reference `number`: every turn at another distance."""

    def beyond(self, row: Rows, number: int, rng: np.random.Generator) -> Plant:
        """What is a little too far from it to be found."""

    def same(self, row: Rows) -> Plant:
        """The reference itself, which is not on record."""

    def scan(self, rows: Rows, numbers: Sequence[int], probes: Rows) -> list[str]:
        """What must be answered to each probe where these references are on record."""


class Pictures:
    """Hashes, 0 to 60 bits away."""

    what = "pictures"
    edge = f"0 to {GREY_BITS} bits"

    def on_record(self, filled: Filled) -> Rows:
        """The hashes."""
        return filled.hashes

    def made(self, count: int, rng: np.random.Generator) -> Rows:
        """Random bits."""
        return rng.integers(0, 256, (count, 32), np.uint8)

    async def insert(
        self, connection: asyncpg.Connection, stage: Stage, rows: Sequence[Row]
    ) -> None:
        """As registered pictures."""
        pictures = [(person, row.tobytes()) for person, row, _ in rows]
        await insert_references(connection, pictures, stage.keys, stage.owner)

    def plant(self, row: Rows, number: int, turn: int, rng: np.random.Generator) -> Plant:
        """Another number of bits each turn."""
        del number
        bits = turn % (GREY_BITS + 1)
        return self._plant(row, bits, MATCH if bits <= MATCH_BITS else GREY, rng)

    def beyond(self, row: Rows, number: int, rng: np.random.Generator) -> Plant:
        """One bit."""
        del number
        return self._plant(row, GREY_BITS + 1, NONE, rng)

    def same(self, row: Rows) -> Plant:
        """No bit turned over."""
        return Plant(row, question(row.tobytes().hex()), NONE)

    def _plant(self, row: Rows, bits: int, expected: str, rng: np.random.Generator) -> Plant:
        near = neighbour(row, bits, rng)
        return Plant(np.frombuffer(bytes.fromhex(near), np.uint8), question(near), expected)

    def scan(self, rows: Rows, numbers: Sequence[int], probes: Rows) -> list[str]:
        """By the number of differing bits."""
        del numbers
        words = np.ascontiguousarray(rows).view(np.uint64)
        found = []
        for probe in np.ascontiguousarray(probes).view(np.uint64):
            least = int(np.bitwise_count(words ^ probe).sum(axis=1, dtype=np.uint16).min())
            found.append(MATCH if least <= MATCH_BITS else GREY if least <= GREY_BITS else NONE)
        return found


class Faces:
    """Templates, at the thresholds of the shipped calibration: 0.000001 above and below.

    The thresholds rise with the number of people, which stays as it is from the start; they depend
    on the number of samples in a template, and every curve has its turn.
    """

    what = "templates"
    edge = f"{STEP:.6f} above GREY and about MATCH"

    def __init__(self, people: int) -> None:
        tables = EncoderSet.load().by_id[FACE].calibration.tables[Condition.PHOTO]
        grown = np.log10(max(people, SMALLEST_GALLERY) / SMALLEST_GALLERY)
        self._thresholds: dict[int, tuple[float, float]] = {}
        for samples in {samples_of(number) for number in range(100)}:
            curve = tables[min(size for size in tables if size >= samples)][ALL]
            self._thresholds[samples] = (
                curve.score_of(min(GREY_EVIDENCE + grown, curve.top - 1)),
                curve.score_of(min(MATCH_EVIDENCE + grown, curve.top)),
            )

    def on_record(self, filled: Filled) -> Rows:
        """The faces."""
        return filled.faces

    def made(self, count: int, rng: np.random.Generator) -> Rows:
        """Random directions."""
        return faces(count, rng)

    async def insert(
        self, connection: asyncpg.Connection, stage: Stage, rows: Sequence[Row]
    ) -> None:
        """As further templates of these people."""
        templates = [(person, row, samples_of(number)) for person, row, number in rows]
        await insert_templates(connection, templates, stage.keys)

    def plant(self, row: Rows, number: int, turn: int, rng: np.random.Generator) -> Plant:
        """Half of them just above GREY, the others about MATCH, between, and the face itself."""
        grey, match = self._thresholds[samples_of(number)]
        between = rng.uniform(grey + STEP, match - STEP)
        ways = (
            *((grey + STEP, GREY), (match + STEP, MATCH), (grey + STEP, GREY)),
            *((match - STEP, GREY), (grey + STEP, GREY), (between, GREY)),
            *((grey + STEP, GREY), (1.0, MATCH)),
        )
        return self._plant(row, *ways[turn % len(ways)], rng)

    def beyond(self, row: Rows, number: int, rng: np.random.Generator) -> Plant:
        """Just below GREY."""
        return self._plant(row, self._thresholds[samples_of(number)][0] - STEP, NONE, rng)

    def same(self, row: Rows) -> Plant:
        """The face itself."""
        return Plant(row, face_question(row), NONE)

    def _plant(self, row: Rows, cosine: float, expected: str, rng: np.random.Generator) -> Plant:
        near = face_near(row, cosine, rng)
        return Plant(near, face_question(near), expected)

    def scan(self, rows: Rows, numbers: Sequence[int], probes: Rows) -> list[str]:
        """By cosines in float64, each held against the thresholds of its template."""
        units, samples = _units(rows), np.array([samples_of(one) for one in numbers])
        highest = max(self._thresholds) + 1
        grey, match = (
            np.array([self._thresholds.get(one, (2.0, 2.0))[at] for one in range(highest)])[samples]
            for at in (0, 1)
        )
        found = []
        for first in range(0, len(probes), _AT_ONCE):
            for cosines in _units(probes[first : first + _AT_ONCE]) @ units.T:
                is_grey, is_match = bool((cosines >= grey).any()), bool((cosines >= match).any())
                found.append(MATCH if is_match else GREY if is_grey else NONE)
        return found


def _units(rows: Rows) -> npt.NDArray[np.float64]:
    exact = rows.astype(np.float64)
    units: npt.NDArray[np.float64] = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    return units
