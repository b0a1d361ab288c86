"""What the clock brings about: done once a minute by every server, and safe to be done twice.

Decisions never wait for it: a check judges by the time itself. Here the consequences are put on
record, and people are told.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

from registry import claims, contests, doubts, evidence, freezing, live_captures, succession
from registry.database import Database, now
from registry.errors import RegistryError
from registry.keys import Keys
from registry.policy.packs import PackSet

logger = logging.getLogger(__name__)

Task = Callable[[Database, Keys, datetime], Awaitable[None]]
# Each is given the database as the operator, the keys and the time; it commits its own work.
TASKS: Final[tuple[Task, ...]] = (
    live_captures.forget,
    evidence.forget,
    contests.close_contested,
    freezing.freeze_repeat_offenders,
    claims.catch_up,
    doubts.look_through,
)


async def run(
    operator: Database,
    keys: Keys,
    packs: PackSet,
    *,
    at: datetime | None = None,
    hourly: bool = True,
) -> None:
    """Do everything that is due at this moment; a task that fails stops no other.

    `hourly`: also what looks through every grant of a guardian.
    """
    if at is None:
        async with operator.reading() as session:
            at = await now(session)
    tasks = list(TASKS)
    if hourly:
        tasks.append(partial(succession.come_of_age, packs=packs))
    for task in tasks:
        try:
            await task(operator, keys, at)
        except RegistryError as error:
            logger.warning("Upkeep waits: %s", error)
        except Exception:
            logger.exception("Upkeep failed; it is tried again.")
