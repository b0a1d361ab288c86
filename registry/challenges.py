"""Challenges: a consent spoken aloud, with words nobody could know before.

The phrase holds for ten minutes and for one attempt, whatever comes of it. A recording that was
used before, or that is one of the person's enrolled ones, is a replay.
"""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import ForeignKey, Text, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry import samples, subjects, templates, verification
from registry.challenge_words import WORDS
from registry.database import Base, ReadSession, WriteSession, new_id, now
from registry.encoder_set import EncoderSet
from registry.errors import InvalidError, NotFoundError, PresentationError, ReplayError
from registry.grants import Grant
from registry.keys import Keys
from registry.policy.vocabulary import Modality
from registry.principals import Principal
from registry.samples import Vectors
from registry.templates import SAME_SAMPLE

SPOKEN_WORDS: Final = 5  # of 256 or more: one in 10**12 to guess
LASTS: Final = timedelta(minutes=10)
MAX_SPOKEN: Final = 1000  # characters of a transcript
_NAMED: Final = 3


class SpokenOutcome(StrEnum):
    """What came of an attempt; all but ACCEPTED are refusals."""

    ACCEPTED = "ACCEPTED"
    LATE = "LATE"
    REPEATED = "REPEATED"
    OTHER_WORDS = "OTHER_WORDS"
    KNOWN_RECORDING = "KNOWN_RECORDING"
    ANOTHER_VOICE = "ANOTHER_VOICE"


class Challenge(Base):
    """Words to speak for one grant, by one account."""

    __tablename__ = "signing_challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), index=True)
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    phrase: Mapped[str]
    expires_at: Mapped[datetime]
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SpokenStatement(Base):
    """One attempt. `recording`: a keyed digest of the file; `sealed_vectors`: of the voice."""

    __tablename__ = "spoken_statements"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_id: Mapped[UUID] = mapped_column(ForeignKey("signing_challenges.id"), index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    recording: Mapped[bytes] = mapped_column(index=True)
    sealed_vectors: Mapped[bytes]
    outcome: Mapped[SpokenOutcome]
    spoken_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded statement: which challenge it answers, what was heard in it, and whose voice."""

    challenge_id: UUID
    spoken: str
    media_sha256: str
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of an attempt, kept under this id."""

    statement_id: UUID
    challenge_id: UUID
    outcome: SpokenOutcome

    @property
    def is_accepted(self) -> bool:
        """Whether the consent was spoken as it had to be."""
        return self.outcome is SpokenOutcome.ACCEPTED

    def require(self) -> None:
        """Raise what the caller is told about a refused attempt."""
        if self.outcome is SpokenOutcome.ANOTHER_VOICE:
            raise PresentationError
        if not self.is_accepted:
            raise ReplayError


async def begin(
    session: WriteSession, grant: Grant, *, challenge_id: UUID, principal_id: UUID
) -> Challenge:
    """Words for the caller to speak, in a phrase that says when and to whom consent is given."""
    await subjects.mine(session, grant.subject_id)
    at = await now(session)
    words = _drawn()
    made = Challenge(
        id=challenge_id,
        grant_id=grant.id,
        words=words,
        phrase=_phrase(words, at, await _grantees(session, grant.grantees)),
        expires_at=at + LASTS,
        principal_id=principal_id,
    )
    session.add(made)
    await session.flush()  # the phrase is only given out for a stored row
    return made


async def mine(session: ReadSession, challenge_id: UUID) -> Challenge:
    """The caller's own challenge; absent and not yours look the same."""
    found = await session.get(Challenge, challenge_id)
    if found is None:
        raise NotFoundError("No such challenge.", field="challengeId")
    return found


async def hear(
    session: WriteSession,
    grant: Grant,
    recording: Recording,
    *,
    spoken_by: UUID,
    encoders: EncoderSet,
    keys: Keys,
) -> Heard:
    """Use up a challenge and say what came of it. The transaction must be let commit."""
    if len(recording.spoken) > MAX_SPOKEN:
        raise InvalidError(f"A transcript has at most {MAX_SPOKEN} characters.", field="spoken")
    challenge = await mine(session, recording.challenge_id)
    await subjects.mine(session, grant.subject_id)
    await templates.alone(session, grant.subject_id)  # two uses at once take turns
    own = await templates.own(session, grant.subject_id, keys=keys)
    if not verification.comparable(recording.vectors, own, encoders, modality=Modality.VOICE):
        raise InvalidError("No voice of this person is on record to compare with.", field="handle")
    digest = keys.request_digest(b"recording:" + recording.media_sha256.encode())
    outcome = await _outcome(session, grant, challenge, recording, digest=digest, keys=keys)
    if outcome is SpokenOutcome.ACCEPTED and not verification.matches(
        recording.vectors, own, encoders, modality=Modality.VOICE
    ):
        outcome = SpokenOutcome.ANOTHER_VOICE
    heard = Heard(new_id(), challenge.id, outcome)
    key = await templates.key_of(session, grant.subject_id, keys=keys)
    sealed = key.seal(samples.packed(recording.vectors), context=_context(heard.statement_id))
    await session.execute(
        insert(SpokenStatement)
        .inline()
        .values(
            id=heard.statement_id,
            challenge_id=challenge.id,
            subject_id=grant.subject_id,
            recording=digest,
            sealed_vectors=sealed,
            outcome=outcome,
            spoken_by=spoken_by,
        )
    )
    return heard


async def was_spoken(session: ReadSession, *, grant_id: UUID, spoken_by: UUID) -> bool:
    """Whether this account spoke its consent to this grant just now."""
    found = await session.scalar(
        select(SpokenStatement.id)
        .join(Challenge, Challenge.id == SpokenStatement.challenge_id)
        .where(
            Challenge.grant_id == grant_id,
            SpokenStatement.spoken_by == spoken_by,
            SpokenStatement.outcome == SpokenOutcome.ACCEPTED,
            Challenge.expires_at > func.clock_timestamp(),
        )
        .limit(1)
    )
    return found is not None


async def _outcome(
    session: ReadSession,
    grant: Grant,
    challenge: Challenge,
    recording: Recording,
    *,
    digest: bytes,
    keys: Keys,
) -> SpokenOutcome:
    tried = select(SpokenStatement.id).where(SpokenStatement.challenge_id == challenge.id)
    if challenge.grant_id != grant.id or await session.scalar(tried.limit(1)) is not None:
        return SpokenOutcome.REPEATED
    if challenge.expires_at <= await now(session):
        return SpokenOutcome.LATE
    if not says(recording.spoken, challenge.words):
        return SpokenOutcome.OTHER_WORDS
    if await session.scalar(select(func.likeness_was_heard(digest))):
        return SpokenOutcome.KNOWN_RECORDING
    if await _is_known(session, grant.subject_id, recording.vectors, keys):
        return SpokenOutcome.KNOWN_RECORDING
    return SpokenOutcome.ACCEPTED


def says(spoken: str, words: Sequence[str]) -> bool:
    """Whether these words are spoken one after another; case and punctuation do not matter."""
    heard = _tokens(spoken)
    wanted = list(words)
    starts = range(len(heard) - len(wanted) + 1)
    return bool(wanted) and any(heard[at : at + len(wanted)] == wanted for at in starts)


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


async def _is_known(session: ReadSession, subject_id: UUID, vectors: Vectors, keys: Keys) -> bool:
    """Whether it is a recording on record, saved anew: an enrolled one, or an earlier statement."""
    key = await templates.key_of(session, subject_id, keys=keys)
    enrolled = (await samples.by_subject(session, [subject_id]))[subject_id]
    known = [samples.opened(one, key) for one in enrolled if one.modality is Modality.VOICE]
    earlier = await session.scalars(
        select(SpokenStatement).where(SpokenStatement.subject_id == subject_id)
    )
    known += [
        samples.unpacked(key.open(one.sealed_vectors, context=_context(one.id))) for one in earlier
    ]
    return any(
        float(np.frombuffer(vectors[name], "<f4") @ np.frombuffer(raw, "<f4")) >= SAME_SAMPLE
        for one in known
        for name, raw in one.items()
        if name in vectors
    )


def _drawn() -> list[str]:
    """Words without repetition, so that each is one's own to hear."""
    return secrets.SystemRandom().sample(WORDS, SPOKEN_WORDS)


def _phrase(words: Sequence[str], at: datetime, grantees: str) -> str:
    return f"I consent for {grantees} on {at:%d %B %Y}: {' '.join(words)}."


async def _grantees(session: ReadSession, ids: Sequence[UUID] | None) -> str:
    if ids is None:
        return "every service"
    rows = await session.scalars(
        select(Principal.handle).where(Principal.id.in_(ids)).order_by(Principal.handle)
    )
    names = list(rows)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _context(statement_id: UUID) -> bytes:
    return b"statement:" + statement_id.bytes
