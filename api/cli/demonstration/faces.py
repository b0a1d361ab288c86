"""Scenes of faces: the same person in another picture, strangers, several people in one picture."""

from collections.abc import Iterator
from typing import Any

from api.cli.demonstration import documents, pictures
from api.cli.demonstration.client import Told
from api.cli.demonstration.media import Upload
from api.cli.demonstration.people import a_picture_of
from api.cli.demonstration.scene import Act, Scene, Writer, answer

_PERMITTED = answer("PERMITTED", "GRANT")


def acts(write: Writer) -> list[Act]:
    """Each may come at any time."""
    alone = [[scene] for scenes in (_another_picture, _strangers) for scene in scenes(write)]
    return [*alone, _objection(write)]


def _another_picture(write: Writer) -> Iterator[Scene]:
    """Not the picture is recognised but who is in it."""
    licensor, terms = write.cast.licensor, write.cast.terms
    other = licensor.elsewhere
    yield write.uploaded(
        "Another picture, and who it is", other, _PERMITTED, person=licensor.claimed
    )
    yield write.uploaded(
        "Another picture, nobody claimed",
        other,
        answer("REVIEW_REQUIRED", "GRANT", "IDENTITY_NOT_STRONG"),
    )
    yield write.uploaded(
        "For a purpose they object to",
        other,
        answer("PROHIBITED", "OBJECTION"),
        purpose=terms.objected,
    )
    yield write.uploaded(
        "Another picture, use not granted",
        other,
        answer("CONSENT_REQUIRED", "USE_NOT_GRANTED"),
        use=terms.not_use,
        person=licensor.claimed,
    )


def _strangers(write: Writer) -> Iterator[Scene]:
    """Pictures that show nobody on record, not who is said, or nothing to compare."""
    cast, rng = write.cast, write.rng
    yield write.uploaded(
        "A stranger's face",
        pictures.original(cast.stranger.picture),
        answer("UNKNOWN", "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"),
    )
    other = rng.choice([cast.stranger.picture, a_picture_of(cast.objector, rng)])
    yield write.uploaded(
        "Claimed to be somebody else",
        pictures.resized(other, rng),
        answer("PROHIBITED", "CLAIMED_SUBJECT_MISMATCH"),
        person=cast.licensor.claimed,
    )
    yield write.uploaded(
        "A photo without a face",
        pictures.original(cast.faceless[0]),
        answer("REVIEW_REQUIRED", "PROBE_QUALITY_LOW"),
    )
    yield write.uploaded(
        "Picture with nothing to recognise",
        pictures.plain(rng),
        answer("REVIEW_REQUIRED", "PROBE_QUALITY_LOW"),
    )


def _objection(write: Writer) -> Act:
    """A no ends the earlier grants in its scope, and holds for everybody in a picture."""
    cast, agency = write.cast, write.clients.agency
    other, claimed = cast.objector.elsewhere, cast.objector.claimed

    def object_(_: Told | None) -> None:
        filed = {"subjectId": cast.objector.id, "scope": {"modalities": ["FACE"]}}
        agency.ask(documents.FILE_OBJECTION, input=filed)

    return [
        write.uploaded("Before a person objects", other, _PERMITTED, person=claimed),
        write.uploaded(
            "Right after they objected",
            other,
            answer("PROHIBITED", "OBJECTION"),
            first=object_,
            person=claimed,
        ),
        write.uploaded("The same, nobody claimed", other, answer("PROHIBITED", "OBJECTION")),
        *_two_people(write),
    ]


def _two_people(write: Writer) -> Iterator[Scene]:
    """One of whom gave a grant, while the other objects."""
    cast, rng = write.cast, write.rng
    here = rng.randrange(2)
    pair = [a_picture_of(one, rng) for one in (cast.licensor, cast.objector)]
    both = pictures.together(pair[here], pair[1 - here])

    def meant(upload: Upload) -> list[dict[str, Any]]:
        return [{**cast.licensor.claimed, "probes": [upload.probe(upload.boxes[here])]}]

    def bystander(upload: Upload) -> list[dict[str, Any]]:
        theirs = upload.probe(upload.boxes[1 - here])
        target = {**cast.licensor.claimed, "probes": [upload.probe()]}
        return [target, {"target": False, "probes": [theirs]}]

    yield write.uploaded(
        "Two people, one of whom objects",
        both,
        answer("PROHIBITED", "OBJECTION", "GRANT", "IDENTITY_NOT_STRONG"),
    )
    yield write.uploaded("The other one, in a box", both, _PERMITTED, persons=meant)
    yield write.uploaded(
        "The objector as a bystander",
        both,
        answer("REVIEW_REQUIRED", "NON_TARGET_PERSON", "GRANT"),
        persons=bystander,
    )
