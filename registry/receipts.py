"""Decision tokens: what the registry answered, signed, and provable years later without it.

A token's claims are bound to the transparency log: the log's entry is a salted commitment to them
(all but `log`, which says where the entry stands). Everything here works offline.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry import jws
from registry.errors import InvalidError
from registry.key_files import KeyRole
from registry.keys import Keys, thumbprint
from registry.log import checkpoint, merkle
from registry.log.checkpoint import Checkpoint

TYPE = "crd+jwt"
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerifiedDecision:
    """The claims of a token whose signature holds. An expired one is evidence, not a permission."""

    claims: dict[str, Any]
    expired: bool
    kid: str


def jcs(value: object) -> bytes:
    """The one canonical JSON text of a value (RFC 8785).

    Raises InvalidError for what has none: NaN, integers beyond 2**53, lone surrogates, other types.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidError("The value has no canonical JSON form.") from error


def digest(value: object) -> str:
    """SHA-256 of the value's canonical JSON, hex: how a request is named in its commitment."""
    return hashlib.sha256(jcs(value)).hexdigest()


def commit(salt: bytes, value: object) -> bytes:
    """SHA-256(salt || JCS(value)): binds to the value and tells nothing of it without the salt.

    Raises InvalidError unless the salt has 32 bytes: one of another length could be cut elsewhere.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidError(f"A salt has {SALT_BYTES} bytes.")
    return hashlib.sha256(salt + jcs(value)).digest()


def log_entry(claims: Mapping[str, object], salt: bytes) -> bytes:
    """The 32-byte log entry of a decision: the commitment to its claims without `log`."""
    return commit(salt, {name: value for name, value in claims.items() if name != "log"})


def sign_decision(claims: Mapping[str, object], keys: Keys) -> str:
    """The decision token (JWS, `typ` crd+jwt). TooLargeError if its claims exceed 8 KiB signed."""
    return jws.sign(jcs(dict(claims)), typ=TYPE, signer=keys.token_signer)


def verify_decision(
    token: str, jwks: Mapping[str, Any], *, now: datetime | None = None
) -> VerifiedDecision:
    """The claims of a token signed by a decision key of this key set, however old it is.

    Raises InvalidError with the reason if the token, or the key set, is not what it should be.
    """
    known = token_keys(jwks)
    verified = jws.verify(token, typ=TYPE, key_of=known.get)
    expires = verified.claims.get("exp")
    if type(expires) is not int:
        raise InvalidError("The token does not say when it expires.")
    moment = (now or datetime.now(UTC)).timestamp()
    return VerifiedDecision(verified.claims, moment >= expires, verified.kid)


def verify_in_log(
    claims: Mapping[str, Any],
    *,
    salt: bytes,
    proof: Sequence[bytes],
    checkpoint_note: str,
    verifier_key: str,
) -> Checkpoint:
    """The signed checkpoint of the log in which these claims are on record.

    `claims` are those of a verified token, `proof` the inclusion proof of their index in the tree
    of the checkpoint, which may be any since. Raises InvalidError with the reason if they are not.
    """
    place = claims.get("log")
    if not isinstance(place, dict) or type(place.get("index")) is not int:
        raise InvalidError("The claims do not say where in the log they are.")
    head = checkpoint.parse_and_verify(checkpoint_note, [verifier_key])
    if place.get("origin") != head.origin:
        raise InvalidError("The checkpoint is of another log.")
    merkle.verify_inclusion(
        index=place["index"],
        size=head.size,
        leaf=merkle.leaf_hash(log_entry(claims, salt)),
        proof=proof,
        root=head.root,
    )
    return head


def token_keys(jwks: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 keys of a key set by their thumbprint, without those that have another role."""
    found = jwks.get("keys")
    if not isinstance(found, list):
        raise InvalidError("The key set has no list of keys.")
    keys = {}
    for one in found:
        if not isinstance(one, dict):
            raise InvalidError("The key set holds something that is no key.")
        if one.get("crv") != "Ed25519" or one.get("role", KeyRole.TOKEN) != KeyRole.TOKEN:
            continue
        x = one.get("x")
        raw = jws.decode(x) if isinstance(x, str) else b""
        if len(raw) != 32:  # noqa: PLR2004  # RFC 8032: an Ed25519 public key has 32 bytes
            raise InvalidError("The key set holds a damaged key.")
        key = Ed25519PublicKey.from_public_bytes(raw)
        if one.get("kid") != thumbprint(key):
            raise InvalidError("A key of the key set does not have its own id.")
        keys[thumbprint(key)] = key
    return keys
