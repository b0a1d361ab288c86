"""Scenes of what is not taken: enrolments that would be of nobody certain, and broken files."""

from collections.abc import Iterator

from api.cli.demonstration import pictures, sounds
from api.cli.demonstration.client import REFUSED
from api.cli.demonstration.people import a_picture_of
from api.cli.demonstration.scene import Act, Scene, Writer, answer


def acts(write: Writer) -> list[Act]:
    """Each may come at any time."""
    return [[scene] for scenes in (_enrolments, _broken) for scene in scenes(write)]


def _enrolments(write: Writer) -> Iterator[Scene]:
    """Each refusal says what to send instead."""
    cast, rng = write.cast, write.rng
    _, faceless, _ = cast.faceless
    here = rng.randrange(2)
    pair = [a_picture_of(cast.licensor, rng), cast.stranger.picture]
    both = pictures.together(pair[here], pair[1 - here])
    yield write.enrolled(
        "Enrolling one of two, no box",
        both,
        answer(REFUSED, "INVALID", sentence="choose one with a box"),
    )
    yield write.enrolled("Enrolling one of two, in a box", both, answer("ENROLLED"), face=here)
    yield write.enrolled(
        "Enrolling a photo without a face",
        pictures.original(faceless),
        answer(REFUSED, "MEDIA_UNREADABLE", sentence="No face was found"),
    )
    yield write.enrolled(
        "Enrolling half a second of speech",
        sounds.too_short(sounds.said(cast.licensor.voice, rng.choice(cast.sentences))),
        answer(REFUSED, "MEDIA_UNREADABLE", sentence="of speech; at least"),
    )


def _broken(write: Writer) -> Iterator[Scene]:
    """What is no picture at all."""
    rng = write.rng
    *_, photo = write.cast.faceless
    yield write.refused(
        "Bytes that are no picture", pictures.garbage(rng), answer("HTTP 415", "UNSUPPORTED")
    )
    yield write.refused(
        "A picture that was cut off",
        pictures.cut_off(photo, rng),
        answer("HTTP 422", "MEDIA_UNREADABLE"),
    )
