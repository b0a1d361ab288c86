"""What tests of identity need: an attester, uploads as the encoders leave them, and cosines."""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from api.state import State
from registry import probes
from registry.encoders.identity import FACE, VOICE, VOICE_DIMENSIONS, Condition
from registry.encoders.media import MediaEncoding
from registry.encoders.targets import Box, FaceTarget, VoiceTarget
from registry.principals import PrincipalKind, Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import Person, face, unit

Vector = npt.NDArray[np.float32]

ATTEST = """
mutation ($input: AttestIdentityInput!) { done: attestIdentity(input: $input) {
  ... on IdentityAttested { attestation {
    id principalId level method liveness subjectId matched counts statement attestedBy } }
  ... on Problem { code message field } } }
"""
SIGN = """
mutation ($id: ID!, $role: GrantorRole! = SELF, $statement: SpokenStatementInput) {
  done: signGrant(id: $id, role: $role, statement: $statement) {
  ... on GrantSigned { grant { id state } } ... on Problem { code message field } } }
"""
GRANT_STATE = "{ grants { edges { node { id state } } } }"


def near(vector: Vector, cosine: float) -> Vector:
    """A vector at this cosine from another."""
    other = unit(len(vector)).astype(np.float64)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)


def seen(vector: Vector) -> FaceTarget:
    return FaceTarget(
        box=Box(0, 0, 100, 100), seconds=None, trouble=None, vectors={FACE: vector.tobytes()}
    )


def spoken_by(vector: Vector) -> dict[tuple[str, Condition], bytes]:
    return {(VOICE, one): vector.tobytes() for one in (Condition.WIDE, Condition.TELEPHONE)}


def a_voice() -> Vector:
    return unit(VOICE_DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Identities:
    """An attester's desk and whom it identifies."""

    state: State
    accounts: Accounts
    execute: Execute
    attester: Account
    service: Account

    @classmethod
    async def open(cls, state: State, accounts: Accounts, execute: Execute) -> Self:
        attester = await accounts.open(
            PrincipalKind.ATTESTER, scopes=frozenset({Scope.SUBJECTS_READ, Scope.SUBJECTS_WRITE})
        )
        service = await accounts.open(PrincipalKind.SERVICE)
        return cls(state, accounts, execute, attester, service)

    async def upload(self, account: Account, **found: Any) -> str:
        """The handle of a picture or recording in which this was found."""
        kind = "image" if "faces" in found else "audio"
        found = {"sha256": secrets.token_bytes(32)} | found
        encoding = MediaEncoding(
            kind=kind,
            media_type=f"{kind}/x",
            faces_searched=True,
            voices_searched=True,
            enrolling=True,
            **found,
        )
        async with self.state.db.acting_for(account.actor).writing() as session:
            probe = await probes.keep(
                session,
                principal_id=account.id,
                encoding=encoding,
                ttl_seconds=60,
                keys=self.state.keys,
            )
        return str(probe.id)

    async def photograph(self, account: Account, vector: Vector) -> str:
        return await self.upload(account, faces=(seen(vector),))

    async def recording(self, account: Account, vector: Vector, **more: Any) -> str:
        voice = VoiceTarget(0, 9, Condition.WIDE, None, spoken_by(vector))
        return await self.upload(account, voices=(voice,), **more)

    async def attest(
        self,
        account: Account,
        *,
        by: Account | None = None,
        face: Vector | None = None,
        **more: Any,
    ) -> Json:
        """What the attester is answered; `face`: of a live capture."""
        given = {
            "principalId": str(account.id),
            "level": 2,
            "method": "DOCUMENT_IN_PERSON",
            "liveness": True,
            "evidenceSha256": base64.b64encode(secrets.token_bytes(32)).decode(),
            "expiresAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
            **more,
        }
        by = by or self.attester
        if face is not None:
            given["liveCapture"] = {"handle": await self.photograph(by, face)}
        answer: Json = (await self.execute(by, ATTEST, input=given))["done"]
        return answer

    async def newcomer(self) -> tuple[Account, str]:
        """Somebody whose token proves little, with a record of their own."""
        account = await self.accounts.open(PrincipalKind.PERSON, ial=1)
        return account, await acts.subject(self.execute, account)

    async def enrolled(self, vector: Vector | None = None) -> tuple[Account, str, Vector]:
        """Such a somebody whose face is enrolled."""
        vector = unit() if vector is None else vector
        account, subject = await self.newcomer()
        await Person(self.state, account, UUID(subject), 1).enrol(face(vector))
        return account, subject, vector

    async def proposed(
        self, account: Account, subject: str, *services: Account, **more: Any
    ) -> str:
        scope = {
            "modalities": more.pop("modalities", ["FACE"]),
            "uses": ["GENERATE_IMAGE"],
            "purposes": ["FILM_TV"],
        }
        given = {
            "subjectId": subject,
            "scope": scope,
            "grantees": [str(one.id) for one in services or (self.service,)],
            "endsAt": "2028-11-01T00:00:00Z",
            "written": True,
            "separate": True,
            **more,
        }
        made = await self.execute(account, acts.PROPOSE, input=given)
        id: str = made["proposeGrant"]["grant"]["id"]
        return id

    async def sign(self, account: Account, grant: str, **more: Any) -> Json:
        answer: Json = (await self.execute(account, SIGN, id=grant, **more))["done"]
        return answer

    async def state_of(self, account: Account, grant: str) -> str:
        edges = (await self.execute(account, GRANT_STATE))["grants"]["edges"]
        found = {one["node"]["id"]: one["node"]["state"] for one in edges}
        state: str = found[grant]
        return state
