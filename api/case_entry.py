"""Whether a PIN belongs to a case number: asked in one way, throttled, and answered in one time."""

from dataclasses import dataclass
from uuid import UUID

from api.state import State
from registry import cases, pins, throttles
from registry.principals import OPERATOR


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody showed the PIN of a case. `digest`: the number as attempts with it are kept."""

    principal_id: UUID
    digest: bytes


async def entered(state: State, *, number: str, pin: str) -> Entered | None:
    """The case, if the PIN is right and does not come too early; the work is the same if not.

    The attempt is on record before the PIN is looked at, so that many at once are counted too.
    """
    digest = cases.digest_of(number, state.keys)
    async with state.db.acting_for(OPERATOR).writing() as session:
        in_time = await throttles.attempt(session, number=digest)
        found = await cases.known(session, number)
    right = await pins.fits(pin, None if found is None else found[1])
    if found is None or not right or not in_time:
        return None
    return Entered(found[0], digest)
