"""A rule pack in words, as Markdown: for lawyers on a page, or in a terminal. Pure.

What is from memory says so wherever it stands, and so does what is only draft.
"""

from collections.abc import Iterable, Iterator

from registry.policy.pack import (
    Advice,
    Authority,
    Bar,
    Duty,
    Form,
    Instrument,
    Pack,
    Term,
)
from registry.policy.pack_words import Effect, Evidence, Need, Status, TermKind
from registry.policy.statement import Statement
from registry.policy.urgent import Deadline, HelpLine

DISCLAIMER = (
    "Not legal advice. This is how the registry reads the law, written by engineers; each value"
    " needs the sign-off of counsel who practise there before anybody relies on it."
)
_TERMS = {
    TermKind.FIXED: "{years} years after death",
    TermKind.RENEWABLE: "{years} years after death, and longer while renewed by use",
    TermKind.WHILE_RELATIVES_LIVING: "while close relatives live",
    TermKind.UNSETTLED: "unsettled: a person decides",
    TermKind.DELEGATED: "left to the states within: name the state",
    TermKind.NONE: "none: the right ends with the person",
}


def title(pack: Pack) -> str:
    """The pack's name and id."""
    return f"{pack.name} ({pack.id})"


def prose(pack: Pack) -> str:
    """The whole pack, each value with its law, how sure that is, and when to look again."""
    return "\n".join(_lines(pack)).rstrip() + "\n"


def after_death(pack: Pack) -> str:
    """How long the dead are protected, in a few words."""
    return "; ".join(_term(one) + _draft(one) for one in pack.dead.terms)


def _lines(pack: Pack) -> Iterator[str]:
    yield f"# {title(pack)}"
    yield ""
    yield DISCLAIMER
    yield ""
    yield f"Version {pack.version}, {_words(pack.status)}, confidence {pack.confidence}."
    yield f"To be looked at again by {pack.review_by}. Source: {pack.source}"
    yield ""
    if pack.rationale:
        yield pack.rationale.strip()
        yield ""
    if pack.extends:
        yield f"The rules of {_and(pack.extends)} hold here too."
        yield ""
    yield f"It speaks by {_and(sorted(_words(one) for one in pack.connecting_factors))}."
    yield ""
    yield from _section("Law it rests on", map(_instrument, pack.instruments))
    yield from _said(
        "What is protected",
        pack,
        (
            (f"{one.modality}: {_words(one.level)}, {_words(one.holder)}", one)
            for one in pack.protected
        ),
    )
    yield from _said("Who must consent", pack, ((_authority(o), o) for o in pack.consent.by))
    yield from _said("In what form", pack, ((_form(one), one) for one in pack.consent.forms))
    if pack.minors is not None:
        told = f"Of age at {pack.minors.majority}"
        if pack.minors.data_consent_age is not None:
            told += f"; consents to the use of data from {pack.minors.data_consent_age}"
        yield from _said("Minors", pack, [(told, pack.minors)])
    yield from _said("After death", pack, ((_term(one), one) for one in pack.dead.terms))
    holders = (
        (f"Rank {one.rank}: {_or(sorted(one.any_of))}; deciding: {_words(one.decision)}", one)
        for one in pack.dead.holders
    )
    yield from _said("Who holds the rights of the dead", pack, holders)
    freedoms = ((f"{one.claim}: {_freedom(one.effect)}", one) for one in pack.exceptions)
    yield from _said("Freedoms a service may claim", pack, freedoms)
    yield from _said("What is forbidden", pack, ((_bar(one), one) for one in pack.bars))
    yield from _said("Duties of a permitted use", pack, ((_duty(o), o) for o in pack.emits))
    numbers = ((f"{one.kind}: for example {one.example}", one) for one in pack.filing_formats)
    yield from _said("Filing numbers", pack, numbers)
    for heading, advice in (
        ("Other duties of services", pack.service_duties),
        ("Remedies", pack.remedies),
        ("Duties of whoever runs a registry", pack.registry_duties),
    ):
        yield from _said(heading, pack, _advice(advice))
    yield from _said("Deadlines", pack, ((_deadline(one), one) for one in pack.deadlines))
    yield from _said("Where to turn", pack, ((_help_line(one), one) for one in pack.help))


def _said(heading: str, pack: Pack, told: Iterable[tuple[str, Statement]]) -> Iterator[str]:
    yield from _section(heading, (f"{text}. {_ground(one, pack)}" for text, one in told))


def _section(heading: str, told: Iterable[str]) -> Iterator[str]:
    found = list(told)
    if found:
        yield f"## {heading}"
        yield ""
        yield from (f"- {one}" for one in found)
        yield ""


def _ground(one: Statement, pack: Pack) -> str:
    """Where a statement comes from, in brackets, with its note."""
    parts = [_source(one), f"confidence {one.confidence}"]
    if one.status is not Status.IN_FORCE:
        parts.append(_words(one.status).upper())
    if one.effective is not None:
        parts.append(f"from {one.effective}")
    if one.review_by is not None and one.review_by != pack.review_by:
        parts.append(f"look again by {one.review_by}")
    note = f" {one.note.strip()}" if one.note else ""
    return f"[{'; '.join(parts)}]{note}"


def _source(one: Statement) -> str:
    if one.evidence is Evidence.POLICY:
        return "registry policy"
    told = list(one.law)
    if one.evidence is Evidence.MEMORY:
        told.append("FROM MEMORY")
    if isinstance(one, HelpLine) and one.source:
        told.append(f"read: {one.source.rstrip('.')}")
    return ", ".join(told)


def _draft(one: Statement) -> str:
    return " (draft)" if one.status is Status.DRAFT else ""


def _instrument(one: Instrument) -> str:
    since = f", effective {one.effective}" if one.effective is not None else ""
    read = f"read: {one.source}" if one.evidence is Evidence.READ else "FROM MEMORY"
    note = f" {one.note.strip()}" if one.note else ""
    return (
        f"**{one.id}** {one.title}: {_words(one.status)}{since}."
        f" [{read}; confidence {one.confidence}]{note}"
    )


def _authority(one: Authority) -> str:
    ages = []
    if one.age_from is not None:
        ages.append(f"from {one.age_from}")
    if one.age_under is not None:
        ages.append(f"under {one.age_under}")
    whom = f"{one.when} {' and '.join(ages)}".strip()
    return f"{whom}: {_or(sorted(one.any_of)) if one.any_of else _and(sorted(one.all_of))}"


def _form(one: Form) -> str:
    needs = {
        "separate from other terms": one.separate,
        "in writing": one.written,
        "advised by counsel or union where a performance is replaced": (
            one.represented_if_performance_replaced
        ),
    }
    told = [f"{what}: {_words(need)}" for what, need in needs.items() if need != Need.NOT_REQUIRED]
    if one.max_term_years is not None:
        told.append(f"for at most {one.max_term_years} years")
    whose = f"Of a {one.when}: " if one.when is not None else ""
    return whose + ("; ".join(told) or "no special form")


def _term(one: Term) -> str:
    told = _TERMS[one.kind].format(years=one.years)
    if one.domicile is not None:
        told += f", for those domiciled in {one.domicile}"
    if one.died_on_or_after is not None:
        told += f", for deaths from {one.died_on_or_after}"
    return told


def _freedom(effect: Effect) -> str:
    return "a person decides" if effect is Effect.REVIEW else "changes nothing here"


def _bar(one: Bar) -> str:
    conditions = {
        "content": one.content,
        "purpose": one.purposes,
        "use": one.uses,
    }
    told = [f"{name} {_or(sorted(words))}" for name, words in conditions.items() if words]
    if one.who is not None:
        told.append(f"of a person who is {one.who}")
    if one.unfiled is not None:
        told.append(f"by a service not filed in {one.unfiled}")
    if one.when is not None:
        told.append(f"during {_words(one.when)}; unknown, a person decides")
    lifted = "nothing lifts it" if one.cure == "none" else "a grant that allows it lifts it"
    outcome = "a person decides" if one.effect is Effect.REVIEW else lifted
    return f"**{one.id}** {one.message.rstrip('.')}: {', '.join(told)}; {outcome}"


def _duty(one: Duty) -> str:
    values = ", ".join(f"{_words(name)} {value}" for name, value in sorted(one.parameters.items()))
    where = "; where the service publishes or is established" if one.binds_service else ""
    return f"{one.code}{f' ({values})' if values else ''}{where}"


def _advice(advice: Iterable[Advice]) -> Iterator[tuple[str, Statement]]:
    return ((one.text.rstrip("."), one) for one in advice)


def _deadline(one: Deadline) -> str:
    hours = f", within {one.within_hours} hours" if one.within_hours is not None else ""
    content = f", content {_or(sorted(one.content))}" if one.content else ""
    return f"{one.who}{hours}{content}: {one.text.en.rstrip('.')}"


def _help_line(one: HelpLine) -> str:
    ways = [way for way in (one.phone, one.url and f"<{one.url}>") if way]
    told = [one.whom, *(["the emergency number"] if one.emergency else [])]
    if one.hours is not None:
        told.append(one.hours.en)
    if one.languages:
        told.append(f"in {_and(one.languages)}")
    return f"**{one.name.en}** {', '.join(ways)} ({'; '.join(told)}): {one.text.en.rstrip('.')}"


def _words(code: str) -> str:
    return code.lower().replace("_", " ")


def _and(words: Iterable[str]) -> str:
    return _listed(words, "and")


def _or(words: Iterable[str]) -> str:
    return _listed(words, "or")


def _listed(words: Iterable[str], joined: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {joined} {last}" if most else last
