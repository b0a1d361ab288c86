"""YAML as a tree of values that know their line, without what surprises.

Read is what JSON has, too: text, numbers, true, false, null, lists and mappings. No anchors or
aliases (a small file can stand for an endless one), no tags, no key twice, no unquoted dates.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 50

# libyaml where PyYAML was built with it: ten times faster.
_PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_UNREADABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = "tag:yaml.org,2002:"
_RESOLVER: Any = Resolver()  # its methods carry no types

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where."""

    line: int
    place: Place
    message: str


class UnreadableError(Exception):
    """The text has no tree. `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line it begins on. `text`: how a plain value was written."""

    line: int
    value: "str | int | float | bool | list[Node] | dict[str, Entry] | None"
    text: str = ""

    def plain(self) -> Any:
        """The value as `json` has it."""
        if isinstance(self.value, list):
            return [one.plain() for one in self.value]
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        return self.value


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a mapping and the line of its key."""

    line: int
    node: Node


def read(text: str) -> tuple[Node, list[Fault]]:
    """The tree, and faults that do not keep it from being read.

    Raises UnreadableError for what is no YAML, larger than 2 MiB, nested deeper than 50, more than
    one document, and for anchors and aliases.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UnreadableError(Fault(1, (), "the document is larger than 2 MiB"))
    odd = _UNREADABLE.search(text)
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        raise UnreadableError(Fault(line, (), f"the character U+{ord(odd[0]):04X} is not YAML"))
    try:
        reading = _Reading(yaml.parse(text, _PARSER))
        return reading.document(), reading.faults
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        raise UnreadableError(Fault(line, (), str(error.problem))) from error


class _Reading:
    """One pass over the events of a document."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self.faults: list[Fault] = []

    def document(self) -> Node:
        next(self._events)  # the stream starts
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(1, None)
        node = self._node(next(self._events), ())
        next(self._events)  # the document ends
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _unreadable(event, (), "there is more than one document")
        return node

    def _node(self, event: Any, place: Place) -> Node:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _unreadable(event, place, "anchors and aliases (& and *) are not read")
        if event.tag is not None:
            tag = event.tag.replace(_TAG, "!!")
            self._fault(event, place, f"tags such as {tag[:40]} are not read")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if len(place) >= MAX_DEPTH:
            raise _unreadable(event, (), f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, place)
        return self._mapping(event, place)

    def _sequence(self, start: Any, place: Place) -> Node:
        found: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*place, len(found))))
        return Node(_line(start), found)

    def _mapping(self, start: Any, place: Place) -> Node:
        found: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _unreadable(event, place, "a key is a word")
            key = self._key(event, place)
            node = self._node(next(self._events), (*place, key))
            if key in found:
                self._fault(event, place, f"{key[:40]} is said twice")
            found.setdefault(key, Entry(_line(event), node))
        return Node(_line(start), found)

    def _key(self, event: Any, place: Place) -> str:
        node = self._node(event, place)
        if not isinstance(node.value, str):
            self._fault(event, place, f"quote the key {event.value[:40]}")
        return str(event.value)

    def _scalar(self, event: Any, place: Place) -> Node:
        """Text as it stands; what is not quoted may be a number, a truth or nothing."""
        line, text = _line(event), event.value
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, event.implicit)
        kind = tag.removeprefix(_TAG) if event.implicit[0] else "str"
        if kind == "timestamp":
            self._fault(event, place, "quote dates")
        if kind not in {"bool", "int", "float", "null"}:
            return Node(line, text, text)
        try:
            value = SafeConstructor().construct_object(yaml.ScalarNode(tag, text))
        except ValueError:
            value = math.nan
        if isinstance(value, float) and not math.isfinite(value):
            self._fault(event, place, f"{text[:40]} is no number")
            value = 0
        return Node(line, value, text)

    def _fault(self, event: Any, place: Place, message: str) -> None:
        self.faults.append(Fault(_line(event), place, message))


def _unreadable(event: Any, place: Place, message: str) -> UnreadableError:
    return UnreadableError(Fault(_line(event), place, message))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
