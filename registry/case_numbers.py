"""Case numbers: what somebody without an account is known by, made to be read out and typed.

`LR-7K3M-9QXV-2C4T`: Crockford's base 32, 55 random bits and a check character, so that a
slip of the pen is told from a number that does not exist.
"""

import secrets
from typing import Final

from registry.errors import InvalidError

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OIL", "011")
_PREFIX: Final = "LR"
_RANDOM: Final = 11
_GROUP: Final = 4
_SECRET: Final = 16  # symbols of a code, 80 bits


def new_number() -> str:
    """A number that nobody can guess."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return _written(random + _check(random))


def checked_number(text: str) -> str:
    """The number as it is written, however it was typed; InvalidError for one mistyped."""
    typed = "".join(text.upper().replace("-", " ").split())
    symbols = typed.removeprefix(_PREFIX).translate(_READ_AS)
    if len(symbols) != _RANDOM + 1 or not set(symbols) <= set(_ALPHABET):
        raise InvalidError("A case number looks like LR-7K3M-9QXV-2C4T.", field="caseNumber")
    if _check(symbols[:-1]) != symbols[-1]:
        raise InvalidError(
            "This case number is mistyped: a character is wrong or out of place.",
            field="caseNumber",
        )
    return _written(symbols)


def new_code() -> str:
    """A secret made to be read out and typed: `7K3M-9QXV-2C4T-08WD`."""
    return _grouped("".join(secrets.choice(_ALPHABET) for _ in range(_SECRET)))


def read_code(text: str) -> str:
    """A code however it was typed; one that is none stays as wrong as it is."""
    return "".join(text.upper().replace("-", " ").split()).translate(_READ_AS)


def _written(symbols: str) -> str:
    return f"{_PREFIX}-{_grouped(symbols)}"


def _grouped(symbols: str) -> str:
    return "-".join(symbols[at : at + _GROUP] for at in range(0, len(symbols), _GROUP))


def _check(symbols: str) -> str:
    """Luhn's check modulo 32: it finds one wrong symbol, and nearly every two exchanged."""
    base, total = len(_ALPHABET), 0
    for place, symbol in enumerate(reversed(symbols)):
        value = _ALPHABET.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // base + value % base
    return _ALPHABET[-total % base]
