"""Lost PINs: who knows a case's number asks, the desk looks, and a one-time code lets them back.

Nothing here tells whether there is such a case. The desk reaches the person as it could before
anybody asked, never by what a request says.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry import cases, notices, pins, review_papers, reviews, throttles
from registry.case_numbers import new_code, read_code
from registry.cases import CaseContact, CasePin, ContactKind
from registry.database import (
    Actor,
    Base,
    Event,
    ReadSession,
    WriteSession,
    new_id,
    now,
    take_turns,
    take_turns_on,
)
from registry.keys import Keys
from registry.notices import NoticeKind
from registry.review_papers import Papers, checked_statement
from registry.reviews import Review, ReviewKind, ReviewState, Ruling
from registry.subjects import Subject, SubjectKey

VALID: Final = timedelta(hours=72)
TRIES: Final = 5


class RecoveryEventKind(StrEnum):
    """What may become of a code. TRIED is on record before the code is looked at."""

    TRIED = "TRIED"
    REDEEMED = "REDEEMED"


class RecoveryState(StrEnum):
    """Where a code stands. VOID: it was tried too often."""

    OPEN = "OPEN"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    VOID = "VOID"


class RecoveryCode(Base):
    """A one-time code as it is kept; the newest of a case counts, until its PIN is changed."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"), unique=True)
    code_hash: Mapped[str]
    expires_at: Mapped[datetime]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RecoveryEvent(Event):
    """What became of a code."""

    __tablename__ = "recovery_events"

    code_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_codes.id"), index=True)
    kind: Mapped[RecoveryEventKind]


@dataclass(frozen=True, slots=True)
class Tried:
    """A code that somebody tries, as it is kept, before it is looked at."""

    code_id: UUID
    principal_id: UUID
    code_hash: str


def state_of(kinds: Sequence[str], *, expires_at: datetime, at: datetime) -> RecoveryState:
    """Where these events leave a code at a moment."""
    if RecoveryEventKind.REDEEMED in kinds:
        return RecoveryState.REDEEMED
    if at >= expires_at:
        return RecoveryState.EXPIRED
    tried = sum(one == RecoveryEventKind.TRIED for one in kinds)
    return RecoveryState.VOID if tried >= TRIES else RecoveryState.OPEN


async def ask(session: WriteSession, number: str, *, statement: str, keys: Keys) -> None:
    """Let the desk look, once at a time. No case of this number: nothing. As the operator."""
    statement = checked_statement(statement)
    found = await cases.known(session, number)
    if found is None:
        return
    principal_id, _ = found
    await take_turns_on(session, f"recovery:{principal_id}")
    if await _waits(session, principal_id):
        return
    review_id = new_id()
    subject_ids = await _living(session, principal_id)
    papers = Papers(statement=statement, case_number=number)
    await reviews.open_review(
        session,
        ReviewKind.LOST_PIN,
        subject_ids=subject_ids,
        opened_by=principal_id,
        about=principal_id,
        sealed=await review_papers.sealed(
            session, papers, review_id=review_id, subject_ids=subject_ids, keys=keys
        ),
        review_id=review_id,
    )
    # Whoever still knows the PIN sees that somebody says it was lost.
    await notices.tell(session, principal_id, NoticeKind.PIN_RECOVERY_ASKED, about=review_id)


async def _waits(session: ReadSession, principal_id: UUID) -> bool:
    """Whether a request for this case is before the desk."""
    asked = await session.scalars(
        select(Review.id).where(Review.kind == ReviewKind.LOST_PIN, Review.about == principal_id)
    )
    standings = await reviews.standings(session, list(asked))
    return any(one.waits for one in standings.values())


async def _living(session: ReadSession, principal_id: UUID) -> list[UUID]:
    """Everybody whose record the case keeps: erasing one of them takes what was said."""
    rows = await session.scalars(
        select(Subject.id)
        .join(SubjectKey, SubjectKey.subject_id == Subject.id)
        .where(Subject.owner_id == principal_id)
    )
    return list(rows)


async def contacts(
    session: ReadSession, ids: Collection[UUID], *, keys: Keys
) -> dict[UUID, dict[ContactKind, str]]:
    """How the person of each of these reviews is reached."""
    found: dict[UUID, dict[ContactKind, str]] = {one: {} for one in ids}
    for review_id, contact in await session.execute(_reached(ids)):
        found[review_id][contact.kind] = cases.opened_contact(contact, keys)
    return found


async def is_reachable(session: ReadSession, review_id: UUID) -> bool:
    """Whether there is a way to reach the person of this review."""
    return (await session.execute(_reached([review_id]).limit(1))).first() is not None


def _reached(ids: Collection[UUID]) -> Select[UUID, CaseContact]:
    """Contacts on record before somebody asked: what came since may be the asker's."""
    return (
        select(Review.id, CaseContact)
        .join(CaseContact, CaseContact.principal_id == Review.about)
        .where(
            Review.id.in_(ids),
            Review.kind == ReviewKind.LOST_PIN,
            CaseContact.created_at < Review.created_at,
        )
    )


async def issue(session: WriteSession, review: Review, *, actor: Actor) -> str | None:
    """The code that a ruling to renew leads to: once, for who decided; None after any other ruling.

    Called with the ruling, in its transaction, as the operator. It is kept as a hash.
    """
    if review.kind is not ReviewKind.LOST_PIN or review.about is None:
        return None
    await take_turns(session, review.id)
    standing = await reviews.standing(session, review.id)
    if (standing.state, standing.ruling) != (ReviewState.DECIDED, Ruling.RENEW):
        return None
    made = select(RecoveryCode.id).where(RecoveryCode.review_id == review.id)
    if standing.ruled_by != actor.principal_id or await session.scalar(made) is not None:
        return None
    code = new_code()
    session.add(
        RecoveryCode(
            principal_id=review.about,
            review_id=review.id,
            code_hash=await pins.hashed(read_code(code)),
            expires_at=await now(session) + VALID,
            made_by=actor.principal_id,
        )
    )
    await session.flush()  # a failure here is the ruling's, not the commit's
    return code


async def attempt(session: WriteSession, number: str, *, keys: Keys) -> Tried | None:
    """Put a try on record; what to compare with, unless there is nothing or it comes too early.

    As the operator. Tries with one number wait for each other, so that many at once are counted.
    """
    in_time = await throttles.attempt(session, number=_digest(number, keys))
    found = await cases.known(session, number)
    if found is None or not in_time:
        return None
    code = await _current(session, found[0])
    if code is None or await _state(session, code) is not RecoveryState.OPEN:
        return None
    session.add(
        RecoveryEvent(code_id=code.id, kind=RecoveryEventKind.TRIED, actor_id=code.principal_id)
    )
    await session.flush()  # a failure here is this try's, not the commit's
    return Tried(code.id, code.principal_id, code.code_hash)


async def redeem(
    session: WriteSession, tried: Tried, *, number: str, pin_hash: str, keys: Keys
) -> bool:
    """Let the new PIN count and end every token; False if the code was used meanwhile.

    The caller has compared the code. As the operator.
    """
    await take_turns_on(session, f"recovery:{tried.principal_id}")
    code = await _current(session, tried.principal_id)
    if code is None or code.id != tried.code_id:
        return False
    if await _state(session, code) in {RecoveryState.REDEEMED, RecoveryState.EXPIRED}:
        return False  # VOID is right here: this was the last try
    principal_id = code.principal_id
    session.add(
        RecoveryEvent(code_id=code.id, kind=RecoveryEventKind.REDEEMED, actor_id=principal_id)
    )
    await cases.change_pin(session, principal_id=principal_id, pin_hash=pin_hash, keep=None)
    for digest in (_digest(number, keys), cases.digest_of(number, keys)):
        throttles.succeeded(session, number=digest)
    await notices.tell(session, principal_id, NoticeKind.PIN_RENEWED, about=code.review_id)
    return True


async def _current(session: ReadSession, principal_id: UUID) -> RecoveryCode | None:
    """The newest code of a case, unless its PIN was set since."""
    since = select(CasePin.id).where(
        CasePin.principal_id == principal_id, CasePin.created_at > RecoveryCode.created_at
    )
    newest: RecoveryCode | None = await session.scalar(
        select(RecoveryCode)
        .where(RecoveryCode.principal_id == principal_id, ~since.exists())
        .order_by(RecoveryCode.created_at.desc(), RecoveryCode.id.desc())
        .limit(1)
    )
    return newest


async def _state(session: ReadSession, code: RecoveryCode) -> RecoveryState:
    kinds = await session.scalars(
        select(RecoveryEvent.kind)
        .where(RecoveryEvent.code_id == code.id)
        .order_by(RecoveryEvent.at, RecoveryEvent.id)
    )
    return state_of(list(kinds), expires_at=code.expires_at, at=await now(session))


def _digest(number: str, keys: Keys) -> bytes:
    """A number as tries of its code are kept: apart from its PIN's, which was lost after all."""
    return cases.digest_of(f"recovery:{number}", keys)
