"""What is sealed opens where it belongs, and nowhere else."""

import os

import pytest

from registry.errors import UnavailableError
from registry.sealing import DeploymentKey, SealError, SubjectKey

CONTEXT = b"asset-hash:0123456789abcdef"
KINDS = [SubjectKey, DeploymentKey]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plaintext", [b"", b"x", os.urandom(5000)], ids=["empty", "one", "many"])
def test_what_was_sealed_opens_again(
    kind: type[SubjectKey | DeploymentKey], plaintext: bytes
) -> None:
    key = os.urandom(32)
    sealed = kind(key).seal(plaintext, context=CONTEXT)
    assert kind(key).open(sealed, context=CONTEXT) == plaintext
    assert len(plaintext) < 2 or plaintext not in sealed


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_value_is_never_sealed_alike(kind: type[SubjectKey | DeploymentKey]) -> None:
    key = kind(os.urandom(32))
    assert len({key.seal(b"hash", context=CONTEXT) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_another_key_or_context_opens_nothing(kind: type[SubjectKey | DeploymentKey]) -> None:
    key = kind(os.urandom(32))
    sealed = key.seal(b"hash", context=CONTEXT)
    with pytest.raises(SealError):
        kind(os.urandom(32)).open(sealed, context=CONTEXT)
    for other in (b"", CONTEXT[:-1], CONTEXT + b"0", CONTEXT.upper()):
        with pytest.raises(SealError):
            key.open(sealed, context=other)


@pytest.mark.parametrize("kind", KINDS)
def test_changed_or_cut_bytes_do_not_open(kind: type[SubjectKey | DeploymentKey]) -> None:
    key = kind(os.urandom(32))
    sealed = key.seal(b"hash", context=CONTEXT)
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            with pytest.raises(SealError):
                key.open(bytes(changed), context=CONTEXT)
        with pytest.raises(SealError):
            key.open(sealed[:at], context=CONTEXT)
    with pytest.raises(SealError):
        key.open(sealed + b"\0", context=CONTEXT)


def test_the_two_kinds_do_not_open_each_other() -> None:
    key = os.urandom(32)
    with pytest.raises(SealError):
        SubjectKey(key).open(DeploymentKey(key).seal(b"x", context=b""), context=b"")
    with pytest.raises(SealError):
        DeploymentKey(key).open(SubjectKey(key).seal(b"x", context=b""), context=b"")


def test_a_value_that_does_not_open_makes_the_answer_unavailable() -> None:
    with pytest.raises(UnavailableError, match="cannot be opened"):
        SubjectKey(os.urandom(32)).open(b"", context=b"")
