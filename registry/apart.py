"""Work on many things of which one that fails stops no other; each commits its own work."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from registry.errors import RegistryError, UnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def each(things: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work on each; what fails is logged and left for the next time.

    Where the database is away, nothing more is tried.
    """
    for one in things:
        try:
            await work(one)
        except UnavailableError:
            raise
        except RegistryError as error:
            logger.warning("%s waits: %s", getattr(one, "id", one), error)
        except Exception:
            logger.exception("%s failed; it is tried again.", getattr(one, "id", one))
