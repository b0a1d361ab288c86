"""What is shown once: the number and PIN of a new case, sealed in a cookie for some minutes.

The page can be reloaded without sending anything again; the registry itself keeps no PIN.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from api.web.showing import Trouble
from api.web.visits import Visit
from registry.sealing import SealError

COOKIE: Final = "opened"
SECONDS: Final = 900
MOST_TROUBLES: Final = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """A case as its owner sees it once."""

    number: str
    pin: str
    minor: bool = False
    reported: bool = False
    troubles: Sequence[Trouble] = ()


def keep(visit: Visit, opened: Opened) -> None:
    """Let the next page show it."""
    short = [Trouble(one.file[:60], one.message) for one in opened.troubles[:MOST_TROUBLES]]
    until = int(time.time()) + SECONDS
    body = orjson.dumps(
        {**asdict(opened), "troubles": [asdict(one) for one in short], "until": until}
    )
    sealed = visit.state.keys.deployment_key.seal(body, context=_context(visit))
    visit.remember(COOKIE, urlsafe_b64encode(sealed).decode(), SECONDS)


def kept(visit: Visit) -> Opened | None:
    """What was just opened in this browser, while it is shown."""
    try:
        sealed = urlsafe_b64decode(visit.request.cookies.get(COOKIE, ""))
        body = orjson.loads(visit.state.keys.deployment_key.open(sealed, context=_context(visit)))
    except (ValueError, SealError):
        return None
    if body.pop("until", 0) <= time.time():  # of a copy, which no browser has dropped
        return None
    return Opened(**{**body, "troubles": [Trouble(**one) for one in body["troubles"]]})


def forget(visit: Visit) -> None:
    """Show it no more."""
    visit.remember(COOKIE, "", 0)


def _context(visit: Visit) -> bytes:
    return b"opened:" + visit.anchor.encode()
