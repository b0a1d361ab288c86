"""Compact JSON Web Signatures (RFC 7515) in the one form this registry writes and reads.

EdDSA over Ed25519, a header of exactly `alg`, `typ` and `kid`, canonical base64url, a limited size:
everything a forger could choose is fixed, so nothing is negotiated.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.errors import InvalidError, TooLargeError
from registry.keys import Signer

MAX_BYTES = 8192
_ALGORITHM = "EdDSA"
_HEADER = {"alg", "typ", "kid"}
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_JWS = jwt.PyJWS(algorithms=[_ALGORITHM])

KeyOf = Callable[[str], Ed25519PublicKey | None]


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a token whose signature holds, and the id of the key that made it."""

    claims: dict[str, Any]
    kid: str


def sign(payload: bytes, *, typ: str, signer: Signer, limit: int = MAX_BYTES) -> str:
    """The signed token. Raises TooLargeError if nobody would read it for its size."""
    token = _JWS.encode(
        payload,
        signer.private,
        algorithm=_ALGORITHM,
        headers={"typ": typ, "kid": signer.kid},
    )
    if len(token) > limit:
        raise TooLargeError(f"The token would have {len(token)} bytes; {limit} are read.")
    return token


def verify(token: str, *, typ: str, key_of: KeyOf, limit: int = MAX_BYTES) -> Verified:
    """What a key that `key_of` knows has signed; InvalidError with the reason if none did.

    Time and meaning of the claims are the caller's to judge.
    """
    if len(token) > limit:
        raise InvalidError("The token is too large.")
    if not _SHAPE.fullmatch(token):
        raise InvalidError("The token is not a compact JWS.")
    header, payload, _ = (decode(part) for part in token.split("."))
    fields = _object(header)
    if fields.keys() != _HEADER or fields["alg"] != _ALGORITHM or fields["typ"] != typ:
        raise InvalidError(f"The token's header is not that of {typ}.")
    kid = fields["kid"]
    key = key_of(kid) if isinstance(kid, str) else None
    if key is None:
        raise InvalidError("The token names an unknown key.")
    try:
        _JWS.decode(token, key, algorithms=[_ALGORITHM])
    except jwt.InvalidTokenError as error:
        raise InvalidError("The token's signature does not verify.") from error
    return Verified(_object(payload), kid)


def typ_of(token: str) -> str | None:
    """What kind of token it says it is, before anything of it was verified; None if it does not."""
    try:
        found = _object(decode(token.partition(".")[0])).get("typ")
    except InvalidError:
        return None
    return found if isinstance(found, str) else None


def decode(part: str) -> bytes:
    """Base64url without padding, only in its canonical form: a token has one spelling.

    Raises InvalidError otherwise.
    """
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidError("The token is not base64url.") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise InvalidError("The token is not canonical base64url.")
    return data


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object in which no name comes twice and no number is NaN."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidError("The token is not JSON.") from error
    if not isinstance(value, dict):
        raise InvalidError("The token is not a JSON object.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
