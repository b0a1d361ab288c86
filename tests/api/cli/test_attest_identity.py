"""`likeness attest identity`, `revoke` and `provider`: who is known how well, at the desk."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.keys import jwk, thumbprint
from tests.api.cli.conftest import Likeness
from tests.api.cli.test_enroll import Photo, photo

assert photo  # a fixture

ENDS = f"{datetime.now(UTC) + timedelta(days=365):%Y-%m-%d}"
ABSENT = "0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10"
Words = Callable[..., tuple[str, ...]]


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """`attest identity` with what it always needs."""
    record = tmp_path / "passport.pdf"
    record.write_bytes(b"%PDF-")

    def put(account: str, *more: str) -> tuple[str, ...]:
        ends = () if "--expires" in more else ("--expires", ENDS)
        return ("attest", "identity", account, "--evidence", str(record), *ends, *more)

    return put


def record_of(likeness: Likeness, account: str) -> str:
    """A person whom this account, known at IAL1, keeps on record."""
    likeness("token", "create", "--person", account, "--ial", "1").ok  # noqa: B018
    added = ("--owner", account, "--name", account, "--born", "1985-03-03")
    return likeness("subject", "add", *added).ok


def test_an_attested_holder_signs_at_the_level_of_a_weak_token(
    likeness: Likeness, words: Words
) -> None:
    subject = record_of(likeness, "ida")
    scope = ("--use", "LIP_SYNC", "--ends", ENDS)
    grant = likeness("grant", "propose", "--subject", subject, *scope).ok
    sign = ("grant", "sign", grant, "--owner", "ida", "--ial", "1")
    assert "yours is 1 here" in likeness(*sign).err
    assert "known at IAL2" in likeness(*words("ida")).ok
    assert "yours is 1 here" in likeness(*sign).err  # nobody saw them live
    made = likeness(*words("ida", "--live"), "--json").json
    assert made["statement"].count(".") == 2
    revoked = likeness("attest", "revoke", made["id"], "--reason", "forged")
    assert "is revoked" in revoked.ok
    assert "yours is 1 here" in likeness(*sign).err
    likeness(*words("ida", "--live", "--method", "EID", "--level", "3")).ok  # noqa: B018
    assert likeness(*sign).ok == f"Grant {grant} is ACTIVE."


def test_a_capture_is_compared_with_the_person_on_record(
    likeness: Likeness, words: Words, photo: Photo
) -> None:
    subject = record_of(likeness, "jana")
    assert likeness("enroll", subject, str(photo("jana 1")), "--owner", "jana").code == 0
    compared = ("--live", "--subject", subject, "--capture")
    other = likeness(*words("jana", *compared, str(photo("somebody 1"))))
    assert "matched: nothing" in other.ok
    assert likeness("subject", "show", subject, "--json").json["registration"] == "PROVISIONAL"
    same = likeness(*words("jana", *compared, str(photo("jana 2"))))
    assert "matched: face" in same.ok
    assert likeness("subject", "show", subject, "--json").json["registration"] == "VERIFIED"


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (["--level", "4"], 2, "--level"),
        (["--method", "HEARSAY"], 2, "HEARSAY"),
        (["--subject", ABSENT], 2, "--capture"),
        (["--expires", "2090-01-01"], 3, "five years"),
        (["--expires", "2020-01-01"], 3, "future"),
        (["--subject", "x", "--capture", "README.md"], 3, "No such subject"),
    ],
)
def test_what_is_no_attestation_is_refused(
    likeness: Likeness, words: Words, more: list[str], code: int, why: str
) -> None:
    record_of(likeness, f"kim {more[1]}")
    refused = likeness(*words(f"kim {more[1]}", *more))
    assert (refused.code, why in refused.err) == (code, True), refused.err


def test_who_is_not_there_or_no_person_is_not_attested(
    likeness: Likeness, words: Words, service_token: str
) -> None:
    assert service_token
    assert "no account" in likeness(*words("nobody at all")).err
    assert "No such account of a person" in likeness(*words("studio")).err
    assert "No such attestation" in likeness("attest", "revoke", ABSENT).err


def test_a_provider_has_keys_that_are_listed_and_revoked(
    likeness: Likeness, tmp_path: Path
) -> None:
    public, file = Ed25519PrivateKey.generate().public_key(), tmp_path / "key.jwk"
    file.write_bytes(orjson.dumps(jwk(public)))
    add = ("attest", "provider", "add", "Post Ident", "--jwk", str(file))
    kid = thumbprint(public)
    assert likeness(*add).ok == f"Key {kid} speaks for Post Ident."
    assert "already" in likeness(*add).err
    listed = likeness("attest", "provider", "list", "--json").json["providers"]
    assert {"name": "Post Ident", "kid": kid} in listed
    assert likeness("attest", "provider", "revoke", "--", kid).code == 0
    assert kid not in likeness("attest", "provider", "list").ok
    assert "No such key" in likeness("attest", "provider", "revoke", "--", kid).err


def test_what_is_no_providers_key_is_refused(likeness: Likeness, tmp_path: Path) -> None:
    file = tmp_path / "key.jwk"
    add = ("attest", "provider", "add", "Bad Ident", "--jwk", str(file))
    for text, why in (("no", "not JSON"), ("{}", "Ed25519"), ('{"d": "x"}', "public")):
        file.write_text(text)
        assert why in likeness(*add).err
    record_of(likeness, "lea")
    file.write_bytes(orjson.dumps(jwk(Ed25519PrivateKey.generate().public_key())))
    assert "no attester" in likeness("attest", "provider", "add", "lea", "--jwk", str(file)).err
