"""An operator's own encoders, and which are in use: one YAML file (LIKENESS_ENCODERS_FILE).

    active: {face: acme-arcface/1}      # the others of that kind are being replaced
    faces:
      - {id: acme-arcface/1, model: arcface.onnx, sha256: ..., calibration: arcface.json, ...}
    voices: []
    calibrations: {campplus/1: our-people.json}    # of built-in encoders, instead of the shipped

Paths are read from the folder that the file is in. Without a file the built-in encoders are the
active ones, with the calibration that is shipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from registry.encoders.identity import FACE, VOICE
from registry.errors import SetupError

if TYPE_CHECKING:
    from registry.encoders.face_onnx import FaceEncoderConfig
    from registry.encoders.voice_onnx import VoiceEncoderConfig

_KEYS = frozenset({"active", "faces", "voices", "calibrations"})
_BUILT_IN = frozenset({FACE, VOICE})
_KINDS = frozenset({"face", "voice"})


@dataclass(frozen=True, slots=True)
class OwnEncoders:
    """What the file says.

    `active` names the encoder in use for "face" and for "voice"; `calibrations` the files that take
    the place of those shipped for built-in encoders.
    """

    faces: "tuple[FaceEncoderConfig, ...]" = ()
    voices: "tuple[VoiceEncoderConfig, ...]" = ()
    active: Mapping[str, str] = field(default_factory=lambda: {"face": FACE, "voice": VOICE})
    calibrations: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None) -> Self:
        """Read the file. Raises SetupError, one line that names file and place, for any fault."""
        if file is None:
            return cls()
        from registry.encoders.face_onnx import FaceEncoderConfig  # noqa: PLC0415  # rarely used
        from registry.encoders.voice_onnx import VoiceEncoderConfig  # noqa: PLC0415  # as well

        document = _document(file)
        faces = tuple(
            FaceEncoderConfig.from_mapping(_beside(one, file), f"{file}: faces.{at}")
            for at, one in enumerate(_list(document, "faces", file))
        )
        voices = tuple(
            VoiceEncoderConfig.from_mapping(_beside(one, file), f"{file}: voices.{at}")
            for at, one in enumerate(_list(document, "voices", file))
        )
        known = {
            "face": [FACE, *(one.id for one in faces)],
            "voice": [VOICE, *(one.id for one in voices)],
        }
        for kind, ids in known.items():
            if len(set(ids)) < len(ids):
                raise SetupError(f"{file}: two {kind} encoders have the same id.")
        return cls(faces, voices, _active(document, known, file), _calibrations(document, file))


def _document(file: Path) -> Mapping[str, object]:
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} is not YAML.") from error
    if not isinstance(document, dict) or not document.keys() <= _KEYS:
        raise SetupError(f"{file}: a mapping with the keys {', '.join(sorted(_KEYS))} is expected.")
    return document


def _list(document: Mapping[str, object], key: str, file: Path) -> Sequence[Mapping[str, object]]:
    entries = document.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise SetupError(f"{file}: {key} is a list of encoders.")
    return entries


def _beside(entry: Mapping[str, object], file: Path) -> dict[str, object]:
    """The entry with its paths read from the folder that the file is in."""
    return {
        key: str(file.absolute().parent / value)
        if key in {"model", "calibration"} and isinstance(value, str)
        else value
        for key, value in entry.items()
    }


def _active(
    document: Mapping[str, object], known: Mapping[str, Sequence[str]], file: Path
) -> dict[str, str]:
    chosen = document.get("active", {})
    if not isinstance(chosen, dict) or not chosen.keys() <= _KINDS:
        raise SetupError(f"{file}: active names an encoder for face, voice or both.")
    active = {"face": FACE, "voice": VOICE} | {str(kind): str(one) for kind, one in chosen.items()}
    for kind, one in active.items():
        if one not in known[kind]:
            raise SetupError(f"{file}: active.{kind}: there is no encoder {one}.")
    return active


def _calibrations(document: Mapping[str, object], file: Path) -> dict[str, Path]:
    given = document.get("calibrations", {})
    if not isinstance(given, dict) or not given.keys() <= _BUILT_IN:
        raise SetupError(
            f"{file}: calibrations names a file for {' or '.join(sorted(_BUILT_IN))}; an encoder"
            " of your own names its calibration itself."
        )
    return {str(one): file.absolute().parent / str(path) for one, path in given.items()}
