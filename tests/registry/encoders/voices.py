"""Speech, and what is no speech, at 16 kHz: made when it is needed."""

from functools import cache

import numpy as np
import numpy.typing as npt

from registry.encoders import sound
from registry.recordings import SoundKind, as_media, samples_of, spoken

Samples = npt.NDArray[np.float32]

FIRST = "I agree that my voice may be used for this film, and for no other purpose at all."
SECOND = "Whoever wants to hear me say something else has to ask me again, on another day."
TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
}


@cache
def said(text: str = FIRST, voice: str = "en-us+f3") -> Samples:
    """The words at 16 kHz."""
    return sound.decode(spoken(text, voice), "audio/wav")


@cache
def recording(kind: SoundKind, text: str = FIRST, voice: str = "en-us+f3") -> bytes:
    """The words as a file of that kind."""
    return as_media(*samples_of(spoken(text, voice)), kind)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * sound.RATE), np.float32)


def noise(seconds: float, *, seed: int = 1) -> Samples:
    chance = np.random.default_rng(seed)
    return chance.normal(0, 0.1, round(seconds * sound.RATE)).astype(np.float32)


def tone(seconds: float, hertz: float = 440.0) -> Samples:
    moments = np.arange(round(seconds * sound.RATE)) / sound.RATE
    return (0.5 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


def music(seconds: float = 10.0, *, seed: int = 1) -> Samples:
    """Plucked notes of five partials over a beat."""
    chance = np.random.default_rng(seed)
    heard = np.zeros(round(seconds * sound.RATE))
    for _ in range(round(4 * seconds)):
        start = chance.integers(0, len(heard) - 8000)
        moments = np.arange(min(8000, len(heard) - start)) / sound.RATE
        pitch = 110 * 2 ** (chance.integers(0, 36) / 12)
        for partial in range(1, 6):
            wave = np.sin(2 * np.pi * pitch * partial * moments) * np.exp(-3 * moments)
            heard[start : start + len(moments)] += wave / partial
    for beat in range(0, len(heard) - 800, 8000):
        heard[beat : beat + 800] += chance.normal(0, 1, 800) * np.exp(-np.arange(800) / 150)
    return (heard / np.abs(heard).max() * 0.6).astype(np.float32)
