"""The part of a form that says who somebody is: names, links, age and how to reach them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

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
class Person:
    """Who somebody says they are. `name` None: they did not say."""

    name: str | None
    aliases: tuple[str, ...]
    links: tuple[str, ...]
    born: date | None
    contact: tuple[ContactKind, str] | None

    @property
    def is_minor(self) -> bool:
        """Whether they said that they are under age."""
        return self.born is not None


def person_of(form: Form) -> Person:
    """The person, or InvalidError naming the field."""
    if not form.ticked("confirmed"):
        raise InvalidError(UNCONFIRMED, field="confirmed")
    return Person(
        name=form.text("name") or None,
        aliases=tuple(form.lines("aliases")),
        links=tuple(form.lines("links")),
        born=_born(form),
        contact=contact_of(form),
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


def contact_of(form: Form) -> tuple[ContactKind, str] | None:
    """How to reach them: an address with an at sign, or a number."""
    typed = form.text("contact")
    if not typed:
        return None
    if "@" in typed:
        return ContactKind.EMAIL, typed
    if sum(one.isdigit() for one in typed) < 5 or set(typed) - set("0123456789 +-()/."):  # noqa: PLR2004
        raise InvalidError(CONTACT, field="contact")
    return ContactKind.PHONE, typed
