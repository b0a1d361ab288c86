"""Recordings as they come back: another text, compressed, over a telephone, with noise; and films.

A synthesiser speaks them, so they are nobody's voice; to the registry they are people like others.
"""

import io
import random
from typing import Final

import numpy as np
from PIL import Image
from scipy import signal

from api.cli.demonstration.media import Media
from registry.recordings import Samples, VideoKind, as_media, as_video, samples_of, spoken

# As unlike one another as people are, over a telephone too; most of its variants are not.
VOICES: Final = ("en-us+Alicia", "en-us+Andrea", "en-us+Diogo", "en-us+croak", "en-us+f3")
SENTENCES: Final = (
    (
        "The harbour was quiet when the ferry came in, and nobody on the pier spoke a word until"
        " the rope was tied to the old iron ring."
    ),
    (
        "Good evening, and welcome back to the programme. Tonight we look at bridges, at the people"
        " who build them, and at the rivers underneath."
    ),
    (
        "Please leave your name and number after the tone, and somebody from the office will call"
        " you back before the end of the week."
    ),
    (
        "In the third chapter she finds the letter behind the clock, reads it twice, and decides to"
        " take the morning train without telling anyone."
    ),
    (
        "Fresh bread needs flour, water, salt and a good deal of patience; the oven does the rest"
        " while you wash the bowl and wait."
    ),
    (
        "The northern road is closed after the storm, so buses run along the lake and will be about"
        " twenty minutes late all afternoon."
    ),
)
_TELEPHONE_RATE: Final = 8_000
_SHORT_SECONDS: Final = 0.5
_SPEECH_BEGINS: Final = 0.1
_FILM_SIDE: Final = 400
_FILM_SECONDS: Final = 5
_FRAMES_PER_SECOND: Final = 2


def said(voice: str, sentence: str, made_by: str = "another text, WAV") -> Media:
    """What the voice sounds like, saying this."""
    return Media(spoken(sentence, voice), made_by)


def as_mp3(recording: Media) -> Media:
    """Compressed with loss."""
    return Media(as_media(*samples_of(recording.data), "mp3"), "another text, MP3")


def by_telephone(recording: Media) -> Media:
    """As a telephone lets it through: up to 4 kHz."""
    pcm, rate = samples_of(recording.data)
    narrow = signal.resample_poly(pcm, _TELEPHONE_RATE, rate).astype(np.float32)
    return Media(as_media(narrow, _TELEPHONE_RATE, "wav"), "by telephone, WAV 8 kHz")


def with_noise(recording: Media, rng: random.Random) -> Media:
    """With hiss so many decibels below the voice."""
    decibels = rng.randint(18, 24)
    pcm, rate = samples_of(recording.data)
    loudness = float(np.sqrt(np.mean(pcm**2))) * 10 ** (-decibels / 20)
    hiss = np.random.default_rng(rng.randrange(2**32)).normal(0, loudness, len(pcm))
    noisy: Samples = np.clip(pcm + hiss, -1, 1).astype(np.float32)
    return Media(as_media(noisy, rate, "wav"), f"noise {decibels} dB below, WAV")


def too_short(recording: Media) -> Media:
    """The first word or two of it."""
    cut_off = cut(recording, _SPEECH_BEGINS, _SHORT_SECONDS)
    return Media(cut_off.data, f"{_SHORT_SECONDS} s of speech, WAV")


def cut(recording: Media, start: float, seconds: float) -> Media:
    """So many seconds of it."""
    pcm, rate = samples_of(recording.data)
    piece = pcm[round(start * rate) : round((start + seconds) * rate)]
    return Media(as_media(piece, rate, "wav"), f"{seconds} s, WAV")


def film(portrait: bytes, recording: Media, rng: random.Random) -> Media:
    """A video in which the camera moves towards the person, who is heard meanwhile."""
    kind: VideoKind = rng.choice(("mp4", "webm"))
    pcm, rate = samples_of(cut(recording, 0, _FILM_SECONDS).data)
    count = _FILM_SECONDS * _FRAMES_PER_SECOND
    image = Image.open(io.BytesIO(portrait)).convert("RGB")
    frames = [_nearer(image, 0.15 * at / count) for at in range(count)]
    data = as_video(frames, pcm, kind, rate=rate, frames_per_second=_FRAMES_PER_SECOND)
    return Media(data, f"video, {_FILM_SECONDS} s, {kind.upper()}")


def _nearer(image: Image.Image, share: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """The upper part of a portrait, without so much of its edges, square and of even size."""
    side = min(image.size)
    left, edge = (image.width - side) // 2, side * share / 2
    frame = (left + edge, edge, left + side - edge, side - edge)
    return np.asarray(image.resize((_FILM_SIDE, _FILM_SIDE), box=frame), np.uint8)
