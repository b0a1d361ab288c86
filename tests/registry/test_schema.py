"""The schema: models equal tables, revisions go down and up, roles see and change what they may."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from registry import schema
from registry.database import APP_ROLE, CHECK_ROLE
from registry.errors import SetupError
from registry.installation import opened
from registry.settings import Settings

Urls = tuple[str, str]


def renamed(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@pytest.fixture
async def empty(urls: Urls) -> AsyncGenerator[Urls]:
    """A database of its own on the test server, dropped again."""
    admin, login = urls
    name = f"schema_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(admin)
    await connection.execute(f"create database {name}")
    yield renamed(admin, name), renamed(login, name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


async def migrate(url: str, target: str) -> None:
    """Go to a revision, up or down."""
    go = command.downgrade if target in {"base", "-1"} else command.upgrade
    await asyncio.to_thread(go, schema.config(url), target)


async def test_there_is_one_head() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [schema.head()]


async def test_models_equal_the_migrated_tables(empty: Urls) -> None:
    await schema.upgrade(*empty)
    await asyncio.to_thread(command.check, schema.config(empty[0]))


async def test_several_may_upgrade_at_once(empty: Urls) -> None:
    await asyncio.gather(*(schema.upgrade(*empty) for _ in range(3)), *map(elsewhere, [empty] * 2))
    await schema.upgrade(*empty)


async def elsewhere(urls: Urls) -> None:
    """Upgrade from another process."""
    program = "from asyncio import run; import sys; from registry.schema import upgrade as go;"
    program += " run(go(*sys.argv[1:]))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, *urls)
    assert await process.wait() == 0


async def fill(connection: asyncpg.Connection) -> None:
    """A few rows, one of them history in a partition."""
    await connection.execute(
        """
        insert into principals (id, kind, handle) values
          ('00000000-0000-7000-8000-00000000000a', 'ORGANISATION', 'agency'),
          ('00000000-0000-7000-8000-00000000000b', 'SERVICE', 'studio');
        insert into services (id, owner_id, name, supported_obligations) values
          ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000a',
           'studio', '{KEEP_LOG}');
        insert into decisions values ('01a205e9-0326-7dfc-81c1-1c0b77e1497b',
          '00000000-0000-7000-8000-00000000000b', now(), 'UNKNOWN', '\\x01', '\\x02', '{}', 0);
        insert into subjects (id, owner_id, profile) values
          ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-00000000000a', '');
        insert into samples values
          ('00000000-0000-7000-8000-00000000000d', '00000000-0000-7000-8000-00000000000c', 'FACE',
           '{dlib-resnet/1}', '\\x03', '00000000-0000-7000-8000-00000000000a', 2);
        insert into sample_events (id, sample_id, kind, actor_id) values
          ('00000000-0000-7000-8000-00000000000e', '00000000-0000-7000-8000-00000000000d', 'HELD',
           '00000000-0000-7000-8000-00000000000a');
        insert into templates values
          ('00000000-0000-7000-8000-00000000000f', '00000000-0000-7000-8000-00000000000c', 'FACE',
           'dlib-resnet/1', 'PHOTO', 1, true, '\\x04');
        insert into template_events (id, template_id, kind, actor_id) values
          ('00000000-0000-7000-8000-000000000010', '00000000-0000-7000-8000-00000000000f',
           'RETIRED', '00000000-0000-7000-8000-00000000000a');
        """
    )


async def contents(connection: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    """Every row of every table there is, in a fixed order."""
    found = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    there = {row["tablename"] for row in found}
    tables = [one.name for one in schema.metadata.sorted_tables if one.name in there]
    return {name: await connection.fetch(f"select * from {name} t order by t") for name in tables}


async def test_down_and_up_again_keeps_every_row_of_what_was_there(empty: Urls) -> None:
    await schema.upgrade(*empty)
    connection = await asyncpg.connect(empty[0])
    await fill(connection)
    before = await contents(connection)
    assert {name for name, rows in before.items() if rows} >= {"decisions", "samples", "templates"}
    steps = [one.revision for one in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()]
    for _ in steps[:-1]:
        await migrate(empty[0], "-1")
        left = await contents(connection)
        assert left == {name: before[name] for name in left}
    await migrate(empty[0], "head")
    after = await contents(connection)
    assert after.keys() == before.keys()
    assert {name: after[name] for name in left} == left
    await connection.close()


async def test_all_the_way_down_leaves_nothing_and_up_works_again(empty: Urls) -> None:
    await schema.upgrade(*empty)
    await migrate(empty[0], "base")
    connection = await asyncpg.connect(empty[0])
    left = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    assert [row["tablename"] for row in left] == ["alembic_version"]
    await schema.upgrade(*empty)
    assert await connection.fetchval("select count(*) from decisions") == 0
    await connection.close()


async def test_a_waiting_migration_gives_up_its_lock(empty: Urls) -> None:
    await schema.upgrade(*empty)
    connection = await asyncpg.connect(empty[0])
    async with connection.transaction():
        await connection.execute("lock table decisions in access share mode")
        with pytest.raises(Exception, match="lock timeout"):
            await migrate(empty[0], "base")
    await connection.close()


@pytest.mark.parametrize("role", [APP_ROLE, CHECK_ROLE])
@pytest.mark.parametrize("verb", ["update {} set id = id", "delete from {}", "truncate {}"])
@pytest.mark.usefixtures("runtime")
async def test_no_role_of_the_server_can_change_history(urls: Urls, role: str, verb: str) -> None:
    connection = await asyncpg.connect(urls[1])
    await connection.execute(f"set role {role}")
    for table in (
        "grants",
        "grant_events",
        "objections",
        "decisions",
        "subject_events",
        "samples",
        "sample_events",
        "templates",
        "template_events",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(verb.format(table))
    await connection.close()


async def test_even_the_owner_cannot_rewrite_history(empty: Urls) -> None:
    await schema.upgrade(*empty)
    connection = await asyncpg.connect(empty[0])
    await fill(connection)
    for statement in (
        "update decisions set outcome = 'PERMITTED'",
        "delete from decisions",
        "truncate decisions",
        "delete from principals",
    ):
        with pytest.raises(asyncpg.PostgresError, match=r"history|violates foreign key"):
            await connection.execute(statement)
    await connection.close()


@pytest.mark.usefixtures("runtime")
async def test_every_table_has_row_security_and_a_policy(urls: Urls) -> None:
    connection = await asyncpg.connect(urls[0])
    secured = await connection.fetch(
        "select relname, relrowsecurity from pg_class where relname = any($1)",
        [table.name for table in schema.metadata.sorted_tables],
    )
    assert {row["relname"] for row in secured if not row["relrowsecurity"]} == set()
    policies = await connection.fetch(
        "select tablename, unnest(roles)::text as role from pg_policies where cmd = 'SELECT'"
    )
    covered = {row["tablename"] for row in policies if row["role"] == APP_ROLE}
    assert covered >= {table.name for table in schema.metadata.sorted_tables}
    await connection.close()


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    "table",
    ["case_pins", "case_contacts", "client_secrets", "webhooks", "attestation_captures",
     "evidence_contents", "reviews", "review_evidence", "subject_accesses", "notices",
     "consent_requests", "consent_request_addressees", "complaints", "complaint_events"],
)  # fmt: skip
async def test_checks_read_nothing_that_they_do_not_decide_from(urls: Urls, table: str) -> None:
    connection = await asyncpg.connect(urls[1])
    await connection.execute(f"set role {CHECK_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch(f"select * from {table}")  # of this file
    await connection.close()


@pytest.mark.usefixtures("runtime")
async def test_a_decision_lies_in_the_partition_of_its_month(urls: Urls) -> None:
    connection = await asyncpg.connect(urls[0])
    rows = await connection.fetch(
        "select relname from pg_class where relname ~ '^decisions_[0-9]{4}_[0-9]{2}$'"
    )
    assert len(rows) >= schema.MONTHS_AHEAD
    assert await connection.fetchval("select count(*) from decisions_unforeseen") == 0
    await connection.close()


async def test_start_up_refuses_a_server_that_may_lose_writes(empty: Urls) -> None:
    connection = await asyncpg.connect(empty[0])
    name = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {name} set synchronous_commit = off")
    await connection.close()
    with pytest.raises(SetupError, match="synchronous_commit"):
        await schema.upgrade(*empty)


async def test_a_database_knows_the_keys_it_was_made_with(empty: Urls, tmp_path: Path) -> None:
    for name, accepted in (("one", True), ("one", True), ("two", False)):
        settings = Settings(
            data_dir=tmp_path / name, database_url=empty[1], admin_database_url=empty[0]
        )
        with (
            contextlib.nullcontext() if accepted else pytest.raises(SetupError, match="other keys")
        ):
            async with opened(settings, supervise=False):
                pass
