"""What a process gives up before it looks at a stranger's bytes.

Order matters: everything is imported and warmed up first, because afterwards no file can be opened.
"""

import ctypes
import os
import resource
import sys

_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
# Unused by convention, so it owns no file and no process; `nobody` (65534) may run the database.
_NO_ACCOUNT = 65533


def lock_down(memory_bytes: int) -> None:
    """Give up files, children, core dumps, memory above the limit and, as root, the account.

    Raises OSError where one of them is refused, so that nothing is decoded half protected.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 3)  # stdin, stdout and stderr are open already
    if os.geteuid() == 0:
        _become_nobody()
    if sys.platform == "linux":
        _limit(resource.RLIMIT_AS, memory_bytes)
        _no_new_privileges()


def _limit(which: int, most: int) -> None:
    resource.setrlimit(which, (most, most))


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(_NO_ACCOUNT, _NO_ACCOUNT, _NO_ACCOUNT)
    os.setresuid(_NO_ACCOUNT, _NO_ACCOUNT, _NO_ACCOUNT)


def _no_new_privileges() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
