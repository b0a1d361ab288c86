"""Authenticated encryption of what the database stores: a stolen database tells nothing.

AES-256-GCM with a random 96-bit nonce. The context (which row this is) is authenticated, so that a
sealed value opens only where it belongs. Layouts, each begun by a version byte:

    0x01 nonce(12) ciphertext tag(16)            under the key itself: a subject's, few messages
    0x02 salt(16) nonce(12) ciphertext tag(16)   under HMAC-SHA256(key, salt): any number of them
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.errors import UnavailableError

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SALT_BYTES = 16
_DIRECT = b"\x01"
_SALTED = b"\x02"


class SealError(UnavailableError):
    """A sealed value does not open: another key, another row, an unknown version or changed bytes.

    It is an UnavailableError because what depends on the value must not be answered without it.
    """

    def __init__(self) -> None:
        super().__init__("A stored value cannot be opened with the keys of this installation.")


class SubjectKey:
    """The opened key of one subject. Erasing its wrapped form erases everything sealed under it.

    Good for 2**32 messages (NIST SP 800-38D, 8.3), far more than there are facts about a person.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """The plaintext encrypted and bound to its context."""
        nonce = os.urandom(_NONCE_BYTES)
        return _DIRECT + nonce + self._cipher.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """The plaintext again; SealError unless key, context and bytes are those of `seal`."""
        if sealed[:1] != _DIRECT or len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
            raise SealError
        try:
            return self._cipher.decrypt(sealed[1:13], sealed[13:], context)
        except InvalidTag as error:
            raise SealError from error


class DeploymentKey:
    """Seals what belongs to no subject (probes, answers): a key of its own for each message.

    One key with random nonces would wear out after 2**32 messages, weeks of a busy registry.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """The plaintext encrypted and bound to its context."""
        salt = os.urandom(_SALT_BYTES)
        return _SALTED + salt + self._message_key(salt).seal(plaintext, context=context)[1:]

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """The plaintext again; SealError unless key, context and bytes are those of `seal`."""
        if sealed[:1] != _SALTED:
            raise SealError
        key = self._message_key(sealed[1:17])
        return key.open(_DIRECT + sealed[17:], context=context)

    def _message_key(self, salt: bytes) -> SubjectKey:
        return SubjectKey(hmac.digest(self._key, salt, "sha256"))
