"""The database schema as a whole: its tables, and how a database is brought up to date."""

import asyncio
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.schema import SchemaItem

from registry import (
    accesses,
    assets,
    attestations,
    attester_keys,
    cases,
    challenges,
    circumstances,
    client_secrets,
    complaints,
    consent_requests,
    decisions,
    doubts,
    erasure,
    evidence,
    figures,
    filings,
    freezing,
    grants,
    idempotency,
    keyring,
    notices,
    objections,
    orders,
    organisations,
    presentations,
    principals,
    probes,
    protections,
    representatives,
    request_messages,
    review_evidence,
    reviews,
    rulings,
    samples,
    services,
    subjects,
    templates,
    throttles,
    usage,
    webhooks,
)
from registry.away import away
from registry.database import APP_ROLE, CHECK_ROLE, Base, Xid8, sqlalchemy_url
from registry.errors import SetupError
from registry.log import entries

# Importing a concept's module puts its tables into the metadata.
CONCEPTS = (
    accesses,
    assets,
    attestations,
    attester_keys,
    challenges,
    cases,
    circumstances,
    client_secrets,
    complaints,
    consent_requests,
    decisions,
    doubts,
    entries,
    figures,
    evidence,
    erasure,
    filings,
    freezing,
    grants,
    idempotency,
    keyring,
    notices,
    objections,
    orders,
    organisations,
    presentations,
    principals,
    probes,
    protections,
    representatives,
    request_messages,
    review_evidence,
    reviews,
    rulings,
    samples,
    services,
    subjects,
    templates,
    throttles,
    usage,
    webhooks,
)
metadata = Base.metadata
ischema_names.setdefault("xid8", Xid8)  # so that reflection knows the type
logger = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
OLDEST_POSTGRESQL = 150000
MONTHS_AHEAD = 13
_PARTITIONS_LOCK = 0x706172  # released when the connection closes, as its caller does
_ONE_AT_A_TIME = threading.Lock()  # alembic keeps its state in module globals


def include_object(
    _: SchemaItem, name: str | None, kind: str, reflected: bool, _against: SchemaItem | None
) -> bool:
    """Monthly partitions are made as time goes by; they are no part of the models."""
    return not (
        kind in {"table", "index"}
        and reflected
        and name is not None
        and name.startswith("decisions_")
    )


def config(url: str) -> Config:
    """Alembic's configuration for this database."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option(
        "file_template",
        "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s",
    )
    made.attributes["url"] = sqlalchemy_url(url)
    return made


def head() -> str:
    """The revision this code works with."""
    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found is None:
        raise SetupError("The migrations folder is missing: reinstall likeness-registry.")
    return found


async def upgrade(admin_url: str, login_url: str) -> None:
    """Bring the database up to date and let the login act in its two roles. Idempotent."""
    with away():
        connection = await asyncpg.connect(admin_url, timeout=10)
        try:
            await _require_server(connection)
            if await _revision(connection) != await asyncio.to_thread(head):
                await asyncio.to_thread(_migrate, admin_url)
            await _admit(connection, login_url)
            await make_partitions(connection)
        finally:
            await connection.close()


async def _revision(connection: asyncpg.Connection) -> str | None:
    """Which revision the database is at; None for an empty one."""
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("select version_num from alembic_version")
    return found


def _migrate(admin_url: str) -> None:
    with _ONE_AT_A_TIME:
        command.upgrade(config(admin_url), "head")


async def _require_server(connection: asyncpg.Connection) -> None:
    version = connection.get_server_version()
    if version.major * 10000 < OLDEST_POSTGRESQL:
        raise SetupError(f"PostgreSQL {version.major} is too old: 15 or newer is needed.")
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if await connection.fetchval(f"show {name}") == "off":
            raise SetupError(
                f"PostgreSQL runs with {name} = off and may lose acknowledged writes. Turn it on."
            )


async def _admit(connection: asyncpg.Connection, login_url: str) -> None:
    """The login may act as the application and as a check, and as nothing more."""
    login = await asyncpg.connect(login_url, timeout=10)
    try:
        user = await login.fetchval("select quote_ident(session_user)")
    finally:
        await login.close()
    await connection.execute(f"grant {APP_ROLE}, {CHECK_ROLE} to {user}")


async def make_partitions(connection: asyncpg.Connection) -> None:
    """A partition of `decisions` for this month and the year ahead, where there is none yet."""
    now = datetime.now(UTC)
    # Two processes that start together would both find a month missing.
    await connection.execute(f"select pg_advisory_lock({_PARTITIONS_LOCK})")
    await connection.execute("set lock_timeout = '2s'")
    for ahead in range(MONTHS_AHEAD):
        first, last = _month(now, ahead), _month(now, ahead + 1)
        try:
            await connection.execute(
                f"create table if not exists decisions_{first:%Y_%m} partition of decisions"
                f" for values from ('{_least_id(first)}') to ('{_least_id(last)}')"
            )
        except (asyncpg.LockNotAvailableError, asyncpg.CheckViolationError) as error:
            # The default partition takes what has no month of its own: late, but nothing is lost.
            logger.warning("No partition for %s yet: %s", f"{first:%Y-%m}", error)


def _month(now: datetime, ahead: int) -> datetime:
    months = now.year * 12 + now.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _least_id(at: datetime) -> UUID:
    """Below every UUIDv7 made at or after this moment, above every one made before."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
