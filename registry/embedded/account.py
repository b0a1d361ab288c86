"""The account PostgreSQL runs as.

It refuses to run as root, so root hands it to an account that exists already; anyone else runs it
as himself. No account is ever made.
"""

import logging
import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from registry.errors import SetupError

LAST_RESORT = "nobody"
PREFERRED = ("likeness", "postgres", LAST_RESORT)
# Nothing of the caller's environment: PGDATA, PGPORT, LC_* and TZ would change what is run.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, with his primary group."""

    name: str
    uid: int
    gid: int

    @classmethod
    def chosen(cls) -> Self:
        """Whoever runs this process, or for root the first of PREFERRED that exists."""
        if os.geteuid() != 0:
            return cls(str(os.geteuid()), os.geteuid(), os.getegid())
        for name in PREFERRED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            if entry.pw_uid != 0:
                return cls(name, entry.pw_uid, entry.pw_gid)
        raise SetupError(
            f"PostgreSQL does not run as root, and none of the accounts {', '.join(PREFERRED)} "
            "exists. Create one, or start as an ordinary user."
        )

    @classmethod
    def owning(cls, cluster: Path) -> Self:
        """Whoever owns a cluster: PostgreSQL only runs it as him."""
        owner = cluster.stat()
        if owner.st_uid == 0:
            raise SetupError(
                f"{cluster} belongs to root, and PostgreSQL does not run as root. "
                f"Give it to an account: chown -R ACCOUNT {cluster}."
            )
        if os.geteuid() not in (0, owner.st_uid):
            raise SetupError(
                f"{cluster} belongs to user {owner.st_uid} and this process runs as user "
                f"{os.geteuid()}. Start it as the owner, or set another LIKENESS_DATA_DIR."
            )
        return cls(str(owner.st_uid), owner.st_uid, owner.st_gid)

    @property
    def is_other(self) -> bool:
        """Whether this is not the account of this process."""
        return self.uid != os.geteuid()

    def reaches(self, folder: Path) -> bool:
        """Whether the account may enter a folder, judged by the modes of it and of its parents."""
        real = folder.resolve()
        return all(self._enters(step.stat()) for step in (real, *real.parents))

    def _enters(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)

    def spawn(
        self, command: Sequence[str | Path], *, stdin: int, output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program as this account, in a session of its own: Ctrl-C is for its parent."""
        return subprocess.Popen(  # noqa: S603  # our own binaries, arguments are not a shell's
            command,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",  # the caller's folder may be closed to the account
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def run(self, command: Sequence[str | Path], *, text: str = "") -> str:
        """Run a program as this account and return what it said; SetupError if it fails."""
        process = self.spawn(command, stdin=subprocess.PIPE, output=subprocess.PIPE)
        said, _ = process.communicate(text.encode())
        answer = said.decode(errors="replace")
        if process.returncode != 0:
            last = "\n".join(answer.splitlines()[-10:])
            raise SetupError(f"{command[0]} ended with code {process.returncode}: {last}")
        return answer


def warn_if_shared(account: Account) -> None:
    """Say that other programs may run as the last resort too, and could read the cluster."""
    if account.is_other and account.name == LAST_RESORT:
        logger.warning(
            "PostgreSQL runs as %s, which other programs may use too. "
            "An account named likeness would be its own.",
            LAST_RESORT,
        )
