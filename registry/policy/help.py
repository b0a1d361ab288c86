"""Urgent help in one territory: what its pack says, and the packs around it. Pure.

Near before wide: a state, its country, the union, and last pack ZZ, which is there for everybody.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry.policy import territories as places
from registry.policy.pack import Pack
from registry.policy.pack_words import Status, Whom
from registry.policy.packs import FLOOR, PackSet
from registry.policy.urgent import Deadline, HelpLine, Words


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline, the id of the pack that says it, and the titles of the laws it rests on."""

    deadline: Deadline
    pack: str
    laws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """Where to turn and what holds. `territory` and `name`: of the nearest pack that was read."""

    territory: str
    name: Words
    lines: tuple[HelpLine, ...]
    deadlines: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A territory that has a pack of its own."""

    code: str
    name: Words


def help_for(packs: PackSet, territory: str, *, minor: bool = False) -> Help:
    """All help for somebody in this territory; one that is unknown is answered from pack ZZ.

    A number or address is told once, by the nearest pack that says it, and of emergency numbers
    only the nearest pack's. For minors what is there for minors comes first, else last. Drafts
    are no deadlines.
    """
    read = _read(packs, territory)
    lines = sorted(_lines(read), key=lambda one: _turn(one, minor=minor))
    return Help(
        territory=read[0].id,
        name=_name(read[0]),
        lines=tuple(lines),
        deadlines=tuple(due for pack in read for due in _deadlines(pack)),
    )


def territories(packs: PackSet) -> tuple[Choice, ...]:
    """What can be chosen, by code, and last ZZ: everywhere else."""
    codes = sorted(packs.packs, key=lambda code: (code == FLOOR, code))
    return tuple(Choice(code, _name(packs.packs[code])) for code in codes)


def _read(packs: PackSet, territory: str) -> tuple[Pack, ...]:
    """The territory's pack, those it extends and those around it, from near to wide."""
    around: list[str] = []
    if places.exists(territory):
        code = places.canonical(territory)
        around = [code, *sorted(places.enclosing(code), key=lambda one: one == places.UNION)]
    found: dict[str, Pack] = {}
    for code in around:
        pack = packs.packs.get(code)
        if pack is not None and code != FLOOR:
            found[code] = pack
            around.extend(one for one in pack.extends if one not in around)
    return (*found.values(), packs.floor)


def _lines(read: Iterable[Pack]) -> Iterator[HelpLine]:
    told: set[str] = set()
    emergency = False
    for pack in read:
        new = [
            one
            for one in pack.help
            if not (one.emergency and emergency) and told.isdisjoint(_reached(one))
        ]
        yield from new
        told.update(way for one in new for way in _reached(one))
        emergency = emergency or any(one.emergency for one in new)


def _reached(line: HelpLine) -> set[str]:
    """By what a line is known again: the number without its spaces, the address without its end."""
    ways = set()
    if line.phone is not None:
        ways.add(re.sub(r"[ -]", "", line.phone))
    if line.url is not None:
        ways.add(line.url.rstrip("/").lower())
    return ways


def _turn(line: HelpLine, *, minor: bool) -> tuple[bool, bool]:
    return (line.whom is Whom.MINORS) != minor, not line.emergency


def _deadlines(pack: Pack) -> Iterator[Due]:
    titles = {one.id: one.title for one in pack.instruments}
    for one in pack.deadlines:
        if Status.DRAFT not in {pack.status, one.status}:
            yield Due(one, pack.id, tuple(titles[law] for law in one.law))


def _name(pack: Pack) -> Words:
    return pack.place or Words(en=pack.name)
