"""How long, and by which packs, a dead person is protected."""

from collections.abc import Iterator
from datetime import date

from registry.policy import territories
from registry.policy.facts import Subject
from registry.policy.pack import Pack, Term
from registry.policy.pack_words import TermKind
from registry.policy.question import Case

PROTECTED = "POST_MORTEM_PROTECTED"


def standing(case: Case, subject: Subject) -> tuple[tuple[str, Pack], ...]:
    """What each pack says of a dead subject: PROTECTED, or the code of why it is unclear.

    A pack that says nothing does not protect. Empty: no post-mortem right runs.
    """
    return tuple(_spoken(case, subject))


def _spoken(case: Case, subject: Subject) -> Iterator[tuple[str, Pack]]:
    named, today = case.question.reading.named, case.question.today
    for pack in case.packs:
        said = [_says(one, subject, today, named=pack.id in named) for one in pack.dead.terms]
        for code in dict.fromkeys(said):
            if code is not None:
                yield code, pack


def _says(term: Term, subject: Subject, today: date, *, named: bool) -> str | None:
    if term.kind is TermKind.NONE or not term.holds(today):
        return None
    if term.kind is TermKind.DELEGATED:
        return "NAME_THE_STATE" if named else None
    runs = _runs(term, subject, today)
    return runs if runs is None else _domicile(term, subject, runs)


def _runs(term: Term, subject: Subject, today: date) -> str | None:
    if term.kind is TermKind.WHILE_RELATIVES_LIVING:
        if subject.relatives_living is None:
            return "RELATIVES_UNKNOWN"
        return PROTECTED if subject.relatives_living else None
    if subject.died is None:
        return "DEATH_DATE_UNKNOWN"
    since = term.died_on_or_after
    if since is not None and subject.died < since:
        return None
    return _measured(term, subject.died, today)


def _measured(term: Term, died: date, today: date) -> str | None:
    years = term.years
    if years is None:
        return "LAW_UNSETTLED"  # unsettled, and any kind this engine does not know
    if today <= _anniversary(died, years):
        return PROTECTED
    return "RENEWAL_UNKNOWN" if term.kind is TermKind.RENEWABLE else None


def _domicile(term: Term, subject: Subject, runs: str) -> str | None:
    """What a term that runs means for someone of this domicile."""
    wanted, known = term.domicile, subject.domicile_at_death
    if wanted is None or known == wanted:
        return runs
    if known is None or known in territories.enclosing(wanted):
        return "DOMICILE_UNKNOWN"
    return runs if wanted in territories.enclosing(known) else None


def _anniversary(day: date, years: int) -> date:
    """The last protected day. 29 February ends on 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
