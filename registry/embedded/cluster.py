"""The cluster: initdb, database and roles.

It is finished in a folder of another name and then renamed, so a cluster that is there is whole.
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from registry.embedded import binaries, folders
from registry.embedded.places import ROLES, Place
from registry.errors import SetupError

DATABASE = "likeness"
DRAFT = "postgres.new-"
RIGHTS = "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION"
# Written to postgresql.conf once, for the operator to tune. What must hold is in server.ARGUMENTS.
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Statements and the values of a violated key are personal data: they stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def ensure(place: Place, install: Path) -> None:
    """Make the cluster if there is none, and new passwords where their files are gone.

    Raises SetupError if the cluster is of another major version. Call it with the lock held and
    no server running.
    """
    for draft in place.home.glob(f"{DRAFT}*"):  # of a start that was cut short
        _remove(draft)
    if not place.cluster.exists():
        _create(place, install)
    _check_version(place, install)
    lost = [role for role in ROLES if not place.password_file(role).exists()]
    if lost:
        passwords = {role: secrets.token_hex(32) for role in lost}
        _execute(place, install, place.cluster, _password_statements(passwords))
        for role, password in passwords.items():
            _keep(place.password_file(role), password)


def password(place: Place, role: str) -> str:
    """The password of a role ("admin" or "app"); SetupError if it can't be read."""
    try:
        return place.password_file(role).read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"{place.password_file(role)} can't be read by user {os.geteuid()}: {error.strerror}."
        ) from error


def _create(place: Place, install: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=place.home))
    try:
        if place.account.is_other:
            os.chown(draft, place.account.uid, place.account.gid)
        _initdb(place, install, draft)
        for role in ROLES:
            if not place.password_file(role).exists():
                _keep(place.password_file(role), secrets.token_hex(32))
        passwords = {role: password(place, role) for role in ROLES}
        roles = [
            f"CREATE DATABASE {DATABASE} OWNER {ROLES['admin']}",
            f"CREATE ROLE {ROLES['app']} LOGIN {RIGHTS}",
        ]
        _execute(place, install, draft, roles + _password_statements(passwords))
        draft.rename(place.cluster)
    except BaseException:
        _remove(draft)
        raise
    _sync(place.home)


def _initdb(place: Place, install: Path, draft: Path) -> None:
    # Root writes nothing into a folder that another account owns, so initdb writes pg_hba.conf. It
    # wants a password for that; this one is replaced before the cluster gets its name.
    descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=place.home)
    with os.fdopen(descriptor, "w") as file:
        os.fchown(descriptor, place.account.uid, place.account.gid)
        file.write(secrets.token_hex(32))
    options: dict[str, str | Path] = {
        "pgdata": draft,
        "username": ROLES["admin"],
        "pwfile": name,
        "auth": "scram-sha-256",
        "encoding": "UTF8",
        # The C.UTF-8 of PostgreSQL itself: the same order on every machine, for ever.
        "locale-provider": "builtin",
        "builtin-locale": "C.UTF-8",
        "locale": "C",
    }
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    arguments = [f"--{name}={value}" for name, value in options.items()]
    try:
        place.account.run([install / "bin/initdb", "--data-checksums", *arguments, *settings])
    finally:
        _remove(Path(name))


def _execute(place: Place, install: Path, cluster: Path, statements: list[str]) -> None:
    """Run statements in single-user mode: no server, no socket, no password yet."""
    command: list[str | Path] = [install / "bin/postgres", "--single", "-j", "-D", str(cluster)]
    command += ["-c", "exit_on_error=true", "-c", "log_statement=none", "postgres"]
    place.account.run(command, text="".join(f"{line};\n\n" for line in statements))


def _password_statements(passwords: dict[str, str]) -> list[str]:
    return [f"ALTER ROLE {ROLES[role]} PASSWORD '{word}'" for role, word in passwords.items()]


def _check_version(place: Place, install: Path) -> None:
    ours = binaries.major(install, place.account)
    theirs = (place.cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    if not theirs.isdigit():
        raise SetupError(f"{place.cluster} is no PostgreSQL cluster. Restore it, or move it away.")
    if theirs != str(ours):
        raise SetupError(
            f"The database in {place.cluster} was made by PostgreSQL {theirs}, and this "
            f"installation brings PostgreSQL {ours}. Dump it with the version that made it and "
            "restore the dump here, or install that version again."
        )


def _keep(path: Path, word: str) -> None:
    """Write a secret whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(folders.open_private(draft, os.O_WRONLY | os.O_EXCL), "w") as file:
        file.write(word)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
