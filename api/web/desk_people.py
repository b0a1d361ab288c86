"""The people whom a review is about, side by side: who they are and what speaks for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Final
from uuid import UUID

from api.web.languages import N_
from registry import assets, attestations, evidence, objections, samples, subjects
from registry.attestations import Attestation
from registry.database import ReadSession
from registry.evidence import Evidence
from registry.keys import Keys
from registry.policy.vocabulary import Band, Modality, ObjectionState
from registry.reviews import Review, ReviewKind
from registry.samples import Sample, SampleState
from registry.scopes import Scope, scope_in
from registry.subjects import NAMELESS, Record

FIRST: Final = N_("The first account: on record before")
SECOND: Final = N_("The second account: its claim came later")
HELD: Final = N_("The photo or recording that is held back was sent for this person")
ALIKE: Final = N_("This person looks or sounds like it")
_OF_A_SAMPLE: Final = {
    ReviewKind.CLAIM_CONFLICT: (SECOND, FIRST),
    ReviewKind.SUSPICIOUS_ENROLMENT: (HELD, ALIKE),
}


@dataclass(frozen=True, slots=True)
class Sampled:
    """One photo or recording of a person: never the media, which is not kept."""

    modality: Modality
    at: datetime
    state: SampleState
    noticed: str | None
    asked: bool  # the review is about this one


@dataclass(frozen=True, slots=True)
class Objected:
    """One objection of a person."""

    state: ObjectionState
    since: datetime
    scope: Scope
    asked: bool


@dataclass(frozen=True, slots=True)
class Party:
    """One of the people. `record` None: they were erased."""

    id: UUID
    letter: str
    role: str | None
    record: Record | None
    samples: Sequence[Sampled]
    pictures: int
    objections: Sequence[Objected]
    attestations: Sequence[tuple[Attestation, bool]]
    documents: Sequence[Evidence]
    near: Mapping[Modality, Band]

    @property
    def name(self) -> str | None:
        """What they are called, if it is known."""
        if self.record is None or self.record.name == NAMELESS:
            return None
        return self.record.name


async def parties(
    session: ReadSession,
    review: Review,
    *,
    near: Mapping[UUID, Mapping[Modality, Band]],
    keys: Keys,
) -> list[Party]:
    """Everybody the review is about, as the operator; the caller's right was checked."""
    ids = list(review.subject_ids)
    records = await subjects.records(session, ids, keys=keys)
    enrolled = await samples.by_subject(session, ids)
    documents = await evidence.of_subjects(session, ids)
    return [
        Party(
            one,
            letter(at),
            _role(review, enrolled[one]),
            records.get(one),
            await _samples(session, review, enrolled[one]),
            len(await assets.showing_only(session, one)),
            await _objections(session, review, one),
            await _attested(session, records.get(one)),
            documents[one],
            near.get(one, {}),
        )
        for at, one in enumerate(ids)
    ]


def letter(at: int) -> str:
    """A, B, C and so on; after Z numbers."""
    return ascii_uppercase[at] if at < len(ascii_uppercase) else str(at + 1)


def _role(review: Review, enrolled: Sequence[Sample]) -> str | None:
    """What part somebody has in it."""
    if review.kind not in _OF_A_SAMPLE:
        return None
    theirs, others = _OF_A_SAMPLE[review.kind]
    return theirs if review.about in {one.id for one in enrolled} else others


async def _samples(
    session: ReadSession, review: Review, enrolled: Sequence[Sample]
) -> list[Sampled]:
    ids = [one.id for one in enrolled]
    states = await samples.states(session, ids)
    why = await samples.why_held(session, ids)
    return [
        Sampled(
            one.modality, one.created_at, states[one.id], why.get(one.id), one.id == review.about
        )
        for one in enrolled
    ]


async def _objections(session: ReadSession, review: Review, subject_id: UUID) -> list[Objected]:
    filed = await objections.of_subject(session, subject_id)
    states = await objections.states(session, [one.id for one in filed])
    return [
        Objected(states[one.id], one.since, scope_in(one), one.id == review.about) for one in filed
    ]


async def _attested(session: ReadSession, record: Record | None) -> list[tuple[Attestation, bool]]:
    """Who answers for the account that keeps them, and whether that counts now."""
    if record is None:
        return []
    found = await attestations.of_account(session, record.owner_id)
    holding = await attestations.holding(session, [one.id for one in found])
    return [(one, holding[one.id]) for one in found]
