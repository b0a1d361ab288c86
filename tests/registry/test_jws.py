"""The one form of signed token, at its edges; forgeries are in the tests of what is signed."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import jws
from registry.errors import InvalidError, TooLargeError
from registry.keys import Signer

SIGNER = Signer("key", Ed25519PrivateKey.from_private_bytes(bytes(32)))
KEYS = {"key": SIGNER.public}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def padded(blanks: int) -> bytes:
    return b"{" + b" " * blanks + b"}"


def test_a_token_of_exactly_8_kib_is_made_and_read() -> None:
    sizes = {}
    for blanks in range(5900, 6200):
        try:
            token = jws.sign(padded(blanks), typ="t", signer=SIGNER)
        except TooLargeError:
            continue
        sizes[len(token)] = token
        assert jws.verify(token, typ="t", key_of=KEYS.get) == jws.Verified({}, "key")
    assert max(sizes) == jws.MAX_BYTES == 8192


def test_a_larger_token_is_not_read_whoever_signed_it() -> None:
    header = jws.sign(b"{}", typ="t", signer=SIGNER).partition(".")[0]
    for blanks, reason in ((3, None), (6200, "too large")):
        signed = f"{header}.{b64(padded(blanks))}"
        token = f"{signed}.{b64(SIGNER.private.sign(signed.encode()))}"
        if reason is None:
            jws.verify(token, typ="t", key_of=KEYS.get)
        else:
            with pytest.raises(InvalidError, match=reason):
                jws.verify(token, typ="t", key_of=KEYS.get)


def test_base64url_has_one_spelling() -> None:
    assert jws.decode("AA") == b"\0"
    assert jws.decode("-_8") == b"\xfb\xff"
    for other in ("AB", "AA=", "AA==", "A", "A A", "A+", "A/", "+/8", "AA\n", "\u00e9", "\ud800"):
        with pytest.raises(InvalidError, match="base64url"):
            jws.decode(other)
