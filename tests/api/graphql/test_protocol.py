import hashlib
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest

from tests.api.graphql.small_schema import (
    GRAPHQL_JSON,
    PLAIN_JSON,
    application,
    ask,
    client_of,
    code_of,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(application()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, PLAIN_JSON),
        ("", PLAIN_JSON),
        ("*/*", PLAIN_JSON),
        ("application/*", PLAIN_JSON),
        (PLAIN_JSON, PLAIN_JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{PLAIN_JSON}, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{PLAIN_JSON}, {GRAPHQL_JSON};q=0.9", PLAIN_JSON),
        (f"{PLAIN_JSON}, */*", PLAIN_JSON),
        (f"{GRAPHQL_JSON}, */*;q=0.1", GRAPHQL_JSON),
        ("APPLICATION/JSON; charset=utf-8", PLAIN_JSON),
        (f"text/html, {PLAIN_JSON};q=0.5", PLAIN_JSON),
        (f"{GRAPHQL_JSON};q=0, */*", PLAIN_JSON),
    ],
)
async def test_the_accepted_media_type_is_answered(
    client: httpx2.AsyncClient, accept: str | None, content_type: str
) -> None:
    del client.headers["accept"]
    response = await client.post(
        "/graphql", json={"query": "{hello}"}, headers={} if accept is None else {"Accept": accept}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["image/png", "text/html", f"{PLAIN_JSON};q=0", f"{PLAIN_JSON};q=x", ",,;", "q=1"]
)
async def test_other_media_types_are_not_acceptable(
    client: httpx2.AsyncClient, accept: str
) -> None:
    response = await ask(client, "{hello}", accept=accept)
    assert response.status_code == 406
    assert code_of(response) == "INVALID"


async def test_queries_are_answered_to_get(client: httpx2.AsyncClient) -> None:
    parameters = {
        "query": "query q($n: Int!) {twice(number: $n)}",
        "variables": '{"n": 4}',
        "operationName": "q",
        "extensions": "{}",
    }
    response = await client.get("/graphql", params=parameters)
    assert response.json() == {"data": {"twice": 8}}


async def test_mutations_are_not_answered_to_get(client: httpx2.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "mutation {away}"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    both = {"query": "query a {hello} mutation b {away}", "operationName": "b"}
    assert (await client.get("/graphql", params=both)).status_code == 405


async def test_subscriptions_are_not_answered_over_http(client: httpx2.AsyncClient) -> None:
    assert (await ask(client, "subscription {ticks}")).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(client: httpx2.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql", json={"query": "{hello}"})
    assert response.status_code == 405
    assert set(response.headers["allow"].replace(",", "").split()) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json-patch+json",
        ";",
    ],
)
async def test_other_bodies_are_unsupported(
    client: httpx2.AsyncClient, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await client.post("/graphql", content=b'{"query":"{hello}"}', headers=headers)
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED")


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def with_variable(raw: bytes) -> bytes:
    return b'{"query":"query($v:JSON!){echo(value:$v)}","variables":{"v":' + raw + b"}}"


BAD_BODIES = {
    "nothing": b"",
    "null": b"null",
    "number": b"1",
    "string": b'"x"',
    "empty batch": b"[]",
    "batch": b'[{"query":"{hello}"}]',
    "list of lists": b"[[{}]]",
    "no query": b"{}",
    "null query": b'{"query":null}',
    "query is a number": b'{"query":1}',
    "query is a list": b'{"query":["{hello}"]}',
    "variables are a list": b'{"query":"{hello}","variables":[]}',
    "variables are a string": b'{"query":"{hello}","variables":"{}"}',
    "operation name is a number": b'{"query":"{hello}","operationName":1}',
    "operation name is empty": b'{"query":"{hello}","operationName":""}',
    "extensions are a list": b'{"query":"{hello}","extensions":[]}',
    "document id is a number": b'{"query":"{hello}","documentId":1}',
    "persisted query is a list": b'{"extensions":{"persistedQuery":[]}}',
    "persisted query has no version": b'{"extensions":{"persistedQuery":{"sha256Hash":"a"}}}',
    "persisted hash is a number": b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":1}}}',
    "cut short": b'{"query":"{hel',
    "two documents": b'{"query":"{hello}"}{}',
    "not UTF-8": b'{"query":"{hello(name:\\"\xff\xfe\\")}"}',
    "UTF-16": '{"query":"{hello}"}'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf{"query":"{hello}"}',
    "NaN": with_variable(b"NaN"),
    "infinity": with_variable(b"1e999"),
    "5,000 digits": with_variable(b"9" * 5_000),
    "3,000 deep": deep(3_000),
    "100,000 deep": deep(100_000),
    "260 deep variable": with_variable(deep(260)),
    "3,000 deep variable": with_variable(deep(3_000)),
    "lone surrogate": with_variable(b'"\\ud800"'),
    "lone surrogate in the query": b'{"query":"{hello(name:\\"\\ud800\\")}"}',
    "escaped surrogate in the query": b'{"query":"{hello(name:\\"\\\\ud800\\")}"}',
    "NUL": with_variable(b'"a\\u0000b"'),
    "NUL deep down": with_variable(b'[{"a":["\\u0000"]}]'),
    "NUL in a key": with_variable(b'{"\\u0000":1}'),
    "NUL in the query": b'{"query":"{hello(name:\\"\\u0000\\")}"}',
    "escaped NUL in the query": b'{"query":"{hello(name:\\"\\\\u0000\\")}"}',
    "int as a string": b'{"query":"query($n:Int!){twice(number:$n)}","variables":{"n":"1"}}',
    "int too large": b'{"query":"query($n:Int!){twice(number:$n)}","variables":{"n":1e30}}',
    "long int literal": b'{"query":"{twice(number:' + b"9" * 5_000 + b')}"}',
    "no UUID": b'{"query":"query($i:UUID!){id(id:$i)}","variables":{"i":"x"}}',
    "no enum": b'{"query":"query($c:[Colour!]!){colours(colours:$c)}","variables":{"c":["X"]}}',
    "two of one": b'{"query":"query($c:Choice!){chosen(choice:$c)}",'
    b'"variables":{"c":{"word":"a","number":1}}}',
    "none of one": b'{"query":"query($c:Choice!){chosen(choice:$c)}","variables":{"c":{}}}',
    "null of one": b'{"query":"query($c:Choice!){chosen(choice:$c)}",'
    b'"variables":{"c":{"word":null}}}',
    "undefined variable of one": b'{"query":"{chosen(choice:{word:$w})}"}',
    "900 deep input": b'{"query":"query($n:Note!){noted(note:$n)}","variables":{"n":'
    + b'{"text":"a","next":' * 900
    + b"null"
    + b"}" * 902,
    "400 errors": b'{"query":"query($c:[Colour!]!){colours(colours:$c)}","variables":{"c":['
    + b'"GREEN",' * 400
    + b'"GREEN"]}}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_bad_request_is_a_clean_400(client: httpx2.AsyncClient, body: bytes) -> None:
    response = await client.post(
        "/graphql",
        content=body,
        headers={"Content-Type": PLAIN_JSON, "Accept": GRAPHQL_JSON},
    )
    assert response.status_code == 400
    errors = response.json()["errors"]
    assert 1 <= len(errors) <= 60
    assert all(error["message"] and error["extensions"]["code"] for error in errors)
    assert "data" not in response.json()


@pytest.mark.parametrize(
    "body",
    [
        b'{"query":"{hello}","query":"{hello}"}',
        b'{"query":"{hello}","variables":null,"operationName":null,"extensions":null}',
        b'{"query":"{hello}","unheard":{"of":1}}',
        b'{"query":"{hello}","variables":{"unused":[[[]]]}}',
        b' \r\n{"query":"{hello}"}\n',
    ],
)
async def test_what_is_merely_odd_is_answered(client: httpx2.AsyncClient, body: bytes) -> None:
    response = await client.post("/graphql", content=body, headers={"Content-Type": PLAIN_JSON})
    assert response.json() == {"data": {"hello": "Hello, you."}}


@pytest.mark.parametrize(
    "query",
    [
        "query=%7Bhello%7D&variables=1",
        "query=%7Bhello%7D&variables=%5B",
        "query=%7Bhello%7D&variables=%22%5Cud800%22",
        "query=%7Bhello%7D&extensions=x",
        "query=%FF%FE",
        "query=%00",
        "query=%ED%A0%80",
        "variables=%7B%7D",
        "",
        "documentId",
        "&&&==",
    ],
)
async def test_a_bad_query_string_is_a_clean_refusal(
    client: httpx2.AsyncClient, query: str
) -> None:
    response = await client.get(f"/graphql?{query}", headers={"Accept": GRAPHQL_JSON})
    assert response.status_code in {400, 404}
    assert code_of(response)


async def test_large_integers_and_deep_values_of_json_come_back(client: httpx2.AsyncClient) -> None:
    literal = await ask(client, "{echo(value: " + "9" * 40 + ")}")
    assert literal.json() == {"data": {"echo": int("9" * 40)}}
    nested = await client.post(
        "/graphql", content=with_variable(deep(250)), headers={"Content-Type": PLAIN_JSON}
    )
    assert nested.content.count(b"[") == 250


async def test_a_null_for_one_of_is_refused_in_words(client: httpx2.AsyncClient) -> None:
    query = "query ($w: String) {chosen(choice: {word: $w})}"
    response = await ask(client, query, variables={"w": None})
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_a_document_is_asked_by_its_digest_once_it_was_seen(
    client: httpx2.AsyncClient,
) -> None:
    by_id = {"documentId": f"sha256:{sha256('{hello}')}"}
    by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256("{hello}")}}}
    for members in (by_id, by_hash):
        unknown = await client.post("/graphql", json=members)
        assert (unknown.status_code, code_of(unknown)) == (404, "PERSISTED_QUERY_NOT_FOUND")
    await client.post("/graphql", json={"query": "{hello}", **by_hash})
    for members in (by_id, by_hash):
        known = await client.post("/graphql", json=members)
        assert known.json() == {"data": {"hello": "Hello, you."}}
    params = {"documentId": by_id["documentId"]}
    assert (await client.get("/graphql", params=params)).status_code == 200


async def test_a_document_other_than_its_digest_is_refused(client: httpx2.AsyncClient) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256("{other}")}}
    response = await client.post("/graphql", json={"query": "{hello}", "extensions": extensions})
    assert response.status_code == 400
    unnamed = await client.post("/graphql", json={"documentId": "md5:abc"})
    assert unnamed.status_code == 404


async def test_refusals_of_the_guard_reach_graphql_too(client: httpx2.AsyncClient) -> None:
    large = await ask(client, "{hello}" + " " * 2**20)
    assert large.status_code == 413
    packed = await client.post(
        "/graphql",
        content=b"\x1f\x8b",
        headers={"Content-Type": PLAIN_JSON, "Content-Encoding": "gzip"},
    )
    assert packed.status_code == 415
    assert orjson.loads(packed.content)["code"] == "UNSUPPORTED"
