"""A decision token holds for whoever has the public keys, and nothing changed holds."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import jwt
import pytest

from registry import receipts
from registry.errors import InvalidError, TooLargeError
from registry.key_files import KeyRole
from registry.keys import Keys
from registry.log import checkpoint, merkle
from registry.log.checkpoint import Checkpoint, VerifierKey

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = "registry.example/log"
SALT = bytes(range(32))
CLAIMS: dict[str, Any] = {
    "iss": "https://registry.example",
    "aud": "service",
    "jti": "0195",
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
    "outcome": "PERMITTED",
    "may_proceed": True,
    "reasons": ["GRANT", "\u5f20"],
    "obl": [{"id": "KEEP_LOG", "parameters": {"months": "6"}}],
    "log": {"origin": ORIGIN, "index": 2, "size": 5},
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.open(tmp_path_factory.mktemp("likeness"))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(keys: Keys, header: dict[str, object], payload: bytes | None = None) -> str:
    """A token with this header, honestly signed by the registry's decision key."""
    body = receipts.jcs(CLAIMS) if payload is None else payload
    signed = f"{b64(json.dumps(header).encode())}.{b64(body)}"
    return f"{signed}.{b64(keys.token_signer.private.sign(signed.encode()))}"


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    # RFC 8785, 3.2.4: the sorting and number example of 3.2.2.
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert receipts.jcs(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_the_vocabulary_is_plain_text_in_canonical_form() -> None:
    class Word(StrEnum):
        A = "a"

    assert receipts.jcs({Word.A: (Word.A, 1.0, 1)}) == b'{"a":["a",1,1]}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, "\ud800", {1: 2}, {"\ud800": 1}, b"bytes", object()],
    ids=range(8),
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidError, match="canonical"):
        receipts.jcs(value)


def test_a_tower_of_lists_has_no_canonical_form() -> None:
    tower: list[object] = []
    for _ in range(5000):
        tower = [tower]
    with pytest.raises(InvalidError, match="canonical"):
        receipts.jcs(tower)


def test_a_commitment_is_the_hash_of_salt_and_value() -> None:
    expected = hashlib.sha256(SALT + b'{"a":1,"b":2}').digest()
    assert receipts.commit(SALT, {"b": 2, "a": 1}) == expected
    assert receipts.commit(bytes(32), {"b": 2, "a": 1}) != expected
    assert receipts.commit(SALT, {"b": 2, "a": "1"}) != expected


def test_a_request_is_named_by_the_hash_of_its_canonical_form() -> None:
    expected = hashlib.sha256(b'{"a":1,"b":2}').hexdigest()
    assert receipts.digest({"b": 2, "a": 1.0}) == expected


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_salt_has_one_length(length: int) -> None:
    with pytest.raises(InvalidError, match="32 bytes"):
        receipts.commit(bytes(length), 1)


def test_the_log_entry_leaves_out_where_it_stands() -> None:
    without = {name: value for name, value in CLAIMS.items() if name != "log"}
    entry = receipts.log_entry(CLAIMS, SALT)
    assert entry == receipts.log_entry(without, SALT) == receipts.commit(SALT, without)
    assert entry != receipts.log_entry({**CLAIMS, "outcome": "PROHIBITED"}, SALT)


def test_a_token_holds_for_whoever_has_the_key_set(keys: Keys) -> None:
    token = receipts.sign_decision(CLAIMS, keys)
    jwks = json.loads(json.dumps(keys.jwks()))
    verified = receipts.verify_decision(token, jwks, now=NOW)
    assert verified.claims == CLAIMS
    assert not verified.expired
    assert verified.kid == keys.token_signer.kid
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "EdDSA", "typ": "crd+jwt", "kid": verified.kid}


def test_any_library_can_verify_a_token(keys: Keys) -> None:
    token = receipts.sign_decision(CLAIMS, keys)
    claims = jwt.decode(
        token,
        keys.token_signer.public,
        algorithms=["EdDSA"],
        audience="service",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims == CLAIMS


def test_an_old_receipt_still_verifies_and_says_that_it_expired(keys: Keys) -> None:
    token, jwks = receipts.sign_decision(CLAIMS, keys), keys.jwks()
    for after, expired in ((0, False), (599, False), (600, True), (10 * 365 * 86400, True)):
        moment = NOW + timedelta(seconds=after)
        assert receipts.verify_decision(token, jwks, now=moment).expired is expired
    assert receipts.verify_decision(
        receipts.sign_decision({**CLAIMS, "exp": 1}, keys), jwks
    ).expired


def test_a_receipt_outlives_the_rotation_of_its_key(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    old = receipts.sign_decision(CLAIMS, keys)
    keys.rotate(KeyRole.TOKEN)
    new = receipts.sign_decision(CLAIMS, keys)
    for token in (old, new):
        assert receipts.verify_decision(token, keys.jwks(), now=NOW).claims == CLAIMS
    assert old != new


def test_every_changed_character_is_refused(keys: Keys) -> None:
    token, jwks = receipts.sign_decision(CLAIMS, keys), keys.jwks()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, character in enumerate(token):
        other = alphabet[alphabet.find(character) ^ 1] if character != "." else "A"
        for changed in (other, "", "=", " ", character * 2):
            with pytest.raises(InvalidError):
                receipts.verify_decision(token[:at] + changed + token[at + 1 :], jwks, now=NOW)


def test_a_token_signed_by_strangers_is_refused(keys: Keys, tmp_path: Path) -> None:
    token = receipts.sign_decision(CLAIMS, Keys.open(tmp_path))
    with pytest.raises(InvalidError, match="unknown key"):
        receipts.verify_decision(token, keys.jwks(), now=NOW)


HEADER: dict[str, object] = {"alg": "EdDSA", "typ": "crd+jwt"}


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "Ed25519"},
        {"alg": "HS256"},
        {"alg": "eddsa"},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": "CRD+JWT"},
        {"typ": None},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": ["a"]},
        {"kid": {}},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": True},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"jwk": {"kty": "OKP"}},
        {"cty": "JWT"},
    ],
    ids=repr,
)
def test_a_header_of_any_other_form_is_refused(keys: Keys, change: dict[str, object]) -> None:
    honest = {**HEADER, "kid": keys.token_signer.kid}
    receipts.verify_decision(forge(keys, honest), keys.jwks(), now=NOW)
    with pytest.raises(InvalidError):
        receipts.verify_decision(forge(keys, {**honest, **change}), keys.jwks(), now=NOW)


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"1",
        b"null",
        b"{",
        b'{"exp":1,"exp":2}',
        b'{"exp":1,"a":NaN}',
        b'{"exp":1,"a":{"b":1,"b":1}}',
        b"\xff",
        b'{"exp":' + b"1" * 4500 + b"}",
        b'{"exp":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"{}",
        b'{"exp":"1"}',
        b'{"exp":true}',
        b'{"exp":1.5}',
        b'{"exp":null}',
    ],
    ids=range(15),
)
def test_a_payload_that_is_no_decision_is_refused(keys: Keys, payload: bytes) -> None:
    token = forge(keys, {**HEADER, "kid": keys.token_signer.kid}, payload)
    with pytest.raises(InvalidError):
        receipts.verify_decision(token, keys.jwks(), now=NOW)


def test_a_token_of_more_than_8_kib_is_neither_made_nor_read(keys: Keys) -> None:
    with pytest.raises(TooLargeError, match="8192"):
        receipts.sign_decision({**CLAIMS, "pad": "x" * 8000}, keys)
    large = forge(keys, {**HEADER, "kid": keys.token_signer.kid}, b'{"exp":1}' + b" " * 8000)
    with pytest.raises(InvalidError, match="too large"):
        receipts.verify_decision(large, keys.jwks(), now=NOW)


@pytest.mark.parametrize("role", [KeyRole.ACCESS, KeyRole.LOG])
def test_a_key_of_another_role_signs_no_decision(keys: Keys, role: KeyRole) -> None:
    signer = {KeyRole.ACCESS: keys.access_signer, KeyRole.LOG: keys.log_signer}[role]
    token = jwt.PyJWS().encode(
        receipts.jcs(CLAIMS),
        signer.private,
        algorithm="EdDSA",
        headers={"typ": "crd+jwt", "kid": signer.kid},
    )
    with pytest.raises(InvalidError, match="unknown key"):
        receipts.verify_decision(token, keys.jwks(), now=NOW)


def test_a_key_set_may_hold_keys_of_other_kinds(keys: Keys) -> None:
    token, published = receipts.sign_decision(CLAIMS, keys), keys.jwks()["keys"]
    plain = [{name: value for name, value in one.items() if name != "role"} for one in published]
    jwks = {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, *plain]}
    assert receipts.verify_decision(token, jwks, now=NOW).claims == CLAIMS


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"keys": None},
        {"keys": ["key"]},
        {"keys": [{"crv": "Ed25519"}]},
        {"keys": [{"crv": "Ed25519", "x": 1}]},
        {"keys": [{"crv": "Ed25519", "x": "\u00e9"}]},
        {"keys": [{"crv": "Ed25519", "x": "AAAA"}]},
        {"keys": [{"crv": "Ed25519", "x": "A"}]},
        {"keys": [{"crv": "Ed25519", "x": "A" * 43, "kid": "mine"}]},
    ],
    ids=range(9),
)
def test_a_damaged_key_set_is_refused(keys: Keys, broken: dict[str, Any]) -> None:
    token = receipts.sign_decision(CLAIMS, keys)
    with pytest.raises(InvalidError, match=r"key set|base64url"):
        receipts.verify_decision(token, broken, now=NOW)


class Logged:
    """A small log in which the claims are on record at their index."""

    def __init__(self, keys: Keys, *, size: int, origin: str = ORIGIN) -> None:
        index = CLAIMS["log"]["index"]
        entries = [b"other %d" % at for at in range(size)]
        entries[index] = receipts.log_entry(CLAIMS, SALT)
        frontier, nodes = merkle.append(
            merkle.Frontier(), [merkle.leaf_hash(entry) for entry in entries]
        )
        stored = {(level, at): value for level, at, value in nodes}
        self.proof = merkle.inclusion_proof(index, size, stored)
        self.head = Checkpoint(origin, size, merkle.root(frontier))
        self.note = checkpoint.sign(self.head, name=origin, signer=keys.log_signer)
        self.key = str(VerifierKey(origin, keys.log_signer.public))

    def verify(
        self, claims: dict[str, Any], salt: bytes = SALT, proof: list[bytes] | None = None
    ) -> Checkpoint:
        return receipts.verify_in_log(
            claims,
            salt=salt,
            proof=self.proof if proof is None else proof,
            checkpoint_note=self.note,
            verifier_key=self.key,
        )


@pytest.mark.parametrize("size", [5, 6, 100])
def test_a_token_is_tied_to_the_log_at_any_later_size(keys: Keys, size: int) -> None:
    logged = Logged(keys, size=size)
    token = receipts.sign_decision(CLAIMS, keys)
    claims = receipts.verify_decision(token, keys.jwks(), now=NOW).claims
    assert logged.verify(claims) == logged.head


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "outcome": lambda claims: claims.update(outcome="PROHIBITED"),
    "added": lambda claims: claims.update(extra=1),
    "removed": lambda claims: claims.pop("aud"),
    "no log": lambda claims: claims.pop("log"),
    "log is text": lambda claims: claims.update(log="2"),
    "no index": lambda claims: claims.update(log={"origin": ORIGIN}),
    "index is true": lambda claims: claims["log"].update(index=True),
    "other index": lambda claims: claims["log"].update(index=3),
    "index outside": lambda claims: claims["log"].update(index=100),
    "negative index": lambda claims: claims["log"].update(index=-1),
    "other origin": lambda claims: claims["log"].update(origin="other.example/log"),
    "no origin": lambda claims: claims["log"].pop("origin"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_claims_are_not_in_the_log(
    keys: Keys, change: Callable[[dict[str, Any]], object]
) -> None:
    claims = json.loads(json.dumps(CLAIMS))
    change(claims)
    with pytest.raises(InvalidError):
        Logged(keys, size=6).verify(claims)


def test_another_salt_proof_or_log_proves_nothing(keys: Keys, tmp_path: Path) -> None:
    logged = Logged(keys, size=6)
    with pytest.raises(InvalidError):
        logged.verify(CLAIMS, salt=bytes(32))
    with pytest.raises(InvalidError):
        logged.verify(CLAIMS, proof=logged.proof[:-1])
    logged.key = Logged(Keys.open(tmp_path), size=6).key
    with pytest.raises(InvalidError, match="No known key"):
        logged.verify(CLAIMS)
    with pytest.raises(InvalidError, match="another log"):
        Logged(keys, size=6, origin="other.example/log").verify(CLAIMS)
