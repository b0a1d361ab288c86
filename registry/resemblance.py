"""How near a file that a complaint shows comes to the person: a band, for whoever reviews it.

Compared with that person's own samples and pictures alone, as what they claim to be. It is no
ruling: a forgery may be near or far, and so may somebody who looks alike.
"""

from collections.abc import Collection, Iterator
from uuid import UUID

from registry import assets, complaints, templates
from registry.complaint_papers import Shown
from registry.database import ReadSession
from registry.encoder_set import EncoderSet
from registry.encoders.identity import Condition
from registry.errors import NotFoundError
from registry.keys import Keys
from registry.matching.bands import image_band
from registry.policy.vocabulary import Band, Modality
from registry.samples import Own
from registry.verification import band


async def by_complaint(
    session: ReadSession, ids: Collection[UUID], *, encoders: EncoderSet, keys: Keys
) -> dict[UUID, Band]:
    """The nearest band of each complaint; of none without a file or anything to compare it with.

    Reads of other people's records: the caller has checked who is told.
    """
    found = {}
    for complaint_id, content in (await complaints.contents(session, ids, keys=keys)).items():
        if content.shown is None:
            continue
        complaint = await complaints.mine(session, complaint_id)
        bands = await _bands(session, complaint.subject_id, content.shown, encoders, keys)
        if bands:
            found[complaint_id] = max(bands, key=lambda one: one.rank)
    return found


async def _bands(
    session: ReadSession, subject_id: UUID, shown: Shown, encoders: EncoderSet, keys: Keys
) -> list[Band]:
    try:
        key = await templates.key_of(session, subject_id, keys=keys)
    except NotFoundError:
        return []  # erased a moment ago
    own = await templates.own(session, subject_id, keys=keys)
    pictures = await assets.hashes_of(session, subject_id, key=key)
    return [*_of_people(shown, own, encoders), *_of_picture(shown, pictures)]


def _of_people(shown: Shown, own: Own, encoders: EncoderSet) -> Iterator[Band]:
    """Of every face and voice that can be compared."""
    for face in shown.faces:
        vectors = {(encoder, Condition.PHOTO): raw for encoder, raw in face.vectors.items()}
        nearness = band(vectors, own, encoders, modality=Modality.FACE)
        if nearness is not None:
            yield nearness
    for voice in shown.voices:
        nearness = band(voice.vectors, own, encoders, modality=Modality.VOICE)
        if nearness is not None:
            yield nearness


def _of_picture(shown: Shown, pictures: Collection[tuple[str, bytes]]) -> Iterator[Band]:
    """Of the picture as a whole, with every one registered."""
    if not shown.usable:
        return
    for encoder, known in pictures:
        if encoder == shown.encoder:
            yield from (image_band(_distance_bits(one, known)) for one in shown.hashes)


def _distance_bits(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
