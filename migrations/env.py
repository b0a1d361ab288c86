"""Run migrations: one process at a time, no lock waited for longer than four seconds."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from registry.schema import include_object, metadata

# Any number will do, as long as nothing else in this database locks it.
MIGRATION_LOCK = 0x6D6967


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=True,
        include_object=include_object,
    )
    with context.begin_transaction():
        context.run_migrations()


async def online(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        # Another process may be migrating: wait for it, then find nothing left to do.
        await connection.execute(text("set lock_timeout = '120s'"))
        await connection.execute(text("select pg_advisory_lock(:id)"), {"id": MIGRATION_LOCK})
        await connection.execute(text("set lock_timeout = '4s'"))
        await connection.execute(text("set statement_timeout = '60s'"))
        await connection.commit()
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()  # the session's advisory lock ends with it


if context.is_offline_mode():
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url") or "postgresql+asyncpg://",
        target_metadata=metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online(context.config.attributes["url"]))
