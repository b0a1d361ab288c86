"""Subjects: the people whose voice and face the registry protects.

What is known of a person is sealed under that person's own key; a name is found again only
through a keyed index of the exact aliases given.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

import orjson
from sqlalchemy import ForeignKey, Index, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from registry import links
from registry.database import Base, Event, ReadSession, WriteSession, new_id, now
from registry.errors import ConflictError, InvalidError, NotFoundError
from registry.keys import Keys
from registry.paging import Page, page_of
from registry.policy.question import age
from registry.policy.vocabulary import Registration, SubjectClass

NAME_LENGTH = 200
MAX_ALIASES = 50
MAJORITY = 18  # of pack ZZ; what another pack says counts where it speaks
_JOINERS = {0x200C: None, 0x200D: None}  # they belong to names in many scripts
PROFILE_CONTEXT = b"subject-profile"
NAMELESS = "\N{EM DASH}"


class SubjectEventKind(StrEnum):
    """What may become of a subject's registration.

    CONTESTED and CLOSED tell of a claim that nobody proved: it stays PROVISIONAL, and what was
    enrolled for it ceases to count.
    """

    VERIFIED = "VERIFIED"
    DISPUTED = "DISPUTED"
    CONTESTED = "CONTESTED"
    CLOSED = "CLOSED"


class Subject(Base):
    """A person on record. Everything personal is in the sealed profile."""

    __tablename__ = "subjects"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("principals.id"), index=True)
    profile: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SubjectKey(Base):
    """A subject's key, wrapped by the key file. Destroying this row is what erasure does."""

    __tablename__ = "subject_keys"

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    wrapped: Mapped[bytes]


class SubjectAlias(Base):
    """A name of a subject as a keyed digest: it can be asked for, not read."""

    __tablename__ = "subject_aliases"

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    alias_index: Mapped[bytes] = mapped_column(primary_key=True, index=True)


class SubjectEvent(Event):
    """What became of a subject's registration."""

    __tablename__ = "subject_events"
    __table_args__ = (
        Index(
            "ix_subject_events_contests",
            "at",
            postgresql_where=text("kind in ('CONTESTED', 'CLOSED')"),
        ),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    kind: Mapped[SubjectEventKind]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person, as it is sealed. `links`: where they are to be seen or heard.

    Whoever gives no name is NAMELESS: they are known by photographs, recordings or links alone.
    """

    name: str = NAMELESS
    aliases: tuple[str, ...] = ()
    birth_date: date | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A subject as its owner sees it: opened, with the state its events add up to."""

    id: UUID
    owner_id: UUID
    created_at: datetime
    registration: Registration
    name: str
    aliases: list[str] = field(default_factory=list)
    birth_date: date | None = None
    links: list[str] = field(default_factory=list)


def registration_of(kinds: Collection[str]) -> Registration:
    """The registration these event kinds, oldest first, add up to."""
    state = Registration.PROVISIONAL
    for kind in kinds:
        if kind not in _LEAVING_IT_AS_IT_IS:
            state = Registration(kind)
    return state


_LEAVING_IT_AS_IT_IS = frozenset({SubjectEventKind.CONTESTED, SubjectEventKind.CLOSED})


def classes(record: Record, asserted: Collection[SubjectClass]) -> frozenset[SubjectClass]:
    """What the law sees in somebody today: what is asserted, and a minor until they are of age."""
    found = set(asserted)
    today = datetime.now(UTC).date()
    dead = SubjectClass.DECEASED in found or SubjectClass.HISTORICAL in found
    if record.birth_date is not None and not dead and age(record.birth_date, today) < MAJORITY:
        found.add(SubjectClass.MINOR)
    return frozenset(found or {SubjectClass.PRIVATE})


def seal_profile(profile: Profile, *, subject_id: UUID, wrapped: bytes, keys: Keys) -> bytes:
    """The profile under the subject's key."""
    body = {
        "name": profile.name,
        "aliases": profile.aliases,
        "born": profile.birth_date,
        "links": profile.links,
    }
    key = keys.open_key(subject_id, wrapped)
    return key.seal(orjson.dumps(body), context=PROFILE_CONTEXT)


def open_profile(sealed: bytes, *, subject_id: UUID, wrapped: bytes, keys: Keys) -> Profile:
    """The profile again."""
    key = keys.open_key(subject_id, wrapped)
    body = orjson.loads(key.open(sealed, context=PROFILE_CONTEXT))
    born = body["born"]
    return Profile(
        name=body["name"],
        aliases=tuple(body["aliases"]),
        birth_date=date.fromisoformat(born) if born else None,
        links=tuple(body.get("links", ())),  # profiles sealed before there were any have no key
    )


def checked_name(name: str, field_name: str = "name") -> str:
    """The name without outer blanks; refused when empty, too long or unprintable."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH or not name.translate(_JOINERS).isprintable():
        raise InvalidError(f"A name has 1 to {NAME_LENGTH} printable characters.", field=field_name)
    return name


async def register(
    session: WriteSession,
    *,
    subject_id: UUID,
    owner_id: UUID,
    profile: Profile,
    verified: bool,
    keys: Keys,
) -> Subject:
    """Put a person on record. `verified`: whoever did it proved who they are (IAL2 or more).

    Nobody is asked for by no name, and no proof is of it: who is nameless stays provisional.
    """
    profile = await _checked(session, profile)
    subject = await _put(session, profile, subject_id=subject_id, owner_id=owner_id, keys=keys)
    named = [one for one in (profile.name, *profile.aliases) if one != NAMELESS]
    for index in {keys.blind_index(one) for one in named}:
        session.add(SubjectAlias(subject_id=subject_id, alias_index=index))
    if verified and profile.name != NAMELESS:
        session.add(
            SubjectEvent(subject_id=subject_id, kind=SubjectEventKind.VERIFIED, actor_id=owner_id)
        )
    await session.flush()  # reads in this transaction see the whole subject
    return subject


async def _checked(session: ReadSession, profile: Profile) -> Profile:
    """The profile in its plain form; InvalidError for what cannot be."""
    if len(profile.aliases) > MAX_ALIASES:
        raise InvalidError(f"At most {MAX_ALIASES} aliases.", field="aliases")
    if profile.birth_date is not None and profile.birth_date > (await now(session)).date():
        raise InvalidError("A birth date is not in the future.", field="birthDate")
    return Profile(
        checked_name(profile.name),
        tuple(checked_name(one, "aliases") for one in profile.aliases),
        profile.birth_date,
        links.checked(profile.links),
    )


async def _put(
    session: WriteSession, profile: Profile, *, subject_id: UUID, owner_id: UUID, keys: Keys
) -> Subject:
    """A person's rows under a new key."""
    wrapped = keys.wrap_new(subject_id)
    sealed = seal_profile(profile, subject_id=subject_id, wrapped=wrapped, keys=keys)
    subject = Subject(id=subject_id, owner_id=owner_id, profile=sealed)
    session.add(subject)
    await session.flush()  # the rows below refer to it
    session.add(SubjectKey(subject_id=subject_id, wrapped=wrapped))
    return subject


async def register_nameless(
    session: WriteSession,
    *,
    subject_id: UUID,
    owner_id: UUID,
    born: date | None,
    registration: Registration,
    keys: Keys,
) -> None:
    """Keep somebody on record of whom all else was erased, as they were registered."""
    profile = Profile(birth_date=born)
    await _put(session, profile, subject_id=subject_id, owner_id=owner_id, keys=keys)
    if registration is not Registration.PROVISIONAL:
        kind = SubjectEventKind(registration)
        session.add(SubjectEvent(subject_id=subject_id, kind=kind, actor_id=owner_id))
    await session.flush()  # reads in this transaction see the whole subject


async def mine(session: ReadSession, subject_id: UUID) -> Subject:
    """The subject, if the caller may see it; absent and not yours look the same."""
    subject = await session.get(Subject, subject_id)
    if subject is None:
        raise NotFoundError("No such subject.", field="subjectId")
    return subject


async def require_named(session: ReadSession, subject_id: UUID, *, keys: Keys) -> None:
    """ConflictError for a record that is kept for blocking alone: nothing is added to it."""
    await mine(session, subject_id)
    record = (await records(session, [subject_id], keys=keys)).get(subject_id)
    if record is not None and record.name == NAMELESS:
        raise ConflictError("This record is kept for blocking alone: put the person on record.")


async def owners(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who keeps each visible subject, erased ones too."""
    rows = await session.execute(select(Subject.id, Subject.owner_id).where(Subject.id.in_(ids)))
    return {row.id: row.owner_id for row in rows}


async def wrapped_keys(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The wrapped key of each subject that still has one."""
    rows = await session.scalars(select(SubjectKey).where(SubjectKey.subject_id.in_(ids)))
    return {row.subject_id: row.wrapped for row in rows}


async def records(session: ReadSession, ids: Collection[UUID], *, keys: Keys) -> dict[UUID, Record]:
    """Each visible subject, opened. An erased one has no record any more."""
    subjects = await session.scalars(select(Subject).where(Subject.id.in_(ids)))
    wrapped = await wrapped_keys(session, ids)
    registered = await registrations(session, ids)
    return {
        one.id: _record(one, wrapped[one.id], registered[one.id], keys)
        for one in subjects
        if one.id in wrapped
    }


async def registrations(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Registration]:
    """How each subject is registered now."""
    events = await session.execute(
        select(SubjectEvent.subject_id, SubjectEvent.kind)
        .where(SubjectEvent.subject_id.in_(ids))
        .order_by(SubjectEvent.at, SubjectEvent.id)
    )
    kinds: dict[UUID, list[str]] = {one: [] for one in ids}
    for subject_id, kind in events:
        kinds[subject_id].append(kind)
    return {one: registration_of(kinds[one]) for one in ids}


def _record(subject: Subject, wrapped: bytes, registration: Registration, keys: Keys) -> Record:
    profile = open_profile(subject.profile, subject_id=subject.id, wrapped=wrapped, keys=keys)
    return Record(
        id=subject.id,
        owner_id=subject.owner_id,
        created_at=subject.created_at,
        registration=registration,
        name=profile.name,
        aliases=list(profile.aliases),
        birth_date=profile.birth_date,
        links=list(profile.links),
    )


async def page(
    session: ReadSession, *, first: int, after: UUID | None, name_index: bytes | None = None
) -> Page[UUID]:
    """The ids of the caller's subjects, oldest first; only those so named if an index is given."""
    query = select(Subject.id)
    if name_index is not None:
        query = query.join(SubjectAlias, SubjectAlias.subject_id == Subject.id).where(
            SubjectAlias.alias_index == name_index
        )
    return await page_of(session, query, key=Subject.id, first=first, after=after)
