"""An access token holds as it was minted; every forgery gets the same answer."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import receipts
from registry.access_tokens import AccessToken, mint_access, verify_access
from registry.errors import InvalidError, UnauthenticatedError
from registry.key_files import KeyRole
from registry.keys import Keys, Signer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUER = "https://registry.example"
PRINCIPAL = UUID("01900000-0000-7000-8000-000000000001")
CREDENTIAL = UUID("01900000-0000-7000-8000-000000000002")
STRANGER = Signer("stranger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
T = int(NOW.timestamp())
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": ISSUER,
    "sub": str(PRINCIPAL),
    "client_id": "studio",
    "jti": str(CREDENTIAL),
    "iat": T,
    "exp": T + 900,
    "scope": "check grants:write",
    "ial": 2,
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.open(tmp_path_factory.mktemp("likeness"))


def minted(keys: Keys, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "issuer": ISSUER,
        "principal_id": PRINCIPAL,
        "credential_id": CREDENTIAL,
        "client_id": "studio",
        "scopes": ["grants:write", "check", "check"],
        "ial": 2,
        "lifetime": timedelta(minutes=15),
        "now": NOW,
    }
    return mint_access(keys, **(arguments | changes))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(
    keys: Keys,
    *,
    header: dict[str, object] | None = None,
    claims: dict[str, object] | None = None,
    payload: bytes | None = None,
    signer: Signer | None = None,
) -> str:
    """A token with these changes, honestly signed by the registry's access key if not said else."""
    honest = {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.access_signer.kid}
    body = json.dumps({**CLAIMS, **(claims or {})}).encode() if payload is None else payload
    signed = f"{b64(json.dumps({**honest, **(header or {})}).encode())}.{b64(body)}"
    return f"{signed}.{b64((signer or keys.access_signer).private.sign(signed.encode()))}"


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in CLAIMS.items() if key != name}).encode()


def refuse(token: str, keys: Keys, now: datetime = NOW) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        verify_access(token, keys, issuer=ISSUER, now=now)
    assert str(refused.value) == "The access token does not hold."
    assert refused.value.field is None


def test_a_token_says_what_it_was_minted_with(keys: Keys) -> None:
    expected = AccessToken(
        principal_id=PRINCIPAL,
        credential_id=CREDENTIAL,
        scopes=frozenset({"check", "grants:write"}),
        ial=2,
        expires_at=NOW + timedelta(minutes=15),
    )
    assert verify_access(minted(keys), keys, issuer=ISSUER, now=NOW) == expected
    assert verify_access(token_of(keys), keys, issuer=ISSUER, now=NOW) == expected


def test_a_token_may_have_no_scope(keys: Keys) -> None:
    token = minted(keys, scopes=[])
    assert verify_access(token, keys, issuer=ISSUER, now=NOW).scopes == frozenset()


def test_the_clock_of_the_machine_counts_when_no_other_is_given(keys: Keys) -> None:
    token = minted(keys, now=None)
    assert verify_access(token, keys, issuer=ISSUER).principal_id == PRINCIPAL
    with pytest.raises(UnauthenticatedError):
        verify_access(minted(keys, now=NOW - timedelta(days=36500)), keys, issuer=ISSUER)


def test_a_token_lives_from_half_a_minute_before_to_half_a_minute_after(keys: Keys) -> None:
    token = minted(keys)
    for seconds in (-30, 0, 900, 929):
        verify_access(token, keys, issuer=ISSUER, now=NOW + timedelta(seconds=seconds))
    for seconds in (-31, 930, 10**8):
        refuse(token, keys, NOW + timedelta(seconds=seconds))


def test_a_token_outlives_the_rotation_of_its_key_in_every_process(tmp_path: Path) -> None:
    here, there = Keys.open(tmp_path), Keys.open(tmp_path)
    old = minted(here)
    there.rotate(KeyRole.ACCESS)
    new = minted(there)
    for keys in (here, there):
        for token in (old, new):
            verify_access(token, keys, issuer=ISSUER, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ["two words"]},
        {"scopes": [""]},
        {"scopes": ["caf\u00e9"]},
        {"ial": 4},
        {"ial": -1},
        {"lifetime": timedelta(0)},
    ],
    ids=repr,
)
def test_a_token_nobody_could_read_is_not_minted(keys: Keys, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        minted(keys, **change)


HEADERS: list[dict[str, object]] = [
    {"alg": "none"},
    {"alg": "None"},
    {"alg": "HS256"},
    {"alg": "ES256"},
    {"alg": "Ed25519"},
    {"alg": ""},
    {"alg": None},
    {"alg": ["EdDSA"]},
    {"typ": "JWT"},
    {"typ": "crd+jwt"},
    {"typ": "application/at+jwt"},
    {"typ": "AT+JWT"},
    {"typ": None},
    {"kid": "unknown"},
    {"kid": ""},
    {"kid": 1},
    {"kid": None},
    {"kid": "../token"},
    {"kid": "\ud800"},
    {"jku": "https://attacker.example/jwks.json"},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}},
    {"x5u": "https://attacker.example/cert.pem"},
    {"x5c": ["AAAA"]},
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"b64": False},
    {"cty": "JWT"},
    {"zip": "DEF"},
]


@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_a_header_of_any_other_form_is_refused(keys: Keys, header: dict[str, object]) -> None:
    refuse(token_of(keys, header=header), keys)


WRONG_CLAIMS: list[dict[str, object]] = [
    {"iss": "https://attacker.example"},
    {"iss": ISSUER + "/"},
    {"iss": None},
    {"aud": "https://other.example"},
    {"aud": [ISSUER]},
    {"aud": [ISSUER, "https://other.example"]},
    {"aud": None},
    {"sub": ""},
    {"sub": "admin"},
    {"sub": None},
    {"sub": 1},
    {"sub": str(PRINCIPAL).upper().replace("0", "A", 1)},
    {"sub": f"{{{PRINCIPAL}}}"},
    {"sub": PRINCIPAL.hex},
    {"sub": f" {PRINCIPAL}"},
    {"jti": ""},
    {"jti": None},
    {"exp": T - 31},
    {"exp": 0},
    {"exp": -1},
    {"exp": True},
    {"exp": str(T + 900)},
    {"exp": T + 900.5},
    {"exp": 10**18},
    {"exp": 10**400},
    {"exp": None},
    {"iat": T + 31},
    {"iat": None},
    {"iat": "now"},
    {"nbf": T + 31},
    {"nbf": None},
    {"scope": None},
    {"scope": ["check"]},
    {"client_id": None},
    {"ial": None},
    {"ial": True},
    {"ial": 4},
    {"ial": -1},
    {"ial": "3"},
    {"ial": 3.0},
]


@pytest.mark.parametrize("claims", WRONG_CLAIMS, ids=repr)
def test_claims_that_are_not_for_us_now_are_refused(keys: Keys, claims: dict[str, object]) -> None:
    refuse(token_of(keys, claims=claims), keys)


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_is_needed(keys: Keys, name: str) -> None:
    refuse(token_of(keys, payload=without(name)), keys)


def test_a_token_may_say_when_it_begins(keys: Keys) -> None:
    verify_access(token_of(keys, claims={"nbf": T}), keys, issuer=ISSUER, now=NOW)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        json.dumps(CLAIMS).encode()[:-1] + b',"sub":"01900000-0000-7000-8000-000000000009"}',
        json.dumps(CLAIMS).encode()[:-1] + b',"x":Infinity}',
    ],
    ids=range(8),
)
def test_a_payload_that_is_no_object_is_refused(keys: Keys, payload: bytes) -> None:
    refuse(token_of(keys, payload=payload), keys)


def public_forms(keys: Keys) -> list[bytes]:
    public = keys.access_signer.public
    return [
        public.public_bytes_raw(),
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        json.dumps(keys.jwks()["keys"][1]).encode(),
        b"",
    ]


@pytest.mark.parametrize("form", range(4))
def test_a_public_key_is_no_secret_to_sign_with(keys: Keys, form: int) -> None:
    for alg in ("HS256", "EdDSA"):
        header = {"alg": alg, "typ": "at+jwt", "kid": keys.access_signer.kid}
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(CLAIMS).encode())}"
        mac = hmac.new(public_forms(keys)[form], signed.encode(), hashlib.sha256).digest()
        refuse(f"{signed}.{b64(mac)}", keys)
        refuse(f"{signed}.{b64(mac + mac)}", keys)


FORGERIES: dict[str, Callable[[Keys], str]] = {
    "a stranger's signature": lambda keys: token_of(keys, signer=STRANGER),
    "the stranger's own key id": lambda keys: token_of(
        keys, signer=STRANGER, header={"kid": "stranger"}
    ),
    "the decision key": lambda keys: token_of(
        keys, signer=keys.token_signer, header={"kid": keys.token_signer.kid}
    ),
    "the decision key under our id": lambda keys: token_of(keys, signer=keys.token_signer),
    "the log key": lambda keys: token_of(
        keys, signer=keys.log_signer, header={"kid": keys.log_signer.kid}
    ),
    "a decision token": lambda keys: receipts.sign_decision(CLAIMS, keys),
    "no signature": lambda keys: token_of(keys).rpartition(".")[0] + ".",
    "two parts": lambda keys: token_of(keys).rpartition(".")[0],
    "four parts": lambda keys: token_of(keys) + ".AAAA",
    "a longer signature": lambda keys: token_of(keys) + "AAAA",
    "nothing": lambda _: "",
    "dots": lambda _: "..",
    "a word": lambda _: "token",
    "padding": lambda keys: token_of(keys) + "==",
    "a blank": lambda keys: " " + token_of(keys),
    "a line end": lambda keys: token_of(keys) + "\n",
    "a nul": lambda keys: token_of(keys) + "\0",
    "not ASCII": lambda keys: token_of(keys).replace("e", "\u0435", 1),
    "a surrogate": lambda keys: "\ud800" + token_of(keys),
    "huge": lambda keys: token_of(keys, payload=b" " * 8000 + json.dumps(CLAIMS).encode()),
    "a megabyte": lambda _: "A" * 2**20,
    "a header that is a list": lambda keys: b64(b"[]") + "." + token_of(keys).partition(".")[2],
    "a header that is no JSON": lambda keys: b64(b"{") + "." + token_of(keys).partition(".")[2],
    "another's payload": lambda keys: ".".join(
        [
            token_of(keys).split(".")[0],
            token_of(keys, claims={"ial": 3}).split(".")[1],
            token_of(keys).split(".")[2],
        ]
    ),
    "another registry": lambda keys: mint_access(
        keys,
        issuer="https://other.example",
        principal_id=PRINCIPAL,
        credential_id=CREDENTIAL,
        client_id="studio",
        scopes=[],
        ial=2,
        lifetime=timedelta(minutes=15),
        now=NOW,
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(keys: Keys, forgery: Callable[[Keys], str]) -> None:
    refuse(forgery(keys), keys)


def test_every_changed_or_cut_character_is_refused(keys: Keys) -> None:
    token = minted(keys)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, character in enumerate(token):
        for bit in range(6 if character != "." else 0):
            other = alphabet[alphabet.index(character) ^ (1 << bit)]
            refuse(token[:at] + other + token[at + 1 :], keys)
        refuse(token[:at], keys)
