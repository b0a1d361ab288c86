"""Where the small pages are, and the browser that every test of pages shares."""

from collections.abc import Generator

import pytest
from playwright.async_api import Browser

from tests.browser.scripts.opening import Opens, opened
from tests.browser.scripts.pages import Site, served


@pytest.fixture(autouse=True)
def untroubled() -> None:
    """These pages need no registry that serves."""


@pytest.fixture(scope="session")
def site() -> Generator[Site]:
    with served() as site:
        yield site


@pytest.fixture
def opens(browser: Browser, site: Site) -> Opens:
    site.sent.clear()
    return lambda name, **how: opened(browser, site, name, **how)
