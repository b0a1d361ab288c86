"""The database handle: the declarative base, and the only place a transaction begins or ends.

Every transaction says on whose behalf it runs; PostgreSQL's row-level security holds it to that.
"""

import os
import time
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, NewType, TypeVar
from uuid import UUID

from sqlalchemy import DateTime, Dialect, Enum, LargeBinary, MetaData, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, UserDefinedType
from typing_extensions import override

from registry.away import away
from registry.errors import ForbiddenError, InvalidError, SetupError, UnauthenticatedError

APP_ROLE = "likeness_app"
CHECK_ROLE = "likeness_check"
# Policies that refuse what the API would otherwise have to look for, and the words they stand for.
_REFUSING_POLICIES = {
    "offices_stand_aside": "An office of the registry does this for nobody.",
    "the_frozen_stand_still": (
        "This account is frozen: it may withdraw, revoke and read, and nothing else. Ask the"
        " registry's desk to look at it again."
    ),
}

# A function that takes a ReadSession promises not to write; the type checker holds it to
# that when it tries to call one that takes a WriteSession. Every WriteSession can read.
ReadSession = NewType("ReadSession", AsyncSession)
WriteSession = NewType("WriteSession", ReadSession)

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class EnumList(TypeDecorator[list[E]], Generic[E]):
    """Some of one enum's members, kept as a text array; NULL means "all of them"."""

    impl = ARRAY(Text)
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__()
        self.enum = enum

    @override
    def process_bind_param(self, value: list[E] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else [str(one) for one in value]

    @override
    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> list[E] | None:
        return None if value is None else [self.enum(one) for one in value]


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id: the order in which rows become visible."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"

    @override
    def bind_processor(self, dialect: Dialect) -> None:
        return None


def ordered(values: Collection[T] | None) -> list[T] | None:
    """A set as it is stored: in one order, or None for "all of them"."""
    return None if values is None else sorted(values)  # type: ignore[type-var]  # ids and enums sort


class Base(DeclarativeBase):
    """Parent of every table. Constraints get predictable names so migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        StrEnum: Enum(StrEnum, native_enum=False, length=40, values_callable=list),
    }


async def now(session: AsyncSession) -> datetime:
    """The database's clock, which is the registry's."""
    found: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return found


async def take_turns(session: AsyncSession, id: UUID) -> None:
    """Let changes of this thing wait for one another until each is committed.

    Rows cannot be locked by a role that may not update.
    """
    await take_turns_on(session, str(id))


async def take_turns_on(session: AsyncSession, name: str) -> None:
    """The same, for what has a name in place of an id."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0x3 << 62) | 2 << 62)


class Event(Base):
    """What became of a fact: who did what to it, when and why. Never changed or removed."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-2)
    actor_id: Mapped[UUID] = mapped_column(sort_order=90)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), sort_order=91)
    reason: Mapped[str | None] = mapped_column(sort_order=92)


MAX_REASON = 500


def checked_reason(reason: str | None) -> str | None:
    """Why, as it is kept for ever: short and printable, or none."""
    if reason is None or (len(reason) <= MAX_REASON and reason.isprintable()):
        return reason
    raise InvalidError(f"A reason has at most {MAX_REASON} printable characters.", field="reason")


def checked_time(time: datetime, field: str) -> datetime:
    """The time, if it says its offset."""
    if time.tzinfo is None:
        raise InvalidError(
            "A time needs its offset, for example 2027-01-01T00:00:00Z.", field=field
        )
    return time


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a transaction runs, as row-level security sees it."""

    principal_id: UUID
    kind: str
    credential_id: UUID | None = None


_BEGIN = text(
    "select set_config('likeness.principal', :principal, true),"
    " set_config('likeness.kind', :kind, true),"
    " exists (select 1 from credential_events"
    " where credential_id = :credential and kind = 'REVOKED')"
)


class Database:
    """Hands out sessions. Each one belongs to a single task: never share it across tasks."""

    def __init__(self, engine: AsyncEngine, actor: Actor | None = None) -> None:
        self.engine = engine
        self.actor = actor
        self._write = async_sessionmaker(engine, expire_on_commit=False)
        self._read = async_sessionmaker(
            engine, expire_on_commit=False, execution_options={"postgresql_readonly": True}
        )

    def acting_for(self, actor: Actor) -> "Database":
        """The same database, seen and changed as this principal may."""
        return Database(self.engine, actor)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[ReadSession, None]:
        """One read-only transaction; PostgreSQL itself refuses a write inside it."""
        with away():
            async with self._read() as session:
                await self._begin(session)
                yield ReadSession(session)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[WriteSession, None]:
        """One transaction, committed on leaving the block and rolled back on any exception."""
        with away(), _standing_aside():
            async with self._write.begin() as session:
                await self._begin(session)
                yield WriteSession(ReadSession(session))

    async def _begin(self, session: AsyncSession) -> None:
        if self.actor is None:
            return
        parameters = {
            "principal": str(self.actor.principal_id),
            "kind": self.actor.kind,
            "credential": self.actor.credential_id,
        }
        *_, revoked = (await session.execute(_BEGIN, parameters)).one()
        if revoked:
            raise UnauthenticatedError("The access token does not hold.")

    async def close(self) -> None:
        """Give every connection back to PostgreSQL."""
        await self.engine.dispose()


@contextmanager
def _standing_aside() -> Generator[None]:
    """Say in words when a policy refuses somebody who may not do this at all."""
    try:
        yield
    except DBAPIError as error:
        refused = str(error.orig)
        for policy, words in _REFUSING_POLICIES.items():
            if policy in refused:
                raise ForbiddenError(words) from error
        raise


def create_engine(url: str, *, role: str | None, size: int) -> AsyncEngine:
    """A pool that acts in the named database role; waits at most a second for a connection."""
    settings = {
        "application_name": f"likeness {role or 'owner'}",
        "timezone": "UTC",
        "statement_timeout": "5000",
        "lock_timeout": "2000",
        "idle_in_transaction_session_timeout": "10000",
        "jit": "off",
    }
    if role:
        settings["role"] = role
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=1,
        pool_pre_ping=False,
        pool_recycle=1800,
        hide_parameters=True,  # a logged defect shows no name and no hash
        connect_args={"server_settings": settings, "timeout": 5, "command_timeout": 10},
    )


def sqlalchemy_url(url: str) -> str:
    """The same address in the form SQLAlchemy's asyncpg dialect wants."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise SetupError("LIKENESS_DATABASE_URL is not a database address.") from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise SetupError("LIKENESS_DATABASE_URL must begin with postgresql://.")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
