"""Sampling: which face or voice of an upload becomes a sample, and why it may not.

Exactly one person is enrolled from one upload. Whoever cannot be is told what to send instead.
"""

from collections.abc import Sequence
from typing import Protocol

from registry.encoders.identity import Condition
from registry.encoders.targets import Box, FaceTarget, VoiceTarget, choose
from registry.errors import InvalidError, MediaError, UnavailableError
from registry.policy.vocabulary import Modality
from registry.samples import Vectors

_MODEL_WAIT = 60  # seconds; models are installed by hand


class Found(Protocol):
    """What was found in an upload: as it is kept for its sender, or as a worker just said."""

    @property
    def kind(self) -> str:
        """Whether it is an "image", "audio" or "video"."""

    @property
    def faces(self) -> Sequence[FaceTarget]:
        """Everybody seen."""

    @property
    def voices(self) -> Sequence[VoiceTarget]:
        """Everybody heard."""

    @property
    def faces_searched(self) -> bool:
        """Whether faces could be looked for."""

    @property
    def voices_searched(self) -> bool:
        """Whether voices could be looked for."""

    @property
    def enrolling(self) -> bool:
        """Whether voices were encoded for every condition."""


def sample_of(
    found: Found, *, modality: Modality | None, box: Box | None
) -> tuple[Modality, Vectors]:
    """The vectors of the one person to enrol; the refusal says what to send instead."""
    chosen = _modality(found, modality)
    if chosen is Modality.FACE:
        return chosen, _face(found, box)
    if box is not None:
        raise InvalidError("A box chooses a face; this would enrol a voice.", field="box")
    return chosen, _voice(found)


def _modality(found: Found, wanted: Modality | None) -> Modality:
    if wanted not in {None, Modality.FACE, Modality.VOICE}:
        raise InvalidError("A sample is of a FACE or of a VOICE.", field="modality")
    holds = {"image": Modality.FACE, "audio": Modality.VOICE}.get(found.kind)
    if holds is not None:
        if wanted not in {None, holds}:
            raise InvalidError(
                f"This upload is of kind {found.kind}: it holds no {wanted}.", field="modality"
            )
        return holds
    if wanted is not None:
        return wanted
    if bool(found.faces) == bool(found.voices):
        raise InvalidError("Say what of this video is enrolled: FACE or VOICE.", field="modality")
    return Modality.FACE if found.faces else Modality.VOICE


def _face(found: Found, box: Box | None) -> Vectors:
    if not found.faces_searched:
        raise UnavailableError(
            "Faces cannot be compared here: the models are not installed.",
            retry_after=_MODEL_WAIT,
        )
    if not found.faces:
        raise MediaError(
            "No face was found. Send a sharp, well-lit photograph of the face from the front.",
            field="media",
        )
    if box is None and len(found.faces) > 1:
        raise InvalidError(
            f"There are {len(found.faces)} faces: choose one with a box, or send a photograph of"
            " this person alone.",
            field="box",
        )
    (face,) = choose(found.faces, box)
    if face.trouble is not None:
        raise MediaError(face.trouble, field="media")
    return {(encoder, Condition.PHOTO): raw for encoder, raw in face.vectors.items()}


def _voice(found: Found) -> Vectors:
    if not found.voices_searched:
        raise UnavailableError(
            "Voices cannot be compared here: the models are not installed.",
            retry_after=_MODEL_WAIT,
        )
    if not found.voices:
        raise MediaError(
            "No voice was found. Send a recording of this person speaking, without music.",
            field="media",
        )
    if len(found.voices) > 1:
        raise InvalidError(
            f"{len(found.voices)} people speak here: send a recording of this person alone.",
            field="media",
        )
    (voice,) = found.voices
    if voice.trouble is not None:
        raise MediaError(voice.trouble, field="media")
    if not found.enrolling:
        raise InvalidError(
            "This recording was read for a check only: upload it as the account that enrols it.",
            field="media",
        )
    return dict(voice.vectors)
