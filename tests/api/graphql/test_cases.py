"""Decision cases from end to end: facts set over GraphQL, people recognised by their templates.

CASES names another file to play instead of this project's own.
"""

import os
from pathlib import Path

import pytest

from api.state import State
from registry.database import Database
from registry.errors import InvalidError
from registry.policy import documents
from registry.policy.case_file import CaseEntry, CaseFile
from registry.policy.shelf import load_packs
from registry.principals import PrincipalKind
from tests.conftest import Accounts, Execute

from .casting import Cast, moved, playable

FILE = Path(os.environ.get("CASES", Path(__file__).parents[2] / "cases" / "decisions.yaml"))
CASES = moved(documents.parse(FILE.read_text(), file=FILE.name, model=CaseFile, error=InvalidError))
PLAYED = [one for one in CASES.cases if playable(one, CASES, load_packs())]


@pytest.fixture(scope="module")
async def cast(state: State, operator: Database, accounts: Accounts, execute: Execute) -> Cast:
    cast = Cast(
        file=CASES,
        state=state,
        operator=operator,
        accounts=accounts,
        execute=execute,
        owner=await accounts.open(),
        attester=await accounts.open(PrincipalKind.ATTESTER),
        regulator=await accounts.open(PrincipalKind.REGULATOR),
    )
    await cast.assemble()
    return cast


def test_enough_of_the_cases_can_be_played() -> None:
    assert len(PLAYED) >= 15


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.id)
async def test_a_case_is_answered_as_expected_from_end_to_end(cast: Cast, case: CaseEntry) -> None:
    decision = await cast.ask(case)
    assert cast.differs(case, decision) == [], case.title
