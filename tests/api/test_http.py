"""Plain HTTP beside GraphQL: the same check, keys, log, health and metrics."""

import httpx2
import pytest

from registry.principals import Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json


async def test_a_plain_check_gives_what_graphql_gives(
    client: httpx2.AsyncClient, execute: Execute, owner: Account, service: Account
) -> None:
    subject, hash = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], hash)
    await acts.grant(execute, owner, subject, service)
    asked = acts.question(hash, nonce=acts.random_hash(), territories=["JP"])
    response = await client.post("/v1/check", json=asked, headers=service.headers)
    assert response.status_code == 200
    plain: Json = response.json()
    document = acts.CHECK.replace("obligations { code }", "obligations { code source }")
    same = (await execute(service, document, input=asked))["checkConsent"]
    assert same["token"] == plain["token"]
    assert {name: plain[name] for name in ("outcome", "salt", "logIndex", "packs")} == {
        name: same[name] for name in ("outcome", "salt", "logIndex", "packs")
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"use": "DO_MAGIC"}, "use"),
        ({"persons": []}, "persons"),
        ({"modalities": []}, "modalities"),
        ({"territories": ["ZQ"]}, "territories"),
        ({"surprise": 1}, "surprise"),
        ({"commercial": "false"}, "commercial"),
        ({"commercial": 0}, "commercial"),
        ({"include_draft_law": True}, "include_draft_law"),
        ({"persons": [{}]}, "persons"),
        ({"persons": [{"probes": [{}]}]}, "probes"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "a\u0000b"}, "nonce"),
        ({"persons": [{"claimedSubject": "nobody"}]}, "claimedSubject"),
        ({"persons": [{"name": "\u0000"}]}, "name"),
    ],
)
async def test_a_check_that_does_not_fit_names_the_field(
    client: httpx2.AsyncClient, service: Account, change: Json, field: str
) -> None:
    asked = {**acts.question("0" * 64), **change}
    response = await client.post("/v1/check", json=asked, headers=service.headers)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID")
    assert response.json()["field"].split(".")[-1] == field


@pytest.mark.parametrize("body", [b"null", b"1", b"[]", b'"x"', b"{", b"", b"\xff", b"[" * 9000])
async def test_a_body_that_is_no_check_is_a_400(
    client: httpx2.AsyncClient, service: Account, body: bytes
) -> None:
    headers = {**service.headers, "Content-Type": "application/json"}
    response = await client.post("/v1/check", content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID")


async def test_a_plain_check_needs_json_and_the_scope(
    client: httpx2.AsyncClient, accounts: Accounts, service: Account
) -> None:
    form = await client.post("/v1/check", data={"use": "x"}, headers=service.headers)
    assert form.status_code == 415
    other = await accounts.open(scopes=frozenset({Scope.SUBJECTS_READ}))
    refused = await client.post("/v1/check", json={}, headers=other.headers)
    assert refused.status_code == 403


async def test_keys_are_published_and_secrets_are_not(client: httpx2.AsyncClient) -> None:
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert {one["role"] for one in keys} == {"token", "access", "log"}
    assert all("d" not in one and one["alg"] == "EdDSA" for one in keys)


async def test_health_and_metrics(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "live"}
    ready = (await client.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert ready["encoders"] == ["phash-256/1", "dlib-resnet/1", "campplus/1"]
    assert ready["calibrations"]["dlib-resnet/1"]["shipped"] is True
    assert ready["missingModels"] == {}
    page = (await client.get("/metrics")).text
    assert "likeness_ready 1.0" in page
    data = ready["calibrations"]["dlib-resnet/1"]["data"]
    assert f'likeness_calibration{{data="{data}",encoder="dlib-resnet/1"}} 0.0' in page
    assert 'likeness_http_requests_total{path="/readyz",status="200"}' in page


async def test_an_unknown_path_is_404_and_a_wrong_method_405(client: httpx2.AsyncClient) -> None:
    nothing = await client.get("/nothing")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "NOT_FOUND")
    for path in ("/v1/check", "/v1/cases", "/oauth/token", "/oauth/introspect", "/v1/evidence"):
        wrong = await client.delete(path)
        assert (wrong.status_code, wrong.json()["code"]) == (405, "UNSUPPORTED")
        assert wrong.headers["allow"] == "POST"


async def test_answers_carry_the_security_headers(client: httpx2.AsyncClient) -> None:
    headers = (await client.get("/livez")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
