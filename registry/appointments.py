"""Appointments: who is named to act for a person or to hold their rights, if that is thinkable."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.exc import IntegrityError

from registry import protections, services, subjects
from registry.database import (
    Actor,
    ReadSession,
    WriteSession,
    checked_time,
    now,
    take_turns,
)
from registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.policy.question import age
from registry.policy.vocabulary import ASSURED_IAL, GrantorRole, Kinship
from registry.principals import OFFICES
from registry.representatives import (
    AGENTS,
    OF_THE_DEAD,
    Representative,
    RepresentativeEventKind,
    add_event,
    context_of,
    of_subject,
)
from registry.scopes import Scope, columns
from registry.standing import standing

MAX_PER_SUBJECT: Final = 50
GUARDIANSHIP_ENDS: Final = 19  # the highest age of majority among the shipped packs (KR)
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Appointment:
    """Who is named, in what right, and which document says so."""

    role: GrantorRole
    source: str
    principal_id: UUID | None = None
    name: str | None = None
    kinship: Kinship | None = None
    share: float | None = None  # of the rights of a dead person, 0..1
    ends_at: datetime | None = None
    scope: Scope = Scope()  # noqa: RUF009  # frozen


async def appoint(
    session: WriteSession,
    *,
    representative_id: UUID,
    subject_id: UUID,
    appointment: Appointment,
    actor: Actor,
    ial: int,
    keys: Keys,
) -> Representative:
    """Name a representative. Verified at once where an office does; else once an office has.

    An agent needs no office but the person's own word: said at once where they do it at IAL2.

    InvalidError for a guardian of somebody who is not known to be a minor, for a holder of the
    rights of the living, and for shares that add up to more than the whole.
    """
    owner = (await subjects.mine(session, subject_id)).owner_id
    if actor.kind not in OFFICES and actor.principal_id != owner:
        raise ForbiddenError("The owner of the record, or an attester, names representatives.")
    _check(appointment)
    await take_turns(session, subject_id)  # two at once do not share out more than the whole
    born = await _check_fits(session, subject_id, appointment, keys)
    account = appointment.principal_id
    if account is not None and await services.existing(session, [account]):
        raise InvalidError("An AI service represents nobody.", field="principalId")
    wrapped = (await subjects.wrapped_keys(session, [subject_id]))[subject_id]
    body = {"name": appointment.name, "source": protections.checked_source(appointment.source)}
    sealed = keys.open_key(subject_id, wrapped).seal(
        orjson.dumps(body), context=context_of(representative_id)
    )
    representative = Representative(
        id=representative_id,
        subject_id=subject_id,
        principal_id=appointment.principal_id,
        role=appointment.role,
        kinship=appointment.kinship,
        share=appointment.share,
        sealed=sealed,
        ends_at=_end(appointment, born),
        appointed_by=actor.principal_id,
        **columns(appointment.scope),
    )
    session.add(representative)
    try:
        await session.flush()  # other people's accounts cannot be read: the foreign key tells
    except IntegrityError as error:
        raise NotFoundError("No such account.", field="principalId") from error
    if actor.kind in OFFICES:
        await add_event(session, representative_id, RepresentativeEventKind.VERIFIED, actor)
    if appointment.role in AGENTS and actor.principal_id == owner and ial >= ASSURED_IAL:
        await add_event(session, representative_id, RepresentativeEventKind.CONFIRMED, actor)
    return representative


def _check(appointment: Appointment) -> None:
    if appointment.role is GrantorRole.SELF:
        raise InvalidError("Nobody represents themselves: sign as SELF.", field="role")
    if appointment.principal_id is None and not appointment.name:
        raise InvalidError("Give the account, or a name of who has none.", field="principalId")
    if appointment.name is not None:
        subjects.checked_name(appointment.name)
    if appointment.share is not None and not 0 < appointment.share <= 1:
        raise InvalidError("A share is more than 0 and at most 1.", field="share")
    if appointment.ends_at is not None:
        checked_time(appointment.ends_at, "endsAt")


async def _check_fits(
    session: ReadSession, subject_id: UUID, appointment: Appointment, keys: Keys
) -> date | None:
    """The birth date of a subject for whom somebody in this right is thinkable, if it is known."""
    at = await now(session)
    if appointment.ends_at is not None and appointment.ends_at <= at:
        raise InvalidError("A mandate ends in the future.", field="endsAt")
    person = (await subjects.records(session, [subject_id], keys=keys)).get(subject_id)
    if person is None:
        raise NotFoundError("No such subject.", field="subjectId")
    said = await protections.of_subject(session, subject_id, keys=keys)
    dead = bool(standing(one.stated for one in said if one.stands).classes & protections.OPENING)
    if appointment.role is GrantorRole.GUARDIAN:
        if dead:
            raise InvalidError("The dead have heirs, and no guardian.", field="role")
        if person.birth_date is None:
            raise InvalidError(
                "A guardian is for a minor: the person's birth date is not on record.", field="role"
            )
        if age(person.birth_date, at.date()) >= GUARDIANSHIP_ENDS:
            raise InvalidError("A guardian is for a minor; this person is of age.", field="role")
    if appointment.role in OF_THE_DEAD and not dead:
        raise InvalidError("Rights are held for the dead; record the death first.", field="role")
    live = [one for one in await of_subject(session, subject_id, keys=keys) if not one.ended]
    if len(live) >= MAX_PER_SUBJECT:
        raise ConflictError(f"A subject has at most {MAX_PER_SUBJECT} representatives.")
    shares = [one.share for one in live if one.share is not None]
    if math.fsum([*shares, appointment.share or 0.0]) > 1 + _ROUNDING:
        raise InvalidError("The shares add up to more than the whole.", field="share")
    return person.birth_date


def _end(appointment: Appointment, born: date | None) -> datetime | None:
    """When the right ends: a guardian's by the day on which the person is of age everywhere."""
    ends_at = appointment.ends_at
    if appointment.role is not GrantorRole.GUARDIAN or born is None:
        return ends_at
    of_age = birthday(born, GUARDIANSHIP_ENDS)
    return of_age if ends_at is None else min(ends_at, of_age)


def birthday(born: date, years: int) -> datetime:
    """When somebody is so many years old; born on the 29th of February, on the 1st of March."""
    day = date(born.year + years, born.month, 1) + timedelta(days=born.day - 1)
    return datetime.combine(day, time(), UTC)
