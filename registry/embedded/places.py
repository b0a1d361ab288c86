"""Where the parts of an embedded PostgreSQL lie.

All in the data folder, unless root keeps that folder where PostgreSQL's account can't enter: then
the cluster lies below SYSTEM_DIR and `postgres` in the data folder is a link to it.
"""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from registry.embedded import folders
from registry.embedded.account import Account, warn_if_shared
from registry.errors import SetupError

SYSTEM_DIR = Path("/var/lib/likeness-registry")
SHORT_DIR = Path("/tmp")  # noqa: S108  # sticky; what we make there is checked for its owner
PORT = 5432  # only names the socket; each data folder has a socket folder of its own
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 103  # sun_path without its NUL: 107 on Linux, 103 on macOS
ROLES = {"admin": "likeness_admin", "app": "likeness_login"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """The folders and files of one data folder's PostgreSQL, and who runs it."""

    data_dir: Path
    home: Path
    account: Account
    system_dir: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder (PGDATA)."""
        return self.home / "postgres"

    @property
    def lock(self) -> Path:
        """Beside the cluster, so that two links to one cluster share it."""
        return self.home / "postgres.lock"

    @property
    def log(self) -> Path:
        """What PostgreSQL says."""
        return self.data_dir / "postgres.log"

    def password_file(self, role: str) -> Path:
        """The secret of a role: "admin" or "app"."""
        return self.data_dir / f"postgres-{role}.password"

    def socket_dir(self) -> Path:
        """The folder of the socket, made if absent; a short one where the path would not fit."""
        mode = 0o755 if self.account.is_other else 0o700
        folder = self.home / "postgres.socket"
        if not _fits(folder):
            folder = self._short_socket_dir()
        return folders.make(folder, mode=mode, owner=self.account)

    def _short_socket_dir(self) -> Path:
        name = _digest(self.data_dir)
        if not self.account.is_other:
            return SHORT_DIR / f"likeness-{self.account.uid}-{name}"
        folder = folders.make(folders.make(self.system_dir, mode=0o755) / name, mode=0o755)
        if not _fits(folder / "postgres.socket"):
            raise SetupError(f"The path {folder} is too long for a socket.")
        return folder / "postgres.socket"


def find(data_dir: Path, system_dir: Path) -> Place:
    """Settle where the PostgreSQL of a data folder lies; makes the folders above the cluster."""
    data_dir = _made(data_dir).resolve()
    entry = data_dir / "postgres"
    if entry.exists():
        real = entry.resolve()
        account = Account.owning(real)
        if not account.reaches(real):
            raise SetupError(
                f"User {account.name}, who runs PostgreSQL, can't enter {real}. Move it to where "
                f"he can, and leave a link to it at {entry}."
            )
        return Place(data_dir, real.parent, account, system_dir)
    account = Account.chosen()
    warn_if_shared(account)
    if entry.is_symlink():  # its first start was cut short, or the cluster is lost
        home = entry.readlink().parent
        if not home.is_dir():
            raise SetupError(
                f"The database of {data_dir} was kept in {home}, which is gone. Restore it there, "
                f"or remove {entry} to begin with an empty one."
            )
        return Place(data_dir, home, account, system_dir)
    if account.reaches(data_dir):
        return Place(data_dir, data_dir, account, system_dir)
    home = folders.make(folders.make(system_dir, mode=0o755) / _digest(data_dir), mode=0o755)
    if not account.reaches(home):
        raise SetupError(f"User {account.name}, who runs PostgreSQL, can't enter {home}.")
    entry.symlink_to(home / "postgres")
    logger.warning(
        "%s is closed to user %s, who runs PostgreSQL: the database is kept in %s",
        data_dir,
        account.name,
        home,
    )
    return Place(data_dir, home, account, system_dir)


def _made(data_dir: Path) -> Path:
    """The data folder; one that root makes can be passed through by PostgreSQL's account."""
    try:
        data_dir.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    except FileExistsError:
        if not data_dir.is_dir():
            raise SetupError(f"{data_dir} is not a folder.") from None
    except OSError as error:
        raise SetupError(f"{data_dir} can't be made: {error.strerror}.") from error
    return data_dir


def _digest(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]


def _fits(socket_dir: Path) -> bool:
    return len(os.fsencode(socket_dir / SOCKET_NAME)) <= SOCKET_PATH_BYTES
