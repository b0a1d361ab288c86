"""Doubtful matches: decisions that need a person's eye, gathered into few reviews.

The log numbers decisions in the order in which they were committed, without gaps: whoever
remembers how far they have read it misses none, however late one was committed. Asked a thousand
times about the same media, the desk has one review.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import replay, subjects
from registry.database import Base, Database, ReadSession, WriteSession, new_id
from registry.decisions import Decision, Recorded, open_recorded
from registry.errors import ConflictError
from registry.keys import Keys
from registry.log.entries import LogLeaf
from registry.policy.facts import Sighting
from registry.policy.vocabulary import Band, Modality, Outcome
from registry.principals import OPERATOR_ID
from registry.review_papers import Papers, sealed
from registry.reviews import ReviewKind, open_review, same
from registry.sealing import SealError

BATCH: Final = 1000  # entries of the log at a time
_MOST_BATCHES: Final = 200  # in one go: others have their turn
_KINDS: Final = {
    "GREY_ZONE_MATCH": ReviewKind.GREY_MATCH,
    "AMBIGUOUS": ReviewKind.AMBIGUOUS_MATCH,
}
_WITHOUT_DOUBT: Final = (Outcome.PERMITTED, Outcome.UNKNOWN)

logger = logging.getLogger(__name__)


class LogScan(Base):
    """How far the log has been read: every entry below `size`."""

    __tablename__ = "log_scans"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    size: Mapped[int] = mapped_column(BigInteger, index=True)
    scanned_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Doubt:
    """One probe that may show these people."""

    kind: ReviewKind
    subject_ids: frozenset[UUID]
    probe: str | None  # as rulings name it


async def look_through(operator: Database, keys: Keys, _at: datetime) -> None:
    """Put before the desk every doubtful match decided since the last time."""
    for _ in range(_MOST_BATCHES):
        async with operator.writing() as session:
            if not await _next_batch(session, keys):
                return


async def _next_batch(session: WriteSession, keys: Keys) -> bool:
    """Read on from where it was left; whether there was anything."""
    done = await session.scalar(select(func.max(LogScan.size))) or 0
    end = await session.scalar(select(func.max(LogLeaf.index)).where(LogLeaf.index < done + BATCH))
    if end is None or end < done:
        return False
    found = await session.scalars(
        select(Decision)
        .join(LogLeaf, LogLeaf.decision_id == Decision.id)
        .where(LogLeaf.index >= done, LogLeaf.index <= end, Decision.outcome.not_in(_WITHOUT_DOUBT))
        .order_by(LogLeaf.index)
    )
    await _open_reviews(session, list(found), keys)
    session.add(LogScan(size=end + 1, scanned_by=OPERATOR_ID))
    return True


async def _open_reviews(session: WriteSession, rows: Sequence[Decision], keys: Keys) -> None:
    wrapped = await subjects.wrapped_keys(session, {one for row in rows for one in row.sealed_for})
    put: set[bytes] = set()
    for row in rows:
        if not wrapped.keys() >= set(row.sealed_for):
            continue  # somebody it speaks of was erased
        try:
            recorded = open_recorded(
                row.sealed_facts,
                decision_id=row.id,
                subjects=[(one, wrapped[one]) for one in row.sealed_for],
                keys=keys,
            )
        except ConflictError:
            continue  # an earlier release kept too little
        except SealError:
            # One damaged row must not keep all the others from the desk.
            logger.exception("Decision %s cannot be opened: damaged, or other keys.", row.id)
            continue
        for doubt in doubts(recorded):
            digest = _digest(doubt, row, keys)
            if digest not in put:
                await _put(session, doubt, row, digest, keys)
                put.add(digest)


def doubts(recorded: Recorded) -> Iterator[Doubt]:
    """The probes for which a decision found somebody unsure."""
    for reason in recorded.decision.reasons:
        if reason.code not in _KINDS or reason.person is None:
            continue
        sightings = recorded.facts.persons[reason.person].sightings
        for probe, near in _seen(recorded, reason.person, sightings).items():
            yield Doubt(_KINDS[reason.code], near, probe)


def matches(recorded: Recorded) -> tuple[Doubt, ...]:
    """Every probe that was held for somebody, sure or unsure."""
    return tuple(
        Doubt(ReviewKind.FALSE_MATCH, near, probe)
        for index, person in enumerate(recorded.facts.persons)
        for probe, near in _seen(recorded, index, person.sightings).items()
    )


def _seen(
    recorded: Recorded, index: int, sightings: Sequence[Sighting]
) -> dict[str | None, frozenset[UUID]]:
    """Whom each probe of a person is near to."""
    found: dict[str | None, frozenset[UUID]] = {}
    for one in sightings:
        name = _name(recorded, index, one)
        near = frozenset(UUID(candidate.subject_id) for candidate in one.candidates)
        if near:
            found[name] = found.get(name, frozenset()) | near
    return found


async def bands(
    session: ReadSession, decision: Decision, papers: Papers, *, keys: Keys
) -> dict[UUID, dict[Modality, Band]]:
    """How near what a review is about came to each person at the most; as the operator.

    Nobody where it cannot be told any more: one of them was erased, or the record is older.
    """
    try:
        recorded = await replay.opened(session, decision, keys=keys)
    except (ConflictError, SealError):
        return {}
    wanted = {probe for probe, _ in papers.seen}
    found: dict[UUID, dict[Modality, Band]] = {}
    for index, person in enumerate(recorded.facts.persons):
        for one in person.sightings:
            if wanted and _name(recorded, index, one) not in wanted:
                continue
            for candidate in one.candidates:
                of_them = found.setdefault(UUID(candidate.subject_id), {})
                known = of_them.get(one.modality, Band.NONE)
                of_them[one.modality] = max(known, candidate.band, key=lambda band: band.rank)
    return found


def _name(recorded: Recorded, index: int, sighting: Sighting) -> str | None:
    """A person's probe as rulings name it; None where it could not be told."""
    media = recorded.media[index] if index < len(recorded.media) else ()
    identity = media[sighting.probe] if sighting.probe < len(media) else None
    return None if identity is None else f"{identity}/{sighting.modality}"


def _digest(doubt: Doubt, row: Decision, keys: Keys) -> bytes:
    """Equal for the same service, people and media."""
    ids = ",".join(sorted(map(str, doubt.subject_ids)))
    return keys.probe_digest(f"doubt:{row.service_id}:{ids}:{doubt.probe}")


async def _put(
    session: WriteSession, doubt: Doubt, row: Decision, digest: bytes, keys: Keys
) -> None:
    """One review of this service, these people and this media, however often it is asked."""
    if await same(session, digest) is not None:
        return
    review_id = new_id()
    papers = Papers(service_id=str(row.service_id), decision_id=str(row.id), seen=as_seen([doubt]))
    await open_review(
        session,
        doubt.kind,
        subject_ids=doubt.subject_ids,
        opened_by=OPERATOR_ID,
        about=row.id,
        same_as=digest,
        sealed=await sealed(
            session, papers, review_id=review_id, subject_ids=doubt.subject_ids, keys=keys
        ),
        review_id=review_id,
    )


def as_seen(found: Iterable[Doubt]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The probes that can be known again, and whom each is near to, as papers hold them."""
    return tuple(
        (one.probe, tuple(sorted(map(str, one.subject_ids))))
        for one in found
        if one.probe is not None
    )
