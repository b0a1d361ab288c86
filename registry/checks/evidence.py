"""From a question and what was found to the facts a decision is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from registry.checks.questions import Person, Probe, Question
from registry.checks.snapshot import Snapshot
from registry.checks.uploads import Uploads
from registry.errors import NotFoundError
from registry.keys import Keys
from registry.matching.bands import image_band
from registry.matching.index import Hit
from registry.policy import facts
from registry.policy.vocabulary import Band, Modality
from registry.probes import EXPIRED


@dataclass(frozen=True, slots=True)
class Seen:
    """A probe ready to be searched: its hashes (plain and mirrored), or none if unusable."""

    hashes: tuple[bytes, ...]
    usable: bool
    media_sha256: str | None


def seen(probe: Probe, principal_id: UUID, uploads: Uploads) -> Seen:
    """What there is to search for; NotFoundError for a handle that is not the caller's, or gone."""
    if probe.image_hash is not None:
        return Seen(hashes=(probe.image_hash,), usable=True, media_sha256=None)
    upload = None if probe.media is None else uploads.get((principal_id, probe.media))
    if upload is None:
        raise NotFoundError(EXPIRED, field="handle")
    return Seen(
        hashes=upload.hashes if upload.usable else (),
        usable=upload.usable,
        media_sha256=upload.media_sha256,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What the arrays hold near one probe: the least distance of each reference, in bits."""

    distances: Mapping[UUID, int]

    @classmethod
    def nearest(cls, hits: Sequence[Sequence[Hit]]) -> "Found":
        """The better of the plain and the mirrored comparison."""
        distances: dict[UUID, int] = {}
        for one in hits:
            for hit in one:
                known = distances.get(hit.id)
                if known is None or hit.distance_bits < known:
                    distances[hit.id] = hit.distance_bits
        return cls(distances)


def gather(
    question: Question,
    *,
    service_id: UUID,
    seen: Sequence[Sequence[Seen]],
    found: Sequence[Sequence[Found]],
    snapshot: Snapshot,
    keys: Keys,
) -> facts.Facts:
    """The facts of one question. `seen` and `found` follow its persons and their probes."""
    persons = tuple(
        _person(person, seen[at], found[at], snapshot, keys)
        for at, person in enumerate(question.persons)
    )
    about = {
        candidate.subject_id
        for person in persons
        for sighting in person.sightings
        for candidate in sighting.candidates
    }
    about |= {one.claimed_subject for one in persons if one.claimed_subject is not None}
    about |= {one.name_hit for one in persons if one.name_hit is not None}
    known = [snapshot.subjects.get(UUID(one)) for one in sorted(about)]
    return facts.Facts(
        at=snapshot.at,
        request=question.request,
        service=snapshot.services[service_id],
        persons=persons,
        subjects=tuple(one for one in known if one is not None),
    )


def _person(
    person: Person,
    seen: Sequence[Seen],
    found: Sequence[Found],
    snapshot: Snapshot,
    keys: Keys,
) -> facts.Person:
    sightings = tuple(_sighting(probe, found[at], snapshot) for at, probe in enumerate(seen))
    return facts.Person(
        sightings=sightings,
        claimed_subject=None
        if person.claimed_subject is None
        else facts.identifier(person.claimed_subject),
        name_given=person.name is not None,
        name_hit=_named(person.name, sightings, snapshot, keys),
        target=person.target,
    )


def _named(
    name: str | None, sightings: Sequence[facts.Sighting], snapshot: Snapshot, keys: Keys
) -> str | None:
    """Who is so called; of several, the one who is also seen."""
    if name is None:
        return None
    named = set(map(facts.identifier, snapshot.named.get(keys.blind_index(name), ())))
    seen = {one.subject_id for sighting in sightings for one in sighting.candidates}
    return min(named & seen or named, default=None)


def _sighting(probe: Seen, found: Found, snapshot: Snapshot) -> facts.Sighting:
    bands: dict[UUID, Band] = {}
    for reference, distance_bits in found.distances.items():
        subject = snapshot.subject_of.get(reference)
        band = image_band(distance_bits)
        if subject is not None and band.rank > bands.get(subject, Band.NONE).rank:
            bands[subject] = band
    return facts.Sighting(
        modality=Modality.FACE,
        asset=True,
        usable=probe.usable,
        candidates=tuple(
            facts.Candidate(facts.identifier(subject), band)
            for subject, band in sorted(bands.items())
        ),
    )
