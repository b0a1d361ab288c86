from pathlib import Path

import httpx2
import pytest

from tests.api.cli.conftest import Likeness, as_a_program


def _answers(url: str, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers) as client:
        return client.post("/graphql", json={"query": "{ __typename }"}).status_code


def test_the_token_alone_is_on_standard_output_and_the_server_takes_it(
    data_dir: Path, url: str
) -> None:
    ended = as_a_program("token", "create", "--service", "alone", data_dir=data_dir)
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 1
    assert "It allows: check, requests:read, requests:write." in ended.err
    assert _answers(url, ended.out.strip()) == 200


def test_json_says_what_the_token_is_and_nothing_goes_to_standard_error(likeness: Likeness) -> None:
    ended = likeness("token", "create", "--person", "bea", "--ial", "2", "--json")
    assert ended.code == 0
    assert ended.err == ""
    said = ended.json
    assert set(said) >= {"token", "principalId", "credentialId", "scopes", "expiresAt"}
    assert "grants:write" in said["scopes"]
    assert "check" not in said["scopes"]


def test_an_account_is_opened_once(likeness: Likeness) -> None:
    words = ("--service", "vendor", "--tier", "1", "--supports", "COMPENSATE", "--json")
    made = [likeness("token", "create", *words).json for _ in "ab"]
    assert made[0]["principalId"] == made[1]["principalId"]
    assert made[0]["credentialId"] != made[1]["credentialId"]


def test_a_revoked_token_is_refused_and_may_be_revoked_again(likeness: Likeness, url: str) -> None:
    made = likeness("token", "create", "--operator", "--json").json
    for _ in range(2):
        assert likeness("token", "revoke", made["credentialId"]).ok.startswith("Revoked")
    assert _answers(url, made["token"]) == 401


def test_a_star_names_all_scopes_of_a_kind(likeness: Likeness) -> None:
    made = likeness("token", "create", "--person", "cleo", "--scope", "grants:*", "--json").json
    assert made["scopes"] == ["grants:read", "grants:write"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ([], 2, "exactly one of"),
        (["--service", "a", "--person", "b"], 2, "exactly one of"),
        (["--person", "bea", "--tier", "1"], 2, "Only a service has a tier"),
        (["--person", "bea", "--supports", "COMPENSATE"], 2, "Only a service fulfils"),
        (["--service", "x", "--scope", "all"], 2, "There is no scope all"),
        (["--service", "x", "--scope", ":*"], 2, "There is no scope :*"),
        (["--service", "x", "--ial", "4"], 2, "ial"),
        (["--service", "x", "--hours", "0"], 2, "hours"),
        (["--service", "operator"], 3, "is a OPERATOR, not a SERVICE"),
        (["--service", "studio", "--supports", "COMPENSATE"], 3, "other duties"),
        (["--service", " "], 3, "printable characters"),
    ],
)
def test_what_makes_no_sense_is_refused(
    likeness: Likeness, service_token: str, words: list[str], code: int, why: str
) -> None:
    assert service_token
    ended = likeness("token", "create", *words)
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err


def test_a_token_that_does_not_exist_is_not_revoked(likeness: Likeness) -> None:
    for id in ("x", "00000000-0000-7000-8000-00000000dead"):
        ended = likeness("token", "revoke", id)
        assert (ended.code, ended.err) == (3, "Error: No such token.\n")


@pytest.mark.parametrize(
    ("option", "kind", "scopes"),
    [
        ("--attester", "ATTESTER", ["subjects:read", "subjects:write"]),
        (
            "--reviewer",
            "REVIEWER",
            ["reviews:read", "reviews:write", "subjects:read", "subjects:write"],
        ),
        ("--regulator", "REGULATOR", ["audit:read", "orders:read", "orders:write"]),
        ("--auditor", "AUDITOR", ["audit:read", "orders:read"]),
    ],
)
def test_offices_and_authorities_have_accounts_of_their_own(
    likeness: Likeness, option: str, kind: str, scopes: list[str]
) -> None:
    made = likeness("token", "create", option, f"the {kind}", "--json")
    assert made.json["scopes"] == scopes
    assert likeness("token", "create", "--person", f"the {kind}").code == 3


def test_a_client_secret_fetches_tokens_until_it_is_revoked(likeness: Likeness, url: str) -> None:
    made = likeness("token", "secret", "--service", "secretive", "--json").json
    form = {"grant_type": "client_credentials"}
    with httpx2.Client(base_url=url, auth=(made["clientId"], made["clientSecret"])) as client:
        answer = client.post("/oauth/token", data=form)
        assert answer.json()["scope"] == "check requests:read requests:write"
        assert _answers(url, answer.json()["access_token"]) == 200
        assert likeness("token", "revoke", made["secretId"]).ok.startswith("Revoked")
        assert client.post("/oauth/token", data=form).status_code == 401
