"""Rule packs as files: those that are shipped, an operator's own, and the versions before these.

A pack's current version is `CN.yaml`; one it replaced stays as `old/CN@2026.11.1.yaml` beside it,
so that decisions made under it can be decided again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from registry.errors import NotFoundError, SetupError
from registry.policy import documents, territories
from registry.policy.decision import PackVersion
from registry.policy.pack import Pack
from registry.policy.packs import FLOOR, PackSet, assemble

SHIPPED = Path(__file__).with_name("packs")
OLD = "old"


@dataclass(frozen=True)
class Shelf:
    """Where packs are read from: the shipped folder and an operator's."""

    folders: tuple[Path, ...]
    _read: dict[PackVersion, Pack] = field(default_factory=dict)

    @classmethod
    def of(cls, extra_dir: Path | None) -> "Shelf":
        """The shipped packs and those of `extra_dir`, which may add but not redefine."""
        return cls((SHIPPED,) if extra_dir is None else (SHIPPED, extra_dir))

    def current(self) -> PackSet:
        """Every pack in its newest version.

        Raises SetupError naming file, line and fault: unknown keys or words, bad dates, an id
        twice, an id that is no territory, `extends` that is missing or circular, no pack ZZ.
        """
        packs: dict[str, Pack] = {}
        for folder in self.folders:
            for pack in read_folder(folder).values():
                if pack.id in packs:
                    raise SetupError(f"{pack.id}.yaml: id: there already is a pack {pack.id}.")
                packs[pack.id] = pack
                self._read[PackVersion(pack.id, pack.version)] = pack
        return assemble(packs)

    def at(self, versions: Iterable[PackVersion]) -> PackSet:
        """Exactly these packs in these versions, to decide again what they decided.

        NotFoundError for a version that is on no shelf.
        """
        return PackSet({one.id: self._version(one) for one in versions})

    def _version(self, wanted: PackVersion) -> Pack:
        if wanted not in self._read:
            self._read[wanted] = self._find(wanted)
        return self._read[wanted]

    def _find(self, wanted: PackVersion) -> Pack:
        for folder in self.folders:
            current, old = folder / f"{wanted.id}.yaml", folder / OLD / _old_name(wanted)
            for path in (old, current):
                if path.is_file() and (pack := _load(path)).version == wanted.version:
                    return pack
        raise NotFoundError(f"There is no version {wanted.version} of pack {wanted.id}.")


def read_folder(folder: Path) -> dict[str, Pack]:
    """The packs of one folder by id, not yet held against each other."""
    return {pack.id: pack for pack in map(_load, _files(folder))}


def load_packs(extra_dir: Path | None = None) -> PackSet:
    """The newest version of every pack; raises as `Shelf.current` does."""
    return Shelf.of(extra_dir).current()


def _old_name(version: PackVersion) -> str:
    return f"{version.id}@{version.version}.yaml"


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SetupError(f"The folder of rule packs {folder.name} does not exist.")
    for path in folder.glob("*.yml"):
        raise SetupError(f"{path.name}: a pack's file name ends in .yaml.")
    return sorted(folder.glob("*.yaml"))


def _load(path: Path) -> Pack:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path.name}: it cannot be read as UTF-8 text.") from error
    pack = documents.parse(text, file=path.name, model=Pack, error=SetupError)
    names = {f"{pack.id}.yaml", _old_name(PackVersion(pack.id, pack.version))}
    if path.name not in names:
        raise SetupError(f"{path.name}: id: the file of pack {pack.id} is named {pack.id}.yaml.")
    if pack.id != FLOOR and (pack.id == territories.WORLD or not territories.exists(pack.id)):
        raise SetupError(f"{path.name}: id: {pack.id} is no territory.")
    return pack
