"""Checkpoints against the C2SP texts and the published vectors of Go's sumdb/note."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidError
from registry.keys import Signer, thumbprint
from registry.log import checkpoint
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.merkle import EMPTY_ROOT

ORIGIN = "registry.example/log"
ROOT = bytes(range(32))

# golang.org/x/mod/sumdb/note: the example of its documentation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
    "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signer(seed: int) -> Signer:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Signer(thumbprint(private.public_key()), private)


LOG, OTHER = signer(1), signer(2)
LOG_KEY = str(VerifierKey(ORIGIN, LOG.public))
OTHER_KEY = str(VerifierKey("witness.example/w", OTHER.public))
HEAD = Checkpoint(ORIGIN, 20852163, ROOT)
NOTE = checkpoint.sign(HEAD, name=ORIGIN, signer=LOG)


def signed(body: str, name: str = ORIGIN) -> str:
    return checkpoint.sign_note(body, name=name, signer=LOG)


def test_the_published_note_is_signed_alike_and_opens() -> None:
    # The published form of the private key is a type byte and this seed.
    published = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    private = Ed25519PrivateKey.from_private_bytes(published[1:])
    go = Signer("go", private)
    assert checkpoint.sign_note(GO_TEXT, name="PeterNeumann", signer=go) == GO_NOTE
    assert str(VerifierKey("PeterNeumann", go.public)) == GO_KEY
    assert checkpoint.open_note(GO_NOTE, [VerifierKey.parse(GO_KEY)]) == (
        GO_TEXT,
        frozenset({"PeterNeumann"}),
    )


def test_the_body_is_three_lines() -> None:
    assert HEAD.body == (
        "registry.example/log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    )
    assert NOTE.startswith(HEAD.body + "\n\u2014 registry.example/log ")


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_read_again(size: int, root: bytes) -> None:
    head = Checkpoint(ORIGIN, size, root)
    note = checkpoint.sign(head, name=ORIGIN, signer=LOG)
    assert checkpoint.parse_and_verify(note, [LOG_KEY]) == head


def test_the_empty_log_has_a_checkpoint() -> None:
    head = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    note = checkpoint.sign(head, name=ORIGIN, signer=LOG)
    assert checkpoint.parse_and_verify(note, [LOG_KEY]) == head


def test_signatures_of_unknown_keys_are_ignored() -> None:
    stranger = NOTE.split("\n\n")[1].replace(ORIGIN, "stranger.example")
    cosigned = NOTE + stranger + stranger
    assert checkpoint.parse_and_verify(cosigned, [LOG_KEY]) == HEAD
    assert checkpoint.parse_and_verify(NOTE, [OTHER_KEY, LOG_KEY]) == HEAD


def test_sixteen_large_signatures_are_accepted() -> None:
    large = "\u2014 pq.example " + base64.b64encode(bytes(4700)).decode() + "\n"
    assert checkpoint.parse_and_verify(NOTE + large * 15, [LOG_KEY]) == HEAD


def test_a_known_key_with_a_wrong_signature_spoils_the_note() -> None:
    wrong = VerifierKey("witness.example/w", OTHER.public)
    line = f"\u2014 {wrong.name} " + base64.b64encode(wrong.key_id + bytes(64)).decode() + "\n"
    assert checkpoint.parse_and_verify(NOTE + line, [LOG_KEY]) == HEAD
    with pytest.raises(InvalidError, match="is wrong"):
        checkpoint.parse_and_verify(NOTE + line, [LOG_KEY, OTHER_KEY])


def test_a_log_cannot_speak_for_another() -> None:
    note = signed(Checkpoint("other.example/log", 5, ROOT).body)
    with pytest.raises(InvalidError, match="not signed by the log it names"):
        checkpoint.parse_and_verify(note, [LOG_KEY])


def test_the_same_key_under_another_name_is_another_key() -> None:
    renamed = str(VerifierKey("registry.example/log2", LOG.public))
    with pytest.raises(InvalidError, match="No known key"):
        checkpoint.parse_and_verify(NOTE, [renamed])
    with pytest.raises(InvalidError, match="No known key"):
        checkpoint.parse_and_verify(NOTE, [])


def test_any_changed_character_is_refused() -> None:
    for at, character in enumerate(NOTE):
        changed = NOTE[:at] + chr(ord(character) ^ 1) + NOTE[at + 1 :]
        with pytest.raises(InvalidError):
            checkpoint.parse_and_verify(changed, [LOG_KEY])
        with pytest.raises(InvalidError):
            checkpoint.parse_and_verify(NOTE[:at], [LOG_KEY])
        with pytest.raises(InvalidError):
            checkpoint.parse_and_verify(NOTE[:at] + NOTE[at + 1 :], [LOG_KEY])


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n05\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n+5\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n-5\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n5 \n{ROOT_TEXT}\n",
        f"{ORIGIN}\n\u0665\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n0\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n5\n{ROOT_TEXT[:-1]}\n",
        f"{ORIGIN}\n5\n{ROOT_TEXT[:-2]}9=\n",
        f"{ORIGIN}\n5\n {ROOT_TEXT}\n",
        f"{ORIGIN}\n5\n\u0391{ROOT_TEXT[1:]}\n",
        f"{ORIGIN}\n5\nAAAA\n",
        f"{ORIGIN}\n5\n{ROOT_TEXT}\nextension\n",
        f"{ORIGIN}\n5\n",
        f"\n{ORIGIN}\n5\n{ROOT_TEXT}\n",
    ],
    ids=repr,
)
def test_a_signed_body_that_is_no_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(InvalidError):
        checkpoint.parse_and_verify(signed(body), [LOG_KEY])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        HEAD.body,
        HEAD.body + "\n",
        NOTE.removesuffix("\n"),
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE.replace("\n\n", "\n\n\n"),
        NOTE + "\u2014 a+b AAAAAAAA\n",
        NOTE + "\u2014 a AAAA\n",
        NOTE + "\u2014 a AAAAAA==\n",
        NOTE + "\u2014  AAAAAAAA\n",
        NOTE + "\u2014 a\u2003b AAAAAAAA\n",
        NOTE + "\u2014 a AAAAAAAA \n",
        "\x00" + NOTE,
        "\ud800" + NOTE,
        NOTE + "\u2014 a AAAAAAAA\n" * 64,
        "a" * 2**18 + NOTE,
    ],
    ids=range(21),
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(InvalidError):
        checkpoint.parse_and_verify(note, [LOG_KEY])


@pytest.mark.parametrize("text", ["", "no end", "tab\t\n", "carriage\r\n", "nul\0\n", "\ud800\n"])
def test_what_is_no_text_is_not_signed(text: str) -> None:
    with pytest.raises(InvalidError):
        signed(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003", " a", "a\ud800", "a\x7f"])
def test_a_name_has_no_spaces_or_plus(name: str) -> None:
    with pytest.raises(InvalidError):
        VerifierKey(name, LOG.public)
    with pytest.raises(InvalidError):
        Checkpoint(name, 5, ROOT)


@pytest.mark.parametrize(
    ("size", "root"), [(-1, ROOT), (2**63, ROOT), (5, ROOT[1:]), (5, b""), (0, ROOT)]
)
def test_an_impossible_tree_has_no_checkpoint(size: int, root: bytes) -> None:
    with pytest.raises(InvalidError):
        Checkpoint(ORIGIN, size, root)


def test_a_verifier_key_is_read_only_whole() -> None:
    key = VerifierKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    for start in range(len(GO_KEY)):
        for end in range(start, len(GO_KEY) + 1):
            if (start, end) != (0, len(GO_KEY)):
                with pytest.raises(InvalidError):
                    VerifierKey.parse(GO_KEY[start:end])
    for at, character in enumerate(GO_KEY):
        with pytest.raises(InvalidError):
            VerifierKey.parse(GO_KEY[:at] + chr(ord(character) + 1) + GO_KEY[at + 1 :])
    with pytest.raises(InvalidError):
        VerifierKey.parse(GO_KEY.replace("c74f20a3", "C74F20A3"))
    with pytest.raises(InvalidError):
        VerifierKey.parse(GO_KEY.replace("+AR", "+BB"))
