"""The past, asked about: what was on record then decides, and only who may know is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from strawberry.types import get_object_definition

from api.graphql.history import HistoricalDecision
from registry.checks import history
from registry.principals import PrincipalKind, Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import ABSENT, DEATH, end, make

AS_OF = """query ($input: CheckInput!, $at: DateTime!, $service: ID) {
  consentAsOf(input: $input, at: $at, service: $service) {
    at serviceId outcome basis reasons { code } obligations { code } persons { outcome }
    packs { id version } engine } }"""
COURT = {"authority": "District Court", "reference": "Case 7"}


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


@pytest.fixture
async def auditor(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.AUDITOR)


def about(subject: str | None, **more: object) -> Json:
    return acts.question(persons=[{"claimedSubject": subject}], **more)


def now() -> datetime:
    return datetime.now(UTC)


async def as_of(
    execute: Execute, account: Account, asked: Json, at: datetime, service: Account | None = None
) -> Json:
    more = {} if service is None else {"service": str(service.id)}
    found = await execute(account, AS_OF, input=asked, at=at.isoformat(), **more)
    past: Json = found["consentAsOf"]
    return past


async def refused(
    client: httpx2.AsyncClient, account: Account, asked: Json, **more: Any
) -> tuple[str, str | None]:
    """Code and field of the refusal."""
    variables = {"input": asked, "at": now().isoformat(), **more}
    answer = await client.post(
        "/graphql", json={"query": AS_OF, "variables": variables}, headers=account.headers
    )
    [error] = answer.json()["errors"]
    return error["extensions"]["code"], error["extensions"].get("field")


def permitted(past: Json) -> bool:
    return str(past["outcome"]).startswith("PERMITTED")


def test_the_past_gives_no_token_and_every_field_is_there() -> None:
    fields = get_object_definition(HistoricalDecision, strict=True).fields
    names = {field.python_name for field in fields}
    assert names <= set(history.HistoricalDecision.__dataclass_fields__)
    assert not names & {"token", "salt", "may_proceed", "valid_until", "log_index"}


async def test_before_and_after_a_revocation_the_past_stays_what_it_was(
    execute: Execute, owner: Account, auditor: Account, service: Account, subject: str
) -> None:
    nothing = now()
    grant = await acts.grant(execute, owner, subject, service, startsAt="2026-01-01T00:00:00Z")
    given = now()
    await execute(owner, acts.REVOKE, id=grant)
    over = now()
    for account, named in ((owner, service), (auditor, service), (service, None)):
        answers = [
            await as_of(execute, account, about(subject), at, named)
            for at in (nothing, given, over)
        ]
        assert [permitted(one) for one in answers] == [False, True, False], answers
        assert all(one["serviceId"] == str(service.id) for one in answers)
        assert datetime.fromisoformat(answers[1]["at"]) == given
        assert {one["id"] for one in answers[1]["packs"]} == {"ZZ"}


async def test_an_objection_counts_from_when_it_was_filed_until_it_was_withdrawn(
    execute: Execute, owner: Account, auditor: Account, service: Account, subject: str
) -> None:
    await acts.grant(execute, owner, subject, service)
    moments = [now()]
    filed = await execute(owner, acts.OBJECT, input={"subjectId": subject, "scope": {}})
    moments.append(now())
    await execute(owner, acts.WITHDRAW, id=filed["fileObjection"]["objection"]["id"])
    moments.append(now())
    answers = [await as_of(execute, auditor, about(subject), at, service) for at in moments]
    assert [permitted(one) for one in answers] == [True, False, True]


async def test_orders_and_deaths_of_later_did_not_bind_then_nor_do_those_that_ended(
    execute: Execute, accounts: Accounts, owner: Account, auditor: Account, service: Account,
    subject: str,
) -> None:  # fmt: skip
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    attester = await accounts.open(PrincipalKind.ATTESTER)
    await acts.grant(execute, owner, subject, service)
    asked, moments = about(subject, territories=["DE"]), [now()]
    order = await make(execute, regulator, "placeOrder", subjectId=subject, **COURT)
    moments.append(now())
    await end(execute, regulator, "liftOrder", order["id"])
    moments.append(now())
    dead = await make(execute, attester, "recordDeath", subjectId=subject, diedOn="2020-01-01",
                      domicile="DE", relativesLiving=True, **DEATH)  # fmt: skip
    moments.append(now())
    await end(execute, attester, "retractProtection", dead["id"])
    moments.append(now())
    answers = [await as_of(execute, auditor, asked, at, service) for at in moments]
    assert [permitted(one) for one in answers] == [True, False, True, False, True], answers
    assert answers[1]["outcome"] == "PROHIBITED"


@pytest.mark.usefixtures("no_lists")
async def test_a_filing_counts_from_when_it_was_declared_until_it_was_revoked(
    execute: Execute, owner: Account, auditor: Account, service: Account, subject: str
) -> None:
    await acts.grant(execute, owner, subject, service)
    asked, moments = about(subject, territories=["CN"]), [now()]
    number = {"territory": "CN", "number": "网信算备110108000000009260001号"}
    filing = await make(execute, service, "setFiling", **number)
    moments.append(now())
    await end(execute, service, "revokeFiling", filing["id"])
    moments.append(now())
    answers = [await as_of(execute, auditor, asked, at, service) for at in moments]
    unfiled = ["CN_UNFILED_SERVICE" in acts.codes(one) for one in answers]
    assert unfiled == [True, False, True]


async def test_auditors_ask_as_a_service_that_was_on_record_and_by_probes_too(
    client: httpx2.AsyncClient, execute: Execute, accounts: Accounts, owner: Account,
    auditor: Account, service: Account, subject: str,
) -> None:  # fmt: skip
    assert await refused(client, auditor, about(subject)) == ("INVALID", "service")
    assert await refused(client, auditor, about(subject), service=ABSENT) == (
        "NOT_FOUND", "service",
    )  # fmt: skip
    early = await refused(
        client, auditor, about(subject), service=str(service.id), at="2020-01-01T00:00:00Z"
    )
    assert early == ("NOT_FOUND", "service")
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    for account in (auditor, regulator):
        past = await as_of(execute, account, acts.question(picture), now(), service)
        assert permitted(past), past


async def test_only_the_past_is_asked_about(
    client: httpx2.AsyncClient, auditor: Account, service: Account, subject: str
) -> None:
    ahead = (now() + timedelta(minutes=5)).isoformat()
    for at in (ahead, "2026-01-01T00:00:00"):
        told = await refused(client, auditor, about(subject), service=str(service.id), at=at)
        assert told == ("INVALID", "at")


async def test_owners_ask_about_their_own_and_services_about_who_gave_them_a_grant(
    client: httpx2.AsyncClient, execute: Execute, accounts: Accounts, owner: Account,
    service: Account, subject: str,
) -> None:  # fmt: skip
    await acts.grant(execute, owner, subject, service)
    stranger = await accounts.open()
    other = await accounts.open(PrincipalKind.SERVICE)
    named = {"service": str(service.id)}
    assert (await refused(client, stranger, about(subject), **named))[0] == "NOT_FOUND"
    assert await refused(client, other, about(subject)) == ("NOT_FOUND", "persons")
    assert await refused(client, other, about(subject), **named) == ("NOT_FOUND", "service")
    assert await refused(client, owner, about(subject)) == ("INVALID", "service")
    probed = acts.question(acts.random_hash())
    assert await refused(client, owner, probed, **named) == ("INVALID", "persons")
    assert await refused(client, service, about(None)) == ("INVALID", "persons")
    past = await as_of(execute, service, about(subject), now(), service)
    assert permitted(past), past


async def test_a_service_below_contract_learns_no_more_than_a_check_would_tell(
    execute: Execute, accounts: Accounts, owner: Account, auditor: Account, subject: str
) -> None:
    service = await accounts.open(PrincipalKind.SERVICE, tier=0)
    grant = await acts.grant(execute, owner, subject, service)
    given = now()
    await execute(owner, acts.REVOKE, id=grant)
    over = now()
    then = await as_of(execute, service, about(subject), given)
    assert permitted(then), then
    assert (await as_of(execute, service, about(subject), over))["outcome"] == "NOT_CLEARED"
    told = await as_of(execute, auditor, about(subject), over, service)
    assert (told["outcome"], acts.codes(told)) == ("PROHIBITED", {"CONSENT_WITHDRAWN"})


async def test_a_token_without_a_scope_for_it_asks_nothing(
    client: httpx2.AsyncClient, accounts: Accounts, service: Account, subject: str
) -> None:
    weak = await accounts.open(scopes=frozenset({Scope.GRANTS_READ}))
    told = await refused(client, weak, about(subject), service=str(service.id))
    assert told[0] == "FORBIDDEN"
