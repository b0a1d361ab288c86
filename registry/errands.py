"""What follows within seconds of a request: people are asked, and services told.

Every server runs it; what is done is put on record so that it is done once.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from registry import consent_lookups, deliveries
from registry.database import Database
from registry.errors import UnavailableError
from registry.keys import Keys

EVERY_SECONDS: Final = 5.0
CONNECTIONS: Final = 4  # to the database

logger = logging.getLogger(__name__)


async def run(operator: Database, keys: Keys, *, private: bool) -> None:
    """Run errands for as long as the server runs. `private`: see `webhooks.checked_url`."""
    while True:
        # One that fails holds up no other: services are told whoever cannot be looked up.
        await _tried(consent_lookups.look_up(operator, keys))
        await _tried(deliveries.deliver(operator, keys, private=private))
        await asyncio.sleep(EVERY_SECONDS)


async def _tried(errand: Awaitable[None]) -> None:
    try:
        await errand
    except UnavailableError as error:
        logger.warning("Errands wait: %s", error)
    except Exception:
        logger.exception("An errand failed; it is tried again.")
