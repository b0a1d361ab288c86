"""What people do on the pages, each as they would: open one, fill in its form, send it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from api.cli.demonstration.accounts import Account
from api.cli.demonstration.browser import Browser, File, Page
from api.cli.demonstration.client import REFUSED, Told
from api.cli.demonstration.media import Media
from api.cli.demonstration.pictures import kind_of

_CONTACT: Final = "somebody@example.org"  # reserved for examples (RFC 2606)
_SHOWN_ONCE: Final = r'data-save-line="[^"]*">([^<]+)</dd>'
_DONE: Final = {
    "done=added": "ADDED",
    "done=reported": "REPORTED",
    "done=withdrawn": "WITHDRAWN",
    "done=asked": "ASKED",
    "done=decided": "DECIDED",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody has written down of their case."""

    number: str
    pin: str


def told_by(page: Page) -> Told:
    """What a page says was done; or that it was refused, and with which status."""
    done = _DONE.get(page.query)
    if done is None:
        return Told(REFUSED, frozenset({f"HTTP_{page.status}"}))
    return Told(done, frozenset())


def photo(media: Media, name: str = "photo") -> File:
    """A photo, as a field of a form."""
    return (name, ("photo", media.data, f"image/{kind_of(media.data).lower()}"))


def recording(media: Media, name: str = "voice") -> File:
    """A recording, as a field of a form."""
    return (name, ("recording.wav", media.data, "audio/wav"))


def objects(browser: Browser, media: Media) -> Kept:
    """Forbid everything, with a photo and a way to be reached."""
    browser.open("/object")
    browser.send("/object", {"contact": _CONTACT, "confirmed": "yes"}, [photo(media)])
    return _kept(browser.page)


def reports(browser: Browser, own: Media, seen: Media) -> Kept:
    """Report a recording, without a case until now."""
    browser.open("/report")
    said = {
        "kind": ["FRAUD"],
        "statement": "Somebody calls my customers with my voice and asks for money.",
        "territory": "DE",
        "contact": _CONTACT,
        "confirmed": "yes",
    }
    browser.send("/report", said, [recording(own), recording(seen, "seen")])
    return _kept(browser.page)


def _kept(page: Page) -> Kept:
    page.first(_SHOWN_ONCE)
    number, pin = page.find(_SHOWN_ONCE)
    return Kept(number, pin)


@contextmanager
def case(url: str, kept: Kept) -> Iterator[Browser]:
    """A browser in which somebody opened their case with number and PIN."""
    with Browser(url) as browser:
        browser.open("/case")
        browser.send("/case/sign-in", {"number": kept.number, "pin": kept.pin})
        yield browser


def adds(browser: Browser, file: File) -> Told:
    """One more photo or recording, in the case that is open."""
    return told_by(browser.send("/case/evidence", {}, [file]))


def withdraws(browser: Browser) -> Told:
    """Take the objection back, in the case that is open."""
    asking = browser.page.first(r'href="(/case/objections/[^"]+/withdraw)"')
    browser.open(asking)
    return told_by(browser.send(asking))


def reports_in_case(browser: Browser, media: Media) -> Told:
    """Report a picture, in the case that is open."""
    browser.open("/report")
    said = {
        "kind": ["ADVERTISING"],
        "statement": "A video has me advertise a bank. I never did.",
        "where": "https://video.example/1",
        "place": "a video platform",
    }
    return told_by(browser.send("/report", said, [photo(media, "seen")]))


def loses_the_pin(url: str, kept: Kept) -> Told:
    """Ask the desk for a new PIN, with the number alone."""
    with Browser(url) as browser:
        browser.open("/case/lost")
        said = {"number": kept.number, "statement": "I wrote the PIN down and lost the note."}
        return told_by(browser.send("/case/lost", said))


@contextmanager
def service(url: str, account: Account) -> Iterator[Browser]:
    """A browser in which a service signed in with its secret."""
    with Browser(url) as browser:
        browser.open("/service")
        browser.send("/sign-in", {"client": str(account.id), "secret": account.secret})
        yield browser


def tries(browser: Browser, asked: Mapping[str, str | Sequence[str]], media: Media) -> Told:
    """A check by the service's page: what the page of the decision says."""
    browser.open("/service/check")
    page = browser.send("/service/check", asked, [photo(media, "file")])
    outcome = page.first(r'<dd class="code">([A-Z_]+)')
    why = page.html.partition('id="why"')[2].partition("</section>")[0]
    reasons = Page(page.status, page.path, page.query, why)
    return Told(outcome, frozenset(reasons.find(r'<span class="soft code">([A-Z_]+)')))


@contextmanager
def desk(url: str, account: Account) -> Iterator[Browser]:
    """A browser in which a reviewer signed in with a token."""
    with Browser(url) as browser:
        browser.open("/desk")
        browser.send("/sign-in", {"access_token": account.token})
        yield browser


def waiting(browser: Browser, kind: str) -> list[str]:
    """The reviews of a kind that wait, by their addresses."""
    return browser.open(f"/desk?kind={kind}").find(r'href="(/desk/[0-9a-f-]+)"')


def confirms(browser: Browser, review: str) -> Told:
    """Take a report of misuse, and confirm it."""
    browser.open(review)
    browser.send(f"{review}/take")
    ruling = {"ruling": "CONFIRM", "reason": "The file shows what is described."}
    return told_by(browser.send(f"{review}/decide", ruling))
