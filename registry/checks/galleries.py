"""Templates held in memory, in galleries by encoder, condition and whether they are verified.

Unverified people are apart, so that a flood of them moves no threshold of those who are known.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from registry.encoder_set import EncoderSet
from registry.encoders.identity import Condition
from registry.keys import Keys
from registry.matching.vectors import Score, VectorIndex
from registry.policy.vocabulary import Modality
from registry.sealing import SealError
from registry.templates import vector_context

MOST = 64  # references near one probe that are looked at, the best of each gallery

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SealedTemplate:
    """A template as it is stored."""

    id: UUID
    subject_id: UUID
    modality: Modality
    encoder: str
    condition: Condition
    samples: int
    verified: bool
    sealed_vector: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A face or voice to search for: a unit vector of float32, and whom it is said to be."""

    encoder: str
    condition: Condition
    vector: bytes
    claimed: UUID | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A template near to a query, or the claimed subject's, and which gallery it is in."""

    score: Score
    verified: bool


@dataclass(frozen=True, slots=True)
class _Key:
    encoder: str
    condition: Condition
    verified: bool


class Galleries:
    """Every live template. Rows are added and retired by the one who owns the snapshot."""

    def __init__(self, keys: Keys, encoders: EncoderSet) -> None:
        self._keys = keys
        self.encoders = encoders
        self._indexes: dict[_Key, VectorIndex] = {}
        self._only_elsewhere: dict[Modality, set[UUID]] = {one: set() for one in encoders.active}
        self.unreadable = 0

    def __len__(self) -> int:
        return sum(len(one) for one in self._indexes.values())

    def people(self, encoder: str, condition: Condition, *, verified: bool) -> int:
        """How many people are in a gallery."""
        index = self._indexes.get(_Key(encoder, condition, verified))
        return 0 if index is None else index.subjects()

    def is_complete(self, modality: Modality) -> bool:
        """Whether the active encoder knows everybody whom some encoder knows."""
        return not self._only_elsewhere[modality]

    def only_elsewhere(self) -> set[UUID]:
        """Whom only encoders that are being replaced know."""
        return set().union(*self._only_elsewhere.values())

    def still_only_elsewhere(self, subjects: set[UUID]) -> None:
        """Of those only these have a live template yet."""
        for known in self._only_elsewhere.values():
            known.intersection_update(subjects)

    def take_in(self, rows: Sequence[SealedTemplate]) -> None:
        """Search these from now on. One that cannot be opened is counted and left out."""
        parts: dict[_Key, list[tuple[SealedTemplate, bytes]]] = {}
        for row in rows:
            known = self.encoders.by_id.get(row.encoder)
            if known is None:
                continue  # its encoder is not in use any more: see _note
            try:
                key = self._keys.open_key(row.subject_id, row.wrapped_key)
                plain = key.open(row.sealed_vector, context=vector_context(row.id))
            except SealError:
                self.unreadable += 1
                logger.exception("Template %s cannot be opened: damaged, or other keys.", row.id)
                continue
            parts.setdefault(_Key(row.encoder, row.condition, row.verified), []).append(
                (row, plain)
            )
        for part, members in parts.items():
            self._add(part, members)
        self._note(rows)

    def _add(self, part: _Key, members: Sequence[tuple[SealedTemplate, bytes]]) -> None:
        dimensions = self.encoders.by_id[part.encoder].dimensions
        index = self._indexes.setdefault(part, VectorIndex(dimensions))
        index.add(
            [row.id for row, _ in members],
            [row.subject_id for row, _ in members],
            [row.samples for row, _ in members],
            np.frombuffer(b"".join(plain for _, plain in members), "<f4").reshape(
                len(members), dimensions
            ),
        )

    def _note(self, rows: Sequence[SealedTemplate]) -> None:
        """Keep account of whom the active encoders do not know."""
        for row in rows:
            if self.encoders.is_active(row.encoder):
                self._only_elsewhere[row.modality].discard(row.subject_id)
            elif not self._active_knows(row.modality, row.subject_id):
                self._only_elsewhere[row.modality].add(row.subject_id)

    def _active_knows(self, modality: Modality, subject: UUID) -> bool:
        active = self.encoders.active[modality]
        return any(
            index.knows(subject)
            for key, index in list(self._indexes.items())
            if key.encoder == active
        )

    def forget(self, template_id: UUID) -> None:
        """A check found that this template no longer counts."""
        for index in list(self._indexes.values()):  # another thread may add one
            index.retire(template_id)

    def search(self, queries: Sequence[Query]) -> list[list[Near]]:
        """For each query the templates near to GREY or above, best first, and the claimed one's.

        By a margin below GREY: whoever is that near may yet be a runner-up of the claimed.
        """
        found: list[list[Near]] = [[] for _ in queries]
        groups: dict[tuple[str, Condition], list[int]] = {}
        for at, query in enumerate(queries):
            groups.setdefault((query.encoder, query.condition), []).append(at)
        for (encoder, condition), members in groups.items():
            for verified in (True, False):
                key = _Key(encoder, condition, verified)
                for at, scores in zip(
                    members, self._scores(key, [queries[at] for at in members]), strict=True
                ):
                    found[at].extend(Near(one, verified) for one in scores)
        for one in found:
            one.sort(key=lambda near: (-near.score.score, near.score.id))
        return found

    def _scores(self, key: _Key, queries: Sequence[Query]) -> list[list[Score]]:
        index = self._indexes.get(key)
        if index is None:
            return [[] for _ in queries]
        encoder = self.encoders.by_id[key.encoder]
        grey = encoder.calibration.floor(key.condition, index.subjects())
        return index.search(
            np.frombuffer(b"".join(one.vector for one in queries), "<f4").reshape(
                len(queries), encoder.dimensions
            ),
            grey - encoder.calibration.margin(key.condition),
            MOST,
            [[] if one.claimed is None else [one.claimed] for one in queries],
        )
