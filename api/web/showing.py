"""What shows a person in a form: photos, recordings, and hashes made on their own device.

One file that cannot be used stops nothing else; its sender is told which, and what to send instead.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.state import State
from api.web.forms import File, Form
from api.web.languages import N_
from registry import sampling
from registry.checks.questions import Probe
from registry.encoders.identity import IMAGE_HASH
from registry.encoders.media import MediaEncoding
from registry.errors import InvalidError, MediaError, RegistryError
from registry.intake import Shown
from registry.policy.vocabulary import Modality
from registry.samples import Vectors

PHOTOS: Final = "photo"
VOICES: Final = "voice"
HASHES: Final = "imageHash"
MOST_HASHES: Final = 20
PLAIN: Final = N_("The picture is too plain to be recognised again.")
NO_PICTURE: Final = N_("This is no picture. Send a photo as JPEG, PNG or WebP.")
NO_HASH: Final = N_("What your device made of a picture cannot be read. Choose the picture again.")
TOO_MANY: Final = N_("Too many pictures at once. Add the others in your case afterwards.")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that could not be used wholly, and why."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """What could be used of a form, and what not."""

    shown: Shown
    troubles: Sequence[Trouble] = ()


async def read(state: State, form: Form) -> Read:
    """Everything in a form that shows its person. Media is encoded and dropped."""
    photos, voices = form.files.get(PHOTOS, []), form.files.get(VOICES, [])
    asked = [(one, Modality.FACE) for one in photos] + [(one, Modality.VOICE) for one in voices]
    encodings = await asyncio.gather(*(_encoded(state, file) for file, _ in asked))
    samples: list[tuple[Modality, Vectors]] = []
    pictures: list[tuple[str, bytes]] = [(IMAGE_HASH, one) for one in hashes(form)]
    troubles = []
    for (file, modality), encoding in zip(asked, encodings, strict=True):
        try:
            if isinstance(encoding, RegistryError):
                raise encoding
            pictures += _picture(encoding, modality)
            samples.append(sampling.sample_of(encoding, modality=modality, box=None))
        except RegistryError as error:
            troubles.append(Trouble(file.name, str(error)))
    return Read(Shown(samples, pictures), troubles)


def hashes(form: Form) -> list[bytes]:
    """The hashes that the person's device made; InvalidError for what is none."""
    given = form.texts(HASHES)
    if len(given) > MOST_HASHES:
        raise InvalidError(TOO_MANY, field=PHOTOS)
    try:
        return [Probe.from_hex(one).image_hash or b"" for one in given]
    except InvalidError as error:
        raise InvalidError(NO_HASH, field=PHOTOS) from error


async def _encoded(state: State, file: File) -> MediaEncoding | RegistryError:
    try:
        return await state.media.encode(file.data, enrolling=True)
    except RegistryError as error:
        return error


def _picture(encoding: MediaEncoding, modality: Modality) -> list[tuple[str, bytes]]:
    """The picture's hash: the same picture is known again also where no face was found in it."""
    if modality is not Modality.FACE:
        return []
    if encoding.picture is None:
        raise MediaError(NO_PICTURE)
    if not encoding.picture.usable:
        raise MediaError(PLAIN)
    return [(encoding.picture.encoder, encoding.picture.plain)]
