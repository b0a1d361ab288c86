"""Subjects, pictures, grants, objections and services through the schema: made, listed, ended."""

import asyncio
import base64
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
from sqlalchemy import event
from strawberry.types import get_object_definition

from api.graphql import assets as assets_schema
from api.graphql import checks as checks_schema
from api.graphql import grants as grants_schema
from api.graphql import objections as objections_schema
from api.graphql import services as services_schema
from api.graphql import subjects as subjects_schema
from api.graphql import usage as usage_schema
from api.graphql.log import Checkpoint
from api.state import State
from registry import assets, decisions, grants, objections, services, subjects, usage
from registry.log import entries
from registry.policy import decision
from registry.policy.vocabulary import GrantState
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

GONE_FROM = datetime(2020, 1, 1, tzinfo=UTC)
GONE_UNTIL = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("exposed", "backing"),
    [
        (subjects_schema.Subject, subjects.Record),
        (assets_schema.Asset, assets.Asset),
        (grants_schema.Grant, grants.Grant),
        (objections_schema.Objection, objections.Objection),
        (services_schema.Service, services.Service),
        (usage_schema.Use, usage.Use),
        (checks_schema.Decision, decisions.Answer),
        (checks_schema.Reason, decision.Reason),
        (checks_schema.Obligation, decision.Obligation),
        (checks_schema.PersonDecision, decision.PersonDecision),
        (checks_schema.PackVersion, decision.PackVersion),
        (Checkpoint, entries.LogCheckpoint),
    ],
)
def test_a_plain_field_is_an_attribute_of_what_backs_it(exposed: type, backing: type) -> None:
    fields = get_object_definition(exposed, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(dir(backing))


async def test_a_subject_is_verified_by_an_assured_identity_only(
    execute: Execute, accounts: Accounts, owner: Account
) -> None:
    given = {"name": "  Ada   Lovelace ", "aliases": ["Countess"], "birthDate": "1815-12-10"}
    made = (await execute(owner, acts.REGISTER, input=given))["registerSubject"]["subject"]
    assert made == {
        "id": made["id"], "name": "Ada Lovelace", "aliases": ["Countess"],
        "birthDate": "1815-12-10", "registration": "VERIFIED",
    }  # fmt: skip
    weak = await accounts.open(ial=1)
    made = (await execute(weak, acts.REGISTER, input=given))["registerSubject"]["subject"]
    assert made["registration"] == "PROVISIONAL"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0007b"}, "name"),
        ({"aliases": [""]}, "aliases"),
        ({"aliases": ["x"] * 51}, "aliases"),
        ({"birthDate": "2999-01-01"}, "birthDate"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "x" * 256}, "idempotencyKey"),
    ],
)
async def test_a_subject_that_cannot_be_is_a_problem(
    execute: Execute, owner: Account, change: Json, field: str
) -> None:
    made = await execute(owner, acts.REGISTER, input={"name": "Ada", **change})
    assert made["registerSubject"]["code"] == "INVALID"
    assert made["registerSubject"]["field"] == field


SEEN = """query ($id: ID!) { subject(id: $id) { name links birthDate registration } }"""


async def test_links_of_a_person_are_kept_and_shown_to_the_owner_alone(
    execute: Execute, accounts: Accounts, owner: Account
) -> None:
    links = [" https://example.org/@ada?v=1 ", "http://例え.jp/a", "https://example.org/@ada?v=1"]
    made = await execute(owner, acts.REGISTER, input={"name": "Ada", "links": links})
    id = made["registerSubject"]["subject"]["id"]
    seen = (await execute(owner, SEEN, id=id))["subject"]
    assert seen["links"] == ["https://example.org/@ada?v=1", "http://例え.jp/a"]
    assert (await execute(await accounts.open(), SEEN, id=id))["subject"] is None


@pytest.mark.parametrize(
    "links",
    [
        ["ftp://example.org/a"],
        ["javascript:alert(1)"],
        ["https://"],
        ["https://[::1"],
        ["https://example.org/a b"],
        ["https://example.org/\u0007"],
        ["https://example.org/" + "a" * 2000],
        [f"https://example.org/{one}" for one in range(21)],
    ],
)
async def test_what_is_no_link_is_a_problem(
    execute: Execute, owner: Account, links: list[str]
) -> None:
    made = await execute(owner, acts.REGISTER, input={"name": "Ada", "links": links})
    assert (made["registerSubject"]["code"], made["registerSubject"]["field"]) == (
        "INVALID",
        "links",
    )


async def test_somebody_may_be_known_by_links_alone_and_objects(
    execute: Execute, owner: Account
) -> None:
    made = await execute(owner, acts.REGISTER, input={"links": ["https://example.org/me"]})
    id = made["registerSubject"]["subject"]["id"]
    seen = (await execute(owner, SEEN, id=id))["subject"]
    assert seen == {
        "name": subjects.NAMELESS,
        "links": ["https://example.org/me"],
        "birthDate": None,
        "registration": "PROVISIONAL",
    }
    # No name stands for somebody who has none: nobody is found by it.
    found = await execute(owner, LIST, first=10, after=None, name=subjects.NAMELESS)
    assert found["subjects"]["edges"] == []
    filed = await execute(owner, acts.OBJECT, input={"subjectId": id})
    assert filed["fileObjection"]["objection"]["subject"] == {"id": id}


async def test_a_profile_sealed_before_there_were_links_still_opens(state: State) -> None:
    id = uuid4()
    wrapped = state.keys.wrap_new(id)
    body = orjson.dumps({"name": "Ada", "aliases": [], "born": None})
    former = state.keys.open_key(id, wrapped).seal(body, context=subjects.PROFILE_CONTEXT)
    opened = subjects.open_profile(former, subject_id=id, wrapped=wrapped, keys=state.keys)
    assert opened == subjects.Profile("Ada")


async def test_a_retried_request_makes_one_thing(execute: Execute, owner: Account) -> None:
    given = {"name": "Ada", "birthDate": "1990-01-01", "idempotencyKey": secrets.token_hex(8)}
    twins = await asyncio.gather(*(execute(owner, acts.REGISTER, input=given) for _ in range(12)))
    assert len({one["registerSubject"]["subject"]["id"] for one in twins}) == 1
    other = await execute(owner, acts.REGISTER, input={**given, "name": "Grace"})
    assert other["registerSubject"]["code"] == "CONFLICT"


async def test_a_key_belongs_to_its_principal(
    execute: Execute, accounts: Accounts, owner: Account
) -> None:
    given = {"name": "Ada", "idempotencyKey": "the same"}
    stranger = await accounts.open()
    ids = [
        (await execute(one, acts.REGISTER, input=given))["registerSubject"]["subject"]["id"]
        for one in (owner, stranger)
    ]
    assert ids[0] != ids[1]


LIST = """query ($first: Int!, $after: String, $name: String) {
  subjects(first: $first, after: $after, name: $name) {
    edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }"""


async def test_pages_show_everything_once_in_order(execute: Execute, owner: Account) -> None:
    made = [await acts.subject(execute, owner) for _ in range(7)]
    seen: list[str] = []
    after = None
    while True:
        page = (await execute(owner, LIST, first=3, after=after))["subjects"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == made


@pytest.mark.parametrize(
    "variables",
    [
        {"first": 0},
        {"first": 101},
        {"first": -1},
        {"first": 5, "after": "nonsense!"},
        {"first": 5, "after": ""},
        {"first": 5, "after": base64.b64encode(b"short").decode()},
    ],
)
async def test_a_page_that_cannot_be_is_invalid(
    client: httpx2.AsyncClient, owner: Account, variables: Json
) -> None:
    response = await client.post(
        "/graphql", json={"query": LIST, "variables": variables}, headers=owner.headers
    )
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID"


async def test_people_are_found_by_exact_name_however_it_is_written(
    execute: Execute, owner: Account
) -> None:
    name = f"Zoë {secrets.token_hex(3)}"
    subject = await acts.subject(execute, owner, name=name, aliases=[f"{name} alias"])
    for asked in (name, name.upper(), f" {name} ", f"{name} ALIAS"):
        page = (await execute(owner, LIST, first=5, name=asked))["subjects"]
        assert [edge["node"]["id"] for edge in page["edges"]] == [subject]
    assert (await execute(owner, LIST, first=5, name=name[:-1]))["subjects"]["edges"] == []


GRANTS = """query ($subject: ID!, $state: GrantState) {
  grants(subjectId: $subject, state: $state, first: 100) { edges { node { id state } } } }"""


@pytest.fixture
async def graded(
    execute: Execute, owner: Account, service: Account, state: State
) -> tuple[str, dict[str, str]]:
    """A subject with a grant in every state that can be reached, by state."""
    subject = await acts.subject(execute, owner)
    made = await execute(owner, acts.PROPOSE, input={"subjectId": subject, "scope": {}})
    ids = {"PENDING": made["proposeGrant"]["grant"]["id"]}
    for name in ("ACTIVE", "REVOKED", "SUSPENDED", "REJECTED", "EXPIRED"):
        ids[name] = await acts.grant(execute, owner, subject, service)
    await execute(owner, acts.REVOKE, id=ids["REVOKED"])
    async with state.db.acting_for(owner.actor).writing() as session:
        for name in ("SUSPENDED", "REJECTED"):
            session.add(grants.GrantEvent(
                grant_id=ids[name], kind=grants.GrantEventKind(name), actor_id=owner.id,
                role=None, ial=None,
            ))  # fmt: skip
        expired = grants.Grant(
            **{
                column.name: getattr(await grants.mine(session, ids["EXPIRED"]), column.name)
                for column in grants.Grant.__table__.columns
                if column.name not in {"id", "starts_at", "ends_at", "created_at"}
            },
            starts_at=GONE_FROM,
            ends_at=GONE_UNTIL,
        )
        session.add(expired)
        await session.flush()
        ids["EXPIRED"], ids["ALSO ACTIVE"] = str(expired.id), ids["EXPIRED"]
    return subject, ids


async def test_the_filter_by_state_and_the_fold_say_the_same(
    execute: Execute, owner: Account, graded: tuple[str, dict[str, str]]
) -> None:
    subject, ids = graded
    shown = (await execute(owner, GRANTS, subject=subject))["grants"]["edges"]
    folded = {edge["node"]["id"]: edge["node"]["state"] for edge in shown}
    assert folded == {id: name.removeprefix("ALSO ") for name, id in ids.items()}
    for state in GrantState:
        found = (await execute(owner, GRANTS, subject=subject, state=state))["grants"]["edges"]
        assert {edge["node"]["id"] for edge in found} == {
            id for id, folded_state in folded.items() if folded_state == state
        }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scope": {"modalities": []}}, "modalities"),
        ({"scope": {"territories": ["XX"]}}, "territories"),
        ({"endsAt": "2001-01-01T00:00:00Z"}, "endsAt"),
        ({"endsAt": "2031-01-01T00:00:00"}, "endsAt"),
        ({"maxUses": 0}, "maxUses"),
        ({"maxUses": -5}, "maxUses"),
        ({"grantees": []}, "grantees"),
        ({"grantees": ["00000000-0000-7000-8000-000000000001"]}, "grantees"),
        ({"termsSha256": "AA=="}, "termsSha256"),
        ({"termsSha256": "\u00e9"}, "termsSha256"),
        ({"startsAt": "0001-01-01T00:00:00Z"}, "startsAt"),
        ({"startsAt": "0001-01-01T00:00:00+14:00"}, "startsAt"),
        ({"endsAt": "9999-12-31T23:59:59.999999Z"}, "endsAt"),
        ({"endsAt": "9999-12-31T23:59:59-14:00"}, "endsAt"),
    ],
)
async def test_a_grant_that_cannot_be_is_a_problem(
    execute: Execute, owner: Account, change: Json, field: str
) -> None:
    subject = await acts.subject(execute, owner)
    given: Json = {"subjectId": subject, "scope": {}, **change}
    made = await execute(owner, acts.PROPOSE, input=given)
    assert (made["proposeGrant"]["code"], made["proposeGrant"]["field"]) == ("INVALID", field)


async def test_a_grant_is_signed_once_and_revoked_once(
    execute: Execute, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner)
    grant = await acts.grant(execute, owner, subject, service)
    assert (await execute(owner, acts.SIGN, id=grant))["signGrant"]["code"] == "CONFLICT"
    both = await asyncio.gather(*(execute(owner, acts.REVOKE, id=grant) for _ in range(5)))
    assert sorted("grant" in one["revokeGrant"] for one in both) == [False] * 4 + [True]
    assert (await execute(owner, acts.SIGN, id=grant))["signGrant"]["code"] == "CONFLICT"


async def test_an_objection_is_provisional_or_verified_by_who_files_it(
    execute: Execute, accounts: Accounts, owner: Account
) -> None:
    for account, state in ((owner, "VERIFIED"), (await accounts.open(ial=1), "PROVISIONAL")):
        subject = await acts.subject(execute, account)
        filed = await execute(account, acts.OBJECT, input={"subjectId": subject})
        objection = filed["fileObjection"]["objection"]
        assert (objection["state"], objection["uses"]) == (state, None)
        ended = await execute(account, acts.WITHDRAW, id=objection["id"])
        assert ended["withdrawObjection"]["objection"]["state"] == "WITHDRAWN"
        again = await execute(account, acts.WITHDRAW, id=objection["id"])
        assert again["withdrawObjection"]["code"] == "CONFLICT"


async def test_a_service_name_is_taken_once(execute: Execute, owner: Account) -> None:
    document = """mutation ($input: RegisterServiceInput!) { registerService(input: $input) {
      ... on ServiceRegistered { service { id name establishedIn supportedObligations } }
      ... on Problem { code field } } }"""
    given: Json = {
        "name": f"studio {secrets.token_hex(4)}",
        "establishedIn": "US-CA",
        "supportedObligations": ["REPORT_USAGE", "KEEP_LOG"],
    }
    made = (await execute(owner, document, input=given))["registerService"]["service"]
    assert made["establishedIn"] == "US-CA"
    assert made["supportedObligations"] == ["KEEP_LOG", "REPORT_USAGE"]
    again = (await execute(owner, document, input=given))["registerService"]
    assert again == {"code": "CONFLICT", "field": "name"}
    other = {**given, "name": "elsewhere", "establishedIn": "Atlantis"}
    refused = (await execute(owner, document, input=other))["registerService"]
    assert refused == {"code": "INVALID", "field": "establishedIn"}


@contextmanager
def counted(state: State) -> Generator[list[str]]:
    """The statements that run inside the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = state.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def test_a_list_costs_the_same_number_of_statements_however_long(
    execute: Execute, owner: Account, service: Account, state: State
) -> None:
    document = "{ grants(first: 50) { edges { node { id state subject { name } } } } }"
    counts = []
    for _ in range(2):
        for _ in range(4):
            await acts.grant(execute, owner, await acts.subject(execute, owner), service)
        with counted(state) as statements:
            found = await execute(owner, document)
        counts.append((len(found["grants"]["edges"]), len(statements)))
    (few, first), (many, second) = counts
    assert (few, many) == (4, 8)
    assert first == second


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (acts.CHECK, {"input": {**acts.question("0" * 64), "use": "DO_MAGIC"}}),
        (acts.CHECK, {"input": {**acts.question("0" * 64), "modalities": "SMELL"}}),
        (acts.CHECK, {"input": {}}),
        (acts.CHECK, {"input": None}),
    ],
)
async def test_a_question_that_does_not_fit_the_schema_is_never_a_decision(
    client: httpx2.AsyncClient, service: Account, document: str, variables: Json
) -> None:
    response = await client.post(
        "/graphql", json={"query": document, "variables": variables}, headers=service.headers
    )
    assert "data" not in response.json()
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "asked",
    [
        acts.question(persons=[]),
        acts.question(*["0" * 64] * 21),
        acts.question("0" * 63),
        acts.question("g" * 64),
        acts.question("0" * 64, territories=["Narnia"]),
    ],
)
async def test_a_question_that_cannot_be_is_invalid(
    client: httpx2.AsyncClient, service: Account, asked: Json
) -> None:
    response = await client.post(
        "/graphql",
        json={"query": acts.CHECK, "variables": {"input": asked}},
        headers=service.headers,
    )
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID"


async def test_257_inputs_are_refused_whole(client: httpx2.AsyncClient, service: Account) -> None:
    document = "query ($i: [CheckInput!]!) { checkConsents(inputs: $i) { __typename } }"
    body = {"query": document, "variables": {"i": [acts.question("0" * 64)] * 257}}
    response = await client.post("/graphql", json=body, headers=service.headers)
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID"


async def test_a_subject_has_a_bounded_number_of_grants_and_objections(
    execute: Execute, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "MAX_PER_SUBJECT", 2)
    monkeypatch.setattr(objections, "MAX_PER_SUBJECT", 2)
    subject = await acts.subject(execute, owner)
    given = {"subjectId": subject, "scope": {}}
    made = [(await execute(owner, acts.PROPOSE, input=given))["proposeGrant"] for _ in range(3)]
    assert [one.get("code") for one in made] == [None, None, "CONFLICT"]
    filed = [
        (await execute(owner, acts.OBJECT, input={"subjectId": subject}))["fileObjection"]
        for _ in range(3)
    ]
    assert [one.get("code") for one in filed] == [None, None, "CONFLICT"]


async def test_names_of_every_script_can_be_registered(execute: Execute, owner: Account) -> None:
    name = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    made = await execute(owner, acts.REGISTER, input={"name": name})
    assert made["registerSubject"]["subject"]["name"] == name
