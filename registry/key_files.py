"""The folder of keys, outside the database: made once, whole or not at all; never open to others.

keys/                    0700
  master.key             32 random bytes; everything symmetric is derived from it
  token.pem  access.pem  log.pem         Ed25519 private keys (PKCS 8), 0600 each
  retired/<role>-<kid>.pem               public keys that still verify what they once signed
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.errors import SetupError

MASTER_BYTES = 32
_LARGEST_FILE = 4096
_FOLDER = "keys"
_MASTER = "master.key"
_RETIRED = "retired"


class KeyRole(StrEnum):
    """What a signing key signs: decisions and receipts, access tokens, checkpoints of the log."""

    TOKEN = "token"  # noqa: S105  # the name of a role
    ACCESS = "access"
    LOG = "log"


def open_folder(data_dir: Path) -> Path:
    """The folder of keys, made now if this is the first start. Of processes that race, one wins.

    Raises SetupError if it cannot be made, or if others than its owner may enter it.
    """
    folder = data_dir / _FOLDER
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not folder.exists() or not any(folder.iterdir()):
            _make(folder)
        mode = folder.stat().st_mode
    except OSError as error:
        raise SetupError(f"The folder {folder} cannot be made or read: {error}.") from error
    _refuse_others(folder, mode)
    return folder


def read_master(folder: Path) -> bytes:
    """The 32 bytes of the master key; SetupError if it is missing, open to others or damaged."""
    master = _read(folder / _MASTER)
    if len(master) != MASTER_BYTES:
        raise SetupError(f"{folder / _MASTER} has {len(master)} bytes instead of {MASTER_BYTES}.")
    return master


def read_private(folder: Path, role: KeyRole) -> Ed25519PrivateKey:
    """The current key of a role; SetupError if it is missing, open to others or damaged."""
    path = _private_path(folder, role)
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SetupError(f"{path} is not a private key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path} is not an Ed25519 key.")
    return key


def read_retired(folder: Path, role: KeyRole) -> list[Ed25519PublicKey]:
    """The keys a role used before, in the order of their names; SetupError if one is damaged."""
    keys = []
    for path in sorted((folder / _RETIRED).glob(f"{role}-*.pem")):
        try:
            key = serialization.load_pem_public_key(_read(path))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SetupError(f"{path} is not a public key.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise SetupError(f"{path} is not an Ed25519 key.")
        keys.append(key)
    return keys


def stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Changes whenever a key is rotated; cheap enough to ask often."""
    try:
        found = [_private_path(folder, role).stat() for role in KeyRole]
    except OSError as error:
        raise SetupError(f"A key is missing in {folder}.") from error
    return tuple((one.st_ino, one.st_mtime_ns) for one in found)


@contextmanager
def rotating(folder: Path) -> Iterator[None]:
    """One rotation at a time, over all processes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_private(folder: Path, role: KeyRole, kid: str) -> None:
    """Retire the role's key under its id and put a new one in its place, in that order.

    Stopped anywhere between, the old key is still the current one.
    """
    retired = folder / _RETIRED / f"{role}-{kid}.pem"
    retired.parent.mkdir(mode=0o700, exist_ok=True)
    public = read_private(folder, role).public_key()
    _replace(
        retired,
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    _replace(_private_path(folder, role), _new_private())


def _make(folder: Path) -> None:
    """Fill a new folder beside the final one and rename it: a folder of keys is never half made."""
    made = Path(tempfile.mkdtemp(prefix=f".{_FOLDER}-", dir=folder.parent))  # mode 0700
    try:
        (made / _RETIRED).mkdir(mode=0o700)
        _write(made / _MASTER, os.urandom(MASTER_BYTES))
        for role in KeyRole:
            _write(_private_path(made, role), _new_private())
        _sync(made)
        made.rename(folder)
    except OSError as error:
        shutil.rmtree(made)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was first
            raise
    _sync(folder.parent)


def _new_private() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _private_path(folder: Path, role: KeyRole) -> Path:
    return folder / f"{role}.pem"


def _read(path: Path) -> bytes:
    """The file's bytes; its mode is that of the file that is read, not of one swapped in after."""
    try:
        with path.open("rb") as file:
            _refuse_others(path, os.fstat(file.fileno()).st_mode)
            return file.read(_LARGEST_FILE)
    except OSError as error:
        raise SetupError(f"The key {path} cannot be read: {error.strerror}.") from error


def _refuse_others(path: Path, mode: int) -> None:
    if mode & 0o077:
        raise SetupError(f"{path} is open to others than its owner. Run: chmod go= {path}")


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, data: bytes) -> None:
    written = path.with_suffix(".new")
    written.unlink(missing_ok=True)
    _write(written, data)
    written.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
