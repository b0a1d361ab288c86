"""What a file holds: a picture's hash, everyone's face in it, every speaker.

Only the worker process calls this with a stranger's bytes. A video is read as up to 32 frames,
spread over its time, and its sound.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from registry.encoders import image_hash, picture, sound, targets, video
from registry.encoders.configuration import OwnEncoders
from registry.encoders.identity import Condition
from registry.encoders.targets import Box, FaceTarget, VoiceTarget
from registry.encoders.tracks import Seen, people
from registry.errors import MediaError

if TYPE_CHECKING:
    from registry.encoders.face import Face, FaceReader
    from registry.encoders.voice import Voice, VoiceReader

MOST_FRAMES = 32
# Of the 5 s that a file may take by default, what the frames of a video get in CPU time, so that a
# busy machine looks at as many; at twice that of wall time it ends. The rest is for decoding and
# for 30 s of speech. The frames looked at first are spread over all of it.
FRAME_SECONDS = 1.5
LEAST_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Readers:
    """The encoders that are installed; None where there is no model."""

    faces: "FaceReader | None" = None
    voices: "VoiceReader | None" = None

    @classmethod
    def open(cls, models_dir: Path | None, encoders_file: Path | None) -> Self:
        """Load every model there is. Raises SetupError for a configuration that does not hold."""
        if models_dir is None:
            return cls()
        # Only here: who has no models need not load what runs them.
        from registry.encoders.face import FaceReader  # noqa: PLC0415
        from registry.encoders.models import Models  # noqa: PLC0415
        from registry.encoders.voice import VoiceReader  # noqa: PLC0415

        models = Models.open(models_dir)
        own = OwnEncoders.load(encoders_file)
        return cls(
            faces=FaceReader.open(models, own.faces) if models.face is not None else None,
            voices=VoiceReader.open(models, own.voices) if models.voice is not None else None,
        )


def read(media_type: str, data: bytes, readers: Readers, *, enrolling: bool) -> dict[str, object]:
    """What the file holds, in the words of registry.encoders.media.MediaEncoding.

    Raises MediaError for bytes that cannot be decoded, TooLargeError for what is too long or large.
    """
    if media_type.startswith("image/"):
        found = _picture(media_type, data, readers)
    elif media_type.startswith("audio/"):
        found = _sound(media_type, data, readers, enrolling=enrolling)
    else:
        found = _video(media_type, data, readers, enrolling=enrolling)
    return _EMPTY | {"media_type": media_type, "enrolling": enrolling} | found


_EMPTY: dict[str, object] = {
    "width": None,
    "height": None,
    "seconds": None,
    "picture": None,
    "faces": [],
    "voices": [],
    "faces_searched": False,
    "voices_searched": False,
}


def _picture(media_type: str, data: bytes, readers: Readers) -> dict[str, object]:
    shown = picture.read(data, media_type)
    faces: list[FaceTarget] = []
    if readers.faces is not None:
        scale = shown.width / shown.image.width
        found = readers.faces.read(np.asarray(shown.image))
        faces = [_face(one, scale, None) for one in found]
    return {
        "kind": "image",
        "width": shown.width,
        "height": shown.height,
        "picture": {
            "encoder": image_hash.ENCODER_ID,
            "plain": image_hash.encode(shown.image).hex(),
            "mirrored": image_hash.encode_mirrored(shown.image).hex(),
            "usable": not image_hash.is_flat(shown.image),
        },
        "faces_searched": readers.faces is not None,
        **targets.as_json(faces, ()),
    }


def _sound(media_type: str, data: bytes, readers: Readers, *, enrolling: bool) -> dict[str, object]:
    pcm = sound.decode(data, media_type)
    found = [] if readers.voices is None else readers.voices.read(pcm, enrolling=enrolling)
    return {
        "kind": "audio",
        "seconds": len(pcm) / sound.RATE,
        "voices_searched": readers.voices is not None,
        **targets.as_json((), [_voice(one, enrolling=enrolling) for one in found]),
    }


def _video(media_type: str, data: bytes, readers: Readers, *, enrolling: bool) -> dict[str, object]:
    """Faces of the frames and voices of the sound; what holds neither is no video of a person."""
    has_frames, has_sound = video.tracks(data, media_type)
    if not has_frames and has_sound:
        return _sound(media_type, data, readers, enrolling=enrolling)
    if not has_frames:
        raise MediaError("This video has neither frames nor sound that can be read.")
    frames = video.frames(data, media_type, MOST_FRAMES)
    silent = {"voices": [], "voices_searched": readers.voices is not None, "seconds": None}
    heard = _sound(media_type, data, readers, enrolling=enrolling) if has_sound else silent
    faces = [] if readers.faces is None else _people(frames, readers.faces)
    height, width = frames[0].size
    return {
        **heard,
        "kind": "video",
        "width": width,
        "height": height,
        "seconds": heard["seconds"] or frames[-1].seconds,
        "faces_searched": readers.faces is not None,
        "faces": targets.as_json(faces, ())["faces"],
    }


def _people(frames: Sequence[video.Frame], reader: "FaceReader") -> list[FaceTarget]:
    """Everyone in the frames that the time allows to look at."""
    began, worked = time.monotonic(), time.process_time()
    seen: list[Seen] = []
    for count, at in enumerate(spread(len(frames))):
        if count >= LEAST_FRAMES and (
            time.process_time() - worked > FRAME_SECONDS
            or time.monotonic() - began > 2 * FRAME_SECONDS
        ):
            break
        frame = frames[at]
        scale = frame.size[1] / frame.rgb.shape[1]
        seen.extend(
            Seen(at, _face(one, scale, frame.seconds), one.score) for one in reader.read(frame.rgb)
        )
    return people(seen)


def spread(count: int) -> Iterator[int]:
    """0 to count - 1, each prefix spread over the whole: halves, then quarters, ..."""
    given: set[int] = set()
    parts = 1
    while len(given) < count:
        for part in range(parts):
            at = (2 * part + 1) * count // (2 * parts)
            if at not in given:
                given.add(at)
                yield at
        parts *= 2


def _face(found: "Face", scale: float, seconds: float | None) -> FaceTarget:
    x, y, width, height = (round(one * scale) for one in found.box)
    return FaceTarget(
        box=Box(x, y, width, height),
        seconds=seconds,
        trouble=found.trouble,
        vectors={name: _bytes(vector) for name, vector in found.vectors.items()},
    )


def _voice(found: "Voice", *, enrolling: bool) -> VoiceTarget:
    vectors = {name: _bytes(vector) for name, vector in found.vectors.items()}
    if enrolling and found.condition is Condition.TELEPHONE:
        # Of whom only a telephone is heard yet, a microphone is compared with that: it finds fewer
        # of their recordings, and no more of other people's.
        vectors |= {(encoder, Condition.WIDE): one for (encoder, _), one in vectors.items()}
    return VoiceTarget(
        start=found.start,
        end=found.end,
        condition=found.condition,
        trouble=found.trouble,
        vectors=vectors,
    )


def _bytes(vector: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> bytes:
    return vector.astype("<f4").tobytes()
