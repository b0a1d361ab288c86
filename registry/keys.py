"""The keys of an installation: they seal what is stored and sign what is said.

Everything symmetric is derived from one master key (HKDF-SHA256), each use under a name of its own.
Opened keys of subjects are not kept: opening costs about 1.5 microseconds, less than a lookup in a
table of 100,000, and an erased key is then gone.
"""

import base64
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registry import key_files
from registry.errors import InvalidError
from registry.key_files import KeyRole
from registry.sealing import KEY_BYTES, DeploymentKey, SubjectKey


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 private key and the id (RFC 7638 thumbprint) by which its signatures name it."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> Ed25519PublicKey:
        """The key its signatures verify with."""
        return self.private.public_key()


@dataclass(frozen=True, slots=True)
class _Ring:
    """The signing keys as they were read together."""

    stamp: tuple[tuple[int, int], ...]
    signers: dict[KeyRole, Signer]
    public: dict[KeyRole, dict[str, Ed25519PublicKey]]  # by key id, the current one first


class Keys:
    """Everything secret an installation has. Made by `Keys.open`; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        master = key_files.read_master(folder)
        self._wrapping = SubjectKey(_derive(master, b"likeness/subject-keys/1"))
        self._blind = _derive(master, b"likeness/blind-index/1")
        self._requests = _derive(master, b"likeness/request-digest/1")
        self._pairwise = _derive(master, b"likeness/pairwise/1")
        self._probes = _derive(master, b"likeness/probe-digest/1")
        self.deployment_key = DeploymentKey(_derive(master, b"likeness/deployment/1"))
        self.installation_id = _derive(master, b"likeness/installation/1")[:16].hex()
        self._ring = _read_ring(folder)

    @classmethod
    def open(cls, data_dir: Path) -> Self:
        """The keys of this installation, made now if this is its first start.

        Raises SetupError for a key that is missing, damaged or readable by others. The result's
        `installation_id` tells nothing of the keys but changes with them: a database that
        remembers another one was made with other keys.
        """
        return cls(key_files.open_folder(data_dir))

    def wrap_new(self, subject_id: UUID) -> bytes:
        """A new key for this subject, wrapped for the database. Losing it loses what it sealed."""
        return self._wrapping.seal(os.urandom(KEY_BYTES), context=subject_id.bytes)

    def open_key(self, subject_id: UUID, wrapped: bytes) -> SubjectKey:
        """The subject's key; SealError if it was wrapped for another subject or installation."""
        return SubjectKey(self._wrapping.open(wrapped, context=subject_id.bytes))

    def blind_index(self, value: str) -> bytes:
        """32 bytes that are equal for equal names, whatever their case, width and spacing.

        HMAC-SHA256 of the name, NFKC and case-folded, with single spaces between its words.
        """
        try:
            text = _caseless(value).encode()
        except UnicodeEncodeError as error:
            raise InvalidError("A name is made of Unicode characters.") from error
        return hmac.digest(self._blind, text, "sha256")

    def request_digest(self, request: bytes) -> bytes:
        """32 bytes by which a repeated request is recognised, and nothing can be guessed."""
        return hmac.digest(self._requests, request, "sha256")

    def pseudonym(self, of: UUID, *, to: UUID) -> str:
        """A name for somebody that only this reader is ever given: two readers cannot compare.

        128 bits of HMAC-SHA256, hex.
        """
        return hmac.digest(self._pairwise, of.bytes + to.bytes, "sha256")[:16].hex()

    def probe_digest(self, seen: str) -> bytes:
        """32 bytes by which the same probe is known again, and nothing of it can be guessed."""
        return hmac.digest(self._probes, seen.encode(), "sha256")

    @property
    def token_signer(self) -> Signer:
        """Signs decision tokens and receipts."""
        return self._ring.signers[KeyRole.TOKEN]

    @property
    def access_signer(self) -> Signer:
        """Signs access tokens."""
        return self._ring.signers[KeyRole.ACCESS]

    @property
    def log_signer(self) -> Signer:
        """Signs checkpoints of the log."""
        return self._ring.signers[KeyRole.LOG]

    def public_keys(self, role: KeyRole) -> dict[str, Ed25519PublicKey]:
        """The keys that verify what a role signed, by key id, the current one first."""
        return dict(self._ring.public[role])

    def public_key(self, role: KeyRole, kid: str) -> Ed25519PublicKey | None:
        """The key of this id, also if another process began to use it a moment ago."""
        if kid not in self._ring.public[role]:
            self.refresh()
        return self._ring.public[role].get(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, retired ones included, as a JSON Web Key Set (RFC 7517, 8037).

        `role` is ours: what the key may sign.
        """
        self.refresh()
        return {
            "keys": [
                jwk(public) | {"use": "sig", "alg": "EdDSA", "kid": kid, "role": str(role)}
                for role, keys in self._ring.public.items()
                for kid, public in keys.items()
            ]
        }

    def refresh(self) -> None:
        """Take up keys that were rotated by another process. Costs three stat calls."""
        if key_files.stamp(self._folder) != self._ring.stamp:
            self._ring = _read_ring(self._folder)

    def rotate(self, role: KeyRole) -> Signer:
        """Sign with a new key from now on; what the old one signed still verifies."""
        with key_files.rotating(self._folder):
            self.refresh()
            key_files.replace_private(self._folder, role, self._ring.signers[role].kid)
            self.refresh()
        return self._ring.signers[role]


def jwk(public: Ed25519PublicKey) -> dict[str, str]:
    """The members that make a key, and no others (RFC 8037, section 2)."""
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    return {"crv": "Ed25519", "kty": "OKP", "x": x}


def thumbprint(public: Ed25519PublicKey) -> str:
    """The key's id (RFC 7638)."""
    digest = hashlib.sha256(rfc8785.dumps(dict[str, str | int | float | bool | None](jwk(public))))
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _read_ring(folder: Path) -> _Ring:
    stamp = key_files.stamp(folder)  # before the keys: a rotation meanwhile is then noticed
    signers, public = dict[KeyRole, Signer](), dict[KeyRole, dict[str, Ed25519PublicKey]]()
    for role in KeyRole:
        private = key_files.read_private(folder, role)
        signers[role] = Signer(thumbprint(private.public_key()), private)
        known = [private.public_key(), *key_files.read_retired(folder, role)]
        public[role] = {thumbprint(key): key for key in known}
    return _Ring(stamp, signers, public)


def _derive(master: bytes, name: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=name).derive(master)


def _caseless(value: str) -> str:
    for _ in range(2):
        value = unicodedata.normalize("NFKD", value).casefold()  # each can undo the other once
    return " ".join(unicodedata.normalize("NFKC", value).split())
