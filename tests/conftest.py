"""What tests stand on: one real PostgreSQL, migrated once, and the real application in front of it.

TEST_DATABASE_URL (and TEST_ADMIN_DATABASE_URL) name a PostgreSQL to use instead of the embedded
one; its database must be empty.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from api.app import create_app
from api.runtime import Runtime
from api.state import State
from registry import photos as pinned
from registry import principals, services
from registry.access_tokens import mint_access
from registry.database import Actor, Database, new_id
from registry.embedded.supervisor import EmbeddedPostgres
from registry.policy.vocabulary import ObligationCode
from registry.principals import OPERATOR, OPERATOR_ID, PrincipalKind, Scope
from registry.settings import Settings

ISSUER = "http://registry.test"
MODELS = Path(__file__).parent.parent / ".likeness" / "models"
Json = dict[str, Any]


@pytest.fixture(scope="session")
def scratch() -> Generator[Path]:
    """A folder that the database's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="likeness-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def urls(scratch: Path) -> Generator[tuple[str, str]]:
    """The addresses of the test database: as its owner, and as the application's login."""
    external = os.environ.get("TEST_DATABASE_URL")
    if external is not None:
        yield os.environ.get("TEST_ADMIN_DATABASE_URL", external), external
        return
    postgres = EmbeddedPostgres(scratch / "database")
    postgres.start()
    yield postgres.url("admin"), postgres.url("app")
    postgres.stop()


@pytest.fixture(scope="session")
def settings(scratch: Path, urls: tuple[str, str]) -> Settings:
    admin, login = urls
    return Settings(
        data_dir=scratch / "data",
        database_url=login,
        admin_database_url=admin,
        issuer=ISSUER,
        models_dir=MODELS,
        cooling_off_hours=0,  # tests of the cooling-off say how long
        media_seconds=20.0,  # of its own limit only the slow machine knows
        webhook_private=True,  # what is told here listens on this machine
    )


@pytest.fixture(scope="session")
async def runtime(settings: Settings) -> AsyncGenerator[Runtime]:
    runtime = Runtime(settings)
    await runtime.start()
    await runtime.opened.wait()
    if runtime.failure is not None:
        raise runtime.failure
    yield runtime
    await runtime.stop()


@pytest.fixture(scope="session")
def state(runtime: Runtime) -> State:
    return runtime.state


@pytest.fixture(scope="session")
def operator(state: State) -> Database:
    """The database as the operator sees it."""
    return state.db.acting_for(OPERATOR)


def served(settings: Settings, runtime: Runtime) -> ASGIApp:
    """The whole application, as if its lifespan had handed it this runtime."""
    app = create_app(settings, runtime)

    async def with_state(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"runtime": runtime}}, receive, send)

    return with_state


@pytest.fixture(scope="session")
async def client(settings: Settings, runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """HTTP to the application, in this process."""
    transport = httpx2.ASGITransport(served(settings, runtime))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can ask: an id, and a token for it."""

    id: UUID
    kind: PrincipalKind
    token: str
    handle: str

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.kind)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Accounts:
    """Makes accounts and mints their tokens, as the operator's command line does."""

    def __init__(self, state: State, operator: Database) -> None:
        self._state, self._operator = state, operator

    async def open(
        self,
        kind: PrincipalKind = PrincipalKind.ORGANISATION,
        *,
        scopes: frozenset[Scope] = frozenset(Scope),
        ial: int = 2,
        tier: int = 2,
        supports: frozenset[ObligationCode] = frozenset(ObligationCode),
        established_in: str | None = None,
        lifetime: timedelta = timedelta(hours=1),
    ) -> Account:
        handle, id = f"{kind.lower()}-{secrets.token_hex(6)}", new_id()
        async with self._operator.writing() as session:
            if kind is PrincipalKind.SERVICE:
                await services.register(
                    session,
                    service_id=id,
                    owner_id=OPERATOR_ID,
                    name=handle,
                    established_in=established_in,
                    supported_obligations=supports,
                )
                await services.set_tier(session, service_id=id, tier=tier, actor_id=OPERATOR_ID)
            else:
                await principals.register(session, kind=kind, handle=handle, principal_id=id)
        token = await self.token(id, scopes=scopes, ial=ial, lifetime=lifetime)
        return Account(id, kind, token, handle)

    async def token(
        self,
        id: UUID,
        *,
        scopes: frozenset[Scope] = frozenset(Scope),
        ial: int = 2,
        lifetime: timedelta = timedelta(hours=1),
        issuer: str = ISSUER,
        now: datetime | None = None,
    ) -> str:
        now = now or datetime.now(UTC)
        async with self._operator.writing() as session:
            credential = await principals.issue(
                session, principal_id=id, scopes=scopes, ial=ial, expires_at=now + lifetime
            )
        return mint_access(
            self._state.keys,
            issuer=issuer,
            principal_id=id,
            credential_id=credential.id,
            client_id="tests",
            scopes=[str(one) for one in scopes],
            ial=ial,
            lifetime=lifetime,
            now=now,
        )


@pytest.fixture(scope="session")
def accounts(state: State, operator: Database) -> Accounts:
    return Accounts(state, operator)


@pytest.fixture
async def owner(accounts: Accounts) -> Account:
    """A rights-holder known at IAL2."""
    return await accounts.open()


@pytest.fixture
async def service(accounts: Accounts) -> Account:
    """A service with a contract (tier 2) that supports every duty."""
    return await accounts.open(PrincipalKind.SERVICE)


Execute = Callable[..., Awaitable[Json]]


@pytest.fixture(scope="session")
def execute(client: httpx2.AsyncClient) -> Execute:
    """Run one GraphQL operation over HTTP: its `data`, failing the test on errors."""

    async def run(account: Account, document: str, **variables: object) -> Json:
        response = await client.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers=account.headers,
        )
        body: Json = response.json()
        assert "errors" not in body, body
        data: Json = body["data"]
        return data

    return run


@pytest.fixture(scope="session")
def photos() -> dict[str, bytes]:
    """Real photographs by short name, fetched once."""
    return pinned.photos(Path(__file__).parent.parent / ".likeness" / "packages")
