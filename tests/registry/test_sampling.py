"""What of an upload is enrolled: one person, or a refusal that says what to send instead."""

from dataclasses import dataclass

import pytest

from registry.encoders.identity import FACE, Condition
from registry.encoders.targets import Box, FaceTarget, VoiceTarget
from registry.errors import InvalidError, MediaError, RegistryError, UnavailableError
from registry.policy.vocabulary import Modality
from registry.sampling import sample_of
from tests.registry import enrolling

LEFT, RIGHT = Box(0, 0, 100, 100), Box(200, 0, 100, 100)


def seen(box: Box = LEFT, trouble: str | None = None) -> FaceTarget:
    vectors = {} if trouble else {FACE: enrolling.unit().tobytes()}
    return FaceTarget(box=box, seconds=None, trouble=trouble, vectors=vectors)


def heard(trouble: str | None = None) -> VoiceTarget:
    vectors = {} if trouble else enrolling.voice()
    return VoiceTarget(start=0, end=9, condition=Condition.WIDE, trouble=trouble, vectors=vectors)


@dataclass(frozen=True)
class Upload:
    kind: str = "image"
    faces: tuple[FaceTarget, ...] = ()
    voices: tuple[VoiceTarget, ...] = ()
    faces_searched: bool = True
    voices_searched: bool = True
    enrolling: bool = True


def test_a_picture_gives_its_face_and_a_recording_its_voice() -> None:
    face, voice = seen(), heard()
    modality, vectors = sample_of(Upload(faces=(face,)), modality=None, box=None)
    assert (modality, vectors) == (Modality.FACE, {(FACE, Condition.PHOTO): face.vectors[FACE]})
    modality, vectors = sample_of(Upload("audio", voices=(voice,)), modality=None, box=None)
    assert (modality, vectors) == (Modality.VOICE, voice.vectors)


def test_a_box_chooses_one_of_several_faces() -> None:
    faces = (seen(LEFT), seen(RIGHT))
    _, vectors = sample_of(Upload(faces=faces), modality=Modality.FACE, box=Box(210, 5, 90, 90))
    assert vectors == {(FACE, Condition.PHOTO): faces[1].vectors[FACE]}
    with pytest.raises(InvalidError, match="No face is in this box"):
        sample_of(Upload(faces=faces), modality=None, box=Box(500, 500, 50, 50))


def test_of_a_video_with_both_it_is_said_which() -> None:
    both = Upload("video", faces=(seen(),), voices=(heard(),))
    for modality in (Modality.FACE, Modality.VOICE):
        assert sample_of(both, modality=modality, box=None)[0] is modality
    with pytest.raises(InvalidError, match="FACE or VOICE"):
        sample_of(both, modality=None, box=None)
    silent = Upload("video", faces=(seen(),), voices_searched=False)
    assert sample_of(silent, modality=None, box=None)[0] is Modality.FACE
    unseen = Upload("video", voices=(heard(),))
    assert sample_of(unseen, modality=None, box=None)[0] is Modality.VOICE


@pytest.mark.parametrize(
    ("upload", "modality", "error", "message"),
    [
        (Upload(), None, MediaError, "No face was found"),
        (Upload(faces=(seen(), seen(RIGHT))), None, InvalidError, "2 faces"),
        (Upload(faces=(seen(trouble="It is too dark."),)), None, MediaError, "^It is too dark.$"),
        (Upload(faces_searched=False), None, UnavailableError, "models are not installed"),
        (Upload(faces=(seen(),)), Modality.VOICE, InvalidError, "no VOICE"),
        (Upload(faces=(seen(),)), Modality.BODY, InvalidError, "FACE or of a VOICE"),
        (Upload("audio"), None, MediaError, "No voice was found"),
        (Upload("audio", voices=(heard(), heard())), None, InvalidError, "2 people speak"),
        (Upload("audio", voices=(heard("Too short."),)), None, MediaError, "^Too short.$"),
        (Upload("audio", voices_searched=False), None, UnavailableError, "not installed"),
        (Upload("audio", voices=(heard(),), enrolling=False), None, InvalidError, "enrol"),
        (Upload("audio", voices=(heard(),)), Modality.FACE, InvalidError, "no FACE"),
        (Upload("video"), None, InvalidError, "FACE or VOICE"),
        (Upload("video"), Modality.FACE, MediaError, "No face"),
    ],
    ids=range(14),
)
def test_what_cannot_be_enrolled_is_refused_with_a_way_on(
    upload: Upload, modality: Modality | None, error: type[RegistryError], message: str
) -> None:
    with pytest.raises(error, match=message):
        sample_of(upload, modality=modality, box=None)


def test_a_box_does_not_choose_a_voice() -> None:
    with pytest.raises(InvalidError, match="box"):
        sample_of(Upload("audio", voices=(heard(),)), modality=None, box=LEFT)
