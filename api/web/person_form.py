"""The part of a form that says who somebody is: names, links, age and how to reach them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from api.web.forms import Form
from api.web.languages import N_
from registry.cases import ContactKind
from registry.errors import InvalidError
from registry.subjects import MAJORITY

AGE: Final = N_("Write how old you are, as a number. Under 18 you are protected more.")
CONTACT: Final = N_("Write an e-mail address or a telephone number, or leave it empty.")
UNCONFIRMED: Final = N_(
    "Tick the box: only the person themselves, or who may speak for them, objects."
)


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody wants to be reached."""

    kind: ContactKind
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody says they are. `name` None: they did not say."""

    name: str | None
    aliases: tuple[str, ...]
    links: tuple[str, ...]
    born: date | None
    contact: Contact | None

    def as_handed(self) -> dict[str, Any]:
        """The same as fields of `registry.intake.Handed`."""
        return {
            "name": self.name,
            "aliases": self.aliases,
            "links": self.links,
            "born": self.born,
            "contact": None if self.contact is None else (self.contact.kind, self.contact.address),
        }


def person_of(form: Form) -> Person:
    """The person, or InvalidError naming the field."""
    if not form.ticked("confirmed"):
        raise InvalidError(UNCONFIRMED, field="confirmed")
    return Person(
        name=form.text("name") or None,
        aliases=tuple(form.lines("aliases")),
        links=tuple(form.lines("links")),
        born=_born(form),
        contact=contact_of(form) if form.text("contact") else None,
    )


def _born(form: Form) -> date | None:
    """The latest day on which somebody of this age was born: protected no day too short."""
    if form.text("age_group") != "MINOR":
        return None
    typed = form.text("age")
    if not typed.isdecimal() or not 0 <= int(typed) < MAJORITY:
        raise InvalidError(AGE, field="age")
    today = datetime.now(UTC).date()
    year = today.year - int(typed)
    leaps = (today.month, today.day) == (2, 29) and year % 4
    return date(year, 3, 1) if leaps else today.replace(year=year)


def contact_of(form: Form) -> Contact:
    """How to reach them: an address with an at sign, or a number; InvalidError for neither."""
    typed = form.text("contact")
    if "@" in typed:
        return Contact(ContactKind.EMAIL, typed)
    if sum(one.isdigit() for one in typed) < _FEWEST_DIGITS or set(typed) - _IN_NUMBERS:
        raise InvalidError(CONTACT, field="contact")
    return Contact(ContactKind.PHONE, typed)


_FEWEST_DIGITS: Final = 5
_IN_NUMBERS: Final = frozenset("0123456789 +-()/.")
