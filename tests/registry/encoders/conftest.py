"""Photographs of pinned packages, and one pool of workers for the tests that leave it whole."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.encoders import models
from registry.encoders.media import MediaWorkers
from registry.photos import photos

PACKAGES = Path(__file__).resolve().parents[3] / ".likeness" / "packages"


@pytest.fixture(scope="session")
def photographs() -> dict[str, bytes]:
    return photos(PACKAGES)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The models, installed once; afterwards verified."""
    folder = PACKAGES.parent / "models"
    models.install(folder, PACKAGES)
    return folder


@pytest.fixture(scope="session")
async def workers() -> AsyncIterator[MediaWorkers]:
    pool = MediaWorkers(workers=2, seconds=20.0)  # of its own limit only the slow machine knows
    yield pool
    await pool.close()
