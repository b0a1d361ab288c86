"""Orders, circumstances and filings: what authorities say binds the very next check."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from registry import filings
from registry.database import Database
from registry.principals import OPERATOR, PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import end, make, refusal
from .stage import Stage

ABSENT = "00000000-0000-7000-8000-00000000dead"
NUMBER = "网信算备110108000000001260001号"
CASES = Path(__file__).parents[2] / "cases" / "decisions.yaml"
_NUMBERS = re.compile("网信算备[0-9]{21}号")
ORDERS = """
query ($id: ID) { orders(subjectId: $id) { edges { node { id lifted authority } } } }
"""
CIRCUMSTANCES = (
    "{ circumstances(first: 100) { edges { node { id name territory holds source } } } }"
)
SERVICES = "{ services(first: 100) { edges { node { id filings { number status counts } } } } }"
COURT = {"authority": "District Court", "reference": "3 O 14/26"}


@pytest.fixture
async def regulator(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.REGULATOR)


@pytest.fixture
async def auditor(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.AUDITOR)


@pytest.fixture
async def stage(execute: Execute, owner: Account, service: Account) -> Stage:
    stage = await Stage(execute, owner, service).stand()
    await stage.grant(scope={})
    return stage


def window(**more: Any) -> Json:
    now = datetime.now(UTC)
    return {
        "name": "ELECTION_WINDOW",
        "territory": "KR",
        "holds": True,
        "startsAt": (now - timedelta(days=1)).isoformat(),
        "endsAt": (now + timedelta(days=1)).isoformat(),
        "source": "Calendar of elections",
        **more,
    }


async def test_an_order_binds_until_it_is_lifted(
    stage: Stage, regulator: Account, auditor: Account, accounts: Accounts
) -> None:
    execute, scope = stage.execute, {"uses": ["GENERATE_IMAGE"]}
    assert (await stage.ask("BR"))[0] == "PERMITTED"
    given = {"subjectId": stage.subject, "scope": scope, "idempotencyKey": "k", **COURT}
    order = await make(execute, regulator, "placeOrder", **given)
    assert (await make(execute, regulator, "placeOrder", **given))["id"] == order["id"]
    assert await stage.ask("BR") == ("PROHIBITED", {"ORDER"})
    assert (await stage.ask("BR", use="LIP_SYNC"))[0] == "PERMITTED"
    for reader in (regulator, auditor, stage.owner):
        found = await execute(reader, ORDERS, id=stage.subject)
        [edge] = found["orders"]["edges"]
        assert edge["node"] == {"id": order["id"], "lifted": False, "authority": "District Court"}
    stranger = await accounts.open()
    assert (await execute(stranger, ORDERS, id=stage.subject))["orders"]["edges"] == []
    other = await accounts.open(PrincipalKind.REGULATOR)
    for who in (other, stage.owner, auditor):
        assert refusal(await end(execute, who, "liftOrder", order["id"]))[0] == "FORBIDDEN"
    assert refusal(await end(execute, stranger, "liftOrder", order["id"]))[0] == "NOT_FOUND"
    assert (await end(execute, regulator, "liftOrder", order["id"]))["lifted"] is True
    assert refusal(await end(execute, regulator, "liftOrder", order["id"]))[0] == "CONFLICT"
    assert (await stage.ask("BR"))[0] == "PERMITTED"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"subjectId": ABSENT}, ("NOT_FOUND", "subjectId")),
        ({"subjectId": "x"}, ("NOT_FOUND", "subjectId")),
        ({"authority": " "}, ("INVALID", "authority")),
        ({"reference": "x" * 201}, ("INVALID", "reference")),
        ({"scope": {"territories": ["QQ"]}}, ("INVALID", "territories")),
        ({"scope": {"uses": []}}, ("INVALID", "uses")),
    ],
)
async def test_orders_that_make_no_sense_are_refused(
    stage: Stage, regulator: Account, given: Json, expected: tuple[str, str | None]
) -> None:
    told = {"subjectId": stage.subject, **COURT, **given}
    assert refusal(await make(stage.execute, regulator, "placeOrder", **told)) == expected


async def test_only_authorities_place_orders_and_state_circumstances(
    stage: Stage, auditor: Account
) -> None:
    for who in (stage.owner, auditor):
        order = {"subjectId": stage.subject, **COURT}
        assert refusal(await make(stage.execute, who, "placeOrder", **order))[0] == "FORBIDDEN"
        told = await make(stage.execute, who, "stateCircumstance", **window())
        assert refusal(told)[0] == "FORBIDDEN"


async def test_an_election_is_unknown_until_somebody_says(stage: Stage, regulator: Account) -> None:
    execute, asked = stage.execute, {"purpose": "POLITICAL"}
    outcome, codes = await stage.ask("KR", **asked)
    assert (outcome, codes) == ("REVIEW_REQUIRED", {"KR_ELECTION_DEEPFAKE", "GRANT"})
    none = await make(execute, regulator, "stateCircumstance", **window(holds=False))
    assert (await stage.ask("KR", **asked))[0] == "PERMITTED"
    soon = await make(execute, regulator, "stateCircumstance", **window())
    assert await stage.ask("KR", **asked) == ("PROHIBITED", {"KR_ELECTION_DEEPFAKE"})
    listed = (await execute(regulator, CIRCUMSTANCES))["circumstances"]["edges"]
    assert {none["id"], soon["id"]} <= {one["node"]["id"] for one in listed}
    for one in (soon, none):
        assert (await end(execute, regulator, "retractCircumstance", one["id"]))["id"] == one["id"]
    again = await end(execute, regulator, "retractCircumstance", soon["id"])
    assert refusal(again)[0] == "CONFLICT"
    assert (await stage.ask("KR", **asked))[0] == "REVIEW_REQUIRED"
    over = window(startsAt="2020-01-01T00:00:00Z", endsAt="2020-02-01T00:00:00Z")
    await make(execute, regulator, "stateCircumstance", **over)
    assert (await stage.ask("KR", **asked))[0] == "REVIEW_REQUIRED"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"territory": "QQ"}, ("INVALID", "territory")),
        ({"endsAt": "2001-01-01T00:00:00Z"}, ("INVALID", "endsAt")),
        ({"startsAt": "2001-01-01T00:00:00"}, ("INVALID", "startsAt")),
        ({"source": ""}, ("INVALID", "source")),
    ],
)
async def test_circumstances_that_make_no_sense_are_refused(
    execute: Execute, regulator: Account, given: Json, expected: tuple[str, str | None]
) -> None:
    told = await make(execute, regulator, "stateCircumstance", **window(**given))
    assert refusal(told) == expected


async def test_whoever_stated_it_takes_it_back(
    execute: Execute, regulator: Account, accounts: Accounts
) -> None:
    told = await make(execute, regulator, "stateCircumstance", **window(territory="JP"))
    other = await accounts.open(PrincipalKind.REGULATOR)
    assert refusal(await end(execute, other, "retractCircumstance", told["id"]))[0] == "FORBIDDEN"
    assert refusal(await end(execute, other, "retractCircumstance", ABSENT))[0] == "NOT_FOUND"


async def test_a_service_is_filed_until_its_filing_is_revoked(
    stage: Stage, regulator: Account, auditor: Account, accounts: Accounts
) -> None:
    execute, service = stage.execute, stage.service
    assert await stage.ask("CN") == ("PROHIBITED", {"CN_UNFILED_SERVICE"})
    given = {"territory": "CN", "number": NUMBER}
    filing = await make(execute, service, "setFiling", **given)
    assert (filing["kind"], filing["counts"]) == ("ALGORITHM", True)
    assert refusal(await make(execute, service, "setFiling", **given)) == ("CONFLICT", "number")
    assert (await stage.ask("CN"))[0] == "PERMITTED"
    for reader in (service, regulator):
        cursor = (await execute(reader, SERVICES))["services"]["edges"]
        mine = [one["node"] for one in cursor if one["node"]["id"] == str(service.id)]
        assert not mine or mine[0]["filings"][0]["number"] == NUMBER
    rival = await accounts.open(PrincipalKind.SERVICE)
    theirs = {**given, "serviceId": str(service.id)}
    assert refusal(await make(execute, rival, "setFiling", **theirs))[0] == "NOT_FOUND"
    assert refusal(await make(execute, regulator, "setFiling", **theirs))[0] == "FORBIDDEN"
    assert refusal(await end(execute, rival, "revokeFiling", filing["id"]))[0] == "NOT_FOUND"
    assert refusal(await end(execute, auditor, "revokeFiling", filing["id"]))[0] == "FORBIDDEN"
    gone = await end(execute, regulator, "revokeFiling", filing["id"])
    assert (gone["status"], gone["counts"]) == ("REVOKED", False)
    assert refusal(await end(execute, service, "revokeFiling", filing["id"]))[0] == "CONFLICT"
    assert await stage.ask("CN") == ("PROHIBITED", {"CN_UNFILED_SERVICE"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"number": "1"}, ("INVALID", "number")),
        ({"number": ""}, ("INVALID", "number")),
        ({"number": "x" * 101, "territory": "BR"}, ("INVALID", "number")),
        ({"territory": "QQ"}, ("INVALID", "territory")),
    ],
)
async def test_filings_that_make_no_sense_are_refused(
    execute: Execute, service: Account, given: Json, expected: tuple[str, str | None]
) -> None:
    told = {"territory": "CN", "number": NUMBER, **given}
    assert refusal(await make(execute, service, "setFiling", **told)) == expected


async def test_where_no_format_is_known_a_number_is_self_declared(
    execute: Execute, service: Account, owner: Account
) -> None:
    made = await make(execute, service, "setFiling", territory="BR", number="77")
    assert (made["kind"], made["status"], made["counts"]) == ("OTHER", "SELF_DECLARED", True)
    for number in range(19):
        await make(execute, service, "setFiling", territory="BR", number=f"n{number}")
    told = await make(execute, service, "setFiling", territory="BR", number="one more")
    assert refusal(told)[0] == "CONFLICT"
    told = await make(execute, owner, "setFiling", territory="BR", number="1")
    assert refusal(told)[0] == "NOT_FOUND"


async def test_once_a_list_is_loaded_only_what_it_names_counts(
    stage: Stage, operator: Database
) -> None:
    service, number = stage.service, "网信算备110108000000077260001号"
    await make(stage.execute, service, "setFiling", territory="CN", number=number)
    assert (await stage.ask("CN"))[0] == "PERMITTED"

    async def load(*numbers: str, sha256: bytes) -> filings.FilingList | None:
        async with operator.writing() as session:
            return await filings.load_list(
                session,
                territory="CN",
                numbers=numbers,
                source="Notice",
                sha256=sha256,
                actor=OPERATOR,
            )

    assert await load("another", sha256=b"1" * 32) is not None
    assert await load("another", sha256=b"1" * 32) is None
    assert await stage.ask("CN") == ("PROHIBITED", {"CN_UNFILED_SERVICE"})
    # The list stays for the tests after this one: it names what they file.
    elsewhere = {*_NUMBERS.findall(CASES.read_text(encoding="utf-8")), NUMBER}
    assert await load(*elsewhere, number, sha256=b"2" * 32) is not None
    assert (await stage.ask("CN"))[0] == "PERMITTED"
    shown = (await stage.execute(service, SERVICES))["services"]["edges"]
    assert shown[0]["node"]["filings"] == [
        {"number": number, "status": "LIST_VERIFIED", "counts": True}
    ]
    asked = acts.question(stage.hash, territories=["CN"])
    assert (await acts.check(stage.execute, service, asked))["outcome"] == "PERMITTED"
