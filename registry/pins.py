"""PINs: short secrets, kept as Argon2id (RFC 9106) and never as they are.

Hashing takes 64 MiB and a tenth of a second on purpose; a few threads of their own do it, so that
guessing slows down nothing else.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from registry.errors import InvalidError

DIGITS: Final = 8
MOST: Final = 64
_LEAST_DIFFERENT: Final = 4
_HASHER: Final = PasswordHasher()
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="pins")
# Of nothing anybody knows: what is verified where there is no PIN, so that it takes as long.
NOBODYS: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$wIKCln2N65WqgV7VqW+5Gg"
    "$SckWe2qbeFVu4EprVa0zFFlZ+6LREdO1BdgBBhR0OjM"
)


def new_pin() -> str:
    """Eight random digits."""
    return "".join(secrets.choice("0123456789") for _ in range(DIGITS))


def checked_pin(pin: str) -> str:
    """A PIN that somebody chose, if it is not among the first that are guessed."""
    pin = pin.strip()
    if not DIGITS <= len(pin) <= MOST or not pin.isprintable():
        raise InvalidError(f"A PIN has {DIGITS} to {MOST} printable characters.", field="newPin")
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    if len(set(pin)) < _LEAST_DIFFERENT or len(steps) == 1:
        raise InvalidError("This PIN is easily guessed: choose another one.", field="newPin")
    return pin


async def hashed(pin: str) -> str:
    """What is kept of a PIN."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, pin)


async def fits(pin: str, kept: str | None) -> bool:
    """Whether this is the PIN; where there is none, no, after the same work."""
    right = await asyncio.get_running_loop().run_in_executor(
        _THREADS, _verified, kept or NOBODYS, pin[:MOST]
    )
    return right and kept is not None and len(pin) <= MOST


def _verified(kept: str, pin: str) -> bool:
    try:
        return _HASHER.verify(kept, pin)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
