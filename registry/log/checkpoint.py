"""Signed tree heads: C2SP tlog-checkpoint inside C2SP signed-note, with Ed25519 keys.

A note is believed only for what a known key signed, and a checkpoint only if a key of that name as
its log signed it, so that no log can speak for another.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.errors import InvalidError
from registry.keys import Signer
from registry.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE

_ED25519 = b"\x01"  # signature type of signed-note
_KEY_ID_BYTES = 4
_MAX_NOTE_BYTES = 2**18  # 16 post-quantum signatures fit
_MAX_SIGNATURES = 64
_DASH = "\u2014 "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Which log, how many leaves, and the 32-byte root of its tree; InvalidError if impossible."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        _check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE:
            raise InvalidError("A checkpoint's size is between 0 and 2**63 - 1.")
        if len(self.root) != HASH_BYTES:
            raise InvalidError("A checkpoint's root has 32 bytes.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise InvalidError("The empty tree has another root.")

    @property
    def body(self) -> str:
        """The text that is signed (tlog-checkpoint, Note text), without extension lines."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and the Ed25519 key trusted to sign under it."""

    name: str
    public: Ed25519PublicKey

    def __post_init__(self) -> None:
        _check_name(self.name)

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || public key)[:4] (signed-note, Signatures)."""
        data = self.name.encode() + b"\n" + _ED25519 + self.public.public_bytes_raw()
        return sha256(data).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        key = _base64(_ED25519 + self.public.public_bytes_raw())
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+key id+base64(0x01 || public key)`; InvalidError unless it is written so."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _unbase64(encoded)
        if data[:1] != _ED25519 or len(data) != 33:  # noqa: PLR2004  # type and 32-byte key
            raise InvalidError("A verifier key is an Ed25519 key.")
        key = cls(name, Ed25519PublicKey.from_public_bytes(data[1:]))
        if not _KEY_ID.fullmatch(key_id) or bytes.fromhex(key_id) != key.key_id:
            raise InvalidError("The verifier key does not have its own id.")
        return key


def sign(checkpoint: Checkpoint, *, name: str, signer: Signer) -> str:
    """The checkpoint as a note signed under this key name, which is the origin as a rule."""
    return sign_note(checkpoint.body, name=name, signer=signer)


def parse_and_verify(note: str, verifier_keys: Sequence[str]) -> Checkpoint:
    """The checkpoint of a note that one of these keys, named as its origin, signed.

    Signatures of unknown keys are ignored. Raises InvalidError with the reason, also for extension
    lines: no log of this registry writes any.
    """
    text, names = open_note(note, [VerifierKey.parse(key) for key in verifier_keys])
    lines = text.split("\n")
    if len(lines) != 4:  # noqa: PLR2004  # three lines and what follows the last newline
        raise InvalidError("A checkpoint has three lines.")
    origin, size, root, _ = lines
    if origin not in names:
        raise InvalidError("The checkpoint is not signed by the log it names.")
    if not _SIZE.fullmatch(size):
        raise InvalidError("A checkpoint's size is a plain decimal number.")
    return Checkpoint(origin, int(size), _unbase64(root))


def sign_note(text: str, *, name: str, signer: Signer) -> str:
    """A note of this text with one signature (signed-note, Format); InvalidError if it can't be."""
    _check_text(text)
    key = VerifierKey(name, signer.public)
    signature = signer.private.sign(text.encode())
    return f"{text}\n{_DASH}{name} {_base64(key.key_id + signature)}\n"


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, frozenset[str]]:
    """The text of a note and which of these keys' names signed it, at least one.

    Raises InvalidError for a malformed note, no known signature, or a known one that is wrong.
    """
    if len(note) > _MAX_NOTE_BYTES:
        raise InvalidError("The note is too large.")
    at = note.rfind("\n\n")
    text, lines = note[: at + 1], note[at + 2 :].split("\n")
    if lines.pop() or not 0 < len(lines) <= _MAX_SIGNATURES:
        raise InvalidError("A signed note ends with a blank line and signature lines.")
    data = _check_text(text)
    signatures = [_signature(line) for line in lines]
    names = set()
    for key in keys:
        for name, value in signatures:
            if name == key.name and value[:_KEY_ID_BYTES] == key.key_id:
                _verify(key, value[_KEY_ID_BYTES:], data)
                names.add(name)
    if not names:
        raise InvalidError("No known key signed the note.")
    return text, frozenset(names)


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = _unbase64(encoded)
    if not line.startswith(_DASH) or len(value) <= _KEY_ID_BYTES:
        raise InvalidError("A signature line is a dash, a name and a signature.")
    _check_name(name)
    return name, value


def _verify(key: VerifierKey, signature: bytes, data: bytes) -> None:
    try:
        key.public.verify(signature, data)
    except InvalidSignature as error:
        raise InvalidError(f"The note's signature by {key.name} is wrong.") from error


def _check_text(text: str) -> bytes:
    """The text as UTF-8; InvalidError if it can't stand in a note."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise InvalidError("A note is lines of text without control characters.")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidError("A note is valid UTF-8.") from error


def _check_name(name: str) -> None:
    """Key names are printable, without spaces and plus signs (signed-note, Format)."""
    if not name or "+" in name or not name.isprintable() or name.split() != [name]:
        raise InvalidError("A key name is printable and has no space or plus sign.")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    """Standard base64 in its one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError("This is not base64.") from error
    if _base64(data) != text:
        raise InvalidError("This is not canonical base64.")
    return data
