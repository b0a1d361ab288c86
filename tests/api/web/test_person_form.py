"""Who somebody says they are: an age protects no day too short, a contact is one or the other."""

from datetime import date, datetime, timedelta, tzinfo

import pytest

from api.web import person_form
from registry.cases import ContactKind
from registry.errors import InvalidError
from tests.api.web.test_levels import form


def lived(born: date, today: date) -> int:
    """Full years at a day."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@pytest.mark.parametrize("age", range(18))
@pytest.mark.parametrize("today", [date(2026, 11, 25), date(2028, 2, 29), date(2027, 3, 1)])
def test_nobody_counts_as_of_age_before_they_can_be(
    monkeypatch: pytest.MonkeyPatch, age: int, today: date
) -> None:
    """Whoever says an age may have their birthday tomorrow, or have had it today."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(today.year, today.month, today.day, 12, tzinfo=tz)

    monkeypatch.setattr(person_form, "datetime", Clock)
    given = form(confirmed="yes", age_group="MINOR", age=str(age))
    born = person_form.person_of(given).born
    assert born is not None
    assert lived(born, today) in {age, age - 1}
    assert lived(born - timedelta(days=1), today) == age  # the latest day that may be theirs


@pytest.mark.parametrize("age", ["", "18", "99", "-1", "1.5", "x", "\u0661\u0667x", " "])
def test_an_age_that_is_none_of_a_minor_is_asked_for_again(age: str) -> None:
    with pytest.raises(InvalidError) as refused:
        person_form.person_of(form(confirmed="yes", age_group="MINOR", age=age))
    assert refused.value.field == "age"


def test_an_age_counts_only_for_who_says_that_they_are_young() -> None:
    assert person_form.person_of(form(confirmed="yes", age_group="ADULT", age="12")).born is None


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("a@example.test", ContactKind.EMAIL),
        ("用户@例子.测试", ContactKind.EMAIL),
        ("+47 22 11 33 44", ContactKind.PHONE),
        ("(030) 123/45-6", ContactKind.PHONE),
    ],
)
def test_a_contact_is_an_address_or_a_number(typed: str, kind: ContactKind) -> None:
    assert person_form.contact_of(form(contact=typed)) == person_form.Contact(kind, typed)


@pytest.mark.parametrize("typed", ["1234", "call me", "12345 ext 6", "\u0661" * 8, ""])
def test_neither_is_asked_for_again(typed: str) -> None:
    with pytest.raises(InvalidError) as refused:
        person_form.contact_of(form(contact=typed))
    assert refused.value.field == "contact"


def test_lines_become_names_and_links() -> None:
    given = form(
        confirmed="yes",
        name=" Ada ",
        aliases="Countess\n\n  AAL \n",
        links="https://a.example/\r\n",
    )
    person = person_form.person_of(given)
    assert (person.name, person.aliases) == ("Ada", ("Countess", "AAL"))
    assert person.links == ("https://a.example/",)
    assert person.as_handed()["contact"] is None
