"""Folders and files that no other account can replace.

What exists is checked, never repaired: folders we did not make keep their modes and owners.
"""

import os
import stat
from pathlib import Path

from registry.embedded.account import Account
from registry.errors import SetupError

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def make(folder: Path, *, mode: int, owner: Account | None = None) -> Path:
    """Make a folder for its owner (by default this process'); SetupError if it is not safe."""
    uid = os.geteuid() if owner is None else owner.uid
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError(f"{folder} can't be made: {error.strerror}.") from error
    else:
        if owner is not None and owner.is_other:
            os.chown(folder, owner.uid, owner.gid)
        folder.chmod(mode)
    if not belongs(folder, uid):
        raise SetupError(
            f"{folder} is not a folder that only user {uid} can write. Remove it, or correct its "
            "owner and mode."
        )
    return folder


def belongs(folder: Path, uid: int) -> bool:
    """Whether this is a real folder of that user which nobody else may write."""
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == uid
        and not found.st_mode & WRITABLE_BY_OTHERS
    )


def open_private(path: Path, flags: int) -> int:
    """Open a file (0600, made if absent, owned as its folder is) and return its descriptor."""
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetupError(
            f"{path} can't be opened by user {os.geteuid()}: {error.strerror}."
        ) from error
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor
