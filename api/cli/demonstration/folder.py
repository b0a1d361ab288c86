"""The demonstration's data folder: emptied at each run, and never one that somebody else filled."""

import os
import shutil
from pathlib import Path

from registry.embedded.lock import Lock
from registry.embedded.places import SYSTEM_DIR
from registry.errors import SetupError

DATA_DIR = Path(".likeness/demo")
MARKER = "made-by-likeness-demo"
_TEXT = (
    "`likeness demo` made this folder and empties it at every run. Keep nothing of yours here.\n"
)


def prepare(folder: Path) -> None:
    """Make the folder, or empty it if a demonstration made it; SetupError for any other."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise SetupError(f"{folder} is not a folder. Name another with --data-dir.")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise SetupError(
                f"{folder} holds files that no demonstration made, so it is not emptied. "
                "Name another folder with --data-dir."
            )
        _empty(folder)
    # PostgreSQL's own account passes through a folder that root makes; nobody else lists it.
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    (folder / MARKER).write_text(_TEXT)


def _empty(folder: Path) -> None:
    cluster = folder / "postgres"
    home = cluster.readlink().parent if cluster.is_symlink() else folder
    if home.is_dir():
        _refuse_if_served(home)
    if home.parent == SYSTEM_DIR and home.is_dir():  # where root's database had to be kept
        shutil.rmtree(home)
    for entry in folder.iterdir():
        if entry.name == MARKER:
            continue  # the last to go is never the mark that it may go
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _refuse_if_served(home: Path) -> None:
    """SetupError while a server runs on this folder: its database must not vanish under it."""
    path = home / "postgres.lock"
    if not path.exists():
        return
    lock = Lock(path)
    holder = lock.acquire()
    if holder is not None:
        raise SetupError(
            f"Process {holder} serves this folder. Stop it first (kill {holder}), or name another "
            "folder with --data-dir."
        )
    lock.release()
