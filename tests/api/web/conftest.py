"""What tests of pages stand on: a reader with a browser, and one who has a case already."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from starlette.types import ASGIApp

from api.runtime import Runtime
from registry.settings import Settings
from tests.api.web.reading import Reader, reading
from tests.conftest import served


@pytest.fixture(scope="session")
def app(settings: Settings, runtime: Runtime) -> ASGIApp:
    return served(settings, runtime)


@pytest.fixture
async def reader(app: ASGIApp) -> AsyncGenerator[Reader]:
    async with reading(app) as reader:
        yield reader


@pytest.fixture
async def other(app: ASGIApp) -> AsyncGenerator[Reader]:
    """Somebody else, with another browser at another address."""
    async with reading(app) as reader:
        yield reader


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who objected by name, and is in their case."""

    reader: Reader
    number: str
    pin: str
    name: str


@pytest.fixture
async def holder(reader: Reader) -> Holder:
    number, pin = await reader.object(name="Mara Holder", links="https://mara.example/")
    await reader.open("/case")
    return Holder(reader, number, pin, "Mara Holder")
