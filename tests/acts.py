"""The GraphQL documents that many tests need, and what they do in one call each."""

import secrets
from typing import Any

from tests.conftest import Account, Execute, Json

REGISTER = """
mutation ($input: RegisterSubjectInput!) { registerSubject(input: $input) {
  ... on SubjectRegistered { subject { id name aliases birthDate registration } }
  ... on Problem { code message field } } }
"""
REGISTER_ASSET = """
mutation ($input: RegisterAssetInput!) { registerAsset(input: $input) {
  ... on AssetRegistered { asset { id encoder subjects { id } } }
  ... on Problem { code message field } } }
"""
PROPOSE = """
mutation ($input: ProposeGrantInput!) { proposeGrant(input: $input) {
  ... on GrantProposed { grant { id state modalities uses purposes territories grantees maxUses } }
  ... on Problem { code message field } } }
"""
SIGN = """
mutation ($id: ID!) { signGrant(id: $id) {
  ... on GrantSigned { grant { id state } } ... on Problem { code message } } }
"""
REVOKE = """
mutation ($id: ID!) { revokeGrant(id: $id) {
  ... on GrantRevoked { grant { id state } } ... on Problem { code message } } }
"""
OBJECT = """
mutation ($input: FileObjectionInput!) { fileObjection(input: $input) {
  ... on ObjectionFiled { objection { id state modalities uses carveOutGrants subject { id } } }
  ... on Problem { code message field } } }
"""
WITHDRAW = """
mutation ($id: ID!) { withdrawObjection(id: $id) {
  ... on ObjectionWithdrawn { objection { id state } } ... on Problem { code message } } }
"""
CHECK = """
query ($input: CheckInput!) { checkConsent(input: $input) {
  id outcome mayProceed basis reasons { code action person grant } obligations { code }
  persons { outcome } packs { id version } decidedAt validUntil token salt logIndex } }
"""


def random_hash() -> str:
    """A hash unlike any other (two random ones differ in about 128 bits)."""
    return secrets.token_hex(32)


async def subject(execute: Execute, owner: Account, **more: Any) -> str:
    """A grown-up subject of this owner."""
    given = {"name": f"Person {secrets.token_hex(4)}", "birthDate": "1980-01-01", **more}
    made = await execute(owner, REGISTER, input=given)
    id: str = made["registerSubject"]["subject"]["id"]
    return id


async def asset(execute: Execute, owner: Account, subjects: list[str], hex: str) -> str:
    """A registered picture of these subjects."""
    source = {"imageHash": {"algorithm": "PHASH_256", "hex": hex}}
    made = await execute(owner, REGISTER_ASSET, input={"subjectIds": subjects, "source": source})
    id: str = made["registerAsset"]["asset"]["id"]
    return id


async def grant(
    execute: Execute,
    owner: Account,
    subject: str,
    *services: Account,
    state: str = "ACTIVE",
    **more: Any,
) -> str:
    """A grant to make pictures for films, in the form that pack ZZ asks for, signed by the owner.

    `state`: where it then stands; PENDING if others must sign too.
    """
    given = {
        "subjectId": subject,
        "scope": {
            "modalities": ["FACE"],
            "uses": ["GENERATE_IMAGE"],
            "purposes": ["FILM_TV"],
        },
        "grantees": [str(one.id) for one in services] or None,
        "endsAt": "2028-11-01T00:00:00Z",
        "written": True,
        "separate": True,
        **more,
    }
    made = await execute(owner, PROPOSE, input=given)
    id: str = made["proposeGrant"]["grant"]["id"]
    signed = await execute(owner, SIGN, id=id)
    assert signed["signGrant"]["grant"]["state"] == state, signed
    return id


def question(*hashes: str, **more: Any) -> Json:
    """A check of these hashes, one person each, for a picture in a film."""
    return {
        "use": "GENERATE_IMAGE",
        "purpose": "FILM_TV",
        "modalities": ["FACE"],
        "persons": [
            {"probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": one}}]} for one in hashes
        ],
        **more,
    }


async def check(execute: Execute, service: Account, asked: Json) -> Json:
    """The decision."""
    decision: Json = (await execute(service, CHECK, input=asked))["checkConsent"]
    return decision


def codes(decision: Json) -> set[str]:
    """Its reason codes."""
    return {one["code"] for one in decision["reasons"]}
