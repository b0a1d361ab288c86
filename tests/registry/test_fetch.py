"""Pinned package data: fetched once, checked each time, read without being unpacked or imported."""

import hashlib
import io
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from registry import fetch as fetching
from registry.errors import SetupError
from registry.fetch import Kind, PinnedArchive, fetch, read_members
from registry.photos import FACE_RECOGNITION, SCIKIT_IMAGE, photos

PACKAGES = Path(__file__).resolve().parents[2] / ".likeness" / "packages"
NAMES = {
    *("astronaut", "biden", "camera", "chelsea", "coffee", "hubble", "obama", "obama2", "obama3"),
    *("obama2_rgba", "retina", "rocket"),
}


def pinned(path: Path) -> PinnedArchive:
    return PinnedArchive(
        requirement="likeness-nothing==1.0",
        filename=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        kind=Kind.SDIST,
    )


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder that holds both packages, fetched if this is the first run of all."""
    for archive in (SCIKIT_IMAGE, FACE_RECOGNITION):
        fetch(archive, PACKAGES)
    return PACKAGES


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, packages: Path) -> None:
    """pip as it is with an index that has both packages, and no other."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))


@pytest.fixture
def empty_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip as it is without a network: it looks into an empty folder only."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source archive with two files and a folder."""
    path = tmp_path / "thing-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("thing-1.0/a.txt", b"first"), ("thing-1.0/b.txt", b"second")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        folder = tarfile.TarInfo("thing-1.0/folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    return path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("thing/a.txt", b"first")
        archive.writestr("thing/large.bin", bytes(fetching.MEMBER_BYTES + 1))
    return path


def test_the_photographs_are_there_by_name(packages: Path) -> None:
    found = photos(packages)
    assert set(found) == NAMES
    assert all(data[:3] in {b"\xff\xd8\xff", b"\x89PN"} for data in found.values())


@pytest.mark.usefixtures("empty_index")
def test_what_was_fetched_needs_no_network_again(packages: Path) -> None:
    for archive in (SCIKIT_IMAGE, FACE_RECOGNITION):
        assert fetch(archive, packages) == packages / archive.filename


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("archive", [SCIKIT_IMAGE, FACE_RECOGNITION], ids=["wheel", "source"])
def test_an_archive_is_fetched_and_nothing_else(archive: PinnedArchive, tmp_path: Path) -> None:
    found = fetch(archive, tmp_path / "new" / "folder")
    assert hashlib.sha256(found.read_bytes()).hexdigest() == archive.sha256
    assert list(found.parent.iterdir()) == [found]
    assert not {"skimage", "face_recognition"} & set(sys.modules)


@pytest.mark.usefixtures("empty_index")
def test_an_index_out_of_reach_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refusal:
        fetch(FACE_RECOGNITION, tmp_path)
    message = str(refusal.value)
    assert "face-recognition==1.3.0" in message
    assert f"put {FACE_RECOGNITION.filename} into {tmp_path} yourself" in message
    assert not (tmp_path / FACE_RECOGNITION.filename).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


@pytest.mark.usefixtures("empty_index")
def test_a_file_put_there_by_hand_is_used_if_its_hash_is_right(source: Path) -> None:
    assert fetch(pinned(source), source.parent) == source
    with pytest.raises(SetupError):
        fetch(replace(pinned(source), sha256="0" * 64), source.parent)


@pytest.mark.usefixtures("empty_index")
def test_a_package_of_another_hash_is_refused_by_pip(tmp_path: Path, packages: Path) -> None:
    fresh = (packages / FACE_RECOGNITION.filename).read_bytes()
    offered = tmp_path / "index" / FACE_RECOGNITION.filename
    offered.write_bytes(fresh + b"\0")
    with pytest.raises(SetupError, match=r"(?i)hash"):
        fetch(FACE_RECOGNITION, tmp_path)
    offered.write_bytes(fresh)
    assert fetch(FACE_RECOGNITION, tmp_path).read_bytes() == fresh


@pytest.mark.usefixtures("mirror")
def test_a_damaged_copy_is_fetched_anew(tmp_path: Path) -> None:
    damaged = tmp_path / FACE_RECOGNITION.filename
    damaged.write_bytes(b"cut off")
    found = fetch(FACE_RECOGNITION, tmp_path)
    assert hashlib.sha256(found.read_bytes()).hexdigest() == FACE_RECOGNITION.sha256


def test_pip_missing_is_said_with_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SetupError, match="ensurepip"):
        fetch(FACE_RECOGNITION, tmp_path)


def test_members_are_read_without_being_unpacked(source: Path, wheel: Path) -> None:
    assert read_members(source, ["thing-1.0/b.txt"]) == {"thing-1.0/b.txt": b"second"}
    assert read_members(wheel, ["thing/a.txt"]) == {"thing/a.txt": b"first"}
    assert {path.name for path in source.parent.iterdir()} == {source.name, wheel.name}


def test_a_member_that_is_not_there_is_said(source: Path, wheel: Path) -> None:
    for archive in (source, wheel):
        with pytest.raises(SetupError, match=r"c\.txt is not in"):
            read_members(archive, ["thing-1.0/c.txt"])
    with pytest.raises(SetupError, match="not a file"):
        read_members(source, ["thing-1.0/folder"])


def test_a_member_that_is_too_large_is_refused(wheel: Path) -> None:
    with pytest.raises(SetupError, match="more than 64 MiB"):
        read_members(wheel, ["thing/large.bin"])
