"""Access tokens (RFC 9068): who is calling, with which scopes, how well identified, until when."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from registry import jws
from registry.errors import InvalidError, UnauthenticatedError
from registry.key_files import KeyRole
from registry.keys import Keys

TYPE = "at+jwt"
LEEWAY = timedelta(seconds=30)  # clocks of the registry's own machines may differ by this much
IDENTITY_LEVELS = range(4)  # NIST SP 800-63A, 0 for none
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+", re.ASCII)  # RFC 6749, 3.3


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token that holds says. Whether its credential was revoked since is not in it."""

    principal_id: UUID
    credential_id: UUID
    scopes: frozenset[str]
    ial: int
    expires_at: datetime


def mint_access(
    keys: Keys,
    *,
    issuer: str,
    principal_id: UUID,
    credential_id: UUID,
    client_id: str,
    scopes: Collection[str],
    ial: int,
    lifetime: timedelta,
    now: datetime | None = None,
) -> str:
    """A token for this registry, its issuer and audience; InvalidError for claims it can't have."""
    now = now or datetime.now(UTC)
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidError("A scope is a word of printable ASCII.", field="scopes")
    if ial not in IDENTITY_LEVELS:
        raise InvalidError("An identity assurance level is 0 to 3.", field="ial")
    if lifetime <= timedelta(0):
        raise InvalidError("A token lives for some time.", field="lifetime")
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": str(principal_id),
        "client_id": client_id,
        "jti": str(credential_id),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "scope": " ".join(sorted(set(scopes))),
        "ial": ial,
    }
    return jws.sign(orjson.dumps(claims), typ=TYPE, signer=keys.access_signer)


def verify_access(
    token: str, keys: Keys, *, issuer: str, now: datetime | None = None
) -> AccessToken:
    """What the token says; one and the same UnauthenticatedError for every way it can fail."""
    try:
        verified = jws.verify(
            token, typ=TYPE, key_of=lambda kid: keys.public_key(KeyRole.ACCESS, kid)
        )
        return _read(verified.claims, issuer=issuer, now=now or datetime.now(UTC))
    except InvalidError as error:
        raise UnauthenticatedError("The access token does not hold.") from error


def _read(claims: dict[str, Any], *, issuer: str, now: datetime) -> AccessToken:
    # `aud` is the one string we write: in a list, a token would be good elsewhere too.
    if claims.get("iss") != issuer or claims.get("aud") != issuer:
        raise InvalidError("The token is not from or for this registry.")
    issued_at, expires_at = _moment(claims, "iat"), _moment(claims, "exp")
    begins_at = _moment(claims, "nbf") if "nbf" in claims else issued_at
    if max(issued_at, begins_at) > now + LEEWAY or expires_at + LEEWAY <= now:
        raise InvalidError("The token is not valid now.")
    ial, scope = claims.get("ial"), claims.get("scope")
    if type(ial) is not int or ial not in IDENTITY_LEVELS:
        raise InvalidError("The token has no identity assurance level.")
    if not isinstance(scope, str) or not isinstance(claims.get("client_id"), str):
        raise InvalidError("The token has no scope or client.")
    return AccessToken(
        principal_id=_uuid(claims, "sub"),
        credential_id=_uuid(claims, "jti"),
        scopes=frozenset(scope.split()),
        ial=ial,
        expires_at=expires_at,
    )


def _moment(claims: dict[str, Any], name: str) -> datetime:
    seconds = claims.get(name)
    if type(seconds) is not int:  # not bool, not 1e9
        raise InvalidError(f"The token's {name} is not a whole number of seconds.")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidError(f"The token's {name} is no time.") from error


def _uuid(claims: dict[str, Any], name: str) -> UUID:
    text = claims.get(name)
    try:
        value = UUID(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidError(f"The token's {name} is not a UUID.") from error
    if str(value) != text:
        raise InvalidError(f"The token's {name} is not a canonical UUID.")
    return value
