"""From a bearer token to a Caller. Verified tokens are remembered for a minute at most."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from starlette.requests import HTTPConnection

from registry.access_tokens import AccessToken, verify_access
from registry.database import Actor, Database
from registry.errors import UnauthenticatedError
from registry.keys import Keys
from registry.principals import OPERATOR, Credential, CredentialEvent, Principal, Scope

_REFUSAL = "The access token does not hold."
_CACHE_SECONDS = 60.0
_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as proved by the access token."""

    actor: Actor
    scopes: frozenset[Scope]
    ial: int
    handle: str


class Authenticator:
    """Checks tokens against the keys, and their credentials against the database."""

    def __init__(self, db: Database, keys: Keys, *, issuer: str) -> None:
        self._db = db.acting_for(OPERATOR)
        self._keys = keys
        self._issuer = issuer
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def caller(self, connection: HTTPConnection) -> Caller:
        """The caller of this request, or UnauthenticatedError."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError(
                "This needs an access token: send `Authorization: Bearer TOKEN`."
            )
        return await self.of_token(token)

    async def of_token(self, token: str) -> Caller:
        """The caller whom this access token is of, or UnauthenticatedError."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        remembered = self._known.get(digest)
        if remembered is not None and remembered[0] > time.monotonic():
            return remembered[1]
        verified = verify_access(token, self._keys, issuer=self._issuer)
        caller = await self._look_up(verified)
        left = verified.expires_at.timestamp() - time.time()
        self._remember(digest, time.monotonic() + min(left, _CACHE_SECONDS), caller)
        return caller

    async def _look_up(self, token: AccessToken) -> Caller:
        async with self._db.reading() as session:
            found = (
                await session.execute(
                    select(Principal.kind, Principal.handle)
                    .join(Credential, Credential.principal_id == Principal.id)
                    .where(
                        Credential.id == token.credential_id,
                        Principal.id == token.principal_id,
                        ~select(CredentialEvent.id)
                        .where(CredentialEvent.credential_id == Credential.id)
                        .exists(),
                    )
                )
            ).one_or_none()
        if found is None:
            raise UnauthenticatedError(_REFUSAL)
        kind, handle = found
        known = set(Scope)
        return Caller(
            actor=Actor(token.principal_id, kind, token.credential_id),
            scopes=frozenset(Scope(one) for one in token.scopes if one in known),
            ial=token.ial,
            handle=handle,
        )

    def forget(self, principal_id: UUID) -> None:
        """Look an account's tokens up anew: some were just revoked."""
        for digest, (_, caller) in list(self._known.items()):
            if caller.actor.principal_id == principal_id:
                del self._known[digest]

    def _remember(self, digest: bytes, until: float, caller: Caller) -> None:
        self._known[digest] = (until, caller)
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
