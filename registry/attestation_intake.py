"""Intake: attestations that identity providers sign themselves, each taken in once.

A statement counts by its signature alone: whoever brings it proves nothing else. What does not
hold is refused in one sentence, so that nobody learns how far a forgery got.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from registry import attestations, attester_keys, jws
from registry.attestations import Attestation, AttestationMethod, Finding, Statement
from registry.attester_keys import Provider
from registry.database import Actor, Database, new_id, now
from registry.errors import InvalidError, RegistryError, UnavailableError
from registry.keys import Keys
from registry.principals import OPERATOR, PrincipalKind

FRESH: Final = timedelta(minutes=10)
MAX_JTI: Final = 200
_CLAIMS: Final = frozenset(
    {"iss", "sub", "jti", "iat", "exp", "level", "method", "liveness", "evidence_sha256"}
)
_LATEST: Final = 2**40  # seconds; beyond it there is no date


class _UnfitError(Exception):
    """What a signed statement says is no attestation."""


async def take_in(db: Database, token: str, *, issuer: str, keys: Keys) -> Attestation:
    """Put on record what a provider signed, as that attester's; InvalidError for all else."""
    async with db.acting_for(OPERATOR).reading() as session:
        providers = {one.kid: one for one in await attester_keys.live(session)}
        at = await now(session)
    try:
        verified = jws.verify(
            token,
            typ=attestations.TYPE,
            key_of=lambda kid: providers[kid].public if kid in providers else None,
        )
        provider = providers[verified.kid]
        finding, jti = _read(verified.claims, provider, issuer=issuer, at=at)
        actor = Actor(provider.principal_id, PrincipalKind.ATTESTER)
        async with db.acting_for(actor).writing() as session:
            return await attestations.attest(
                session,
                finding,
                attestation_id=new_id(),
                actor=actor,
                issuer=issuer,
                keys=keys,
                statement=Statement(token, jti),
            )
    except UnavailableError:
        raise
    except (RegistryError, IntegrityError, _UnfitError) as error:
        raise InvalidError(_REFUSAL) from error


_REFUSAL: Final = "This attestation is not accepted."


def _read(
    claims: dict[str, Any], provider: Provider, *, issuer: str, at: datetime
) -> tuple[Finding, str]:
    """What the claims say; an `aud`, where there is one, names this registry."""
    jti = claims.get("jti")
    fits = (
        claims.keys() - {"aud"} == _CLAIMS
        and claims.get("aud", issuer) == issuer
        and claims["iss"] == provider.name
        and isinstance(jti, str)
        and 0 < len(jti) <= MAX_JTI
        and jti.isprintable()
        and isinstance(claims["liveness"], bool)
        and type(claims["level"]) is int
        and all(isinstance(claims[name], str) for name in ("sub", "method", "evidence_sha256"))
    )
    if not fits or not isinstance(jti, str):
        raise _UnfitError
    if abs(_time(claims["iat"]) - at) > FRESH:
        raise _UnfitError
    try:
        finding = Finding(
            principal_id=UUID(claims["sub"]),
            level=claims["level"],
            method=AttestationMethod(claims["method"]),
            liveness=claims["liveness"],
            evidence_sha256=jws.decode(claims["evidence_sha256"]),
            expires_at=_time(claims["exp"]),
        )
    except ValueError as error:
        raise _UnfitError from error
    return finding, jti


def _time(seconds: object) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < _LATEST:
        raise _UnfitError
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _UnfitError from error
