"""Scenes of registered pictures: known again whatever was done to them, and what a grant says."""

from collections.abc import Iterator

from api.cli.demonstration import pictures
from api.cli.demonstration.people import a_hash_of, a_picture_of
from api.cli.demonstration.scene import Act, Scene, Writer, answer

_GREY_BITS = (52, 58)  # up to 48 it is the same picture, beyond 60 another one
_PERMITTED = answer("PERMITTED", "GRANT", "ASSET_MATCH")


def acts(write: Writer) -> list[Act]:
    """Each may come at any time."""
    alone = [[scene] for scenes in (_same, _outside, _unsure, _never) for scene in scenes(write)]
    return [*alone, _other_services(write)]


def _same(write: Writer) -> Iterator[Scene]:
    """Whatever was done to a registered picture, it is recognised."""
    rng = write.rng
    photo = a_picture_of(write.cast.licensor, rng)
    other = "JPEG" if pictures.kind_of(photo) == "PNG" else "PNG"
    for title, media in (
        ("Registered photo, granted use", pictures.original(photo)),
        ("Registered photo, saved again", pictures.recompressed(photo, rng)),
        ("Registered photo, resized", pictures.resized(photo, rng)),
        ("Registered photo, mirrored", pictures.mirrored(photo, rng)),
        ("Registered photo as WebP", pictures.converted(photo, "WEBP", rng)),
        (f"Registered photo as {other}", pictures.converted(photo, other, rng)),
    ):
        yield write.uploaded(title, media, _PERMITTED)


def _outside(write: Writer) -> Iterator[Scene]:
    """What a grant does not say is not granted."""
    terms = write.cast.terms
    media = pictures.recompressed(a_picture_of(write.cast.licensor, write.rng), write.rng)
    places = [terms.territories[0], terms.not_territory]
    for title, gap, asked in (
        ("Purpose outside the grant", "PURPOSE", {"purpose": terms.not_purpose}),
        ("Technique outside the grant", "USE", {"use": terms.not_use}),
        ("Territory outside the grant", "TERRITORY", {"territories": places}),
    ):
        expected = answer("CONSENT_REQUIRED", f"{gap}_NOT_GRANTED", "ASSET_MATCH")
        yield write.uploaded(title, media, expected, **asked)
    yield write.uploaded(
        "Service unable to keep the duties",
        media,
        answer("REVIEW_REQUIRED", *_PERMITTED.reasons, "OBLIGATION_UNSUPPORTED"),
        supportedObligations=[],
    )


def _unsure(write: Writer) -> Iterator[Scene]:
    """Where it is not clear who it is, a person has to look."""
    rng, licensor = write.rng, write.cast.licensor
    bits = rng.randint(*_GREY_BITS)
    near = pictures.near(a_hash_of(licensor, rng), bits, rng).hex()
    yield write.described(
        "Almost a registered photo",
        f"hash, {bits} bits off",
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
    """What no grant allows."""
    rng = write.rng
    yield write.uploaded(
        "To deceive for gain, grant or not",
        pictures.mirrored(a_picture_of(write.cast.licensor, rng), rng),
        answer("PROHIBITED", "FRAUD_IMPERSONATION"),
        content=["FRAUD"],
    )


def _other_services(write: Writer) -> Act:
    """What a service is told about others' consents depends on its contract."""
    clients = write.clients
    media = pictures.recompressed(a_picture_of(write.cast.licensor, write.rng), write.rng)
    return [
        write.uploaded(
            "Service the grant does not name",
            media,
            answer("CONSENT_REQUIRED", "GRANTEE_NOT_GRANTED", "ASSET_MATCH"),
            by=clients.rival,
        ),
        write.uploaded(
            "Such a service without contract",
            media,
            answer("NOT_CLEARED", "NOT_CLEARED"),
            by=clients.newcomer,
        ),
    ]
