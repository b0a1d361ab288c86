"""Comparisons of labelled samples: templates of one to three of them against the others.

A template never meets a probe out of a recording or picture that it was made of.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

TEMPLATES: Final = 8  # of one person, where templates have more than one sample

Vectors = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """n vectors (n, d) of unit length, whose each is, and which recording or picture it is of."""

    vectors: Vectors
    people: Indices  # (n,)
    recordings: Indices  # (n,)

    def of(self, people: Collection[int]) -> Self:
        """Only the samples of these people."""
        chosen = np.isin(self.people, list(people))
        return replace(
            self,
            vectors=self.vectors[chosen],
            people=self.people[chosen],
            recordings=self.recordings[chosen],
        )


@dataclass(frozen=True, slots=True)
class Trials:
    """Scores of impostor and of genuine comparisons, and between whom they were.

    `impostors` (m,), `between` (m, 2): the template's person and the probe's; `genuine` (g,),
    `whose` (g,). `recordings`: how many each person has that were probed, by number of the person.
    """

    impostors: Vectors
    between: Indices
    genuine: Vectors
    whose: Indices
    recordings: Indices

    def within(self, people: Collection[int]) -> Self:
        """Only the comparisons of these people with each other and themselves."""
        chosen = list(people)
        inside = np.isin(self.between, chosen).all(axis=1)
        own = np.isin(self.whose, chosen)
        members = np.isin(np.arange(len(self.recordings)), chosen)
        return replace(
            self,
            impostors=self.impostors[inside],
            between=self.between[inside],
            genuine=self.genuine[own],
            whose=self.whose[own],
            recordings=np.where(members, self.recordings, 0),
        )

    @property
    def independent(self) -> int:
        """How many impostor comparisons count as such: no more than pairs of two recordings.

        Larger templates meet a probe in many mixtures of the same few recordings.
        """
        whole = int(self.recordings.sum())
        pairs = (whole**2 - int((self.recordings**2).sum())) // 2
        return min(len(self.impostors), pairs)

    @property
    def people(self) -> int:
        """How many people took part."""
        return len(np.union1d(self.between, self.whose))


@dataclass(frozen=True, slots=True)
class Templates:
    """Means of samples, of unit length (t, d), and the recordings in each: `parts` (t, size)."""

    vectors: Vectors
    people: Indices
    parts: Indices


def templates(enrolled: Samples, size: int, rng: np.random.Generator) -> Templates:
    """Templates of `size` samples of one person: each sample for 1, else at most eight a person."""
    chosen: list[npt.NDArray[Any]] = [np.empty((0, size), np.int64)]
    for person in np.unique(enrolled.people):
        rows = np.flatnonzero(enrolled.people == person)
        if size > 1:
            rows = rng.permutation(rows)
        if len(rows) < size:
            continue
        starts = range(len(rows) if size == 1 else min(TEMPLATES, len(rows)))
        wanted = np.array(
            [[rows[(start + at) % len(rows)] for at in range(size)] for start in starts]
        )
        chosen.append(wanted[:1] if len(rows) == size > 1 else wanted)
    rows = np.concatenate(chosen)
    means = enrolled.vectors[rows].astype(np.float64).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return Templates(
        means.astype(np.float32), enrolled.people[rows[:, 0]], enrolled.recordings[rows]
    )


def compare(enrolled: Samples, probes: Sequence[Samples], size: int, seed: int = 1) -> Trials:
    """Templates of `size` samples against the probes of other people and of other recordings.

    `probes` of several kinds: a recording scores what the most alike of its probes scores. Two
    recordings meet once as templates of one sample, larger templates meet every other recording.
    """
    made = templates(enrolled, size, np.random.default_rng(seed))
    recordings, whose, scores = _highest(made, probes)
    same_person = made.people[:, None] == whose
    if size == 1:
        counted = made.parts < recordings
        impostor, genuine = counted & ~same_person, counted & same_person
    else:
        own_part = (made.parts[:, :, None] == recordings).any(axis=1)
        impostor, genuine = ~same_person, same_person & ~own_part
    of, to = np.nonzero(impostor)
    return Trials(
        impostors=scores[impostor],
        between=np.stack([made.people[of], whose[to]], axis=1),
        genuine=scores[genuine],
        whose=made.people[np.nonzero(genuine)[0]],
        recordings=np.bincount(whose),
    )


def _highest(made: Templates, probes: Sequence[Samples]) -> tuple[Indices, Indices, Vectors]:
    """Recordings (r,), whose each is, and the (t, r) highest scores of their probes."""
    recordings, first = np.unique(
        np.concatenate([one.recordings for one in probes]), return_index=True
    )
    whose = np.concatenate([one.people for one in probes])[first]
    scores = np.full((len(recordings), len(made.people)), -2, np.float32)
    for one in probes:
        at = np.searchsorted(recordings, one.recordings)
        np.maximum.at(scores, at, one.vectors @ made.vectors.T)
    return recordings, whose, scores.T
