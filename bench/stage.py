"""A registry of its own for a measurement: PostgreSQL, keys, accounts and real API processes.

Everything lies in a temporary folder, listens on loopback only, and ends with the `with` block.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from registry import principals, services
from registry.access_tokens import mint_access
from registry.database import new_id
from registry.embedded.supervisor import EmbeddedPostgres
from registry.installation import Installation, opened
from registry.keys import Keys
from registry.policy.vocabulary import ObligationCode
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.settings import PREFIX, Settings

REPOSITORY = Path(__file__).resolve().parent.parent
SERVE = (sys.executable, "-c", "from api.cli.main import run; run()", "serve")
BROKEN = (sys.executable, str(Path(__file__).with_name("broken.py")))
_STOP_SECONDS = 20.0
_READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can ask."""

    id: UUID
    token: str


class Api:
    """One API process: `likeness serve`, or a program that behaves like it."""

    def __init__(
        self, program: Sequence[str], port: int, environment: Mapping[str, str], log: Path
    ) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self._log = log
        self._command = [*program, "--port", str(port)]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    @property
    def pid(self) -> int:
        """Its process number."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Begin, without waiting."""
        self._began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> float:
        """Return the seconds from start to the first 200 at /readyz."""
        while time.monotonic() - self._began < _READY_SECONDS:
            if self.is_ready():
                return time.monotonic() - self._began
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.url} does not serve:\n{self.last_words()}")

    def is_ready(self) -> bool:
        """Whether it says that it can answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310  # ours
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Ask it to end, and see that it has."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._process is not None:
            self._process.wait()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The end of what it logged."""
        return self._log.read_text(errors="replace")[-3000:]

    @property
    def log(self) -> str:
        """All it logged."""
        return self._log.read_text(errors="replace")


class Stage:
    """A temporary installation: an `owner` of subjects, a `service` that asks, two offices.

    As a rule this process runs PostgreSQL and any number of API processes share it. `supervised`:
    the one API process runs it, as `likeness serve` does.
    """

    owner: Account
    service: Account
    regulator: Account
    reviewer: Account

    def __init__(self, *, supervised: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lkb-"))
        self.folder.chmod(0o711)  # PostgreSQL's account passes through
        self.data_dir = self.folder / "d"
        self.supervised = supervised
        self.postgres = EmbeddedPostgres(self.data_dir)
        self._apis: list[Api] = []

    def __enter__(self) -> Self:
        """Make the installation."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `with` blocks end
        try:
            if not self.supervised:
                self.postgres.start()
            accounts = asyncio.run(self._open_accounts())
            self.owner, self.service, self.regulator, self.reviewer = accounts
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every process and remove the folder."""
        for api in self._apis:
            api.stop()
        if self.supervised and (self.data_dir / "postgres/postmaster.pid").exists():
            self.postgres.start()  # settles a server whose parent was killed
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def settings(self) -> Settings:
        """As the API processes have them."""
        if self.supervised:
            return Settings(data_dir=self.data_dir)
        return Settings(
            data_dir=self.data_dir,
            database_url=self.postgres.url("app"),
            admin_database_url=self.postgres.url("admin"),
        )

    @property
    def keys(self) -> Keys:
        """The installation's keys."""
        return Keys.open(self.data_dir)

    @property
    def admin_url(self) -> str:
        """The database as the user that owns the tables."""
        return self.postgres.url("admin")

    def api(self, program: Sequence[str] = SERVE, settings: Mapping[str, str] | None = None) -> Api:
        """A further API process, started and ready; `settings` by name without the prefix."""
        made = self.prepared(program, settings)
        made.start()
        made.wait_until_ready()
        return made

    def prepared(
        self, program: Sequence[str] = SERVE, settings: Mapping[str, str] | None = None
    ) -> Api:
        """The same, not started yet."""
        environment = {name: one for name, one in os.environ.items() if not name.startswith(PREFIX)}
        environment[f"{PREFIX}DATA_DIR"] = str(self.data_dir)
        if not self.supervised:
            environment[f"{PREFIX}DATABASE_URL"] = self.postgres.url("app")
            environment[f"{PREFIX}ADMIN_DATABASE_URL"] = self.postgres.url("admin")
        environment |= {PREFIX + name: value for name, value in (settings or {}).items()}
        log = self.folder / f"api-{len(self._apis)}.log"
        made = Api(program, _free_port(), environment, log)
        self._apis.append(made)
        return made

    async def _open_accounts(self) -> tuple[Account, Account, Account, Account]:
        async with opened(self.settings, supervise=False) as installation:
            owner, service, regulator, reviewer = (new_id() for _ in range(4))
            async with installation.operator.writing() as session:
                await principals.register(
                    session, kind=PrincipalKind.ORGANISATION, handle="agency", principal_id=owner
                )
                await principals.register(
                    session, kind=PrincipalKind.REGULATOR, handle="court", principal_id=regulator
                )
                await principals.register(
                    session, kind=PrincipalKind.REVIEWER, handle="rita", principal_id=reviewer
                )
                await services.register(
                    session,
                    service_id=service,
                    owner_id=OPERATOR_ID,
                    name="studio",
                    supported_obligations=frozenset(ObligationCode),
                )
                await services.set_tier(session, service_id=service, tier=2, actor_id=OPERATOR_ID)
            return (
                await _account(installation, owner),
                await _account(installation, service),
                await _account(installation, regulator),
                await _account(installation, reviewer),
            )


async def _account(installation: Installation, id: UUID) -> Account:
    lifetime, scopes = timedelta(hours=24), frozenset(Scope)
    async with installation.operator.writing() as session:
        credential = await principals.issue(
            session,
            principal_id=id,
            scopes=scopes,
            ial=2,
            expires_at=datetime.now(UTC) + lifetime,
        )
    token = mint_access(
        installation.keys,
        issuer=installation.settings.issuer,
        principal_id=id,
        credential_id=credential.id,
        client_id="bench",
        scopes=scopes,
        ial=2,
        lifetime=lifetime,
    )
    return Account(id, token)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
