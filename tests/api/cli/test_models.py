"""`likeness models` on the command line."""

import json
from pathlib import Path

import pytest

from registry.encoders import models
from tests.api.cli.conftest import Likeness, as_a_program

PACKAGES = Path(__file__).resolve().parents[3] / ".likeness" / "packages"
MODELS = PACKAGES.parent / "models"


@pytest.fixture(scope="module")
def installed() -> Path:
    models.install(MODELS, PACKAGES)
    return MODELS


def test_install_says_what_is_there_and_from_where(likeness: Likeness, installed: Path) -> None:
    words = ("--models-dir", str(installed), "--packages-dir", str(PACKAGES))
    ended = likeness("models", "install", *words)
    assert ended.code == 0
    assert "face-recognition-models==0.3.0" in ended.out
    assert "unchanged" in ended.out
    assert f"The models are in {installed}" in ended.out
    assert "Checking face-detector" in ended.err
    told = likeness("models", "install", *words, "--json")
    assert told.err == ""
    parts = {one["part"]: one for one in told.json["parts"]}
    assert {"face-detector", "face-descriptor"} <= parts.keys()
    assert not any(one["fresh"] for one in parts.values())
    assert all(one["bytes"] > 100_000 for one in parts.values())


def test_status_says_where_the_models_are(installed: Path) -> None:
    ended = as_a_program("models", "status", "--models-dir", str(installed))
    assert (ended.code, ended.out.count("installed in")) == (0, 2)


def test_status_without_models_is_a_no_that_says_what_to_run(
    likeness: Likeness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_MODELS_DIR", str(tmp_path))
    ended = likeness("models", "status")
    assert ended.code == 1
    assert ended.out.count("Run: likeness models install") == 2
    assert str(tmp_path) in ended.out
    told = likeness("models", "status", "--json")
    assert told.code == 1
    assert json.loads(told.out)["installed"] == {"face": False, "voice": False}


def test_a_refusal_is_one_line_with_its_exit_code(likeness: Likeness, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    words = ("--models-dir", str(tmp_path / "models"), "--packages-dir", str(PACKAGES))
    ended = likeness("models", "install", *words)
    assert ended.code == 4
    assert "cannot be written" in ended.err.splitlines()[-1]
