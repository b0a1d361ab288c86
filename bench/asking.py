"""A client of the registry, and the few documents that the measurements send."""

import base64
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx2
import numpy as np
import numpy.typing as npt
import orjson
from stage import Account, Api

from registry.encoders.identity import FACE

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
ENROLL_SAMPLE = """
mutation ($input: EnrollSampleInput!) { enrollSample(input: $input) {
  ... on SampleEnrolled { sample { id state } } ... on Problem { code message } } }
"""
RETIRE_SAMPLE = """
mutation ($id: ID!) { retireSample(id: $id) {
  ... on SampleRetired { sample { id state } } ... on Problem { code message } } }
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
RECORD_DEATH = """
mutation ($input: RecordDeathInput!) { answer: recordDeath(input: $input) {
  ... on DeathRecorded { protection { id } } ... on Problem { code message } } }
"""
PLACE_ORDER = """
mutation ($input: PlaceOrderInput!) { answer: placeOrder(input: $input) {
  ... on OrderPlaced { order { id } } ... on Problem { code message } } }
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
            timeout=120.0,
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
        return await self._post(path, orjson.dumps(body), "application/json")

    async def upload(self, data: bytes) -> Json:
        """What was found in a file, and its handle; refusals as `post`."""
        return await self._post("/v1/media", data, "application/octet-stream")

    async def _post(self, path: str, content: bytes, content_type: str) -> Json:
        try:
            response = await self._http.post(
                path, content=content, headers={"Content-Type": content_type}
            )
        except httpx2.TransportError as error:
            raise AwayError(str(error)) from error
        if response.status_code in {429, 503}:
            raise AwayError(response.text)
        if response.status_code not in {200, 201}:
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

    async def enroll_sample(self, subject_id: UUID, handle: UUID) -> str:
        """A sample of the subject out of an upload, which must join; its id."""
        given = {"subjectId": str(subject_id), "media": {"handle": str(handle)}}
        made = await self.run(ENROLL_SAMPLE, input=given)
        assert made["sample"]["state"] == "ENROLLED", made
        return str(made["sample"]["id"])

    async def retire_sample(self, sample_id: str) -> None:
        """Take a sample back."""
        made = await self.run(RETIRE_SAMPLE, id=sample_id)
        assert made["sample"]["state"] == "RETIRED", made

    async def revoke(self, grant_id: UUID) -> None:
        """End a grant."""
        made = await self.run(REVOKE, id=str(grant_id))
        assert made["grant"]["state"] == "REVOKED", made

    async def object(self, subject_id: UUID) -> None:
        """Forbid everything."""
        made = await self.run(OBJECT, input={"subjectId": str(subject_id)})
        assert made["objection"]["id"], made

    async def report_death(self, subject_id: UUID) -> None:
        """Say that the person died, as whoever keeps their record may."""
        told = {"subjectId": str(subject_id), "source": "A relative"}
        made = await self.run(RECORD_DEATH, input=told)
        assert made["protection"]["id"], made

    async def place_order(self, subject_id: UUID) -> None:
        """Forbid everything, as a regulator."""
        told = {"subjectId": str(subject_id), "authority": "District Court", "reference": "C-1/26"}
        made = await self.run(PLACE_ORDER, input=told)
        assert made["order"]["id"], made

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
    return asked({"imageHash": {"algorithm": "PHASH_256", "hex": image_hash}}, **more)


def face_question(vector: npt.NDArray[np.float32], claimed: UUID | None = None) -> Json:
    """The same of a face."""
    base = base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return asked({"faceVector": {"encoder": FACE, "base64": base}}, claimed=claimed)


def asked(probe: Json, *, claimed: UUID | None = None, **more: object) -> Json:
    """A check of one person by this probe."""
    person: Json = {"probes": [probe]}
    if claimed is not None:
        person["claimedSubject"] = str(claimed)
    return {
        "use": "GENERATE_IMAGE",
        "purpose": "FILM_TV",
        "modalities": ["FACE"],
        "persons": [person],
        **more,
    }
