"""The rule packs of an installation: read from files at start, then asked which of them speak."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from registry.errors import SetupError
from registry.policy import documents, territories
from registry.policy.decision import PackVersion
from registry.policy.pack import Factor, Pack, Status

FLOOR = "ZZ"
SHIPPED = Path(__file__).with_name("packs")
_READINGS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """Which packs speak for some territories.

    `named`: ids of packs whose own territory was named. `by_territory`: for each territory the
    packs of which one must recognise an exception.
    """

    packs: tuple[Pack, ...]
    named: frozenset[str]
    by_territory: tuple[tuple[Pack, ...], ...]
    drafts: bool


@dataclass(frozen=True, eq=False)
class PackSet:
    """Every pack by id, with `ZZ` as the floor. Immutable; remembers readings it was asked for."""

    packs: Mapping[str, Pack]
    _readings: dict[tuple[frozenset[str], bool, str | None], Reading] = field(default_factory=dict)

    @property
    def floor(self) -> Pack:
        """Pack ZZ: its bars hold everywhere, and its word stands where a pack is silent."""
        return self.packs[FLOOR]

    def for_territories(
        self,
        codes: frozenset[str],
        *,
        include_drafts: bool = False,
        establishment: str | None = None,
    ) -> Reading:
        """The packs that speak when something is published there by a service established there.

        No territory, or one without a pack in force, is read by ZZ; `001` is read by every pack. A
        pack brings those it extends, and a territory the packs of those it lies in.
        """
        key = (codes, include_drafts, establishment)
        found = self._readings.get(key)
        if found is None:
            found = self._read(codes, include_drafts, establishment)
            if len(self._readings) >= _READINGS_KEPT:
                self._readings.clear()
            self._readings[key] = found
        return found

    def by_factor(self, code: str, factor: Factor, *, include_drafts: bool) -> tuple[Pack, ...]:
        """The packs of a territory that this connecting factor pulls in, with those they extend."""
        wanted = [
            one
            for one in {code, *territories.enclosing(code)}
            if (pack := self.packs.get(one)) is not None
            and factor in pack.connecting_factors
            and _speaks(pack, include_drafts)
        ]
        return self._with_extended(wanted, include_drafts)

    def versions(self, packs: Iterable[Pack]) -> tuple[PackVersion, ...]:
        """Ids and versions of these packs and of the floor, by id."""
        spoken = {FLOOR, *(pack.id for pack in packs)}
        return tuple(PackVersion(one, self.packs[one].version) for one in sorted(spoken))

    def _read(self, codes: frozenset[str], drafts: bool, establishment: str | None) -> Reading:
        read: list[tuple[str, ...]]
        if not codes:
            read = [(FLOOR,)]
        elif territories.WORLD in codes:
            read = [(one,) for one, pack in self.packs.items() if _speaks(pack, drafts)]
        else:
            read = [self._of_territory(code, drafts) for code in sorted(codes)]
        by_territory = tuple(self._with_extended(ids, drafts) for ids in read)
        spoken = {pack.id: pack for group in by_territory for pack in group}
        if establishment is not None:
            factor = Factor.SERVICE_ESTABLISHMENT
            for pack in self.by_factor(establishment, factor, include_drafts=drafts):
                spoken[pack.id] = pack
        named = {one for ids in read for one in ids} if territories.WORLD in codes else set(codes)
        return Reading(
            packs=tuple(spoken[one] for one in sorted(spoken)),
            named=frozenset(named),
            by_territory=by_territory,
            drafts=drafts,
        )

    def _of_territory(self, code: str, drafts: bool) -> tuple[str, ...]:
        """Ids that read one territory. A draft is heard beside ZZ, never instead of it."""
        pack = self.packs.get(code)
        if pack is not None and pack.status is not Status.DRAFT:
            return (code,)
        around = sorted(
            one
            for one in {code, *territories.enclosing(code)}
            if one in self.packs and _speaks(self.packs[one], drafts)
        )
        return (*around, FLOOR)

    def _with_extended(self, ids: Iterable[str], drafts: bool) -> tuple[Pack, ...]:
        found: dict[str, Pack] = {}
        waiting = list(ids)
        while waiting:
            one = waiting.pop()
            pack = self.packs[one]
            if one not in found and _speaks(pack, drafts):
                found[one] = pack
                waiting.extend(pack.extends)
        return tuple(found[one] for one in sorted(found))


def load_packs(extra_dir: Path | None = None) -> PackSet:
    """The shipped packs and those in `extra_dir`, which may add but not redefine.

    Raises SetupError in one line naming file and place: unknown keys or words, bad dates, an id
    twice, an id that is no territory, `extends` that is missing or circular, no pack ZZ.
    """
    packs: dict[str, Pack] = {}
    for folder in (SHIPPED, extra_dir):
        for path in _files(folder):
            pack = _load(path)
            if pack.id in packs:
                raise SetupError(f"{path.name}: id: there already is a pack {pack.id}.")
            packs[pack.id] = pack
    return assemble(packs)


def assemble(packs: Mapping[str, Pack]) -> PackSet:
    """A set of packs that fit together. Raises SetupError as `load_packs` does."""
    if FLOOR not in packs:
        raise SetupError(f"There is no pack {FLOOR}; without it nothing can be decided.")
    floor = packs[FLOOR]
    stated = {authority.when for authority in floor.consent.by}
    if floor.minors is None or not floor.dead.holders or len(stated) < 3:  # noqa: PLR2004  # standings
        raise SetupError(f"{FLOOR}: it must state authorities, majority and holders for all packs.")
    if floor.status is Status.DRAFT or floor.extends:
        raise SetupError(f"{FLOOR}: the floor is in force and extends nothing.")
    for pack in packs.values():
        _check_extends(pack.id, packs, ())
    return PackSet(packs=dict(packs))


def _speaks(pack: Pack, drafts: bool) -> bool:
    return drafts or pack.status is not Status.DRAFT


def _files(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
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
    if pack.id != path.stem:
        raise SetupError(f"{path.name}: id: the file of pack {pack.id} is named {pack.id}.yaml.")
    if pack.id != FLOOR and (pack.id == territories.WORLD or not territories.exists(pack.id)):
        raise SetupError(f"{path.name}: id: {pack.id} is no territory.")
    ids = [bar.id for bar in pack.bars]
    if len(ids) != len(set(ids)):
        raise SetupError(f"{path.name}: bars: an id is said twice.")
    return pack


def _check_extends(pack_id: str, packs: Mapping[str, Pack], above: tuple[str, ...]) -> None:
    if pack_id in above:
        raise SetupError(f"{above[0]}: extends: the packs {', '.join(above)} go in a circle.")
    if pack_id not in packs:
        raise SetupError(f"{above[-1]}: extends: there is no pack {pack_id}.")
    for one in packs[pack_id].extends:
        _check_extends(one, packs, (*above, pack_id))
