"""A registry that serves, as anyone starts it, and a Chromium with a camera and a microphone."""

import re
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, async_playwright

from api.cli.demonstration.server import LOG, Server, running
from registry.database import Database
from registry.installation import Installation, opened
from registry.principals import PrincipalKind
from registry.settings import Settings
from tests.browser import devices
from tests.browser.records import Records
from tests.browser.walker import Walker
from tests.browser.ways import UNBOXED, Way, chromium
from tests.conftest import ISSUER, MODELS, Accounts, Execute

# One address does here what many people do on many days.
ENVIRONMENT = {
    "LIKENESS_ISSUER": ISSUER,
    "LIKENESS_CASES_PER_SOURCE": "100000",
    "LIKENESS_CASES_PER_DAY": "100000",
    "LIKENESS_PIN_TRIES_PER_SOURCE": "100000",
    "LIKENESS_WEBHOOK_PRIVATE": "true",
}

Walk = Callable[[Way], Walker]


@pytest.fixture(scope="session")
def server(scratch: Path) -> Generator[Server]:
    """`likeness serve` with a PostgreSQL of its own."""
    folder = scratch / "served"
    folder.mkdir(mode=0o711)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with running(folder, MODELS) as server:
            yield server


@pytest.fixture(scope="session")
async def installation(
    scratch: Path,
    server: Server,  # noqa: ARG001  # it has to run
) -> AsyncGenerator[Installation]:
    """The registry's own functions, beside the server that runs."""
    settings = Settings(data_dir=scratch / "served", issuer=ISSUER, models_dir=MODELS)
    async with opened(settings, supervise=False) as installation:
        yield installation


@pytest.fixture(scope="session")
def operator(installation: Installation) -> Database:
    return installation.operator


@pytest.fixture(scope="session")
def accounts(installation: Installation, operator: Database) -> Accounts:
    return Accounts(installation, operator)  # type: ignore[arg-type]  # it has the keys and the db


@pytest.fixture(scope="session")
async def client(server: Server) -> AsyncGenerator[httpx2.AsyncClient]:
    """What is no browser asks the same server: `execute` goes by this."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def browser(scratch: Path, photos: dict[str, bytes]) -> AsyncGenerator[Browser]:
    video = devices.camera(photos["astronaut"], scratch / "camera.y4m")
    sound = devices.microphone(scratch / "microphone.wav")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(),
            args=[
                *UNBOXED,
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={video}",
                f"--use-file-for-fake-audio-capture={sound}",
            ],
        )
        yield browser
        await browser.close()


@pytest.fixture
def walk(
    browser: Browser,
    server: Server,
    request: pytest.FixtureRequest,
    records: Records,  # noqa: ARG001  # which forget everybody afterwards
) -> Walk:
    """Somebody who comes this way."""
    name = request.function.__name__.removeprefix("test_")
    journey = re.sub(r"_+", "-", name)[:60]
    return lambda way: Walker(browser, server.url, way, journey)


@pytest.fixture(autouse=True)
def untroubled(scratch: Path, server: Server) -> Generator[None]:  # noqa: ARG001  # it has to run
    """Whatever people do, the server logs no error."""
    log = scratch / "served" / LOG
    before = log.stat().st_size
    yield
    with log.open(errors="replace") as file:
        file.seek(before)
        said = file.read()
    assert " ERROR " not in said, said


@pytest.fixture
async def records(
    accounts: Accounts,
    client: httpx2.AsyncClient,
    execute: Execute,
    operator: Database,
    installation: Installation,
) -> AsyncGenerator[Records]:
    """What the registry says, which knows nobody any more afterwards."""
    service = await accounts.open(PrincipalKind.SERVICE)
    records = Records(service, client, execute, operator, installation.keys)
    yield records
    await records.forget_all()
