"""Whether a token counts now, whatever it said when it was made (RFC 7662)."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import orjson
import pytest

from api.state import State
from registry import principals, receipts
from registry.access_tokens import verify_access
from registry.database import Database
from registry.principals import OPERATOR_ID, PrincipalKind
from tests import acts
from tests.api.graphql.law import end, make
from tests.conftest import ISSUER, Account, Accounts, Execute, Json

PATH = "/oauth/introspect"
NO = {"active": False}


async def ask(client: httpx2.AsyncClient, account: Account, token: str) -> Json:
    response = await client.post(PATH, data={"token": token}, headers=account.headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    found: Json = response.json()
    return found


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


@pytest.fixture
async def picture(execute: Execute, owner: Account, subject: str) -> str:
    hash_ = acts.random_hash()
    await acts.asset(execute, owner, [subject], hash_)
    return hash_


@pytest.fixture
async def grant(execute: Execute, owner: Account, service: Account, subject: str) -> str:
    return await acts.grant(execute, owner, subject, service)


@pytest.fixture
async def permitted(execute: Execute, service: Account, picture: str, grant: str) -> Json:
    decision = await acts.check(execute, service, acts.question(picture))
    assert decision["mayProceed"], grant
    return decision


async def test_w07_a_revoked_grant_ends_the_permission_at_once(
    execute: Execute, client: httpx2.AsyncClient, accounts: Accounts, owner: Account,
    service: Account, permitted: Json, grant: str,
) -> None:  # fmt: skip
    found = await ask(client, service, permitted["token"])
    assert found["active"] is True
    assert (found["token_type"], found["iss"], found["aud"], found["jti"]) == (
        "crd+jwt", ISSUER, str(service.id), permitted["id"],
    )  # fmt: skip
    assert (found["outcome"], found["use"], found["grants"]) == (
        "PERMITTED", "GENERATE_IMAGE", [grant],
    )  # fmt: skip
    overseers = (PrincipalKind.REGULATOR, PrincipalKind.AUDITOR, PrincipalKind.OPERATOR)
    askers = [service, *[await accounts.open(kind) for kind in overseers]]
    for account in askers:
        assert (await ask(client, account, permitted["token"]))["active"] is True
    await execute(owner, acts.REVOKE, id=grant)
    for account in askers:
        assert await ask(client, account, permitted["token"]) == NO
    take = """mutation ($input: TakeUseInput!) { takeUse(input: $input) {
      ... on UseTaken { uses { grantId } } ... on Problem { code } } }"""
    taken = await execute(service, take, input={"decisionId": permitted["id"]})
    assert taken["takeUse"] == {"code": "CONFLICT"}


async def test_another_asker_cannot_tell_a_token_from_none(
    client: httpx2.AsyncClient, accounts: Accounts, owner: Account, permitted: Json
) -> None:
    for account in (owner, await accounts.open(PrincipalKind.SERVICE)):
        for token in (permitted["token"], owner.token[:-3], "x"):
            assert await ask(client, account, token) == NO


async def test_what_was_no_permission_is_not_active(
    execute: Execute, client: httpx2.AsyncClient, service: Account, picture: str
) -> None:
    denied = await acts.check(execute, service, acts.question(picture))
    assert denied["outcome"] == "CONSENT_REQUIRED"
    assert await ask(client, service, denied["token"]) == NO


async def test_an_objection_or_order_since_ends_it(
    execute: Execute, client: httpx2.AsyncClient, accounts: Accounts, owner: Account,
    service: Account, subject: str, permitted: Json,
) -> None:  # fmt: skip
    objected = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    assert await ask(client, service, permitted["token"]) == NO
    id = objected["fileObjection"]["objection"]["id"]
    await execute(owner, acts.WITHDRAW, id=id)
    assert (await ask(client, service, permitted["token"]))["active"] is True
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    order = await make(
        execute, regulator, "placeOrder", subjectId=subject, authority="Court", reference="Case 7"
    )
    assert await ask(client, service, permitted["token"]) == NO
    await end(execute, regulator, "liftOrder", order["id"])
    assert (await ask(client, service, permitted["token"]))["active"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"outcome": "PROHIBITED"},
        {"may_proceed": False},
        {"may_proceed": "true"},
        {"iss": "https://other.example"},
        {"jti": "00000000-0000-7000-8000-00000000dead"},
    ],
)
async def test_each_condition_is_needed(
    client: httpx2.AsyncClient, state: State, service: Account, permitted: Json, change: Json
) -> None:
    """Signed with the registry's own key, so that only what is changed can make it fail."""
    claims = receipts.verify_decision(permitted["token"], state.keys.jwks()).claims
    same = receipts.sign_decision(claims, state.keys)
    assert (await ask(client, service, same))["active"] is True
    forged = receipts.sign_decision({**claims, **change}, state.keys)
    assert await ask(client, service, forged) == NO


async def test_a_changed_signature_is_no_signature(
    client: httpx2.AsyncClient, service: Account, permitted: Json
) -> None:
    head, payload, _ = permitted["token"].split(".")
    other = base64.urlsafe_b64encode(b"\0" * 64).rstrip(b"=").decode()
    for token in (f"{head}.{payload}.{other}", f"{head}.{payload}", permitted["token"] + "x"):
        assert await ask(client, service, token) == NO
    none = base64.urlsafe_b64encode(orjson.dumps({"alg": "none", "typ": "crd+jwt"}))
    assert await ask(client, service, f"{none.rstrip(b'=').decode()}.{payload}.") == NO


async def test_an_access_token_is_told_to_its_own_account_and_the_operator(
    client: httpx2.AsyncClient, accounts: Accounts, operator: Database, state: State,
    owner: Account,
) -> None:  # fmt: skip
    second = await accounts.token(owner.id, ial=1)
    found = await ask(client, owner, second)
    assert (found["active"], found["token_type"], found["sub"], found["ial"]) == (
        True, "at+jwt", str(owner.id), 1,
    )  # fmt: skip
    assert "grants:write" in found["scope"].split()
    for kind in ("REGULATOR", "AUDITOR", "SERVICE", "PERSON"):
        assert await ask(client, await accounts.open(PrincipalKind(kind)), second) == NO
    known = await accounts.open(PrincipalKind.OPERATOR)
    assert (await ask(client, known, second))["active"] is True
    held = verify_access(second, state.keys, issuer=ISSUER)
    async with operator.writing() as session:
        await principals.revoke_credential(
            session, credential_id=held.credential_id, actor_id=OPERATOR_ID
        )
    for account in (owner, known):
        assert await ask(client, account, second) == NO
    past = datetime.now(UTC) - timedelta(hours=2)
    over = await accounts.token(owner.id, now=past, lifetime=timedelta(hours=1))
    foreign = await accounts.token(owner.id, issuer="https://other.example")
    for token in (over, foreign):
        assert await ask(client, owner, token) == NO


async def test_whoever_asks_proves_who_they_are_for_as_long_as_it_holds(
    client: httpx2.AsyncClient, operator: Database, state: State, service: Account,
    permitted: Json,
) -> None:  # fmt: skip
    form = {"token": permitted["token"]}
    assert (await client.post(PATH, data=form)).status_code == 401
    for token in ("x", permitted["token"]):
        stranger = replace(service, token=token)
        answer = await client.post(PATH, data=form, headers=stranger.headers)
        assert answer.status_code == 401
    assert (await ask(client, service, permitted["token"]))["active"] is True
    held = verify_access(service.token, state.keys, issuer=ISSUER)
    async with operator.writing() as session:
        await principals.revoke_credential(
            session, credential_id=held.credential_id, actor_id=OPERATOR_ID
        )
    answer = await client.post(PATH, data=form, headers=service.headers)
    assert answer.status_code == 401


async def test_a_request_that_is_none_is_refused(
    client: httpx2.AsyncClient, service: Account
) -> None:
    answer = await client.post(PATH, json={"token": "x"}, headers=service.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED")
    form = {"content-type": "application/x-www-form-urlencoded", **service.headers}
    for body in (b"", b"tokens=x", b"token=x&token=y", b"\xff", b"&".join([b"a=b"] * 20)):
        answer = await client.post(PATH, content=body, headers=form)
        assert (answer.status_code, answer.json()["field"]) == (400, "token")
    assert (await client.get(PATH, headers=service.headers)).status_code == 405


async def test_hints_are_taken_and_change_nothing(
    client: httpx2.AsyncClient, service: Account, permitted: Json
) -> None:
    form = {"token": permitted["token"], "token_type_hint": "access_token"}
    answer = await client.post(PATH, data=form, headers=service.headers)
    assert answer.json()["active"] is True
    assert UUID(answer.json()["jti"]) == UUID(permitted["id"])
