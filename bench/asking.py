"""A client of the registry, and the few documents that the measurements send."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx2
import orjson
from stage import Account, Api

Json = dict[str, Any]

CHECK = """
query ($input: CheckInput!) { checkConsent(input: $input) {
  id outcome mayProceed basis reasons { code action person grant } obligations { code }
  persons { outcome } packs { id version } decidedAt validUntil token salt logIndex } }
"""
CHECKS = """
query ($inputs: [CheckInput!]!) { checkConsents(inputs: $inputs) {
  __typename ... on Decision {
  id outcome mayProceed basis reasons { code action person grant } obligations { code }
  persons { outcome } packs { id version } decidedAt validUntil token salt logIndex }
  ... on Problem { code message } } }
"""
REGISTER_SUBJECT = """
mutation ($input: RegisterSubjectInput!) { registerSubject(input: $input) {
  ... on SubjectRegistered { subject { id } } ... on Problem { code message } } }
"""
REGISTER_ASSET = """
mutation ($input: RegisterAssetInput!) { registerAsset(input: $input) {
  ... on AssetRegistered { asset { id } } ... on Problem { code message } } }
"""
PROPOSE = """
mutation ($input: ProposeGrantInput!) { proposeGrant(input: $input) {
  ... on GrantProposed { grant { id } } ... on Problem { code message } } }
"""
SIGN = """
mutation ($id: ID!) { signGrant(id: $id) {
  ... on GrantSigned { grant { id } } ... on Problem { code message } } }
"""
REVOKE = """
mutation ($id: ID!) { revokeGrant(id: $id) {
  ... on GrantRevoked { grant { id state } } ... on Problem { code message } } }
"""
OBJECT = """
mutation ($input: FileObjectionInput!) { fileObjection(input: $input) {
  ... on ObjectionFiled { objection { id } } ... on Problem { code message } } }
"""
TAKE_USE = """
mutation ($input: TakeUseInput!) { takeUse(input: $input) {
  ... on UseTaken { uses { ordinal } } ... on Problem { code message } } }
"""
INCLUSION = """
query ($index: Int!, $size: Int!) { inclusionProof(index: $index, treeSize: $size) { hashes } }
"""
CONSISTENCY = """
query ($first: Int!, $second: Int!) { consistencyProof(first: $first, second: $second) { hashes } }
"""


class AwayError(Exception):
    """It cannot be answered now, or nobody knows whether it was: ask again under the same key."""


class DefectError(Exception):
    """An answer that no client should ever see."""


class Client:
    """Asks one API process as one account, on connections that are kept."""

    def __init__(self, api: Api, account: Account, *, connections: int = 128) -> None:
        self._http = httpx2.AsyncClient(
            base_url=api.url,
            headers={"Authorization": f"Bearer {account.token}"},
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections
            ),
            timeout=30.0,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Connections are made when first needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def post(self, path: str, body: object) -> Json:
        """JSON for JSON; AwayError for 429, 503 and a broken connection, DefectError otherwise."""
        try:
            response = await self._http.post(
                path, content=orjson.dumps(body), headers={"Content-Type": "application/json"}
            )
        except httpx2.TransportError as error:
            raise AwayError(str(error)) from error
        if response.status_code in {429, 503}:
            raise AwayError(response.text)
        if response.status_code != 200:
            raise DefectError(f"{response.status_code}: {response.text}")
        answer: Json = orjson.loads(response.content)
        return answer

    async def get(self, path: str) -> str:
        """The text at a path."""
        return (await self._http.get(path)).raise_for_status().text

    async def run(self, document: str, **variables: object) -> Any:
        """The one field of a GraphQL operation; a Problem of BUSY or UNAVAILABLE is AwayError."""
        answer = await self.post("/graphql", {"query": document, "variables": variables})
        if "errors" in answer:
            raise DefectError(str(answer["errors"]))
        (field,) = answer["data"].values()
        if isinstance(field, dict) and field.get("code") in {"BUSY", "UNAVAILABLE"}:
            raise AwayError(field["message"])
        return field

    async def check(self, asked: Json) -> Json:
        """The decision."""
        decision: Json = await self.run(CHECK, input=asked)
        return decision

    async def register_asset(self, subject_id: UUID, image_hash: str) -> str:
        """A picture of the subject on record; its id."""
        source = {"imageHash": {"algorithm": "PHASH_256", "hex": image_hash}}
        made = await self.run(
            REGISTER_ASSET, input={"subjectIds": [str(subject_id)], "source": source}
        )
        return str(made["asset"]["id"])

    async def revoke(self, grant_id: UUID) -> None:
        """End a grant."""
        made = await self.run(REVOKE, id=str(grant_id))
        assert made["grant"]["state"] == "REVOKED", made

    async def object(self, subject_id: UUID) -> None:
        """Forbid everything."""
        made = await self.run(OBJECT, input={"subjectId": str(subject_id)})
        assert made["objection"]["id"], made

    async def grant(self, subject_id: UUID, service: Account, *, max_uses: int) -> str:
        """A signed grant of so many uses, as `filling` makes them without a limit."""
        made = await self.run(
            PROPOSE,
            input={
                "subjectId": str(subject_id),
                "scope": {
                    "modalities": ["FACE"],
                    "uses": ["GENERATE_IMAGE"],
                    "purposes": ["FILM_TV"],
                },
                "grantees": [str(service.id)],
                "endsAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
                "written": True,
                "separate": True,
                "maxUses": max_uses,
            },
        )
        grant_id = str(made["grant"]["id"])
        await self.run(SIGN, id=grant_id)
        return grant_id


def question(image_hash: str, **more: object) -> Json:
    """A check of this hash for a picture in a film."""
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": image_hash}}
    return {
        "use": "GENERATE_IMAGE",
        "purpose": "FILM_TV",
        "modalities": ["FACE"],
        "persons": [{"probes": [probe]}],
        **more,
    }
