"""Who speaks in a recording: one vector for each speaker, encoder and condition.

Speech is cut at pauses into windows of a few seconds, each window is encoded, windows that sound
alike are one speaker, and a speaker's vector is the mean of his windows. The built-in encoder is
CAM++ (192 dimensions); an operator's own encoders get the same windows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from registry.encoders import sound
from registry.encoders.identity import VOICE, VOICE_DIMENSIONS, Condition
from registry.encoders.sound import RATE
from registry.encoders.speakers import Window, grouped, windows_of
from registry.encoders.speech import SpeechDetector
from registry.encoders.voice_onnx import (
    FrontEnd,
    OnnxVoiceEncoder,
    VoiceEncoder,
    VoiceEncoderConfig,
    unit,
)
from registry.errors import SetupError

if TYPE_CHECKING:
    from registry.encoders.models import Models

LEAST_SECONDS: Final = 1.5
MOST_SECONDS: Final = 30.0  # of speech that is encoded
MOST_VOICES: Final = 8
_SILENT = 1e-4  # a peak of -80 dB
# What recordings are brought to: the speech detector and the floor of the features hear volume.
_PEAK = 0.7

_BUILT_IN = VoiceEncoderConfig(
    id=VOICE,
    model=Path("campplus.onnx"),
    sha256="",
    dimensions=VOICE_DIMENSIONS,
    licence="Apache-2.0",
    source="3D-Speaker, iic/speech_campplus_sv_zh_en_16k-common_advanced",
    front_end=FrontEnd(),
)

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker of a recording.

    `start` and `end`: the first and the last second of his speech; `seconds`: how much of it there
    is. `condition`: how the recording was taken. `trouble`: why he cannot be compared, in words a
    person can act on. `vectors`: float32 of unit length by encoder and condition; none where there
    is trouble.
    """

    start: float
    end: float
    seconds: float
    condition: Condition
    trouble: str | None
    vectors: Mapping[tuple[str, Condition], Samples]


class VoiceReader:
    """The speech detector and the encoders, the built-in one first."""

    def __init__(self, detector: SpeechDetector, encoders: Sequence[VoiceEncoder]) -> None:
        self._detector = detector
        self._encoders = tuple(encoders)

    @classmethod
    def open(cls, models: "Models", own: Sequence[VoiceEncoderConfig] = ()) -> Self:
        """The installed models, and the operator's own. Raises SetupError where one is unusable."""
        if models.voice is None:
            raise SetupError(models.missing["voice"])
        return cls(
            SpeechDetector(models.voice.speech.read_bytes()),
            [
                built_in(models.voice.speaker.read_bytes()),
                *(OnnxVoiceEncoder(config) for config in own),
            ],
        )

    def read(self, pcm: Samples, *, enrolling: bool) -> list[Voice]:
        """Everyone who speaks, in the order of their first words, at most 8; never nobody.

        `pcm`: mono, 16 kHz, in [-1, 1]. A probe has vectors of the recording's own condition; a
        recording to enrol with, wide as it is, those of a telephone too. Where nobody can be
        compared, one Voice says why. At most 30 s of speech are encoded, spread over the whole.
        """
        if not len(pcm) or not np.isfinite(pcm).all() or np.abs(pcm).max() < _SILENT:
            return [_nobody(pcm, "This recording is silent. Send one in which somebody speaks.")]
        pcm = pcm * np.float32(_PEAK / np.abs(pcm).max())
        segments = self._detector.segments(pcm)
        if not segments:
            return [_nobody(pcm, "No speech was found. Send a recording in which somebody speaks.")]
        speech = np.concatenate([_cut(pcm, start, end) for start, end in segments])
        condition = Condition.TELEPHONE if sound.is_narrowband(speech) else Condition.WIDE
        seconds = len(speech) / RATE
        if seconds < LEAST_SECONDS:
            trouble = f"Only {seconds:.1f} s of speech; at least {LEAST_SECONDS} s are needed."
            return [Voice(segments[0][0], segments[-1][1], seconds, condition, trouble, {})]
        windows = _spread(windows_of(segments))
        return self._voices(pcm, windows, condition, enrolling=enrolling)

    def _voices(
        self, pcm: Samples, windows: list[Window], condition: Condition, *, enrolling: bool
    ) -> list[Voice]:
        wide = [np.concatenate([_cut(pcm, *piece) for piece in one.pieces]) for one in windows]
        heard = {Condition.TELEPHONE: [sound.telephone(one) for one in wide]}
        if condition is Condition.WIDE:
            heard = {Condition.WIDE: wide} | (heard if enrolling else {})
        vectors = {
            (encoder.id, one): encoder.encode(samples)
            for encoder in self._encoders
            for one, samples in heard.items()
        }
        groups = grouped(vectors[self._encoders[0].id, condition])
        voices = [
            _voice(
                [windows[at] for at in group],
                condition,
                {
                    key: _mean(rows[group], [windows[at].seconds for at in group])
                    for key, rows in vectors.items()
                },
            )
            for group in groups
        ]
        return _at_most(sorted(voices, key=lambda one: one.start))


def built_in(model: bytes) -> VoiceEncoder:
    """CAM++, from the bytes of its ONNX file. Raises SetupError where it is another network."""
    return OnnxVoiceEncoder(_BUILT_IN, model)


def _voice(
    windows: Sequence[Window],
    condition: Condition,
    vectors: Mapping[tuple[str, Condition], Samples],
) -> Voice:
    usable = all(vector.any() for vector in vectors.values())
    trouble = None if usable else "This voice could not be encoded. Send another recording of it."
    return Voice(
        start=min(one.start for one in windows),
        end=max(one.end for one in windows),
        seconds=sum(one.seconds for one in windows),
        condition=condition,
        trouble=trouble,
        vectors=vectors if usable else {},
    )


def _nobody(pcm: Samples, trouble: str) -> Voice:
    return Voice(0.0, len(pcm) / RATE, 0.0, Condition.WIDE, trouble, {})


def _at_most(voices: list[Voice]) -> list[Voice]:
    """The voices, or seven of the most speech and a trouble that stands for the others."""
    if len(voices) <= MOST_VOICES:
        return voices
    by_speech = sorted(voices, key=lambda one: -one.seconds)
    kept, others = by_speech[: MOST_VOICES - 1], by_speech[MOST_VOICES - 1 :]
    rest = Voice(
        start=min(one.start for one in others),
        end=max(one.end for one in others),
        seconds=sum(one.seconds for one in others),
        condition=others[0].condition,
        trouble=f"More than {MOST_VOICES - 1} voices. Send the recording in parts.",
        vectors={},
    )
    return sorted([*kept, rest], key=lambda one: one.start)


def _spread(windows: list[Window]) -> list[Window]:
    """The windows, or every so manieth where they hold more speech than is encoded."""
    total = sum(one.seconds for one in windows)
    if total <= MOST_SECONDS:
        return windows
    count = max(int(len(windows) * MOST_SECONDS / total), 1)
    return [windows[(2 * at + 1) * len(windows) // (2 * count)] for at in range(count)]


def _mean(rows: Samples, weights: Sequence[float]) -> Samples:
    """The direction of the weighted mean; zeros where a row has none."""
    if not rows.any(axis=1).all():
        return np.zeros(rows.shape[1], np.float32)
    return unit(np.average(rows, axis=0, weights=weights))


def _cut(pcm: Samples, start: float, end: float) -> Samples:
    return pcm[round(start * RATE) : round(end * RATE)]
