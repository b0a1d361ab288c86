"""Scenes of voices: the same speaker in other recordings, strangers, and videos."""

from collections.abc import Iterator

from api.cli.demonstration import documents, sounds
from api.cli.demonstration.client import Told
from api.cli.demonstration.people import a_picture_of
from api.cli.demonstration.scene import Act, Scene, Writer, answer

_PERMITTED = answer("PERMITTED", "GRANT")
_BOTH = ["FACE", "VOICE"]


def acts(write: Writer) -> list[Act]:
    """Each may come at any time."""
    alone = [
        [scene] for scenes in (_another_recording, _strangers, _videos) for scene in scenes(write)
    ]
    return [*alone, _withdrawal(write), _single_use(write)]


def _another_recording(write: Writer) -> Iterator[Scene]:
    """Not the recording is recognised but who speaks."""
    cast, rng = write.cast, write.rng
    licensor = cast.licensor
    recording = sounds.said(licensor.voice, rng.choice(cast.sentences))
    for title, media in (
        ("The same voice, another text", recording),
        ("The same voice, compressed", sounds.as_mp3(recording)),
        ("The same voice on the telephone", sounds.by_telephone(recording)),
        ("The same voice in noise", sounds.with_noise(recording, rng)),
    ):
        yield write.heard(title, media, _PERMITTED, person=licensor.claimed)
    yield write.heard(
        "The same voice, nobody claimed",
        recording,
        answer("REVIEW_REQUIRED", "GRANT", "IDENTITY_NOT_STRONG"),
    )
    yield write.heard(
        "A voice whose owner granted a face",
        sounds.said(cast.objector.voice, rng.choice(cast.sentences)),
        answer("CONSENT_REQUIRED", "MODALITY_NOT_GRANTED"),
        person=cast.objector.claimed,
    )


def _strangers(write: Writer) -> Iterator[Scene]:
    """A voice that nobody on record has."""
    cast = write.cast
    recording = sounds.said(cast.stranger.voice, write.rng.choice(cast.sentences), "a text, WAV")
    yield write.heard(
        "A stranger's voice",
        recording,
        answer("UNKNOWN", "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"),
    )
    yield write.heard(
        "A stranger's voice, claimed",
        recording,
        answer("PROHIBITED", "CLAIMED_SUBJECT_MISMATCH"),
        person=cast.licensor.claimed,
    )


def _videos(write: Writer) -> Iterator[Scene]:
    """Face and voice are both judged."""
    cast, rng = write.cast, write.rng
    portrait = a_picture_of(cast.licensor, rng)
    for title, voice, expected in (
        ("Video: their face and their voice", cast.licensor.voice, _PERMITTED),
        (
            "Video: their face, another's voice",
            cast.stranger.voice,
            answer("PROHIBITED", "CLAIMED_SUBJECT_MISMATCH", "GRANT"),
        ),
    ):
        film = sounds.film(portrait, sounds.said(voice, rng.choice(cast.sentences)), rng)
        yield write.uploaded(title, film, expected, modalities=_BOTH, person=cast.licensor.claimed)


def _withdrawal(write: Writer) -> Act:
    """Consent ends with the very next check."""
    cast, agency = write.cast, write.clients.agency
    limited = cast.limited

    def revoke(_: Told | None) -> None:
        agency.ask(documents.REVOKE_GRANT, id=cast.revocable_grant)

    return [
        write.heard(
            "Before consent is withdrawn",
            limited.elsewhere,
            _PERMITTED,
            person=limited.claimed,
            purpose=cast.for_now,
        ),
        write.heard(
            "Right after it is withdrawn",
            limited.elsewhere,
            answer("PROHIBITED", "CONSENT_WITHDRAWN"),
            first=revoke,
            person=limited.claimed,
            purpose=cast.for_now,
        ),
    ]


def _single_use(write: Writer) -> Act:
    """A grant of one use gives exactly one."""
    cast, studio = write.cast, write.clients.studio
    limited = cast.limited

    def take(before: Told | None) -> None:
        if before is not None and before.decision is not None:
            studio.ask(documents.TAKE_USE, input={"decisionId": before.decision["id"]})

    return [
        write.heard(
            "One use granted, none taken yet",
            limited.elsewhere,
            _PERMITTED,
            person=limited.claimed,
            purpose=cast.once,
        ),
        write.heard(
            "After that one use was taken",
            limited.elsewhere,
            answer("CONSENT_REQUIRED", "QUOTA_EXHAUSTED"),
            first=take,
            person=limited.claimed,
            purpose=cast.once,
        ),
    ]
