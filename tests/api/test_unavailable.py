"""The database away, at start and in flight: 503 with Retry-After, never a yes; back by itself."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx2
import pytest

from api.runtime import Runtime
from registry.errors import SetupError
from registry.settings import Settings
from tests import acts
from tests.conftest import ISSUER, Account, served

SECONDS = 20


class Cable:
    """A socket in front of PostgreSQL that can be unplugged."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        host = options.get("host") or parts.hostname or ""
        port = int(options.get("port") or parts.port or 5432)
        self._target = (host, port)
        self._socket = folder / ".s.PGSQL.5432"
        query = urlencode({"host": str(folder), "port": 5432})
        userinfo = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{userinfo}@", query=query))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def plug(self) -> None:
        self._server = await asyncio.start_unix_server(self._carry, self._socket)

    async def unplug(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        self._socket.unlink(missing_ok=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target
        inner_reader, inner_writer = await (
            asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else asyncio.open_connection(host, port)
        )
        ends = {writer, inner_writer}
        self._open |= ends
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        self._open -= ends


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def cable(
    urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Cable]:
    cable = Cable(urls[1], tmp_path_factory.mktemp("c"))
    yield cable
    await cable.unplug()


@pytest.fixture
async def remote(
    cable: Cable, settings: Settings, urls: tuple[str, str]
) -> AsyncGenerator[Runtime]:
    """A server of its own, behind the cable; it shares the keys and the database."""
    own = settings.model_copy(update={"database_url": cable.url, "admin_database_url": urls[0]})
    runtime = Runtime(own)
    await runtime.start()
    yield runtime
    await runtime.stop()


@pytest.fixture
async def http(remote: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(served(remote.settings, remote))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


async def until_ready(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(SECONDS):
        while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110  # told over HTTP only
            await asyncio.sleep(0.05)


def is_503(response: httpx2.Response) -> bool:
    return response.status_code == 503 and int(response.headers["retry-after"]) >= 1


async def ask(http: httpx2.AsyncClient, service: Account) -> httpx2.Response:
    asked = acts.question(acts.random_hash())
    return await http.post(
        "/graphql",
        json={"query": acts.CHECK, "variables": {"input": asked}},
        headers=service.headers,
    )


async def test_away_at_start_is_503_until_it_is_there(
    cable: Cable, http: httpx2.AsyncClient, service: Account
) -> None:
    assert is_503(await ask(http, service))
    assert is_503(await http.get("/readyz"))
    assert (await http.get("/livez")).status_code == 200
    assert "likeness_ready 0.0" in (await http.get("/metrics")).text
    await cable.plug()
    await until_ready(http)
    assert (await ask(http, service)).json()["data"]["checkConsent"]["outcome"] == "UNKNOWN"


async def test_away_in_flight_is_503_and_it_recovers_by_itself(
    cable: Cable, http: httpx2.AsyncClient, service: Account
) -> None:
    await cable.plug()
    await until_ready(http)
    asking = [asyncio.create_task(ask(http, service)) for _ in range(20)]
    await asyncio.sleep(0.01)
    await cable.unplug()
    for response in await asyncio.gather(*asking):
        assert response.status_code in {200, 503}
        assert response.status_code != 503 or is_503(response)
    assert is_503(await ask(http, service))
    writes = {"query": acts.REGISTER, "variables": {"input": {"name": "A"}}}
    refused = await http.post("/graphql", json=writes, headers=service.headers)
    assert is_503(refused)
    one = await http.post(
        "/v1/check", json=acts.question(acts.random_hash()), headers=service.headers
    )
    assert is_503(one)
    await cable.plug()
    await until_ready(http)
    assert (await ask(http, service)).json()["data"]["checkConsent"]["outcome"] == "UNKNOWN"


async def test_an_installation_that_cannot_open_says_so_instead_of_waiting(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ZZ.yaml").write_text("id: [")
    runtime = Runtime(settings.model_copy(update={"packs_dir": tmp_path}))
    await runtime.start()
    async with asyncio.timeout(SECONDS):
        await runtime.opened.wait()
    await runtime.stop()
    assert isinstance(runtime.failure, SetupError)
    assert "ZZ.yaml" in str(runtime.failure)
    broken = Runtime(settings.model_copy(update={"packs_dir": 5}))
    await broken.start()
    await broken.opened.wait()
    await broken.stop()
    assert isinstance(broken.failure, SetupError)
    assert "Traceback" in caplog.text
