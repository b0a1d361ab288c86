"""The check through the schema: every kind of answer, and what can be proved of it."""

import asyncio
import json
import secrets
import time

import httpx2
import pytest

from registry import services
from registry.checks.queue import GRID_SECONDS
from registry.database import Database
from registry.principals import OPERATOR_ID
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json


@pytest.fixture
async def pictured(execute: Execute, owner: Account) -> tuple[str, str]:
    """A subject and the hash of a registered picture of them."""
    subject, hash = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], hash)
    return subject, hash


def flipped(hash: str, bits: int) -> str:
    """The hash with its first so many bits turned over."""
    return f"{int(hash, 16) ^ ((1 << bits) - 1):064x}"


async def test_a_covering_grant_permits(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    grant = await acts.grant(execute, owner, subject, service)
    decision = await acts.check(execute, service, acts.question(hash))
    assert (decision["outcome"], decision["mayProceed"], decision["basis"]) == (
        "PERMITTED",
        True,
        "CONSENT",
    )
    assert {"code": "GRANT", "action": "NONE", "person": 0, "grant": grant} in decision["reasons"]
    assert {"LABEL_EXPLICIT", "REPORT_USAGE"} <= {one["code"] for one in decision["obligations"]}
    assert decision["validUntil"] > decision["decidedAt"]


async def test_nobody_known_is_unknown_and_never_consent(
    execute: Execute, service: Account
) -> None:
    decision = await acts.check(execute, service, acts.question(acts.random_hash()))
    assert (decision["outcome"], decision["mayProceed"]) == ("UNKNOWN", False)
    assert {"NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"} <= acts.codes(decision)


@pytest.mark.parametrize(
    ("bits", "outcome"),
    [(0, "PERMITTED"), (48, "PERMITTED"), (49, "REVIEW_REQUIRED"), (60, "REVIEW_REQUIRED"),
     (61, "UNKNOWN")],
)  # fmt: skip
async def test_the_distance_decides_the_band(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str], bits: int,
    outcome: str,
) -> None:  # fmt: skip
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service)
    decision = await acts.check(execute, service, acts.question(flipped(hash, bits)))
    assert decision["outcome"] == outcome


async def test_a_revocation_holds_for_the_next_check(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    grant = await acts.grant(execute, owner, subject, service)
    assert (await acts.check(execute, service, acts.question(hash)))["mayProceed"]
    await execute(owner, acts.REVOKE, id=grant)
    decision = await acts.check(execute, service, acts.question(hash))
    assert decision["outcome"] == "PROHIBITED"
    assert "CONSENT_WITHDRAWN" in acts.codes(decision)


async def test_an_objection_beats_an_earlier_grant_until_it_is_withdrawn(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service)
    filed = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    decision = await acts.check(execute, service, acts.question(hash))
    assert (decision["outcome"], "OBJECTION" in acts.codes(decision)) == ("PROHIBITED", True)
    await execute(owner, acts.WITHDRAW, id=filed["fileObjection"]["objection"]["id"])
    assert (await acts.check(execute, service, acts.question(hash)))["mayProceed"]


async def test_a_grant_for_another_service_does_not_count(
    execute: Execute, accounts: Accounts, owner: Account, service: Account,
    pictured: tuple[str, str],
) -> None:  # fmt: skip
    subject, hash = pictured
    other = await accounts.open(service.kind)
    await acts.grant(execute, owner, subject, other)
    decision = await acts.check(execute, service, acts.question(hash))
    assert decision["outcome"] == "CONSENT_REQUIRED"


async def test_a_claim_that_does_not_match_is_prohibited(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    _, hash = pictured
    other = await acts.subject(execute, owner)
    asked = acts.question(hash)
    asked["persons"][0]["claimedSubject"] = other
    decision = await acts.check(execute, service, asked)
    assert decision["outcome"] == "PROHIBITED"
    assert "CLAIMED_SUBJECT_MISMATCH" in acts.codes(decision)


async def test_the_worst_of_several_persons_decides(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service)
    decision = await acts.check(execute, service, acts.question(hash, acts.random_hash()))
    assert decision["outcome"] == "UNKNOWN"
    assert [one["outcome"] for one in decision["persons"]] == ["PERMITTED", "UNKNOWN"]


async def test_a_picture_of_two_people_needs_both(
    execute: Execute, owner: Account, service: Account
) -> None:
    one, two = [await acts.subject(execute, owner) for _ in range(2)]
    hash = acts.random_hash()
    await acts.asset(execute, owner, [one, two], hash)
    await acts.grant(execute, owner, one, service)
    assert (await acts.check(execute, service, acts.question(hash)))["outcome"] == (
        "CONSENT_REQUIRED"
    )
    await acts.grant(execute, owner, two, service)
    assert (await acts.check(execute, service, acts.question(hash)))["mayProceed"]


async def test_a_name_alone_leads_to_a_person(
    execute: Execute, owner: Account, service: Account
) -> None:
    name = f"Known {secrets.token_hex(4)}"
    await acts.subject(execute, owner, name=name)
    decision = await acts.check(execute, service, acts.question(persons=[{"name": name.upper()}]))
    assert (decision["outcome"], "NAME_ONLY" in acts.codes(decision)) == ("REVIEW_REQUIRED", True)


async def test_a_less_trusted_service_learns_nothing_of_the_match(
    execute: Execute, accounts: Accounts, owner: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await execute(owner, acts.OBJECT, input={"subjectId": subject})
    service = await accounts.open((await accounts.open()).kind.SERVICE, tier=1)
    answers = [
        await acts.check(execute, service, acts.question(one)) for one in (hash, acts.random_hash())
    ]
    shown = [
        {name: one[name] for name in ("outcome", "reasons", "persons", "obligations", "packs")}
        for one in answers
    ]
    assert shown[0] == shown[1]
    assert shown[0]["outcome"] == "NOT_CLEARED"


async def test_a_service_that_cannot_label_needs_a_person(
    execute: Execute, accounts: Accounts, owner: Account, service: Account,
    pictured: tuple[str, str],
) -> None:  # fmt: skip
    subject, hash = pictured
    limited = await accounts.open(service.kind, supports=frozenset())
    await acts.grant(execute, owner, subject, limited)
    decision = await acts.check(execute, limited, acts.question(hash))
    assert decision["outcome"] == "REVIEW_REQUIRED"
    assert "OBLIGATION_UNSUPPORTED" in acts.codes(decision)


async def test_asking_again_under_a_nonce_gives_the_same_decision(
    execute: Execute, service: Account
) -> None:
    asked = acts.question(acts.random_hash(), nonce=secrets.token_hex(8))
    answers = await asyncio.gather(*(acts.check(execute, service, asked) for _ in range(5)))
    assert len({json.dumps(one) for one in answers}) == 1


async def test_another_question_under_a_used_nonce_is_refused(
    execute: Execute, service: Account
) -> None:
    nonce = secrets.token_hex(8)
    await acts.check(execute, service, acts.question(acts.random_hash(), nonce=nonce))
    answer = await execute(
        service,
        CHECK_MANY,
        inputs=[acts.question(acts.random_hash(), nonce=nonce)],
    )
    assert [one["code"] for one in answer["checkConsents"]] == ["CONFLICT"]


CHECK_MANY = """
query ($inputs: [CheckInput!]!) { checkConsents(inputs: $inputs) {
  ... on Decision { outcome logIndex } ... on Problem { code field } } }
"""


async def test_one_bad_input_of_256_is_a_problem_of_its_own(
    execute: Execute, service: Account
) -> None:
    inputs = [acts.question(acts.random_hash()) for _ in range(256)]
    inputs[100] = acts.question("not a hash")
    answer = await execute(service, CHECK_MANY, inputs=inputs)
    results: list[Json] = answer["checkConsents"]
    assert results[100] == {"code": "INVALID", "field": "imageHash"}
    rest = results[:100] + results[101:]
    assert {one["outcome"] for one in rest} == {"UNKNOWN"}
    assert len({one["logIndex"] for one in rest}) == 255


async def test_a_decision_can_be_read_again_by_its_service_only(
    execute: Execute, accounts: Accounts, service: Account
) -> None:
    decision = await acts.check(execute, service, acts.question(acts.random_hash()))
    document = "query ($id: ID!) { decision(id: $id) { id outcome token salt } }"
    again = await execute(service, document, id=decision["id"])
    assert again["decision"] == {name: decision[name] for name in again["decision"]}
    other = await accounts.open(service.kind)
    assert await execute(other, document, id=decision["id"]) == {"decision": None}
    assert await execute(service, document, id="nonsense") == {"decision": None}


async def test_a_grant_of_two_uses_gives_exactly_two(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service, maxUses=2)
    decision = await acts.check(execute, service, acts.question(hash))
    take = """mutation ($input: TakeUseInput!) { takeUse(input: $input) {
      ... on UseTaken { uses { ordinal } } ... on Problem { code } } }"""
    taken = await asyncio.gather(
        *(execute(service, take, input={"decisionId": decision["id"]}) for _ in range(20))
    )
    counted = [one["takeUse"]["uses"][0]["ordinal"] for one in taken if "uses" in one["takeUse"]]
    assert sorted(counted) == [1, 2]
    after = await acts.check(execute, service, acts.question(hash))
    assert "QUOTA_EXHAUSTED" in acts.codes(after)


async def test_a_use_taken_again_under_its_key_is_counted_once(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service, maxUses=5)
    decision = await acts.check(execute, service, acts.question(hash))
    take = """mutation ($input: TakeUseInput!) { takeUse(input: $input) {
      ... on UseTaken { uses { id ordinal } } ... on Problem { code } } }"""
    given = {"decisionId": decision["id"], "idempotencyKey": "one"}
    first, second = [await execute(service, take, input=given) for _ in range(2)]
    assert first == second
    assert first["takeUse"]["uses"][0]["ordinal"] == 1


async def test_only_a_service_asks(
    execute: Execute, operator: Database, owner: Account, service: Account
) -> None:
    inputs = [acts.question(acts.random_hash())]
    refused = await execute(owner, CHECK_MANY, inputs=inputs)
    assert refused["checkConsents"] == [{"code": "FORBIDDEN", "field": None}]
    async with operator.writing() as session:
        await services.suspend(session, service_id=service.id, actor_id=OPERATOR_ID)
    decision = await acts.check(execute, service, inputs[0])
    assert decision["outcome"] == "PROHIBITED"
    assert acts.codes(decision) == {"SERVICE_SUSPENDED"}


async def test_a_nonce_does_not_bring_back_a_permission_that_was_revoked(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    grant = await acts.grant(execute, owner, subject, service)
    asked = acts.question(hash, nonce=secrets.token_hex(8))
    first = await acts.check(execute, service, asked)
    assert first["mayProceed"]
    assert (await acts.check(execute, service, asked))["token"] == first["token"]
    await execute(owner, acts.REVOKE, id=grant)
    again = await execute(service, CHECK_MANY, inputs=[asked])
    assert again["checkConsents"] == [{"code": "CONFLICT", "field": "nonce"}]


async def test_a_request_has_a_bounded_number_of_probes(
    client: httpx2.AsyncClient, service: Account
) -> None:
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": "0" * 64}}
    asked = acts.question(persons=[{"probes": [probe] * 10}] * 11)
    body = {"query": CHECK_MANY, "variables": {"inputs": [asked] * 10}}
    response = await client.post("/graphql", json=body, headers=service.headers)
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID"


async def test_of_several_people_of_one_name_the_one_who_is_seen_is_meant(
    execute: Execute, owner: Account, service: Account
) -> None:
    name = f"John {secrets.token_hex(4)}"
    people = [await acts.subject(execute, owner, name=name) for _ in range(3)]
    for subject in people:
        hash = acts.random_hash()
        await acts.asset(execute, owner, [subject], hash)
        await acts.grant(execute, owner, subject, service)
        asked = acts.question(hash)
        asked["persons"][0]["name"] = name
        assert (await acts.check(execute, service, asked))["mayProceed"]


async def test_a_strangers_picture_beside_a_granted_one_is_not_permitted(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str]
) -> None:
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service)
    probes = [
        {"imageHash": {"algorithm": "PHASH_256", "hex": one}} for one in (hash, acts.random_hash())
    ]
    decision = await acts.check(execute, service, acts.question(persons=[{"probes": probes}]))
    assert decision["outcome"] == "UNKNOWN"
    twice = acts.question(persons=[{"probes": probes[:1] * 2}])
    assert (await acts.check(execute, service, twice))["mayProceed"]


@pytest.mark.parametrize(
    ("objected", "asked"),
    [("PR", "US-PR"), ("US", "PR"), ("US-PR", "US"), ("RE", "FR-974"), ("FR", "RE"), ("EU", "AX"),
     ("HK", "CN-HK"), ("CN", "HK"), ("AW", "NL-AW"), ("NL", "AW")],
)  # fmt: skip
async def test_an_objection_holds_under_every_code_of_a_place(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str], objected: str,
    asked: str,
) -> None:  # fmt: skip
    subject, hash = pictured
    await acts.grant(execute, owner, subject, service)
    given = {"subjectId": subject, "scope": {"territories": [objected]}}
    await execute(owner, acts.OBJECT, input=given)
    decision = await acts.check(execute, service, acts.question(hash, territories=[asked]))
    assert "OBJECTION" in acts.codes(decision)


@pytest.mark.parametrize("asked", ["FR-NC", "NL-AW", "DK-GL", "CN-HK"])
async def test_a_grant_for_a_union_or_state_does_not_reach_beyond_it(
    execute: Execute, owner: Account, service: Account, pictured: tuple[str, str], asked: str
) -> None:
    subject, hash = pictured
    scope = {"territories": ["EU", "FR", "NL", "DK", "CN"]}
    await acts.grant(execute, owner, subject, service, scope=scope)
    decision = await acts.check(execute, service, acts.question(hash, territories=[asked]))
    assert "TERRITORY_NOT_GRANTED" in acts.codes(decision)


async def test_aliases_do_not_multiply_what_one_request_may_ask(
    client: httpx2.AsyncClient, service: Account
) -> None:
    document = """query ($i: [CheckInput!]!) {
      a: checkConsents(inputs: $i) { __typename } b: checkConsents(inputs: $i) { __typename } }"""
    inputs = [acts.question("0" * 64)] * 129
    body = {"query": document, "variables": {"i": inputs}}
    response = await client.post("/graphql", json=body, headers=service.headers)
    assert [one["extensions"]["code"] for one in response.json()["errors"]] == ["INVALID"]


async def test_a_less_trusted_service_is_answered_on_a_grid_of_time(
    execute: Execute, accounts: Accounts, service: Account
) -> None:
    """How long an answer takes must not say what was found."""
    less = await accounts.open(service.kind, tier=1)
    asked = acts.question(acts.random_hash())
    await acts.check(execute, less, asked)
    began = time.monotonic()
    await acts.check(execute, less, asked)
    assert time.monotonic() - began >= GRID_SECONDS
