from pathlib import Path

import pytest

from registry.calibrating.folder import Folder
from registry.errors import InvalidError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four people; `anna` and `bert` have two files, the others one."""
    for name in (
        "anna/1.jpg",
        "anna/2.jpg",
        "bert/1.jpg",
        "bert/2.jpg",
        "carl/1.jpg",
        "dora/1.jpg",
    ):
        file = tmp_path / "people" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (tmp_path / "people" / "manifest.csv").write_text("not a person")
    (tmp_path / "people" / "anna" / ".hidden").write_text("not a sample")
    return tmp_path / "people"


def written(root: Path, name: str, text: str) -> Path:
    file = root.parent / name
    file.write_text(text)
    return file


def test_a_folder_is_a_person(root: Path) -> None:
    folder = Folder.read(root)
    assert folder.people == ("anna", "bert", "carl", "dora")
    assert [(at, folder.name_of(file)) for at, file in folder.files] == [
        (0, "anna/1.jpg"),
        (0, "anna/2.jpg"),
        (1, "bert/1.jpg"),
        (1, "bert/2.jpg"),
        (2, "carl/1.jpg"),
        (3, "dora/1.jpg"),
    ]
    assert folder.groups == {}


def test_two_names_of_one_person_are_one_person(root: Path) -> None:
    same = written(root, "same.csv", "anna,dora\ncarl,dora\n\nanna,carl\n")
    folder = Folder.read(root, same=same)
    assert len(folder.people) == 2
    anna = {at for at, file in folder.files if file.parent.name in {"anna", "carl", "dora"}}
    assert len(anna) == 1


def test_people_and_files_are_left_out(root: Path) -> None:
    exclude = written(root, "exclude.txt", "carl\nanna/2.jpg\n")
    (root / "groups.csv").write_text("identity,group\nanna,x\ncarl,x\ndora,Children\n")
    folder = Folder.read(root, exclude=exclude)
    assert folder.people == ("anna", "bert", "dora")
    assert [folder.name_of(file) for _, file in folder.files][0:2] == ["anna/1.jpg", "bert/1.jpg"]
    assert folder.groups == {"minor": {2}, "x": {0}}


@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ("anna,x\nnobody,x\n", "no folder of nobody"),
        ("anna\n", "person,group"),
        ("anna,x,y\n", "person,group"),
        ("anna,\n", "person,group"),
        ("anna,all\n", '"all" is everybody'),
    ],
)
def test_groups_that_cannot_be_meant_are_refused(root: Path, groups: str, fault: str) -> None:
    (root / "groups.csv").write_text(groups)
    with pytest.raises(InvalidError, match=fault):
        Folder.read(root)


def test_lists_that_name_nobody_are_refused(root: Path) -> None:
    for name in ("nobody", "anna/3.jpg", "anna/../bert/1.jpg"):
        with pytest.raises(InvalidError, match="there is no"):
            Folder.read(root, exclude=written(root, "exclude.txt", name))
    with pytest.raises(InvalidError, match="there is no nobody"):
        Folder.read(root, same=written(root, "same.csv", "anna,nobody"))
    with pytest.raises(InvalidError, match="No such file"):
        Folder.read(root, same=root / "absent.csv")
    latin = root / "latin.csv"
    latin.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InvalidError, match="UTF-8"):
        Folder.read(root, same=latin)


def test_one_person_is_too_few(root: Path) -> None:
    exclude = written(root, "exclude.txt", "anna\nbert\ncarl")
    with pytest.raises(InvalidError, match="at least two people"):
        Folder.read(root, exclude=exclude)
    with pytest.raises(InvalidError, match="a folder for each person"):
        Folder.read(root / "anna")
    with pytest.raises(InvalidError, match="No such file"):
        Folder.read(root / "absent")
