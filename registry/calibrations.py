"""Calibration files: those that are shipped, one an encoder, and those an operator has measured."""

import json
from importlib import resources
from pathlib import Path

from registry.errors import InvalidError, SetupError
from registry.matching.calibration import Calibration

_SHIPPED = resources.files("registry.matching") / "calibrations"
_MOST_BYTES = 2**22


def load(path: Path) -> Calibration:
    """The calibration of a file; SetupError if it cannot be read or is not one."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path}: larger than a calibration is.")
        return _read(path.read_bytes(), str(path))
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}.") from error


def load_shipped(encoder: str) -> Calibration:
    """The calibration this project measured for an encoder; SetupError where there is none."""
    name = f"{encoder.replace('/', '-')}.json"
    file = _SHIPPED / name
    if not file.is_file():
        raise SetupError(f"No calibration of {encoder} is shipped: make one, `likeness calibrate`.")
    found = _read(file.read_bytes(), name)
    if found.encoder != encoder:
        raise SetupError(f"{name}: is the calibration of {found.encoder}.")
    return found


def _read(content: bytes, where: str) -> Calibration:
    try:
        return Calibration.from_document(json.loads(content), where)
    except InvalidError as error:
        raise SetupError(str(error)) from error
    except ValueError as error:
        raise SetupError(f"{where}: not a JSON document.") from error
