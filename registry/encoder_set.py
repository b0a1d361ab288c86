"""The encoders in use, each with its calibration; one of each modality is active.

Others of that modality are being replaced: they run beside it, and while somebody is known only to
them, a miss of the active one is no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from registry import calibrations
from registry.encoders.configuration import OwnEncoders
from registry.encoders.entry import read_model
from registry.encoders.identity import FACE, FACE_DIMENSIONS, VOICE, VOICE_DIMENSIONS
from registry.errors import SetupError
from registry.matching.calibration import Calibration
from registry.policy.vocabulary import Modality

_MAKE_ONE = "Make one: likeness calibrate"


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of an encoder without running it.

    `shipped`: its calibration is the one this project measured, not one of the operator's people.
    """

    id: str
    modality: Modality
    dimensions: int
    calibration: Calibration
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class EncoderSet:
    """Every encoder in use, by id."""

    by_id: Mapping[str, Encoder]
    active: Mapping[Modality, str]

    @classmethod
    def load(cls, encoders_file: Path | None = None) -> Self:
        """The built-in encoders and those of the file. Raises SetupError for a broken one."""
        own = OwnEncoders.load(encoders_file)
        encoders = [
            _built_in(FACE, Modality.FACE, FACE_DIMENSIONS, own),
            _built_in(VOICE, Modality.VOICE, VOICE_DIMENSIONS, own),
        ]
        for modality, configured in ((Modality.FACE, own.faces), (Modality.VOICE, own.voices)):
            for one in configured:
                if one.calibration is None:
                    raise SetupError(f"{encoders_file}: {one.id} has no calibration. {_MAKE_ONE}")
                read_model(one)  # so that a server does not start whose workers cannot
                calibration = calibrations.load(one.calibration)
                _require(calibration, one.id, modality, one.calibration)
                encoders.append(Encoder(one.id, modality, one.dimensions, calibration))
        return cls(
            by_id={one.id: one for one in encoders},
            active={Modality.FACE: own.active["face"], Modality.VOICE: own.active["voice"]},
        )

    def is_active(self, encoder: str) -> bool:
        """Whether what this encoder misses nobody else would have found."""
        known = self.by_id.get(encoder)
        return known is not None and self.active[known.modality] == encoder


def _built_in(id: str, modality: Modality, dimensions: int, own: OwnEncoders) -> Encoder:
    file = own.calibrations.get(id)
    if file is None:
        return Encoder(id, modality, dimensions, calibrations.load_shipped(id), shipped=True)
    calibration = calibrations.load(file)
    _require(calibration, id, modality, file)
    return Encoder(id, modality, dimensions, calibration)


def _require(calibration: Calibration, id: str, modality: Modality, file: object) -> None:
    if calibration.encoder != id or calibration.modality is not modality:
        raise SetupError(
            f"{file} calibrates {calibration.encoder} ({calibration.modality}), not {id}"
            f" ({modality}). {_MAKE_ONE}"
        )
