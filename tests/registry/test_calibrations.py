import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from registry.calibrations import load, load_shipped
from registry.encoders import identity
from registry.errors import SetupError
from registry.matching.calibration import CONDITIONS
from registry.policy.vocabulary import Band, Modality

SHIPPED = Path(str(resources.files("registry.matching"))) / "calibrations"


@pytest.mark.parametrize(
    ("encoder", "modality"), [(identity.FACE, Modality.FACE), (identity.VOICE, Modality.VOICE)]
)
def test_every_shipped_calibration_is_whole(encoder: str, modality: Modality) -> None:
    calibration = load_shipped(encoder)
    assert (calibration.encoder, calibration.modality) == (encoder, modality)
    for condition in CONDITIONS[modality]:
        asked = {"condition": condition, "samples": 1, "gallery": 300, "minor": False}
        assert calibration.band(1.0, **asked, claimed=False).rank >= Band.MATCH.rank
        assert calibration.band(0.0, **asked, claimed=True) is Band.NONE
        assert 0 < calibration.floor(condition, 300) < 1
        assert 0 < calibration.margin(condition) < 1


def test_an_encoder_without_a_calibration_is_told_how_to_make_one() -> None:
    with pytest.raises(SetupError, match="likeness calibrate"):
        load_shipped("mine/1")


def test_a_calibration_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    mine = shutil.copy(SHIPPED / "dlib-resnet-1.json", tmp_path / "mine.json")
    assert load(mine) == load_shipped(identity.FACE)


def test_a_file_that_is_no_calibration_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    with pytest.raises(SetupError, match=r"mine\.json: No such file"):
        load(file)
    for content in ("{", json.dumps({"schema": 1}), "\ud800".encode("utf-16", "surrogatepass")):
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(SetupError, match=r"mine\.json"):
            load(file)
    file.write_bytes(b" " * (2**22 + 1))
    with pytest.raises(SetupError, match="larger"):
        load(file)
    with pytest.raises(SetupError, match=str(tmp_path)):
        load(tmp_path)


def test_a_file_under_a_wrong_name_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(SHIPPED / "dlib-resnet-1.json", tmp_path / "mine-1.json")
    monkeypatch.setattr("registry.calibrations._SHIPPED", tmp_path)
    with pytest.raises(SetupError, match="is the calibration of dlib-resnet/1"):
        load_shipped("mine/1")
