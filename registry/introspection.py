"""Whether a token counts at this moment, whatever it said when it was made (RFC 7662).

Of a token that is no business of whoever asks, and of what is no token, the answer is the same as
of one that has ended.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from registry import access_tokens, decisions, grants, objections, orders, receipts, subjects
from registry.access_tokens import verify_access
from registry.database import Actor, ReadSession, now
from registry.decisions import Decision
from registry.errors import InvalidError, UnauthenticatedError
from registry.keys import Keys
from registry.objections import Objection
from registry.orders import Order
from registry.policy.vocabulary import GrantState, Outcome
from registry.principals import Credential, CredentialEvent, PrincipalKind

INACTIVE: Final[dict[str, Any]] = {"active": False}
# Who may ask about decisions that were given to others.
_OVERSEERS = frozenset({PrincipalKind.REGULATOR, PrincipalKind.AUDITOR, PrincipalKind.OPERATOR})
_TOLD = ("iss", "aud", "jti", "iat", "nbf", "exp", "outcome", "basis", "use", "purpose", "terr")


async def introspect(
    session: ReadSession, token: str, *, asker: Actor, issuer: str, keys: Keys
) -> dict[str, Any]:
    """What RFC 7662 says of a token; in a session of the registry's own."""
    at = await now(session)
    found = await _decision(session, token, asker=asker, issuer=issuer, keys=keys, at=at)
    if found is None:
        found = await _access(session, token, asker=asker, issuer=issuer, keys=keys, at=at)
    return found or INACTIVE


async def _decision(
    session: ReadSession, token: str, *, asker: Actor, issuer: str, keys: Keys, at: datetime
) -> dict[str, Any] | None:
    try:
        verified = receipts.verify_decision(token, keys.jwks(), now=at)
    except InvalidError:
        return None
    claims = verified.claims
    if asker.kind not in _OVERSEERS and claims.get("aud") != str(asker.principal_id):
        return None
    if verified.expired or claims.get("iss") != issuer:
        return None
    if claims.get("outcome") != Outcome.PERMITTED or claims.get("may_proceed") is not True:
        return None
    row = await decisions.get(session, UUID(str(claims["jti"])))
    if row is None or not await _still_permitted(session, row, keys):
        return None
    return {
        "active": True,
        "token_type": receipts.TYPE,
        **{name: claims[name] for name in _TOLD if name in claims},
        "grants": claims["grants"],
    }


async def _still_permitted(session: ReadSession, row: Decision, keys: Keys) -> bool:
    """Whether what a permission rests on is as it was, and nothing was said against it since.

    What it cannot tell counts as changed: the service asks anew, and that answer is exact.
    """
    resting = decisions.opened(row, keys=keys).grants
    states = await grants.states_by_ids(session, resting)
    if any(states.get(one) is not GrantState.ACTIVE for one in resting):
        return False
    about = row.sealed_for
    if len(await subjects.wrapped_keys(session, about)) < len(about):
        return False  # somebody was erased
    return not await _contradicted(session, about, since=row.decided_at)


async def _contradicted(
    session: ReadSession, subject_ids: Sequence[UUID], *, since: datetime
) -> bool:
    """Whether an objection or order about one of them was filed since and stands."""
    filed = await session.scalars(
        select(Objection.id).where(Objection.subject_id.in_(subject_ids), Objection.since >= since)
    )
    states = await objections.states(session, list(filed))
    if any(one not in objections.ENDED for one in states.values()):
        return True
    placed = await session.scalars(
        select(Order.id).where(Order.subject_id.in_(subject_ids), Order.created_at >= since)
    )
    return not all((await orders.lifted(session, list(placed))).values())


async def _access(
    session: ReadSession, token: str, *, asker: Actor, issuer: str, keys: Keys, at: datetime
) -> dict[str, Any] | None:
    try:
        held = verify_access(token, keys, issuer=issuer, now=at)
    except UnauthenticatedError:
        return None
    if asker.kind != PrincipalKind.OPERATOR and asker.principal_id != held.principal_id:
        return None
    if held.expires_at <= at:
        return None
    revoked = select(CredentialEvent.id).where(CredentialEvent.credential_id == Credential.id)
    known = await session.scalar(
        select(Credential.id).where(
            Credential.id == held.credential_id,
            Credential.principal_id == held.principal_id,
            ~revoked.exists(),
        )
    )
    if known is None:
        return None
    return {
        "active": True,
        "token_type": access_tokens.TYPE,
        "iss": issuer,
        "aud": issuer,
        "sub": str(held.principal_id),
        "jti": str(held.credential_id),
        "scope": " ".join(sorted(held.scopes)),
        "exp": int(held.expires_at.timestamp()),
        "ial": held.ial,
    }
