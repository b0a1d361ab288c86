"""A row about a public figure, as a list gives it: checked, and in one form.

Dates are a day or a year; of a year the last day counts, which protects longest.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

import orjson

from registry.errors import InvalidError
from registry.policy import territories
from registry.policy.vocabulary import SubjectClass
from registry.subjects import MAX_ALIASES, checked_name

COLUMNS: Final = (
    "name",
    "aliases",
    "born",
    "died",
    "citizenship",
    "domicile",
    "classes",
    "source",
    "id",
)
CLASSES: Final = (
    SubjectClass.PUBLIC_FIGURE,
    SubjectClass.PERFORMER,
    SubjectClass.DECEASED,
    SubjectClass.HISTORICAL,
    SubjectClass.HERO_MARTYR,
)
MAX_SOURCE: Final = 200
MAX_ID: Final = 200
_GONE: Final = frozenset({SubjectClass.DECEASED, SubjectClass.HISTORICAL})
_YEAR: Final = re.compile(r"-?[0-9]{1,4}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_FORM: Final = "A date is a day, 1926-07-03, or a year, 1926 or -551."


@dataclass(frozen=True, slots=True)
class FigureRow:
    """What a source says of a figure. `source` and `source_id` tell which row it is."""

    source: str
    source_id: str
    name: str
    aliases: tuple[str, ...]
    born: str | None
    died: str | None
    citizenship: str | None
    domicile: str | None
    classes: tuple[SubjectClass, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases."""
        return (self.name, *self.aliases)

    @property
    def digest(self) -> bytes:
        """32 bytes that change when anything the row says does."""
        return hashlib.sha256(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)).digest()


def checked(given: Mapping[str, object], *, today: date) -> FigureRow:
    """The row; InvalidError names the column that does not hold."""
    if unknown := sorted(str(one) for one in given.keys() - set(COLUMNS)):
        raise InvalidError(f"There is no column {unknown[0]}.", field=unknown[0])
    name = checked_name(_text(given, "name") or "")
    aliases = [checked_name(one, "aliases") for one in _texts(given, "aliases")]
    if len(aliases) > MAX_ALIASES:
        raise InvalidError(f"At most {MAX_ALIASES} aliases.", field="aliases")
    row = FigureRow(
        source=_label(given, "source", MAX_SOURCE),
        source_id=_label(given, "id", MAX_ID),
        name=name,
        aliases=tuple(one for one in dict.fromkeys(aliases) if one != name),
        born=_date(given, "born"),
        died=_date(given, "died"),
        citizenship=_territory(given, "citizenship"),
        domicile=_territory(given, "domicile"),
        classes=_classes(_texts(given, "classes")),
    )
    _check_life(row, today)
    return row


def _check_life(row: FigureRow, today: date) -> None:
    for field, said in (("born", row.born), ("died", row.died)):
        if said is not None and first_day(said) > today + timedelta(days=1):
            raise InvalidError("That day has not come.", field=field)
    if row.born is not None and row.died is not None and _year_or_day(row.born) > _end(row.died):
        raise InvalidError("Nobody dies before they are born.", field="died")
    if row.domicile is not None and row.died is None and _GONE.isdisjoint(row.classes):
        raise InvalidError("A domicile is where somebody died; this one lives.", field="domicile")


def first_day(said: str) -> date:
    """The first day that a day or year may mean; before the year 1, that year's."""
    if _DAY.fullmatch(said):
        return date.fromisoformat(said)
    return date(max(int(said), 1), 1, 1)


def last_day(said: str) -> date:
    """The last day that a day or year may mean; before the year 1, the first there is."""
    if _DAY.fullmatch(said):
        return date.fromisoformat(said)
    return date(int(said), 12, 31) if int(said) > 0 else date.min


def _year_or_day(said: str) -> tuple[int, int]:
    if _DAY.fullmatch(said):
        day = date.fromisoformat(said)
        return day.year, day.timetuple().tm_yday
    return int(said), 0


def _end(said: str) -> tuple[int, int]:
    year, day = _year_or_day(said)
    return year, day or 366


def _text(given: Mapping[str, object], field: str) -> str | None:
    value = given.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidError("This is text.", field=field)
    return value.strip() or None


def _texts(given: Mapping[str, object], field: str) -> Collection[str]:
    """A list, or text in which ";" separates: as CSV has it."""
    value = given.get(field)
    if value is None:
        return ()
    if isinstance(value, str):
        return [one.strip() for one in value.split(";") if one.strip()]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise InvalidError("This is a list of texts.", field=field)


def _label(given: Mapping[str, object], field: str, longest: int) -> str:
    text = _text(given, field)
    if text is None or len(text) > longest or not text.isprintable():
        raise InvalidError(f"Give 1 to {longest} printable characters.", field=field)
    return text


def _date(given: Mapping[str, object], field: str) -> str | None:
    said = given.get(field)
    text = str(said) if isinstance(said, int) and not isinstance(said, bool) else None
    text = text or _text(given, field)
    if text is None:
        return None
    if _YEAR.fullmatch(text) and int(text) != 0:
        return str(int(text))
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise InvalidError(_DATE_FORM, field=field) from error
    raise InvalidError(_DATE_FORM, field=field)


def _territory(given: Mapping[str, object], field: str) -> str | None:
    text = _text(given, field)
    if text is None:
        return None
    [code] = territories.check([text], field=field)
    return code


def _classes(given: Iterable[str]) -> tuple[SubjectClass, ...]:
    known = {str(one): one for one in CLASSES}
    found = set()
    for one in given:
        if one.upper() not in known:
            raise InvalidError(f"A figure's classes are {', '.join(CLASSES)}.", field="classes")
        found.add(known[one.upper()])
    if not found:
        raise InvalidError(f"Name at least one of {', '.join(CLASSES)}.", field="classes")
    return tuple(sorted(found))
