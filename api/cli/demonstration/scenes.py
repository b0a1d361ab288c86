"""What is played: who asks what about which file, and what the registry must answer.

The answers are the registry's own: a scene says what an answer must be, nothing makes it so.
"""

import random

from api.cli.demonstration import enrolments, faces, hashes, law, story, voices
from api.cli.demonstration.pages import Pages
from api.cli.demonstration.people import Cast
from api.cli.demonstration.protected import Protected
from api.cli.demonstration.scene import Clients, Part, Writer


def parts(
    clients: Clients, cast: Cast, protected: Protected, pages: Pages, rng: random.Random
) -> list[Part]:
    """Every part, with its acts in an order of this run's own; the pages come last, in theirs."""
    write = Writer(clients, cast, rng)
    mixed = [
        Part(title, rng.sample(acts, len(acts)))
        for title, acts in (
            ("Registered pictures", hashes.acts(write)),
            ("People in other pictures", faces.acts(write)),
            ("Voices, and videos", voices.acts(write)),
            ("What the law protects anyway", law.acts(write, protected)),
            ("From no to yes", story.acts(write)),
            ("Enrolments and uploads", enrolments.acts(write)),
        )
    ]
    return [*mixed, Part("Through the web pages", pages.acts(write))]
