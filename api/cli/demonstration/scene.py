"""A scene: a question that is asked over HTTP, and the answer it must get."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.cli.demonstration.client import Client, Told
from api.cli.demonstration.people import Cast
from api.cli.demonstration.pictures import Picture


@dataclass(frozen=True, slots=True)
class Clients:
    """One for each account."""

    agency: Client
    studio: Client
    rival: Client
    newcomer: Client


@dataclass(frozen=True, slots=True)
class Scene:
    """A question with the answer it must get. `play` is given what the scene before was told."""

    title: str
    photo: str
    expected: Told
    play: Callable[[Told | None], Told]

    def accepts(self, told: Told) -> bool:
        """Whether this is the answer it must get: that outcome, with exactly these reasons."""
        return (told.outcome, told.reasons) == (self.expected.outcome, self.expected.reasons)


def answer(outcome: str, *codes: str) -> Told:
    """An answer as it must be."""
    return Told(outcome, frozenset(codes))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes scenes; their questions are covered by the licensor's grant, but for what one says."""

    clients: Clients
    cast: Cast
    rng: random.Random

    def uploaded(
        self,
        title: str,
        picture: Picture,
        expected: Told,
        *,
        by: Client | None = None,
        first: Callable[[Told | None], None] | None = None,
        person: dict[str, Any] | None = None,
        **asked: Any,
    ) -> Scene:
        """A service uploads a picture and asks; before it does, `first` happens."""
        client, question = by or self.clients.studio, self._question(**asked)

        def play(before: Told | None) -> Told:
            if first is not None:
                first(before)
            probe = {"media": {"handle": client.upload(picture.data)}}
            return client.check({**question, "persons": [{**(person or {}), "probes": [probe]}]})

        return Scene(title, picture.made_by, expected, play)

    def described(self, title: str, photo: str, expected: Told, *, person: dict[str, Any]) -> Scene:
        """The studio asks about a person without uploading anything."""
        question = {**self._question(), "persons": [person]}
        return Scene(title, photo, expected, lambda _: self.clients.studio.check(question))

    def refused(self, title: str, junk: Picture, expected: Told) -> Scene:
        """The studio uploads what is no picture."""
        return Scene(
            title, junk.made_by, expected, lambda _: self.clients.studio.upload_refused(junk.data)
        )

    def _question(self, **asked: Any) -> dict[str, Any]:
        terms, rng = self.cast.terms, self.rng
        return {
            "use": rng.choice(terms.uses),
            "purpose": rng.choice(terms.purposes),
            "modalities": ["FACE"],
            "territories": rng.sample(terms.territories, rng.randint(1, len(terms.territories))),
            **asked,
        }
