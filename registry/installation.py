"""An installation: settings opened into keys and a database that is up to date."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.dialects.postgresql import insert

from registry import keyring, schema
from registry.database import APP_ROLE, CHECK_ROLE, Database, create_engine, sqlalchemy_url
from registry.embedded.supervisor import EmbeddedPostgres
from registry.errors import SetupError
from registry.keys import Keys
from registry.principals import OPERATOR, OPERATOR_ID, Principal, PrincipalKind
from registry.settings import Settings

CHECK_CONNECTIONS = 3  # batches run one after another; the others judge samples


@dataclass(frozen=True, slots=True)
class Installation:
    """What every command and the server stand on."""

    settings: Settings
    keys: Keys
    db: Database
    admin_url: str
    login_url: str

    @property
    def operator(self) -> Database:
        """The database as the operator of this machine sees it."""
        return self.db.acting_for(OPERATOR)


@asynccontextmanager
async def opened(settings: Settings, *, supervise: bool) -> AsyncGenerator[Installation, None]:
    """Open the installation. `supervise`: this process runs the embedded database, as `serve` does.

    Otherwise it uses the one that runs, or runs it for as long as the block lasts. Raises
    UnavailableError while the database cannot be reached, SetupError for what only an operator
    can mend.
    """
    keys = await asyncio.to_thread(Keys.open, settings.data_dir)
    async with AsyncExitStack() as stack:
        admin_url, login_url = await _urls(settings, stack, supervise=supervise)
        try:
            await schema.upgrade(admin_url, login_url)
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise SetupError("PostgreSQL refuses this user or password.") from error
        except asyncpg.InvalidCatalogNameError as error:
            raise SetupError("PostgreSQL has no such database: create it first.") from error
        engine = create_engine(login_url, role=APP_ROLE, size=settings.database_pool)
        stack.push_async_callback(engine.dispose)
        installation = Installation(settings, keys, Database(engine), admin_url, login_url)
        await _recognise(installation)
        yield installation


async def _urls(settings: Settings, stack: AsyncExitStack, *, supervise: bool) -> tuple[str, str]:
    if settings.database_url is not None:
        for url in (settings.database_url, settings.admin_database_url):
            if url is not None:
                sqlalchemy_url(url)  # says what is wrong with an address that is none
        return settings.admin_database_url or settings.database_url, settings.database_url
    if settings.admin_database_url is not None:
        raise SetupError("LIKENESS_ADMIN_DATABASE_URL is set without LIKENESS_DATABASE_URL.")
    postgres = EmbeddedPostgres(settings.data_dir)
    if supervise:
        await asyncio.to_thread(postgres.start)
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
    else:
        attached = postgres.attach_or_start()
        await asyncio.to_thread(attached.__enter__)
        stack.push_async_callback(asyncio.to_thread, attached.__exit__, None, None, None)
    return postgres.url("admin"), postgres.url("app")


async def _recognise(installation: Installation) -> None:
    async with installation.operator.writing() as session:
        await keyring.require(session, installation.keys)
        await session.execute(
            insert(Principal)
            .values(id=OPERATOR_ID, kind=PrincipalKind.OPERATOR, handle="operator")
            .on_conflict_do_nothing()
        )


async def check_pool(installation: Installation) -> asyncpg.Pool:
    """Connections that may read across owners and add decisions, and nothing else."""
    return await asyncpg.create_pool(
        installation.login_url,
        min_size=1,
        max_size=CHECK_CONNECTIONS,
        timeout=5,
        command_timeout=10,
        reset=_keep,
        server_settings={
            "role": CHECK_ROLE,
            "application_name": "likeness checks",
            "timezone": "UTC",
            "statement_timeout": "4000",
            "lock_timeout": "3000",
            "jit": "off",
            # The statement's plan does not depend on its arguments; planning it anew costs more.
            "plan_cache_mode": "force_generic_plan",
            # It looks up a few rows by key, however large a table is or was when last analysed.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        },
    )


async def _keep(_connection: object) -> None:
    """Nothing to reset: checks set no session state, and the round trip would cost a fifth."""
