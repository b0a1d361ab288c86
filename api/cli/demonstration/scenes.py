"""What is played: who asks what about which picture, and what the registry must answer.

Scenes of one act follow one another, for each changes what the next is told; acts come in any
order. The answers are the registry's own: a scene says what an answer must be, nothing makes it so.
"""

import random
from collections.abc import Iterator, Sequence

from api.cli.demonstration import documents, pictures
from api.cli.demonstration.client import Told
from api.cli.demonstration.people import Cast, a_hash_of, a_picture_of
from api.cli.demonstration.scene import Clients, Scene, Writer, answer

_GREY_BITS = (52, 58)  # up to 48 it is the same picture, beyond 60 another one
_PERMITTED = answer("PERMITTED", "GRANT", "ASSET_MATCH")

Act = Sequence[Scene]


def acts(clients: Clients, cast: Cast, rng: random.Random) -> list[Act]:
    """Every act, in an order of this run's own."""
    write = Writer(clients, cast, rng)
    played: list[Act] = [
        [scene]
        for scenes in (_same_picture, _outside, _strangers, _unsure, _never)
        for scene in scenes(write)
    ]
    played += [_other_services(write), _withdrawal(write), _single_use(write), _objection(write)]
    rng.shuffle(played)
    return played


def _same_picture(write: Writer) -> Iterator[Scene]:
    """Whatever was done to a registered picture, it is recognised."""
    rng = write.rng
    photo = a_picture_of(write.cast.licensor, rng)
    other = "JPEG" if pictures.kind_of(photo) == "PNG" else "PNG"
    for title, picture in (
        ("Registered photo, granted use", pictures.original(photo)),
        ("Registered photo, saved again", pictures.recompressed(photo, rng)),
        ("Registered photo, resized", pictures.resized(photo, rng)),
        ("Registered photo, mirrored", pictures.mirrored(photo, rng)),
        ("Registered photo as WebP", pictures.converted(photo, "WEBP", rng)),
        (f"Registered photo as {other}", pictures.converted(photo, other, rng)),
    ):
        yield write.uploaded(title, picture, _PERMITTED)


def _outside(write: Writer) -> Iterator[Scene]:
    """What a grant does not say is not granted."""
    terms = write.cast.terms
    picture = pictures.recompressed(a_picture_of(write.cast.licensor, write.rng), write.rng)
    places = [terms.territories[0], terms.not_territory]
    for title, gap, asked in (
        ("Purpose outside the grant", "PURPOSE", {"purpose": terms.not_purpose}),
        ("Technique outside the grant", "USE", {"use": terms.not_use}),
        ("Territory outside the grant", "TERRITORY", {"territories": places}),
    ):
        expected = answer("CONSENT_REQUIRED", f"{gap}_NOT_GRANTED", "ASSET_MATCH")
        yield write.uploaded(title, picture, expected, **asked)
    yield write.uploaded(
        "Service unable to keep the duties",
        picture,
        answer("REVIEW_REQUIRED", *_PERMITTED.reasons, "OBLIGATION_UNSUPPORTED"),
        supportedObligations=[],
    )


def _strangers(write: Writer) -> Iterator[Scene]:
    """Pictures that show nobody on record, or not who is said."""
    cast, rng = write.cast, write.rng
    unknown, unrelated, _ = cast.strangers
    other = rng.choice([unrelated, a_picture_of(cast.objector, rng)])
    yield write.uploaded(
        "Photo of nobody registered",
        pictures.original(unknown),
        answer("UNKNOWN", "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"),
    )
    yield write.uploaded(
        "Claimed to be somebody else",
        pictures.resized(other, rng),
        answer("PROHIBITED", "CLAIMED_SUBJECT_MISMATCH"),
        person={"claimedSubject": cast.licensor.id},
    )


def _unsure(write: Writer) -> Iterator[Scene]:
    """Where it is not clear who it is, a person has to look."""
    rng, licensor = write.rng, write.cast.licensor
    bits = rng.randint(*_GREY_BITS)
    near = pictures.near(a_hash_of(licensor, rng), bits, rng).hex()
    yield write.uploaded(
        "Picture with nothing to recognise",
        pictures.plain(rng),
        answer("REVIEW_REQUIRED", "PROBE_QUALITY_LOW"),
    )
    yield write.described(
        "Almost a registered photo",
        f"hash, {bits} of 256 bits off",
        answer("REVIEW_REQUIRED", "GREY_ZONE_MATCH"),
        person={"probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": near}}]},
    )
    yield write.described(
        "A name, and nothing to compare",
        "none",
        answer("REVIEW_REQUIRED", "NAME_ONLY", "BIOMETRIC_PROOF_REQUIRED"),
        person={"name": licensor.name},
    )


def _never(write: Writer) -> Iterator[Scene]:
    """What no grant allows, and what is no picture at all."""
    rng = write.rng
    yield write.uploaded(
        "To deceive for gain, grant or not",
        pictures.mirrored(a_picture_of(write.cast.licensor, rng), rng),
        answer("PROHIBITED", "FRAUD_IMPERSONATION"),
        content=["FRAUD"],
    )
    *_, stranger = write.cast.strangers
    yield write.refused(
        "Bytes that are no picture", pictures.garbage(rng), answer("HTTP 415", "UNSUPPORTED")
    )
    yield write.refused(
        "A picture that was cut off",
        pictures.cut_off(stranger, rng),
        answer("HTTP 422", "MEDIA_UNREADABLE"),
    )


def _other_services(write: Writer) -> Act:
    """What a service is told about others' consents depends on its contract."""
    clients = write.clients
    picture = pictures.recompressed(a_picture_of(write.cast.licensor, write.rng), write.rng)
    return [
        write.uploaded(
            "Service the grant does not name",
            picture,
            answer("CONSENT_REQUIRED", "GRANTEE_NOT_GRANTED", "ASSET_MATCH"),
            by=clients.rival,
        ),
        write.uploaded(
            "Such a service without contract",
            picture,
            answer("NOT_CLEARED", "NOT_CLEARED"),
            by=clients.newcomer,
        ),
    ]


def _withdrawal(write: Writer) -> Act:
    """Consent ends with the very next check."""
    cast, agency = write.cast, write.clients.agency
    picture = pictures.original(a_picture_of(cast.limited, write.rng))

    def revoke(_: Told | None) -> None:
        agency.ask(documents.REVOKE_GRANT, id=cast.revocable_grant)

    return [
        write.uploaded("Before consent is withdrawn", picture, _PERMITTED, purpose=cast.for_now),
        write.uploaded(
            "Right after it is withdrawn",
            picture,
            answer("PROHIBITED", "CONSENT_WITHDRAWN", "ASSET_MATCH"),
            first=revoke,
            purpose=cast.for_now,
        ),
    ]


def _single_use(write: Writer) -> Act:
    """A grant of one use gives exactly one."""
    cast, studio = write.cast, write.clients.studio
    picture = pictures.resized(a_picture_of(cast.limited, write.rng), write.rng)

    def take(before: Told | None) -> None:
        if before is not None and before.decision is not None:
            studio.ask(documents.TAKE_USE, input={"decisionId": before.decision["id"]})

    return [
        write.uploaded("One use granted, none taken yet", picture, _PERMITTED, purpose=cast.once),
        write.uploaded(
            "After that one use was taken",
            picture,
            answer("CONSENT_REQUIRED", "QUOTA_EXHAUSTED", "ASSET_MATCH"),
            first=take,
            purpose=cast.once,
        ),
    ]


def _objection(write: Writer) -> Act:
    """A no ends the earlier grants in its scope."""
    cast, agency = write.cast, write.clients.agency
    picture = pictures.mirrored(a_picture_of(cast.objector, write.rng), write.rng)

    def object_(_: Told | None) -> None:
        filed = {"subjectId": cast.objector.id, "scope": {"modalities": ["FACE"]}}
        agency.ask(documents.FILE_OBJECTION, input=filed)

    return [
        write.uploaded("Before the person objects", picture, _PERMITTED),
        write.uploaded(
            "Right after they objected",
            picture,
            answer("PROHIBITED", "OBJECTION", "ASSET_MATCH"),
            first=object_,
        ),
    ]
