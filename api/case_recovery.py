"""The way back for who lost a PIN: asked and redeemed in one way, which tells of no case.

Answers are the same and take the same time whether or not there is such a case.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from api.state import State
from registry import pins, recoveries
from registry.case_numbers import checked_number, read_code
from registry.errors import ForbiddenError
from registry.principals import OPERATOR

LEAST_SECONDS: Final = 0.5
WRONG: Final = "The case number or the code is wrong, or it was tried too often or too late."


async def ask(state: State, *, number: str, statement: str) -> None:
    """Ask for a new PIN of this case. The caller has counted where it comes from."""
    number = checked_number(number)
    async with _unhurried(), state.db.acting_for(OPERATOR).writing() as session:
        await recoveries.ask(session, number, statement=statement, keys=state.keys)


async def redeem(state: State, *, number: str, code: str, new_pin: str) -> None:
    """Let the new PIN count, if the code is right; ForbiddenError, always the same, if not.

    The caller has counted where it comes from.
    """
    number = checked_number(number)
    new_pin = pins.checked_pin(new_pin)
    done = False
    async with _unhurried():
        async with state.db.acting_for(OPERATOR).writing() as session:
            tried = await recoveries.attempt(session, number, keys=state.keys)
        right = await pins.fits(read_code(code), None if tried is None else tried.code_hash)
        if tried is not None and right:
            kept = await pins.hashed(new_pin)
            async with state.db.acting_for(OPERATOR).writing() as session:
                done = await recoveries.redeem(
                    session, tried, number=number, pin_hash=kept, keys=state.keys
                )
    if not done:
        raise ForbiddenError(WRONG)


@asynccontextmanager
async def _unhurried() -> AsyncGenerator[None]:
    """Answer no sooner than this: whether there was something to do does not show."""
    began = time.monotonic()
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
