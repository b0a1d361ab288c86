"""From comparison scores to sightings: whom a picture, a face or a voice may be, in bands.

Scores end here. A face or voice is compared with templates of the same encoder and condition only;
a band depends on how many people were searched, and on who the template's subject is.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from registry.checks.galleries import Galleries, Near, Query
from registry.checks.looking import Found, Look, Seen
from registry.checks.snapshot import Snapshot
from registry.matching.bands import image_band
from registry.policy import facts
from registry.policy.question import age
from registry.policy.vocabulary import Band, Modality

OF_AGE: Final = 18
_MATCH = Band.MATCH.rank
_GREY = Band.GREY.rank


def of_probe(
    number: int,
    seen: Seen,
    found: Found,
    *,
    claimed: UUID | None,
    snapshot: Snapshot,
    people: Galleries,
) -> list[facts.Sighting]:
    """The sightings of one probe: the picture itself, if it is one, and everyone looked at.

    Whom the desk found that this very probe does not show is left out, but for the claimed person.
    """
    out = {
        modality: snapshot.ruled_out.get(name, frozenset()) - {claimed}
        for modality, name in seen.ruled_as.items()
    }
    shown = [
        _look(number, look, _without(out.get(look.modality), near), snapshot, people)
        for look, near in zip(seen.looks, found.near, strict=True)
    ]
    if not seen.picture:
        return shown
    near_faces = {
        one.subject_id for face in shown for one in face.candidates if one.band.rank >= _GREY
    }
    # A registered picture that matches is no matter of opinion.
    left = {
        reference: distance_bits
        for reference, distance_bits in found.distances.items()
        if snapshot.subject_of.get(reference) not in out.get(Modality.FACE, ())
        or image_band(distance_bits).rank >= _MATCH
    }
    return [_picture(number, seen, Found(left), snapshot, near_faces), *shown]


def _without(
    ruled_out: AbstractSet[UUID | None] | None, near: Sequence[Sequence[Near]]
) -> Sequence[Sequence[Near]]:
    """What is near, but for these subjects."""
    if not ruled_out:
        return near
    return [[one for one in hits if one.score.subject not in ruled_out] for hits in near]


def _picture(
    number: int, seen: Seen, found: Found, snapshot: Snapshot, near_faces: set[str]
) -> facts.Sighting:
    """The picture as a whole. Where a box chose one of its people, the others do not count."""
    bands: dict[UUID, Band] = {}
    for reference, distance_bits in found.distances.items():
        subject, band = snapshot.subject_of.get(reference), image_band(distance_bits)
        if subject is not None:
            bands[subject] = _better(bands.get(subject, Band.NONE), band)
    candidates = _candidates(bands)
    if seen.boxed and not near_faces.isdisjoint(one.subject_id for one in candidates):
        candidates = tuple(one for one in candidates if one.subject_id in near_faces)
    return facts.Sighting(
        modality=Modality.FACE,
        candidates=candidates,
        asset=True,
        usable=seen.legible,
        faces=seen.faces,
        probe=number,
    )


def _look(
    number: int,
    look: Look,
    near: Sequence[Sequence[Near]],
    snapshot: Snapshot,
    people: Galleries,
) -> facts.Sighting:
    """One face or voice; of several encoders that know it each says whom it may be."""
    bands: dict[UUID, Band] = {}
    clear = True
    for query, hits in zip(look.queries, near, strict=True):
        live = [one for one in hits if snapshot.subject_of.get(one.score.id) is not None]
        compared = _Compared(query, live, snapshot, people)
        for subject, band in compared.bands.items():
            bands[subject] = _better(bands.get(subject, Band.NONE), band)
        clear = clear and compared.is_clear
    return facts.Sighting(
        modality=look.modality,
        candidates=_candidates(bands),
        usable=look.usable,
        searched=look.searched,
        complete=look.complete,
        clear_runner_up=clear,
        probe=number,
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """One query with the live templates near to it, best first."""

    query: Query
    near: Sequence[Near]
    snapshot: Snapshot
    people: Galleries

    @property
    def bands(self) -> Mapping[UUID, Band]:
        """The best band of each subject."""
        found: dict[UUID, Band] = {}
        for one in self.near:
            subject = one.score.subject
            found[subject] = _better(found.get(subject, Band.NONE), self._band(one))
        return found

    @property
    def is_clear(self) -> bool:
        """Whether no verified person is nearer than the one who matches, or nearly as near.

        One who matches is at MATCH or above; that there are several is for the engine to see. An
        unverified one below MATCH does not stand against anybody: whoever enrols himself under no
        name is not to make the known unclear.
        """
        matching = [one.score for one in self.near if self._band(one).rank >= _MATCH]
        if not matching:
            return True
        best = max(matching, key=lambda one: one.score)
        calibration = self.people.encoders.by_id[self.query.encoder].calibration
        least = best.score - calibration.margin(self.query.condition)
        return not any(
            one.verified and one.score.subject != best.subject and one.score.score > least
            for one in self.near
        )

    def _band(self, one: Near) -> Band:
        encoder, condition = self.query.encoder, self.query.condition
        return self.people.encoders.by_id[encoder].calibration.band(
            one.score.score,
            condition=condition,
            samples=one.score.samples,
            gallery=self.people.people(encoder, condition, verified=one.verified),
            minor=_may_be_minor(self.snapshot.subjects.get(one.score.subject), self.snapshot.at),
            claimed=self.query.claimed == one.score.subject,
        )


def _may_be_minor(subject: facts.Subject | None, at: datetime) -> bool:
    """Whether they are below age, or nobody told."""
    return subject is None or subject.born is None or age(subject.born, at.date()) < OF_AGE


def _better(one: Band, other: Band) -> Band:
    return max(one, other, key=lambda band: band.rank)


def _candidates(bands: Mapping[UUID, Band]) -> tuple[facts.Candidate, ...]:
    return tuple(
        facts.Candidate(facts.identifier(subject), band)
        for subject, band in sorted(bands.items())
        if band.rank >= _GREY
    )
