"""A folder of labelled samples: a folder a person, and beside them perhaps `groups.csv`.

Labels err too: one person under two names makes an impostor of himself. `same` joins such names,
`exclude` leaves out people or files.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from registry.errors import InvalidError
from registry.matching.calibration import MINOR

GROUPS: Final = "groups.csv"
_MINORS = frozenset({"child", "children", "minor", "minors"})
_COLUMNS = 2

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Folder:
    """The people by name, their files with whose each is, and the people of each group."""

    root: Path
    people: tuple[str, ...]
    files: tuple[tuple[int, Path], ...]
    groups: Mapping[str, frozenset[int]]

    @classmethod
    def read(cls, root: Path, same: Path | None = None, exclude: Path | None = None) -> Self:
        """Everything in the folder, in the order of names; nothing is opened but the lists.

        Raises InvalidError for fewer than two people, and for lists that name nobody there.
        """
        folders = {one.name: one for one in _sorted(root) if one.is_dir()}
        if not folders:
            raise InvalidError(
                f"{root}: a folder for each person is expected in it; there is none."
            )
        left_out = _left_out(root, folders, exclude)
        joined = _joined(folders, same)
        people = sorted({joined.get(name, name) for name in folders if name not in left_out})
        number = {name: at for at, name in enumerate(people)}
        files = tuple(
            (number[joined.get(name, name)], file)
            for name, folder in folders.items()
            if name not in left_out
            for file in _sorted(folder)
            if file.is_file() and f"{name}/{file.name}" not in left_out
        )
        having = {at for at, _ in files}
        if len(having) < 2:  # noqa: PLR2004  # nobody else to be mistaken for
            raise InvalidError(f"{root}: samples of at least two people are needed; better 100.")
        numbers = {name: number.get(joined.get(name, name)) for name in folders}
        return cls(root, tuple(people), files, _groups(root, numbers))

    def name_of(self, file: Path) -> str:
        """The file as it is named in reports: from the folder on."""
        return file.relative_to(self.root).as_posix()


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise InvalidError(f"{folder}: {error.strerror}.") from error


def _rows(file: Path) -> list[list[str]]:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidError(f"{file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"{file}: not text in UTF-8.") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    return [row for row in rows if any(row)]


def _pairs(file: Path, columns: str) -> list[tuple[str, str]]:
    pairs = []
    for row in _rows(file):
        if len(row) != _COLUMNS or not all(row):
            raise InvalidError(f"{file}: each line is `{columns}`; this is not: {','.join(row)}.")
        pairs.append((row[0], row[1]))
    return pairs


def _left_out(root: Path, folders: Mapping[str, Path], exclude: Path | None) -> frozenset[str]:
    names = [row[0] for row in _rows(exclude)] if exclude is not None else []
    for name in names:
        if name not in folders and not (name.count("/") == 1 and (root / name).is_file()):
            raise InvalidError(f"{exclude}: there is no {name} in {root}.")
    return frozenset(names)


def _joined(folders: Mapping[str, Path], same: Path | None) -> dict[str, str]:
    """The name that a person's other names stand for."""
    joined: dict[str, str] = {}
    for pair in _pairs(same, "name,other name") if same is not None else []:
        for name in pair:
            if name not in folders:
                raise InvalidError(f"{same}: there is no {name}.")
        kept, other = (joined.get(name, name) for name in pair)
        if kept != other:
            joined = {name: kept if to == other else to for name, to in joined.items()}
            joined[other] = kept
    return joined


def _groups(root: Path, numbers: Mapping[str, int | None]) -> dict[str, frozenset[int]]:
    """The people of each group, without those left out and without a first line of titles."""
    file = root / GROUPS
    if not file.exists():
        return {}
    groups: dict[str, set[int]] = {}
    for at, (name, group) in enumerate(_pairs(file, "person,group")):
        if name in numbers:
            number = numbers[name]
            known = MINOR if group.lower() in _MINORS else group
            if known == "all":
                raise InvalidError(f'{file}: "all" is everybody; name the group otherwise.')
            if number is not None:
                groups.setdefault(known, set()).add(number)
        elif at:
            raise InvalidError(f"{file}: there is no folder of {name}.")
    return {name: frozenset(people) for name, people in sorted(groups.items())}
