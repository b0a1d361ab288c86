"""Scenes played through the web pages: people object and report, a service asks, the desk looks.

What they leave is there to be seen afterwards, on every page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.cli.demonstration import journeys, pictures, sounds
from api.cli.demonstration.accounts import Accounts
from api.cli.demonstration.browser import Browser
from api.cli.demonstration.client import REFUSED, Told
from api.cli.demonstration.journeys import Kept
from api.cli.demonstration.people import a_picture_of
from api.cli.demonstration.scene import Act, Scene, Writer, answer

_KINDS: Final = ("MISUSE", "LOST_PIN", "SUSPICIOUS_ENROLMENT")
_OPENED: Final = answer("CASE_OPENED")
_NOBODY: Final = Kept("", "")


@dataclass(slots=True)
class Pages:
    """The pages of a running server. `seeded`: the case that is left to look at."""

    url: str
    accounts: Accounts
    seeded: Kept = _NOBODY
    reported: Kept = _NOBODY

    def acts(self, write: Writer) -> list[Act]:
        """In this order: what is reported is there when the desk looks."""
        return [self._face(write), self._voice(write), self._service(write), self._desk()]

    def _face(self, write: Writer) -> Act:
        """Somebody on no record objects with a photo, comes back, and reports a misuse."""
        portrait = write.cast.stranger.picture
        sent = pictures.original(portrait)
        again = pictures.recompressed(portrait, write.rng)
        more = pictures.mirrored(portrait, write.rng)

        def objects() -> Told:
            with Browser(self.url) as browser:
                self.seeded = journeys.objects(browser, sent)
            return _OPENED

        def in_case(act: Callable[[Browser], Told]) -> Told:
            with journeys.case(self.url, self.seeded) as browser:
                return act(browser)

        def guesses() -> Told:
            with journeys.case(self.url, Kept(self.seeded.number, "not the PIN")) as browser:
                return journeys.told_by(browser.page)

        def adds() -> Told:
            return in_case(lambda browser: journeys.adds(browser, journeys.photo(more)))

        def reports() -> Told:
            return in_case(lambda browser: journeys.reports_in_case(browser, again))

        return [
            _scene("A stranger objects by a page", sent.made_by, _OPENED, objects),
            write.uploaded(
                "Their face, right after", again, answer("PROHIBITED", "OBJECTION", "ASSET_MATCH")
            ),
            _scene("Their case, by another PIN", "a form", answer(REFUSED, "HTTP_422"), guesses),
            _scene("Their case, and one more photo", more.made_by, answer("ADDED"), adds),
            _scene("They report who misused it", again.made_by, answer("REPORTED"), reports),
        ]

    def _voice(self, write: Writer) -> Act:
        """A voice is imitated: reported by a form, which objects; its owner takes that back."""
        cast = write.cast
        own, seen, heard = (sounds.said(cast.stranger.voice, one) for one in cast.sentences[:3])
        mistaken = sounds.said(cast.limited.voice, cast.sentences[0])

        def reports() -> Told:
            with Browser(self.url) as browser:
                self.reported = journeys.reports(browser, own, seen)
            return _OPENED

        def withdraws() -> Told:
            with journeys.case(self.url, self.reported) as browser:
                return journeys.withdraws(browser)

        def adds() -> Told:
            with journeys.case(self.url, self.reported) as browser:
                return journeys.adds(browser, journeys.recording(mistaken))

        def loses() -> Told:
            return journeys.loses_the_pin(self.url, self.reported)

        no_grant = answer("CONSENT_REQUIRED", "NO_GRANT")
        return [
            _scene("A fake voice is reported", own.made_by, _OPENED, reports),
            write.heard("The real one, right after", heard, answer("PROHIBITED", "OBJECTION")),
            _scene("Its owner takes that back", "a form", answer("WITHDRAWN"), withdraws),
            write.heard("The voice once more", heard, no_grant),
            _scene("Another's voice, by mistake", mistaken.made_by, answer("ADDED"), adds),
            _scene("They say the PIN is lost", "a form", answer("ASKED"), loses),
        ]

    def _service(self, write: Writer) -> Act:
        """A service tries a check on its page, with a registered picture."""
        terms, rng = write.cast.terms, write.rng
        media = pictures.original(a_picture_of(write.cast.licensor, rng))
        asked = {
            "use": rng.choice(terms.uses),
            "purpose": rng.choice(terms.purposes),
            "territories": rng.choice(terms.territories),
        }

        def tries() -> Told:
            with journeys.service(self.url, self.accounts.studio) as browser:
                return journeys.tries(browser, asked, media)

        expected = answer("PERMITTED", "GRANT", "ASSET_MATCH")
        return [_scene("A service tries a check", media.made_by, expected, tries)]

    def _desk(self) -> Act:
        """A reviewer sees what waits, and confirms a report; the others go on waiting."""

        def looks() -> Told:
            with journeys.desk(self.url, self.accounts.reviewer) as browser:
                there = [one for one in _KINDS if journeys.waiting(browser, one)]
            return Told("WAITING", frozenset(there))

        def confirms() -> Told:
            with journeys.desk(self.url, self.accounts.reviewer) as browser:
                return journeys.confirms(browser, journeys.waiting(browser, _KINDS[0])[0])

        return [
            _scene("What waits at the desk", "its page", answer("WAITING", *_KINDS), looks),
            _scene("The first report is confirmed", "a form", answer("DECIDED"), confirms),
        ]


def _scene(title: str, shown: str, expected: Told, play: Callable[[], Told]) -> Scene:
    return Scene(title, shown, expected, lambda _before: play())
