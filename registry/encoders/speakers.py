"""Which parts of a recording are one speaker's: windows cut at pauses, gathered by vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# Mean cosine of `campplus/1` between groups of windows. One speaker's windows have 0.45 and more
# (99.9 % of pairs of `voices`); two speakers with less are found in 9 of 10 recordings.
SAME_SPEAKER: Final = 0.40
SHORTEST: Final = 2.0  # seconds of a window, where there is as much speech before the next pause
LONGEST: Final = 4.5
PAUSE: Final = 0.3  # seconds; whoever speaks next may be somebody else
_LEAST = 1.5

Piece = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A few seconds of speech, in pieces (start, end) of the recording."""

    pieces: tuple[Piece, ...]

    @property
    def start(self) -> float:
        """Its first second."""
        return self.pieces[0][0]

    @property
    def end(self) -> float:
        """Its last second."""
        return self.pieces[-1][1]

    @property
    def seconds(self) -> float:
        """Of speech in it."""
        return sum(end - start for start, end in self.pieces)


def windows_of(segments: Sequence[Piece]) -> list[Window]:
    """All speech in windows of about 2 to 4.5 s, cut at pauses where there are some.

    A rest of less than 1.5 s is part of the window before it. `segments` is not empty.
    """
    turns: list[list[Piece]] = [[]]
    for segment in segments:
        turn = turns[-1]
        if turn and Window(tuple(turn)).seconds >= SHORTEST and segment[0] - turn[-1][1] >= PAUSE:
            turns.append([segment])
        else:
            turn.append(segment)
    if len(turns) > 1 and Window(tuple(turns[-1])).seconds < _LEAST:
        turns[-2].extend(turns.pop())
    return [window for turn in turns for window in _parts(Window(tuple(turn)))]


def _parts(turn: Window) -> list[Window]:
    """The turn in equal parts, as few as are not too long."""
    count = max(int(np.ceil(turn.seconds / LONGEST)), 1)
    size = turn.seconds / count
    parts: list[list[Piece]] = [[]]
    room = size
    for start, end in turn.pieces:
        at = start
        while end - at > room + 1e-6 and len(parts) < count:
            parts[-1].append((at, at + room))
            at, room = at + room, size
            parts.append([])
        parts[-1].append((at, end))
        room -= end - at
    return [Window(tuple(part)) for part in parts if part]


def grouped(vectors: npt.NDArray[np.float32], least: float = SAME_SPEAKER) -> list[list[int]]:
    """Indices of the rows, one list a speaker: average linkage, rows of unit length.

    The two groups whose pairs are most alike on average become one, until none reach `least`.
    """
    alike = vectors @ vectors.T
    groups = [[at] for at in range(len(vectors))]
    while len(groups) > 1:
        pairs = [
            (float(alike[np.ix_(groups[one], groups[two])].mean()), one, two)
            for one in range(len(groups))
            for two in range(one + 1, len(groups))
        ]
        score, one, two = max(pairs)
        if score < least:
            break
        groups[one].extend(groups.pop(two))
    return [sorted(group) for group in groups]
