"""A scene: a question that is asked over HTTP, and the answer it must get."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.cli.demonstration.client import Client, Told
from api.cli.demonstration.media import Media, Upload
from api.cli.demonstration.people import Cast

Persons = Callable[[Upload], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Clients:
    """One for each account."""

    agency: Client
    studio: Client
    rival: Client
    newcomer: Client
    registrar: Client
    guardian: Client
    heir: Client
    customer: Client
    reviewer: Client
    customer_id: str  # of the account


@dataclass(frozen=True, slots=True)
class Scene:
    """A question with the answer it must get. `play` is given what the scene before was told.

    `shown`: what is uploaded, in words. `expected.sentence` is a part of what must be said.
    """

    title: str
    shown: str
    expected: Told
    play: Callable[[Told | None], Told]

    def accepts(self, told: Told) -> bool:
        """Whether this is the answer it must get: that outcome, with exactly these reasons."""
        same = (told.outcome, told.reasons) == (self.expected.outcome, self.expected.reasons)
        return same and self.expected.sentence in told.sentence


Act = Sequence[Scene]  # its scenes follow one another: each changes what the next is told


@dataclass(frozen=True, slots=True)
class Part:
    """Acts on one matter, in an order of this run's own."""

    title: str
    acts: Sequence[Act]


def answer(outcome: str, *codes: str, sentence: str = "") -> Told:
    """An answer as it must be."""
    return Told(outcome, frozenset(codes), sentence=sentence)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes scenes; their questions are covered by the licensor's grant, but for what one says."""

    clients: Clients
    cast: Cast
    rng: random.Random

    def uploaded(
        self,
        title: str,
        media: Media,
        expected: Told,
        *,
        by: Client | None = None,
        first: Callable[[Told | None], None] | None = None,
        person: dict[str, Any] | None = None,
        persons: Persons | None = None,
        **asked: Any,
    ) -> Scene:
        """A service uploads a file and asks; before it does, `first` happens.

        Of one person, about whom it says `person`; or of the `persons` that an upload is made into.
        """
        client, question = by or self.clients.studio, self._question(**asked)

        def play(before: Told | None) -> Told:
            if first is not None:
                first(before)
            upload = client.upload(media.data)
            alone = [{**(person or {}), "probes": [upload.probe()]}]
            return client.check({**question, "persons": persons(upload) if persons else alone})

        return Scene(title, media.made_by, expected, play)

    def heard(self, title: str, media: Media, expected: Told, **asked: Any) -> Scene:
        """A service uploads a recording and asks about the voice."""
        spoken = {"modalities": ["VOICE"], "use": self.cast.terms.voice_use}
        return self.uploaded(title, media, expected, **(spoken | asked))

    def described(self, title: str, shown: str, expected: Told, *, person: dict[str, Any]) -> Scene:
        """The studio asks about a person without uploading anything."""
        question = {**self._question(), "persons": [person]}
        return Scene(title, shown, expected, lambda _: self.clients.studio.check(question))

    def refused(self, title: str, junk: Media, expected: Told) -> Scene:
        """The studio uploads what is no picture."""
        return Scene(
            title, junk.made_by, expected, lambda _: self.clients.studio.upload_refused(junk.data)
        )

    def enrolled(
        self, title: str, media: Media, expected: Told, *, face: int | None = None
    ) -> Scene:
        """The agency enrols a file of the licensor; of several faces the one at that place."""
        agency, subject = self.clients.agency, self.cast.licensor.id

        def play(_: Told | None) -> Told:
            upload = agency.upload(media.data)
            return agency.enroll(subject, upload, None if face is None else upload.boxes[face])

        return Scene(title, media.made_by, expected, play)

    def _question(self, **asked: Any) -> dict[str, Any]:
        terms, rng = self.cast.terms, self.rng
        return {
            "use": rng.choice(terms.uses),
            "purpose": rng.choice(terms.purposes),
            "modalities": ["FACE"],
            "territories": rng.sample(terms.territories, rng.randint(1, len(terms.territories))),
            **asked,
        }
