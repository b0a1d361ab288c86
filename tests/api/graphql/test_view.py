import logging
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
import strawberry
from starlette.routing import Route, Router
from strawberry.extensions import SchemaExtension
from strawberry.scalars import JSON

from api.graphql.view import GraphQLView
from tests.api.graphql.small_schema import (
    GRAPHQL_JSON,
    PLAIN_JSON,
    Query,
    application,
    ask,
    client_of,
    code_of,
    context_of,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(application()) as opened:
        yield opened


async def test_a_query_is_answered(client: httpx2.AsyncClient) -> None:
    response = await ask(client, "{hello}")
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    assert response.json() == {"data": {"hello": "Hello, you."}}


async def test_variables_scalars_and_enums_are_read(client: httpx2.AsyncClient) -> None:
    query = """query ($id: UUID!, $c: [Colour!]!, $v: JSON!) {
      id(id: $id) colours(colours: $c) echo(value: $v)
    }"""
    variables = {"id": str(UUID(int=7)), "c": ["RED", "BLUE"], "v": {"a": [1, 2.5, None]}}
    response = await ask(client, query, variables=variables)
    assert response.json()["data"] == {
        "id": str(UUID(int=7)),
        "colours": ["RED", "BLUE"],
        "echo": {"a": [1, 2.5, None]},
    }


async def test_an_expected_refusal_of_a_mutation_is_a_member_of_its_result(
    client: httpx2.AsyncClient,
) -> None:
    query = """mutation ($c: Colour!) {
      make(colour: $c) { ... on Made {id colour} ... on Problem {code message} }
    }"""
    made = await ask(client, query, variables={"c": "RED"})
    assert made.json() == {"data": {"make": {"id": str(UUID(int=1)), "colour": "RED"}}}
    refused = await ask(client, query, variables={"c": "BLUE"})
    assert refused.json()["data"]["make"] == {
        "code": "CONFLICT",
        "message": "There is a blue one.",
    }


async def test_the_context_is_what_its_factory_made(client: httpx2.AsyncClient) -> None:
    client.headers["Authorization"] = "Bearer ada"
    assert (await ask(client, "{caller}")).json() == {"data": {"caller": "ada"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + "hello " * 30 + "}", "LIMIT_EXCEEDED"),
        ("query a {hello} query b {hello}", "INVALID"),
        ("query ($n: Int!) {twice(number: $n)}", "INVALID"),
        ("fragment f on Query {hello}", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_document_that_does_not_hold_has_no_data(
    client: httpx2.AsyncClient, query: str, code: str
) -> None:
    strict = await ask(client, query)
    assert (strict.status_code, code_of(strict)) == (400, code)
    assert "data" not in strict.json()
    plain = await ask(client, query, accept=PLAIN_JSON)
    assert (plain.status_code, code_of(plain)) == (200, code)
    assert "data" not in plain.json()


async def test_fields_that_were_not_asked_for_are_not_suggested(client: httpx2.AsyncClient) -> None:
    text = (await ask(client, "{hell echo(val: 1) colours(colours: [RE])}")).text
    variables = (
        await ask(client, "query ($c: [Colour!]!) {colours(colours: $c)}", variables={"c": ["RE"]})
    ).text
    assert "Did you mean" not in text + variables


async def test_the_operation_is_chosen_by_name(client: httpx2.AsyncClient) -> None:
    query = 'query a {hello} query b {hello(name: "b")}'
    response = await ask(client, query, operationName="b")
    assert response.json() == {"data": {"hello": "Hello, b."}}
    assert code_of(await ask(client, query, operationName="c")) == "INVALID"


@pytest.mark.parametrize(("how", "code"), [("conflict", "CONFLICT"), ("forbidden", "FORBIDDEN")])
async def test_an_expected_refusal_keeps_its_words(
    client: httpx2.AsyncClient, how: str, code: str
) -> None:
    response = await ask(client, '{hello refused(how: "' + how + '")}')
    assert response.status_code == 200
    assert response.json() == {
        "data": {"hello": "Hello, you.", "refused": None},
        "errors": [
            {
                "message": "It was refused.",
                "locations": [{"line": 1, "column": 8}],
                "path": ["refused"],
                "extensions": {"code": code, "field": "how"},
            }
        ],
    }


@pytest.mark.parametrize("accept", [GRAPHQL_JSON, PLAIN_JSON])
@pytest.mark.parametrize(("how", "status"), [("unavailable", 503), ("busy", 429)])
async def test_what_may_succeed_later_says_when(
    client: httpx2.AsyncClient, accept: str, how: str, status: int
) -> None:
    response = await ask(client, '{refused(how: "' + how + '", wait: 9)}', accept=accept)
    assert response.status_code == status
    assert response.headers["retry-after"] == "9"
    assert response.json()["errors"][0]["extensions"]["retryAfter"] == 9
    assert "data" not in response.json()


async def test_a_connection_that_broke_is_a_503(client: httpx2.AsyncClient) -> None:
    response = await ask(client, "{cutOff}")
    assert (response.status_code, code_of(response)) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    assert "secret" not in response.text


async def test_what_a_mutation_did_before_it_broke_is_told(client: httpx2.AsyncClient) -> None:
    query = "mutation {make(colour: RED) {__typename} away}"
    response = await ask(client, query)
    assert response.status_code == 503
    assert response.json()["data"] == {"make": {"__typename": "Made"}, "away": None}


@pytest.mark.parametrize("field", ["defect", "needed", "wrong"])
async def test_a_defect_is_masked_and_logged_under_its_id(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await ask(client, "{" + field + "}")
    (error,) = response.json()["errors"]
    assert (response.status_code, error["message"]) == (200, "Internal error.")
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in response.text
    assert error["extensions"]["errorId"] in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize("accept", [GRAPHQL_JSON, PLAIN_JSON])
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("bad", 401, "UNAUTHENTICATED"),
        ("busy", 429, "BUSY"),
        ("cut", 503, "UNAVAILABLE"),
        ("defect", 500, "INTERNAL"),
    ],
)
async def test_a_caller_who_gets_no_context_is_told_in_graphql(
    client: httpx2.AsyncClient, accept: str, token: str, status: int, code: str
) -> None:
    client.headers["Authorization"] = f"Bearer {token}"
    response = await ask(client, "{hello}", accept=accept)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.headers["content-type"].startswith(accept)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert ("retry-after" in response.headers) == (status in {429, 503})
    assert "secret" not in response.text


async def test_introspection_is_for_those_the_flag_admits(client: httpx2.AsyncClient) -> None:
    anonymous = await ask(client, "{__schema {queryType {name}}}")
    assert (anonymous.status_code, code_of(anonymous)) == (403, "FORBIDDEN")
    client.headers["Authorization"] = "Bearer ada"
    admitted = await ask(client, "{__schema {queryType {name}}}")
    assert admitted.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


async def test_a_schema_whose_extensions_would_be_ignored_is_refused() -> None:
    with pytest.raises(TypeError, match="extensions"):
        GraphQLView(strawberry.Schema(Query, extensions=[SchemaExtension]), context_of)


async def test_what_cannot_be_answered_in_json_is_masked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Strange:
        pass

    @strawberry.type
    class Odd:
        @strawberry.field
        async def odd(self) -> JSON:
            return Strange()  # type: ignore[return-value]  # the defect under test

    view = GraphQLView(strawberry.Schema(Odd), context_of)
    async with client_of(Router([Route("/graphql", view)])) as odd:
        response = await ask(odd, "{odd}")
    assert (response.status_code, code_of(response)) == (500, "INTERNAL")
    assert "Strange" in caplog.text
