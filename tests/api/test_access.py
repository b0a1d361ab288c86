"""Who may see and change what: scopes, owners, and that "absent" and "not yours" look the same."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import jwt
import pytest

from api.state import State
from registry import principals
from registry.database import APP_ROLE, Database
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.receipts import jcs
from tests import acts
from tests.conftest import ISSUER, Account, Accounts, Execute, Json

VIEWER = "{ viewer { id handle kind ial scopes } }"


async def post(
    client: httpx2.AsyncClient, token: str | None, document: str = VIEWER, **variables: object
) -> httpx2.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = {"query": document, "variables": variables}
    return await client.post("/graphql", json=body, headers=headers)


async def test_the_viewer_is_whose_token_it_is(execute: Execute, owner: Account) -> None:
    viewer = (await execute(owner, VIEWER))["viewer"]
    assert viewer == {
        "id": str(owner.id),
        "handle": owner.handle,
        "kind": "ORGANISATION",
        "ial": 2,
        "scopes": sorted(Scope),
    }


async def test_no_token_is_401_and_says_what_to_send(client: httpx2.AsyncClient) -> None:
    response = await post(client, None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "Bearer TOKEN" in response.json()["errors"][0]["message"]


async def test_tokens_that_do_not_hold_are_refused_in_the_same_words(
    client: httpx2.AsyncClient, accounts: Accounts, owner: Account, state: State
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    claims = jwt.decode(owner.token, options={"verify_signature": False})
    header = {"typ": "at+jwt", "kid": state.keys.access_signer.kid}
    tokens = [
        "nonsense",
        owner.token[:-6] + "AAAAAA",
        await accounts.token(owner.id, now=long_ago),
        await accounts.token(owner.id, issuer="https://elsewhere.example"),
        jwt.encode(claims, None, algorithm="none", headers=header),
        jwt.encode(claims, "x" * 64, algorithm="HS256", headers=header),
        jwt.encode(
            {**claims, "jti": str(uuid4())},
            state.keys.access_signer.private,
            algorithm="EdDSA",
            headers=header,
        ),
    ]
    answers = [await post(client, token) for token in tokens]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_a_revoked_token_ends_with_the_next_transaction_and_check(
    client: httpx2.AsyncClient, execute: Execute, operator: Database, service: Account
) -> None:
    asked = acts.question(acts.random_hash())
    await acts.check(execute, service, asked)  # the token is remembered by now
    claims = jwt.decode(service.token, options={"verify_signature": False})
    async with operator.writing() as session:
        await principals.revoke_credential(
            session, credential_id=claims["jti"], actor_id=OPERATOR_ID
        )
    refused = await post(client, service.token, acts.CHECK, input=asked)
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    read = await post(client, service.token, "{ grants { edges { cursor } } }")
    assert read.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


NEEDS: list[tuple[str, Scope, str, Json]] = [
    ("checkConsent", Scope.CHECK, acts.CHECK, {"input": acts.question("0" * 64)}),
    ("subjects", Scope.SUBJECTS_READ, "{ subjects { edges { cursor } } }", {}),
    ("grants", Scope.GRANTS_READ, "{ grants { edges { cursor } } }", {}),
    ("objections", Scope.OBJECTIONS_READ, "{ objections { edges { cursor } } }", {}),
    ("registerSubject", Scope.SUBJECTS_WRITE, acts.REGISTER, {"input": {"name": "A"}}),
    ("revokeGrant", Scope.GRANTS_WRITE, acts.REVOKE, {"id": str(uuid4())}),
    ("withdrawObjection", Scope.OBJECTIONS_WRITE, acts.WITHDRAW, {"id": str(uuid4())}),
]


@pytest.mark.parametrize(("field", "scope", "document", "variables"), NEEDS)
async def test_a_field_needs_its_scope(
    client: httpx2.AsyncClient, accounts: Accounts, owner: Account, field: str, scope: Scope,
    document: str, variables: dict[str, Any],
) -> None:  # fmt: skip
    token = await accounts.token(owner.id, scopes=frozenset(set(Scope) - {scope}))
    body = (await post(client, token, document, **variables)).json()
    refusal = body["errors"][0]["extensions"] if "errors" in body else body["data"][field]
    assert refusal["code"] == "FORBIDDEN"


async def test_whom_a_grant_or_objection_is_about_needs_the_scope_of_people(
    client: httpx2.AsyncClient, execute: Execute, accounts: Accounts, owner: Account
) -> None:
    subject = await acts.subject(execute, owner)
    await execute(owner, acts.PROPOSE, input={"subjectId": subject, "scope": {}})
    await execute(owner, acts.OBJECT, input={"subjectId": subject})
    shown = "{ %s { edges { node { subject { id name birthDate } } } } }"
    for field, scope in (("grants", Scope.GRANTS_READ), ("objections", Scope.OBJECTIONS_READ)):
        token = await accounts.token(owner.id, scopes=frozenset({scope}))
        body = (await post(client, token, shown % field)).json()
        assert body["data"][field]["edges"] == [{"node": {"subject": None}}]
        whole = await execute(owner, shown % field)
        assert [one["node"]["subject"]["id"] for one in whole[field]["edges"]] == [subject]


async def test_signing_needs_an_assured_identity(execute: Execute, accounts: Accounts) -> None:
    weak = await accounts.open(PrincipalKind.PERSON, ial=1)
    subject = await acts.subject(execute, weak)
    given = {"subjectId": subject, "scope": {}}
    made = await execute(weak, acts.PROPOSE, input=given)
    signed = await execute(weak, acts.SIGN, id=made["proposeGrant"]["grant"]["id"])
    assert signed["signGrant"]["code"] == "FORBIDDEN"


async def everything(execute: Execute, account: Account, ids: dict[str, str]) -> list[Json]:
    """All that one account can learn or do about these things."""
    propose = {"subjectId": ids["subject"], "scope": {}}
    picture = {"imageHash": {"algorithm": "PHASH_256", "hex": "0" * 64}}
    tries = [
        ("query ($id: ID!) { subject(id: $id) { id } }", {"id": ids["subject"]}),
        ("query ($id: ID!) { grants(subjectId: $id) { edges { cursor } } }",
         {"id": ids["subject"]}),
        ("query ($id: ID!) { objections(subjectId: $id) { edges { cursor } } }",
         {"id": ids["subject"]}),
        ("query ($id: ID!) { decision(id: $id) { id } }", {"id": ids["decision"]}),
        (acts.PROPOSE, {"input": propose}),
        (acts.SIGN, {"id": ids["grant"]}),
        (acts.REVOKE, {"id": ids["grant"]}),
        (acts.OBJECT, {"input": {"subjectId": ids["subject"]}}),
        (acts.WITHDRAW, {"id": ids["objection"]}),
        (acts.REGISTER_ASSET, {"input": {"subjectIds": [ids["subject"]], "source": picture}}),
        ("mutation ($i: TakeUseInput!) { takeUse(input: $i) { ... on Problem { code message } } }",
         {"i": {"decisionId": ids["decision"]}}),
    ]  # fmt: skip
    return [await execute(account, document, **variables) for document, variables in tries]


async def test_another_owners_things_look_like_things_that_do_not_exist(
    execute: Execute, accounts: Accounts, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner)
    filed = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    decision = await acts.check(execute, service, acts.question(acts.random_hash()))
    real = {
        "subject": subject,
        "grant": await acts.grant(execute, owner, subject, service),
        "objection": filed["fileObjection"]["objection"]["id"],
        "decision": decision["id"],
    }
    stranger = await accounts.open()
    absent = {name: str(uuid4()) for name in real}
    assert await everything(execute, stranger, real) == await everything(execute, stranger, absent)


async def test_row_security_holds_without_the_application(
    execute: Execute, accounts: Accounts, owner: Account, urls: tuple[str, str]
) -> None:
    """The second lock: even a query without a condition sees only the principal's own rows."""
    subject = await acts.subject(execute, owner)
    await acts.asset(execute, owner, [subject], acts.random_hash())
    await execute(owner, acts.OBJECT, input={"subjectId": subject})
    stranger = await accounts.open()
    connection = await asyncpg.connect(urls[1])
    await connection.execute(f"set role {APP_ROLE}")
    tables = ("subjects", "subject_keys", "subject_aliases", "assets", "asset_references",
              "objections", "subject_events")  # fmt: skip
    for account, table in itertools.product((stranger, owner), tables):
        async with connection.transaction():
            await connection.execute(
                "select set_config('likeness.principal', $1, true)", str(account.id)
            )
            seen = await connection.fetchval(f"select count(*) from {table}")
        assert (seen > 0) == (account is owner), table
    assert await connection.fetchval("select count(*) from subjects") == 0  # nobody at all
    await connection.close()


USE = "insert into uses (id, grant_id, ordinal, request_id, decision_id, service_id) values "
FORGED = {
    "a use beyond the next": USE + "({new}, {grant}, 2147483647, {new}, {decision}, {me})",
    "a use of another service": USE + "({new}, {grant}, 1, {new}, {decision}, {other})",
    "a use without a decision": USE + "({new}, {grant}, 1, {new}, {new}, {me})",
    "a revocation of another's grant": (
        "insert into grant_events (id, grant_id, kind, actor_id)"
        " values ({new}, {grant}, 'REVOKED', {me})"
    ),
    "an operator": "insert into principals (id, kind, handle) values ({new}, 'OPERATOR', 'me')",
    "a credential": (
        "insert into credentials (id, principal_id, scopes, ial, expires_at)"
        " values ({new}, {me}, '{{check}}', 3, now())"
    ),
    "a decision": "insert into log_leaves (index, entry) values (0, 'x')",
}


@pytest.mark.parametrize("statement", FORGED.values(), ids=FORGED)
async def test_row_security_refuses_rows_nobody_may_add(
    execute: Execute, owner: Account, service: Account, urls: tuple[str, str], statement: str
) -> None:
    """As the application's role, acting for a service that sees the grant."""
    subject, hash = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], hash)
    grant = await acts.grant(execute, owner, subject, service)
    decision = await acts.check(execute, service, acts.question(hash))
    connection = await asyncpg.connect(urls[1])
    await connection.execute(f"set role {APP_ROLE}")
    await connection.execute("select set_config('likeness.principal', $1, false)", str(service.id))
    ids = {"new": uuid4(), "grant": grant, "decision": decision["id"], "me": service.id}
    literals = {name: f"'{id}'::uuid" for name, id in {**ids, "other": owner.id}.items()}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement.format(**literals))
    await connection.close()


async def test_row_security_refuses_pictures_of_other_peoples_subjects(
    execute: Execute, accounts: Accounts, owner: Account, urls: tuple[str, str]
) -> None:
    subject = await acts.subject(execute, owner)
    stranger = await accounts.open()
    theirs = await acts.asset(
        execute, stranger, [await acts.subject(execute, stranger)], acts.random_hash()
    )
    connection = await asyncpg.connect(urls[1])
    await connection.execute(f"set role {APP_ROLE}")
    await connection.execute("select set_config('likeness.principal', $1, false)", str(stranger.id))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(
            "insert into asset_references (id, asset_id, subject_id, sealed_hash)"
            " values ($1, $2, $3, 'x')",
            uuid4(),
            theirs,
            subject,
        )
    await connection.close()


async def test_a_grantee_sees_the_grant_but_not_whose_it_is(
    execute: Execute, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner)
    grant = await acts.grant(execute, owner, subject, service)
    query = """query ($of: ID!) { grants(subjectId: $of) { edges { node {
      id state subject { id } } } } }"""
    seen = await execute(service, query, of=subject)
    nodes = [edge["node"] for edge in seen["grants"]["edges"]]
    assert {"id": grant, "state": "ACTIVE", "subject": None} in nodes
    revoked = await execute(service, acts.REVOKE, id=grant)
    assert revoked["revokeGrant"]["code"] == "NOT_FOUND"


async def test_a_stolen_database_shows_no_name_and_no_hash(
    execute: Execute, owner: Account, urls: tuple[str, str]
) -> None:
    name, hash = "Wilhelmina Unmistakable", acts.random_hash()
    subject = await acts.subject(execute, owner, name=name, aliases=["Minnie Unmistakable"])
    await acts.asset(execute, owner, [subject], hash)
    connection = await asyncpg.connect(urls[0])
    for table in ("subjects", "subject_aliases", "asset_references", "idempotency_keys", "probes",
                  "decisions"):  # fmt: skip
        for row in await connection.fetch(f"select t::text as line from {table} t"):
            assert "Unmistakable" not in row["line"]
            assert b"Unmistakable".hex() not in row["line"]
            assert hash not in row["line"]
    await connection.close()


async def test_a_request_cannot_be_guessed_from_its_digest(
    execute: Execute, owner: Account, urls: tuple[str, str]
) -> None:
    given = {"name": "Ada", "aliases": [], "birthDate": None, "idempotencyKey": "guess me"}
    await execute(owner, acts.REGISTER, input=given)
    plain = jcs({"name": "Ada", "aliases": [], "born": None})
    connection = await asyncpg.connect(urls[0])
    kept = await connection.fetchval(
        "select request_digest from idempotency_keys where principal_id = $1", owner.id
    )
    await connection.close()
    assert kept != hashlib.sha256(plain).digest()
    assert len(kept) == 32


async def test_the_issuer_is_the_audience(accounts: Accounts, owner: Account) -> None:
    claims = jwt.decode(await accounts.token(owner.id), options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (ISSUER, ISSUER)
