"""The page of state machines, drawn by trying every event in every state: see `MACHINES`.

Run by docs/generate.py.
"""

# ruff: noqa: INP001  # run by its path, never imported

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Final

from registry import (
    complaint_states,
    consent_requests,
    grant_states,
    objections,
    reviews,
    samples,
    services,
    subjects,
)
from registry.grant_states import GrantEventKind, Step
from registry.policy.vocabulary import GrantState

PAGE: Final = Path("docs/reference/states.md")
# Histories of so many events are all tried; what a fold remembers beyond its last state shows then.
LENGTH: Final = 4

# What happened so far, oldest first: kinds of events, and what time alone did. It gives the state.
Fold = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Machine:
    """One fold of events. `checked` says for every state what a check sees.

    `times` says in words what time alone does.
    """

    name: str
    source: str
    kinds: type[StrEnum] | tuple[str, ...]
    fold: Fold
    checked: Mapping[str, str]
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """An event of this kind leads from one state to another."""

    start: str
    kind: str
    end: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What trying everything found: the first state, the states in the order met, the steps."""

    first: str
    states: tuple[str, ...]
    steps: tuple[Arrow, ...]


_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_YEARS: Final = timedelta(days=1000)
_COOLS: Final = "ACTIVATED, to cool off"  # with a later time of taking effect
_COOLED: Final = "the cooling-off is over"
_ENDED: Final = "its end has passed"
_SIGNED: Final = "its grant is signed by all"
_REVOKED: Final = "its grant is revoked"
_EXPIRED: Final = "its time has passed"
_MONTH: Final = "thirty days have passed"
_FORTNIGHT: Final = "fourteen days have passed"


def _grant(happened: Sequence[str]) -> str:
    at, steps = _NOW, list[Step]()
    for one in happened:
        if one in {_COOLED, _ENDED}:
            at += _DAY if one == _COOLED else _YEARS
        elif one == _COOLS:
            steps.append(Step(GrantEventKind.ACTIVATED, at + _DAY))
        else:
            steps.append(Step(one))
    return grant_states.state_of(steps, ends_at=_NOW + _YEARS, at=at)


def _objection(happened: Sequence[str]) -> str:
    at, events = _NOW, list[tuple[str, datetime]]()
    for one in happened:
        if one == _FORTNIGHT:
            at += objections.CONTEST_PERIOD
        else:
            events.append((one, at))
    return objections.standing_of(events, at=at).state


def _request(happened: Sequence[str]) -> str:
    at, answers = _NOW, list[tuple[str, GrantState | None]]()
    becomes = {_SIGNED: GrantState.ACTIVE, _REVOKED: GrantState.REVOKED}
    for one in happened:
        if one == _EXPIRED:
            at += _YEARS
        elif one in becomes:
            answers = [(kind, becomes[one] if grant else None) for kind, grant in answers]
        else:
            answers.append((one, GrantState.PENDING if one == "PROPOSED" else None))
    return consent_requests.state_of(answers, expires_at=_NOW + _YEARS, at=at)


def _review(happened: Sequence[str]) -> str:
    at, events = _NOW, list[reviews.ReviewEvent]()
    for one in happened:
        if one == _MONTH:
            at += reviews.APPEAL_PERIOD
        else:
            kind = reviews.ReviewEventKind(one)
            events.append(reviews.ReviewEvent(kind=kind, at=at, ruling=reviews.Ruling.UPHOLD))
    return reviews.standing_of(events, at=at).state


def _service(happened: Sequence[str]) -> str:
    standing = services.standing_of([(one, None) for one in happened])
    return "ACTIVE" if standing.active else "SUSPENDED"


# One line or so for each fold. A test fails for a fold of the registry that is not here.
MACHINES: Final = (
    Machine(
        "Grants", "registry/grant_states.py", (*GrantEventKind, _COOLS), _grant,
        times=(_COOLED, _ENDED),
        checked={
            "PENDING": "It permits nothing: `CONSENT_REQUIRED` with `GRANT_NOT_VERIFIED`.",
            "ACTIVE": "`PERMITTED` with `GRANT` for what it covers, if the law asks for no more.",
            "SUSPENDED": "`REVIEW_REQUIRED` with `GRANT_SUSPENDED` for what it would permit.",
            "EXPIRED": "It permits nothing any more: `CONSENT_REQUIRED` with `GRANT_EXPIRED`.",
            "REVOKED": "`PROHIBITED` with `CONSENT_WITHDRAWN` for what it permitted.",
            "REJECTED": "As if it were not there: `CONSENT_REQUIRED` with `NO_GRANT`.",
        },
    ),
    Machine(
        "Objections", "registry/objections.py", objections.ObjectionEventKind,
        _objection, times=(_FORTNIGHT,),
        checked={
            "PROVISIONAL": "`PROHIBITED` with `OBJECTION`, though not proved yet.",
            "VERIFIED": "`PROHIBITED` with `OBJECTION`.",
            "DISPUTED": "`REVIEW_REQUIRED` with `OBJECTION_DISPUTED`.",
            "WITHDRAWN": "Nothing: grants it stood against count again.",
            "LAPSED": "Nothing: grants it stood against count again.",
        },
    ),
    Machine(
        "Registrations", "registry/subjects.py", subjects.SubjectEventKind,
        subjects.registration_of,
        checked={
            "PROVISIONAL": "No grant counts: `CONSENT_REQUIRED` with `GRANT_NOT_VERIFIED`.",
            "VERIFIED": "Objections forbid, and grants count: `PERMITTED` with `GRANT`.",
            "DISPUTED": "Objections forbid; else `REVIEW_REQUIRED` with `CLAIM_DISPUTED`.",
        },
    ),
    Machine(
        "Samples", "registry/samples.py", samples.SampleEventKind,
        samples.state_of,
        checked={
            "ENROLLED": "It is part of what probes are compared with.",
            "IN_REVIEW": "Nothing until somebody has looked.",
            "REFUSED": "Nothing.",
            "RETIRED": "Nothing: no check that began afterwards compares with it.",
        },
    ),
    Machine(
        "Requests for consent", "registry/consent_requests.py",
        ("DEFERRED", "REFUSED", "PROPOSED", _SIGNED, _REVOKED), _request, times=(_EXPIRED,),
        checked={
            "REQUESTED": "What it saw before: a request changes nothing.",
            "DEFERRED": "The same.",
            "REFUSED": "The same; an objection would forbid.",
            "GRANTED": "The grant is `ACTIVE`: `PERMITTED` with `GRANT` for what it covers.",
            "EXPIRED": "The same as before.",
        },
    ),
    Machine(
        "Reviews", "registry/reviews.py", reviews.ReviewEventKind, _review, times=(_MONTH,),
        checked={
            "OPEN": "What it saw before; a doubtful match stays `REVIEW_REQUIRED`.",
            "ASSIGNED": "The same.",
            "AWAITING_SECOND": "The same: one reviewer's word is not enough here.",
            "DECIDED": "What was ruled, from the next check on.",
            "APPEALED": "The same, until the appeal is decided.",
            "CLOSED": "The same, for good.",
        },
    ),
    Machine(
        "Complaints", "registry/complaint_states.py", complaint_states.ComplaintEventKind,
        complaint_states.state_of,
        checked={
            "RECEIVED": "Nothing: a complaint changes no answer; an objection does.",
            "IN_REVIEW": "The same.",
            "CONFIRMED": "The same.",
            "NOT_CONFIRMED": "The same.",
            "WITHDRAWN": "The same.",
        },
    ),
    Machine(
        "Services", "registry/services.py", ("SUSPENDED", "REINSTATED"), _service,
        checked={
            "ACTIVE": "It is answered as far as its tier goes.",
            "SUSPENDED": "`PROHIBITED` with `SERVICE_SUSPENDED`, whatever it asks.",
        },
    ),
)  # fmt: skip


def explored(machine: Machine) -> Drawing:
    """Every state and step that a history of up to `LENGTH` events and one more comes through."""
    happenings = [*map(str, machine.kinds), *machine.times]
    states, steps = [machine.fold([])], set[Arrow]()
    for length in range(LENGTH + 1):
        for history in product(happenings, repeat=length):
            start = machine.fold(history)
            for one in happenings:
                end = machine.fold([*history, one])
                if end not in states:
                    states.append(end)
                if end != start:
                    steps.add(Arrow(start, one, end))
    return Drawing(states[0], tuple(states), tuple(sorted(steps)))


def drawn(machine: Machine) -> str:
    """A machine as its part of the page."""
    found = explored(machine)
    if missing := set(found.states) ^ set(machine.checked):
        raise ValueError(f"{machine.name}: say what a check sees in {sorted(missing)}, or not.")
    ends = [one for one in found.states if all(step.start != one for step in found.steps)]
    arrows = [f"    [*] --> {found.first}"]
    arrows += [f"    {one.start} --> {one.end}: {one.kind}" for one in found.steps]
    arrows += [f"    {one} --> [*]" for one in ends]
    rows = []
    for state in found.states:
        ways = "; ".join(f"{one.kind} → {one.end}" for one in found.steps if one.start == state)
        rows.append(f"| `{state}` | {ways or 'final'} | {machine.checked[state]} |")
    return "\n".join(
        [
            f"## {machine.name}",
            "",
            f"Folded by `{machine.source}`. It begins as `{found.first}`.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
            "| state | event → state | what a check sees |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def pages(note: str) -> dict[Path, str]:
    """The page, whole."""
    parts = "\n".join(map(drawn, MACHINES))
    text = f"""{note}

# States

Nothing is edited here: what became of a record is a list of events, and its state is what they add
up to. These drawings are made by trying every list of up to {LENGTH + 1} events on the code that
adds them up, so they cannot differ from it. An event that changes nothing is left out. Commands
refuse more than is drawn: an event that a drawing allows still needs somebody who has the right.

{parts}"""
    return {PAGE: text}
