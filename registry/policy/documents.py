"""YAML that people write, held against a closed model: every fault with its line, in words."""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from registry.errors import RegistryError
from registry.policy import yaml_tree
from registry.policy.yaml_tree import Fault, Node, Place

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

MAX_FAULTS: Final = 20
_SHORT = 160
_ALIKE = 0.7
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such key",
    "tuple_type": "Input should be a list",
    "frozen_set_type": "Input should be a list",
    "dict_type": "Input should be a mapping",
    "model_type": "Input should be a mapping",
}
# A check of the whole model says the place itself: "bars.3: there is no instrument X".
_PLACED = re.compile(r"(\w+(?:\.\w+)*): (.+)", re.DOTALL)


def parse(text: str, *, file: str, model: type[Model], error: type[RegistryError]) -> Model:
    """The document as `model`; raises `error` with a line for each fault: file, line, place, what.

    Types are strict as in JSON: enums and dates are quoted strings, "18" is not a number. At most
    20 faults are told. What `yaml_tree.read` cannot read is the one fault.
    """
    try:
        root, faults = yaml_tree.read(text)
    except yaml_tree.UnreadableError as unreadable:
        raise error(_told(file, [unreadable.fault])) from unreadable
    try:
        found = model.model_validate_json(json.dumps(root.plain()), strict=True)
    except ValidationError as invalid:
        faults.extend(_faults(root, invalid.errors(include_url=False)))
        raise error(_told(file, faults)) from invalid
    if faults:
        raise error(_told(file, faults))
    return found


def _told(file: str, faults: Iterable[Fault]) -> str:
    lines = []
    for one in dict.fromkeys(sorted(faults, key=lambda one: (one.line, _dotted(one.place)))):
        place = _dotted(one.place)
        where = f"{file}: line {one.line}: {place}".removesuffix(": ")
        lines.append(f"{where}: {one.message.removesuffix('.')}.")
    if len(lines) > MAX_FAULTS:
        lines[MAX_FAULTS:] = [f"{file}: ... and {len(lines) - MAX_FAULTS} more."]
    return "\n".join(lines)


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _faults(root: Node, errors: Iterable["ErrorDetails"]) -> list[Fault]:
    """What pydantic found, once each: of the readings of a union, the one that got furthest."""
    placed: dict[Place, tuple[Fault, ErrorDetails]] = {}
    for one in errors:
        fault = _fault(root, one)
        placed.setdefault(fault.place, (fault, one))
    deepest = {
        place: pair
        for place, pair in placed.items()
        if not any(other[: len(place)] == place for other in placed if len(other) > len(place))
    }
    return _misspelt([fault for fault, _ in deepest.values()])


def _fault(root: Node, one: "ErrorDetails") -> Fault:
    loc, message = one["loc"], one["msg"].removeprefix("Value error, ")
    said = None if loc else _PLACED.fullmatch(message)
    if said is not None and len(_find(root, said[1].split("."))[0]) == said[1].count(".") + 1:
        loc, message = tuple(said[1].split(".")), said[2]
    place, line, node = _find(root, loc)
    if one["type"] == "missing":
        place = (*place, loc[-1])
    elif one["type"] == "extra_forbidden":
        place, line = _find(root, loc, keys=True)[:2]
    message = _WORDS.get(one["type"], message)
    if node.text and one["type"] in {"string_type", "enum", "literal_error"}:
        message = _meant(node, one, message)
    return Fault(line, place, message)


def _find(root: Node, loc: Sequence[str | int], *, keys: bool = False) -> tuple[Place, int, Node]:
    """How much of a place there is, its line (with `keys`, that of its key), and what is there.

    Names of the readings of a union, which pydantic puts among the keys, are passed over.
    """
    node, line = root, root.line
    place: Place = ()
    for part in loc:
        if isinstance(node.value, dict) and part in node.value:
            entry = node.value[str(part)]
            node, line = entry.node, entry.line if keys else entry.node.line
        elif isinstance(node.value, list) and str(part).isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.line
        else:
            continue
        place = (*place, part)
    return place, line, node


def _meant(node: Node, one: "ErrorDetails", message: str) -> str:
    """What somebody may have meant who wrote a word that is none, or one that is no text."""
    if not isinstance(node.value, str):
        return f'{message}: write "{node.text[:40]}"'
    known = re.findall(r"'([^']*)'", str(one.get("ctx", {}).get("expected", "")))
    near = difflib.get_close_matches(node.value, known, n=1, cutoff=_ALIKE)
    if near:
        return f"there is no {node.value[:40]}, but there is {near[0]}"
    return message if len(message) <= _SHORT else f"there is no {node.value[:40]}"


def _misspelt(faults: list[Fault]) -> list[Fault]:
    """A missing key and an unknown one beside it that is much like it are one fault."""
    found = list(faults)
    for missing in [one for one in faults if one.message == _WORDS["missing"]]:
        for unknown in [one for one in found if one.message == _WORDS["extra_forbidden"]]:
            names = str(missing.place[-1]), str(unknown.place[-1])
            alike = difflib.SequenceMatcher(None, *names).ratio() >= _ALIKE
            if alike and missing.place[:-1] == unknown.place[:-1]:
                found.remove(missing)
                found.remove(unknown)
                message = f"there is no such key, and {names[0]} is missing"
                found.append(Fault(unknown.line, unknown.place, message))
                break
    return found
