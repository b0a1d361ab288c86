"""Labelled files through the product's own encoders: what they give is what is measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import numpy.typing as npt

from registry.calibrating.folder import Folder
from registry.calibrating.study import Taken
from registry.calibrating.trials import Samples
from registry.encoders import picture
from registry.encoders.identity import Condition
from registry.encoders.sniffing import PICTURES, SNIFF_BYTES, SOUNDS, VIDEOS, sniff
from registry.errors import InvalidError, MediaError, TooLargeError

if TYPE_CHECKING:
    from registry.encoders.face import FaceReader
    from registry.encoders.voice import Voice, VoiceReader

# Cut out of the middle of the speech: error rates differ with the length.
PROBE_SECONDS: Final = (3, 5)
WHOLE: Final = "whole"
PHOTO: Final = "photo"

Vector = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
Key = TypeVar("Key", str, tuple[str, Condition])
_Take = Callable[[int, int, bytes, str], None]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was enrolled and probed, of how many files; those not used in full, with the reason."""

    taken: tuple[Taken, ...]
    samples: int
    unread: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Rows:
    vectors: list[Vector] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    recordings: list[int] = field(default_factory=list)

    def add(self, vector: Vector, person: int, recording: int) -> None:
        self.vectors.append(vector)
        self.people.append(person)
        self.recordings.append(recording)

    def samples(self) -> Samples:
        return Samples(np.stack(self.vectors), np.array(self.people), np.array(self.recordings))


def faces(folder: Folder, reader: "FaceReader", encoder: str, progress: Progress) -> Encoded:
    """The largest face of each picture that can be compared.

    Raises InvalidError where no picture has one, and where the reader has no such encoder.
    """
    rows = _Rows()

    def take(recording: int, person: int, data: bytes, media_type: str) -> None:
        shown = picture.read(data, media_type)
        found = [one for one in reader.read(np.asarray(shown.image)) if one.trouble is None]
        if not found:
            raise MediaError("no face that can be compared")
        largest = max(found, key=lambda one: one.box[2] * one.box[3])
        rows.add(_vector(largest.vectors, encoder), person, recording)

    unread = _each(folder, PICTURES, take, progress)
    if not rows.vectors:
        raise InvalidError(f"{folder.root}: no picture of a face could be read.")
    taken = rows.samples()
    return Encoded(
        (Taken(Condition.PHOTO, taken, {PHOTO: taken}),), len(rows.vectors), tuple(unread)
    )


def voices(folder: Folder, reader: "VoiceReader", encoder: str, progress: Progress) -> Encoded:
    """The voice that speaks most in each recording: enrolled whole, probed whole and in parts.

    The parts are 3 and 5 s out of the middle of his speech, as it is and as a telephone carries it.
    Raises InvalidError where no recording has a voice, and where the reader has no such encoder.
    """
    rows: dict[tuple[Condition, str], _Rows] = {}

    def take(recording: int, person: int, data: bytes, media_type: str) -> None:
        from registry.encoders import sound  # noqa: PLC0415  # who measures faces needs no codecs

        def add(kind: str, found: "Voice", condition: Condition) -> None:
            vector = _vector(found.vectors, (encoder, condition))
            rows.setdefault((condition, kind), _Rows()).add(vector, person, recording)

        pcm = sound.decode(data, media_type)
        enrolled = _loudest(reader.read(pcm, enrolling=True), Condition.WIDE)
        for condition in (Condition.WIDE, Condition.TELEPHONE):
            add(WHOLE, enrolled, condition)
        for seconds in PROBE_SECONDS:
            if enrolled.end - enrolled.start < seconds:
                continue
            first = round((enrolled.start + enrolled.end - seconds) / 2 * sound.RATE)
            part = pcm[first : first + seconds * sound.RATE]
            for condition, heard in (
                (Condition.WIDE, part),
                (Condition.TELEPHONE, sound.telephone(part)),
            ):
                found = _loudest(reader.read(heard, enrolling=False), condition)
                add(f"{seconds} s", found, condition)

    unread = _each(folder, (*SOUNDS, *VIDEOS), take, progress)
    if not rows:
        raise InvalidError(f"{folder.root}: no recording of a voice could be read.")
    samples = {key: made.samples() for key, made in rows.items()}
    taken = tuple(
        Taken(
            condition,
            samples[condition, WHOLE],
            {kind: one for (of, kind), one in samples.items() if of is condition},
        )
        for condition in (Condition.WIDE, Condition.TELEPHONE)
    )
    return Encoded(taken, len(rows[Condition.WIDE, WHOLE].vectors), tuple(unread))


def _each(
    folder: Folder, kinds: Sequence[str], take: _Take, progress: Progress
) -> list[tuple[str, str]]:
    """Hand every file to `take`; the files that could not be read in full, each with the reason."""
    unread = []
    for recording, (person, file) in enumerate(folder.files):
        progress(recording, len(folder.files))
        try:
            data = file.read_bytes()
            take(recording, person, data, _kind(data, kinds))
        except OSError as error:
            unread.append((folder.name_of(file), error.strerror or "cannot be read"))
        except (MediaError, TooLargeError) as error:
            unread.append((folder.name_of(file), str(error)))
    return unread


def _kind(data: bytes, kinds: Sequence[str]) -> str:
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type is None or media_type not in kinds:
        raise MediaError("not a kind of file that is read here")
    return media_type


def _loudest(found: "Sequence[Voice]", condition: Condition) -> "Voice":
    """Whoever speaks most, if he can be compared under this condition."""
    most = max(found, key=lambda one: one.seconds)
    if most.trouble is not None:
        raise MediaError(most.trouble)
    if most.condition is not condition:
        raise MediaError(f"taken for {most.condition} instead of {condition}")
    return most


def _vector(vectors: Mapping[Key, Vector], key: Key) -> Vector:
    if key not in vectors:
        raise InvalidError(f"There is no encoder {key[0] if isinstance(key, tuple) else key} here.")
    return vectors[key]
