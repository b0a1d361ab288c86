"""The rule packs of an installation: which of them speak where, and what of each is law today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.errors import SetupError
from registry.policy import territories
from registry.policy.decision import PackVersion
from registry.policy.pack import Pack, statements
from registry.policy.pack_words import Factor, Standing, Status
from registry.policy.statement import Statement

FLOOR = "ZZ"
_READINGS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """Which packs speak for some territories, without what is only draft unless that was asked for.

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
    _law: dict[str, Pack] = field(default_factory=dict)  # each pack without its draft statements
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
            pack = self.packs.get(one)
            if pack is not None and one not in found and _speaks(pack, drafts):
                found[one] = pack if drafts else self._in_force(pack)
                waiting.extend(pack.extends)
        return tuple(found[one] for one in sorted(found))

    def _in_force(self, pack: Pack) -> Pack:
        if pack.id not in self._law:
            self._law[pack.id] = in_force(pack)
        return self._law[pack.id]


def assemble(packs: Mapping[str, Pack]) -> PackSet:
    """A set of packs that fit together.

    Raises SetupError in one line for no pack ZZ or one that leaves something open, and for
    `extends` that is missing or goes in a circle.
    """
    if FLOOR not in packs:
        raise SetupError(f"There is no pack {FLOOR}; without it nothing can be decided.")
    floor = packs[FLOOR]
    if floor.status is Status.DRAFT or floor.extends:
        raise SetupError(f"{FLOOR}: the floor is in force and extends nothing.")
    if any(_waits(one) for _, one in statements(floor)):
        raise SetupError(f"{FLOOR}: everything the floor says holds already.")
    stated = {authority.when for authority in floor.consent.by}
    if floor.minors is None or not floor.dead.holders or stated != set(Standing):
        raise SetupError(f"{FLOOR}: it must state authorities, majority and holders for all packs.")
    for pack in packs.values():
        _check_extends(pack.id, packs, ())
    return PackSet(packs=dict(packs))


def in_force(pack: Pack) -> Pack:
    """The pack without its draft statements."""
    return pack.model_copy(
        update={
            "consent": _kept(pack.consent, "by", "forms"),
            "minors": None if pack.minors is None or _is_draft(pack.minors) else pack.minors,
            "dead": _kept(pack.dead, "terms", "holders"),
            **{name: _law_of(getattr(pack, name)) for name in ("exceptions", "bars", "emits")},
        }
    )


def _kept(part: Any, *names: str) -> Any:
    return part.model_copy(update={name: _law_of(getattr(part, name)) for name in names})


def _law_of(said: tuple[Statement, ...]) -> tuple[Statement, ...]:
    return tuple(one for one in said if not _is_draft(one))


def _is_draft(statement: Statement) -> bool:
    return statement.status is Status.DRAFT


def _waits(statement: Statement) -> bool:
    return _is_draft(statement) or statement.effective is not None


def _speaks(pack: Pack, drafts: bool) -> bool:
    return drafts or pack.status is not Status.DRAFT


def _check_extends(pack_id: str, packs: Mapping[str, Pack], above: tuple[str, ...]) -> None:
    if pack_id in above:
        raise SetupError(f"{above[0]}: extends: the packs {', '.join(above)} go in a circle.")
    if pack_id not in packs:
        raise SetupError(f"{above[-1]}: extends: there is no pack {pack_id}.")
    for one in packs[pack_id].extends:
        _check_extends(one, packs, (*above, pack_id))
