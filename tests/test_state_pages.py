"""States are drawn by trying the code: every event in every state, and no fold is left out."""

import re
import runpy
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.policy.decision import Decision
from registry.policy.facts import Service
from registry.policy.vocabulary import GrantState, ObjectionState, Registration
from tests.registry.policy import build

ROOT = Path(__file__).parent.parent
PAGE = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "state_pages.py")))


class Door(StrEnum):
    SHUT = "SHUT"
    OPENED = "OPENED"
    WALLED_UP = "WALLED_UP"


def door(happened: Any) -> str:
    """A door that, once it was shut twice, does not open again; wind shuts it."""
    if Door.WALLED_UP in happened:
        return "WALL"
    stuck = list(happened).count(Door.SHUT) > 1
    return "OPEN" if happened and happened[-1] == Door.OPENED and not stuck else "SHUT"


CHECKED = {"SHUT": "No.", "OPEN": "Yes.", "WALL": "Never."}


def test_every_event_is_tried_in_every_state_also_on_what_a_state_does_not_show() -> None:
    found = PAGE.explored(PAGE.Machine("Doors", "door", Door, door, CHECKED))
    assert (found.first, set(found.states)) == ("SHUT", set(CHECKED))
    assert {(one.start, one.kind, one.end) for one in found.steps} == {
        ("SHUT", "OPENED", "OPEN"),
        ("OPEN", "SHUT", "SHUT"),
        ("SHUT", "WALLED_UP", "WALL"),
        ("OPEN", "WALLED_UP", "WALL"),
    }


def test_that_time_passes_is_tried_too() -> None:
    found = PAGE.explored(PAGE.Machine("Doors", "door", Door, door, CHECKED, times=("wind",)))
    steps = {(one.start, one.kind, one.end) for one in found.steps}
    assert ("OPEN", "wind", "SHUT") in steps
    assert ("SHUT", "OPENED", "OPEN") in steps
    assert all(one.kind != "wind" or one.start == "OPEN" for one in found.steps)


def test_a_page_has_every_step_as_an_arrow_and_in_the_table() -> None:
    text = PAGE.drawn(PAGE.Machine("Doors", "door", Door, door, CHECKED))
    assert "    [*] --> SHUT\n" in text
    assert "    OPEN --> SHUT: SHUT\n" in text
    assert "    WALL --> [*]\n" in text
    assert "| `WALL` | final | Never. |" in text
    assert "| `SHUT` | OPENED → OPEN; WALLED_UP → WALL | No. |" in text


@pytest.mark.parametrize("checked", [{"SHUT": "No.", "OPEN": "Yes."}, {**CHECKED, "GONE": "?"}])
def test_what_a_check_sees_is_said_of_every_state_and_no_other(checked: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="say what a check sees"):
        PAGE.drawn(PAGE.Machine("Doors", "door", Door, door, checked))


def test_every_fold_of_the_registry_is_drawn() -> None:
    fold = re.compile(r"^def (state_of|registration_of)\(", re.MULTILINE)
    folding = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("registry/*.py")
        if fold.search(path.read_text(encoding="utf-8"))
    }
    assert folding
    assert folding <= {one.source for one in PAGE.MACHINES}


def test_a_revoked_grant_is_drawn_as_the_end() -> None:
    grants = next(one for one in PAGE.MACHINES if one.name == "Grants")
    assert all(one.start != "REVOKED" for one in PAGE.explored(grants).steps)


def said(machine: str) -> list[Any]:
    """Each state of a machine with the outcome and the code that its line names."""
    checked = next(one for one in PAGE.MACHINES if one.name == machine).checked
    found = [
        (state, *match.groups())
        for state, text in checked.items()
        if (match := re.search(r"`([A-Z_]+)` with `([A-Z_]+)`", text))
    ]
    return [pytest.param(machine, *one, id=f"{machine}-{one[0]}") for one in found]


def in_state(machine: str, state: str) -> Decision:
    """What the engine decides of somebody with a grant, where one thing stands as said."""
    match machine:
        case "Grants":
            over = {"ends_at": build.AT} if state == GrantState.EXPIRED else {}
            return build.answer(
                build.subject(grants=(build.grant(state=GrantState(state), **over),))
            )
        case "Objections":
            refusal = build.objection(state=ObjectionState(state))
            return build.answer(build.subject(grants=(), objections=(refusal,)))
        case "Registrations":
            return build.answer(build.subject(registration=Registration(state)))
        case _:
            return build.answer(service=Service("service", active=state == "ACTIVE"))


@pytest.mark.parametrize(
    ("machine", "state", "outcome", "code"),
    [*said("Grants"), *said("Objections"), *said("Registrations"), *said("Services")],
)
def test_what_a_check_sees_is_what_the_engine_says(
    machine: str, state: str, outcome: str, code: str
) -> None:
    decision = in_state(machine, state)
    assert decision.outcome == outcome
    assert code in build.codes(decision)
