"""What remains of a decision: a token, a log entry, sealed facts; and that each can be proved."""

import asyncio
import base64
from uuid import UUID

import asyncpg
import httpx2
import pytest

from api.state import State
from registry import receipts
from registry.decisions import open_recorded
from registry.errors import InvalidError
from registry.log import checkpoint, merkle
from registry.policy.disclosure import blind, disclose
from registry.policy.engine import decide
from registry.policy.shelf import load_packs
from tests import acts
from tests.conftest import Account, Execute, Json

PROOF = """query ($index: Int!, $size: Int!) {
  checkpoint { size root note } inclusionProof(index: $index, treeSize: $size) { hashes } }"""


async def newest(execute: Execute, account: Account) -> Json:
    answer: Json = (await execute(account, "{ checkpoint { size root note } }"))["checkpoint"]
    return answer


def verifier_key(state: State) -> str:
    key = checkpoint.VerifierKey(state.settings.log_origin, state.keys.log_signer.public)
    return str(key)


async def test_the_token_says_what_the_answer_says_and_is_in_the_log(
    client: httpx2.AsyncClient, execute: Execute, state: State, service: Account
) -> None:
    decision = await acts.check(execute, service, acts.question(acts.random_hash()))
    jwks = (await client.get("/.well-known/jwks.json")).json()
    verified = receipts.verify_decision(decision["token"], jwks)
    assert not verified.expired or decision["outcome"] == "UNKNOWN"
    assert verified.claims["outcome"] == decision["outcome"]
    assert verified.claims["aud"] == str(service.id)
    assert verified.claims["jti"] == decision["id"]
    index = verified.claims["log"]["index"]
    size = (await newest(execute, service))["size"]
    answer = await execute(service, PROOF, index=index, size=size)
    receipts.verify_in_log(
        verified.claims,
        salt=bytes.fromhex(decision["salt"]),
        proof=[base64.b64decode(one) for one in answer["inclusionProof"]["hashes"]],
        checkpoint_note=answer["checkpoint"]["note"],
        verifier_key=verifier_key(state),
    )
    with pytest.raises(InvalidError):
        receipts.verify_in_log(
            {**verified.claims, "outcome": "PERMITTED"},
            salt=bytes.fromhex(decision["salt"]),
            proof=[base64.b64decode(one) for one in answer["inclusionProof"]["hashes"]],
            checkpoint_note=answer["checkpoint"]["note"],
            verifier_key=verifier_key(state),
        )


async def test_the_commitment_binds_the_token_to_the_request(
    execute: Execute, state: State, service: Account
) -> None:
    asked = acts.question(acts.random_hash())
    decision = await acts.check(execute, service, asked)
    claims = receipts.verify_decision(decision["token"], state.keys.jwks()).claims
    salt = bytes.fromhex(decision["salt"])
    plain = {
        "use": "GENERATE_IMAGE", "purpose": "FILM_TV", "modalities": ["FACE"], "territories": [],
        "content": [], "commercial": True, "claimedException": None, "supportedObligations": None,
        "includeDraftLaw": False,
        "persons": [{
            "claimedSubject": None, "name": None, "target": True,
            "probes": [{"media": None,
                        "imageHash": asked["persons"][0]["probes"][0]["imageHash"]["hex"]}],
        }],
    }  # fmt: skip
    value = {"request": receipts.digest(plain), "media": []}
    assert claims["req"]["commitment"] == receipts.commit(salt, value).hex()


async def test_the_log_only_grows(execute: Execute, state: State, service: Account) -> None:
    heads = []
    for _ in range(4):
        await asyncio.gather(
            *(acts.check(execute, service, acts.question(acts.random_hash())) for _ in range(5))
        )
        heads.append(await newest(execute, service))
    first, *_, last = heads
    document = "query ($a: Int!, $b: Int!) { consistencyProof(first: $a, second: $b) { hashes } }"
    answer = await execute(service, document, a=first["size"], b=last["size"])
    merkle.verify_consistency(
        first=first["size"],
        second=last["size"],
        first_root=base64.b64decode(first["root"]),
        second_root=base64.b64decode(last["root"]),
        proof=[base64.b64decode(one) for one in answer["consistencyProof"]["hashes"]],
    )
    for head in heads:
        note = checkpoint.parse_and_verify(head["note"], [verifier_key(state)])
        assert (note.size, note.root) == (head["size"], base64.b64decode(head["root"]))


async def test_checks_that_arrive_together_share_a_commit(
    execute: Execute, service: Account, urls: tuple[str, str]
) -> None:
    connection = await asyncpg.connect(urls[0])
    count = "select count(*) from checkpoints"
    before = await connection.fetchval(count)
    await asyncio.gather(
        *(acts.check(execute, service, acts.question(acts.random_hash())) for _ in range(40))
    )
    assert 1 <= await connection.fetchval(count) - before <= 20
    await connection.close()


async def test_every_decision_has_its_leaf_and_replays_to_the_same_answer(
    execute: Execute, state: State, owner: Account, service: Account, urls: tuple[str, str]
) -> None:
    subject, hash = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], hash)
    await acts.grant(execute, owner, subject, service)
    answer = await acts.check(execute, service, acts.question(hash))
    connection = await asyncpg.connect(urls[0])
    row = await connection.fetchrow(
        "select d.*, l.entry from decisions d join log_leaves l on l.index = d.log_index"
        " where d.id = $1 and l.decision_id = d.id",
        answer["id"],
    )
    keys = await connection.fetch(
        "select subject_id, wrapped from subject_keys where subject_id = any($1)",
        row["sealed_for"],
    )
    await connection.close()
    wrapped = {one["subject_id"]: one["wrapped"] for one in keys}
    assert row["sealed_for"] == [UUID(subject)]
    recorded = open_recorded(
        row["sealed_facts"],
        decision_id=row["id"],
        subjects=[(one, wrapped[one]) for one in row["sealed_for"]],
        keys=state.keys,
    )
    facts, packs = recorded.facts, load_packs()
    again = disclose(decide(facts, packs), decide(blind(facts), packs), facts.service.tier)
    assert (str(again.outcome), [one.code for one in again.reasons]) == (
        answer["outcome"],
        [one["code"] for one in answer["reasons"]],
    )


@pytest.mark.parametrize(
    ("field", "variables"),
    [
        ("inclusionProof(index: 0, treeSize: 999999999)", {}),
        ("inclusionProof(index: -1, treeSize: 1)", {}),
        ("consistencyProof(first: 0, second: 1)", {}),
        ("consistencyProof(first: 2, second: 1)", {}),
    ],
)
async def test_a_proof_that_cannot_be_is_refused(
    client: httpx2.AsyncClient, execute: Execute, service: Account, field: str, variables: Json
) -> None:
    await acts.check(execute, service, acts.question(acts.random_hash()))
    response = await client.post(
        "/graphql",
        json={"query": f"{{ {field} {{ hashes }} }}", "variables": variables},
        headers=service.headers,
    )
    assert response.json()["errors"][0]["extensions"]["code"] in {"INVALID", "NOT_FOUND"}
