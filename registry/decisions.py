"""Decisions: what was answered, when, to whom. Kept so that it can be proved and replayed.

What a decision was made of is sealed under the keys of every subject it speaks of, one inside the
other: erasing one person makes it unreadable, while the log leaf and the answer stay what they
were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, ForeignKey, Index, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, ReadSession, WriteSession
from registry.errors import ConflictError
from registry.keys import Keys
from registry.policy.decision import Decision as EngineDecision
from registry.policy.decision import Obligation, PackVersion, PersonDecision, Reason
from registry.policy.facts import Facts
from registry.policy.vocabulary import Basis, Outcome

NONCES_KEPT = timedelta(days=1)


class Decision(Base):
    """One decision. Partitioned by month of its id (UUIDv7 begins with the time)."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_service_id", "service_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    decided_at: Mapped[datetime]
    outcome: Mapped[str]
    sealed_answer: Mapped[bytes]
    sealed_facts: Mapped[bytes]
    sealed_for: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    log_index: Mapped[int] = mapped_column(BigInteger)


class CheckNonce(Base):
    """A service's own word for one check: asking again under it gives the same decision."""

    __tablename__ = "check_nonces"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision as its service sees it."""

    id: UUID
    outcome: Outcome
    may_proceed: bool
    basis: Basis | None
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...]
    persons: tuple[PersonDecision, ...]
    packs: tuple[PackVersion, ...]
    decided_at: datetime
    valid_until: datetime
    token: str
    salt: str
    log_index: int
    request_digest: str = ""

    @property
    def grants(self) -> frozenset[UUID]:
        """The grants a permission rests on."""
        if not self.may_proceed:
            return frozenset()
        return frozenset(UUID(one.grant) for one in self.reasons if one.grant is not None)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a decision was made of, and what the engine said; to explain it and to make it again.

    `packs`: every pack that was consulted. The service may have been told less than `decision`.
    `media`: of each person what every probe was, as rulings of the desk name it; None where it
    could not be told. Empty in records of earlier releases.
    """

    facts: Facts
    decision: EngineDecision
    packs: tuple[PackVersion, ...]
    media: tuple[tuple[str | None, ...], ...] = ()


_ANSWER = TypeAdapter(Answer)
_RECORDED = TypeAdapter(Recorded)


def answer_context(decision_id: UUID) -> bytes:
    """What a sealed answer is bound to."""
    return b"answer:" + decision_id.bytes


def seal_answer(answer: Answer, *, keys: Keys) -> bytes:
    """The answer under the deployment's key."""
    return keys.deployment_key.seal(_ANSWER.dump_json(answer), context=answer_context(answer.id))


def open_answer(decision_id: UUID, sealed: bytes, *, keys: Keys) -> Answer:
    """The answer again."""
    return _ANSWER.validate_json(
        keys.deployment_key.open(sealed, context=answer_context(decision_id))
    )


def opened(decision: Decision, *, keys: Keys) -> Answer:
    """What the service was answered."""
    return open_answer(decision.id, decision.sealed_answer, keys=keys)


def facts_context(decision_id: UUID) -> bytes:
    """What sealed facts are bound to."""
    return b"facts:" + decision_id.bytes


def seal_recorded(
    recorded: Recorded, *, decision_id: UUID, subjects: Sequence[tuple[UUID, bytes]], keys: Keys
) -> bytes:
    """The record under each (subject, wrapped key) in that order, then the deployment's key."""
    sealed = _RECORDED.dump_json(recorded)
    context = facts_context(decision_id)
    for subject_id, wrapped in subjects:
        sealed = keys.open_key(subject_id, wrapped).seal(sealed, context=context)
    return keys.deployment_key.seal(sealed, context=context)


def open_recorded(
    sealed: bytes, *, decision_id: UUID, subjects: Sequence[tuple[UUID, bytes]], keys: Keys
) -> Recorded:
    """The record again; `subjects` as they were sealed. ConflictError for an older release's."""
    context = facts_context(decision_id)
    plain = keys.deployment_key.open(sealed, context=context)
    for subject_id, wrapped in reversed(subjects):
        plain = keys.open_key(subject_id, wrapped).open(plain, context=context)
    try:
        return _RECORDED.validate_json(plain)
    except ValidationError as error:
        raise ConflictError("This decision was recorded by an earlier release.") from error


async def forget_old_nonces(session: WriteSession) -> None:
    """Drop nonces after a day: no client retries that late."""
    await session.execute(
        delete(CheckNonce).where(CheckNonce.created_at < func.now() - NONCES_KEPT)
    )


async def get(session: ReadSession, decision_id: UUID) -> Decision | None:
    """The decision, if it was given to the caller."""
    found: Decision | None = await session.scalar(
        select(Decision).where(Decision.id == decision_id)
    )
    return found


async def recent(session: ReadSession, service_id: UUID, *, first: int) -> list[Decision]:
    """The newest decisions that a service was given, newest first."""
    rows = await session.scalars(
        select(Decision)
        .where(Decision.service_id == service_id)
        .order_by(Decision.id.desc())
        .limit(first)
    )
    return list(rows)
