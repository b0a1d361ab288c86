"""Filing numbers: declared by a service for itself, counted until an official list says no."""

import asyncio
import hashlib
import secrets
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from strawberry.types import get_object_definition

from api.graphql.filings import Filing
from api.state import State
from registry import filings
from registry.database import Database, new_id
from registry.principals import OPERATOR, PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import ABSENT, end, make, refusal

pytestmark = pytest.mark.usefixtures("no_lists")

NUMBER = "网信算备110108000000009260001号"
OTHER_NUMBER = "网信算备330110507206401230035号"
IN_CHINA = {"territory": "CN", "number": NUMBER}
REGISTER = """mutation ($input: RegisterServiceInput!) { registerService(input: $input) {
  ... on ServiceRegistered { service { id } } ... on Problem { code } } }"""
OWN = "{ services(first: 10) { edges { node { id filings { number status counts } } } } }"


async def published(operator: Database, *numbers: str) -> None:
    async with operator.writing() as session:
        await filings.load_list(
            session,
            territory="CN",
            numbers=numbers,
            source="Notice of today",
            sha256=hashlib.sha256("".join(numbers).encode()).digest(),
            actor=OPERATOR,
        )


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(Filing, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(dir(filings.Filing))


@pytest.mark.parametrize(
    ("territory", "number", "kind", "status"),
    [
        ("CN", f"  {NUMBER} ", "ALGORITHM", "FORMAT_OK"),
        ("CN", "Beijing-YunQue-20230821", "GENERATIVE_AI", "FORMAT_OK"),
        ("JP", "whatever they call it", "OTHER", "SELF_DECLARED"),
    ],
)
async def test_a_service_declares_its_own_number(
    execute: Execute, service: Account, territory: str, number: str, kind: str, status: str
) -> None:
    made = await make(execute, service, "setFiling", territory=territory, number=number)
    assert (made["territory"], made["kind"], made["number"]) == (territory, kind, number.strip())
    assert (made["status"], made["counts"]) == (status, True)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"territory": "Narnia"}, "INVALID", "territory"),
        ({"number": " "}, "INVALID", "number"),
        ({"number": "x" * 101}, "INVALID", "number"),
        ({"number": "12345"}, "INVALID", "number"),
        ({"number": NUMBER + "\n1"}, "INVALID", "number"),
        ({"territory": "JP", "number": "a\u0007"}, "INVALID", "number"),
        ({"serviceId": ABSENT}, "NOT_FOUND", None),
        ({"serviceId": "x"}, "NOT_FOUND", "serviceId"),
    ],
)
async def test_a_filing_that_cannot_be_is_a_problem(
    execute: Execute, service: Account, change: Json, code: str, field: str | None
) -> None:
    made = await make(execute, service, "setFiling", **{**IN_CHINA, **change})
    assert refusal(made) == (code, field)


async def test_nobody_declares_for_another(
    execute: Execute, accounts: Accounts, service: Account
) -> None:
    given = {**IN_CHINA, "serviceId": str(service.id)}
    for kind, code in (
        ("SERVICE", "NOT_FOUND"), ("ORGANISATION", "NOT_FOUND"), ("PERSON", "NOT_FOUND"),
        ("ATTESTER", "NOT_FOUND"), ("REGULATOR", "FORBIDDEN"), ("AUDITOR", "FORBIDDEN"),
    ):  # fmt: skip
        other = await accounts.open(PrincipalKind(kind))
        made = await make(execute, other, "setFiling", **given)
        assert made["code"] == code, (kind, made)


async def test_the_owner_of_a_service_declares_and_sees_its_filings(
    execute: Execute, owner: Account
) -> None:
    name = f"studio {secrets.token_hex(4)}"
    made = await execute(owner, REGISTER, input={"name": name, "supportedObligations": []})
    service = made["registerService"]["service"]["id"]
    filing = await make(execute, owner, "setFiling", **IN_CHINA, serviceId=service)
    await make(execute, owner, "setFiling", territory="JP", number="7", serviceId=service)
    assert (await end(execute, owner, "revokeFiling", filing["id"]))["status"] == "REVOKED"
    [edge] = (await execute(owner, OWN))["services"]["edges"]
    assert edge["node"]["filings"] == [
        {"number": NUMBER, "status": "REVOKED", "counts": False},
        {"number": "7", "status": "SELF_DECLARED", "counts": True},
    ]


async def test_a_filing_is_revoked_once_by_whoever_may(
    execute: Execute, accounts: Accounts, service: Account
) -> None:
    filing = (await make(execute, service, "setFiling", **IN_CHINA))["id"]
    again = await make(execute, service, "setFiling", **IN_CHINA)
    assert refusal(again) == ("CONFLICT", "number")
    stranger = await accounts.open(PrincipalKind.SERVICE)
    assert refusal(await end(execute, stranger, "revokeFiling", filing)) == ("NOT_FOUND", None)
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    assert refusal(await end(execute, auditor, "revokeFiling", filing)) == ("FORBIDDEN", None)
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    both = await asyncio.gather(
        *(end(execute, regulator, "revokeFiling", filing, "Struck off") for _ in range(4))
    )
    assert sorted(one.get("code", "") for one in both) == ["", *["CONFLICT"] * 3]
    for absent in (ABSENT, "x"):
        assert refusal(await end(execute, service, "revokeFiling", absent))[0] == "NOT_FOUND"
    anew = await make(execute, service, "setFiling", **IN_CHINA)
    assert anew["status"] == "FORMAT_OK"


async def test_the_same_key_declares_once_and_a_service_has_a_bounded_number(
    execute: Execute, service: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**IN_CHINA, "idempotencyKey": secrets.token_hex(8)}
    first = await make(execute, service, "setFiling", **given)
    assert await make(execute, service, "setFiling", **given) == first
    other = await make(execute, service, "setFiling", **{**given, "number": OTHER_NUMBER})
    assert refusal(other)[0] == "CONFLICT"
    monkeypatch.setattr(filings, "MAX_LIVE", 1)
    more = await make(execute, service, "setFiling", territory="CN", number=OTHER_NUMBER)
    assert refusal(more) == ("CONFLICT", None)


async def test_the_database_itself_lets_a_service_file_for_itself_alone(
    execute: Execute, accounts: Accounts, service: Account, state: State
) -> None:
    filing = (await make(execute, service, "setFiling", **IN_CHINA))["id"]
    add = text(
        "insert into filings (id, service_id, territory, kind, number, declared_by)"
        " values (:id, :of, 'CN', 'ALGORITHM', '1', :by)"
    )
    revoke = text(
        "insert into filing_events (id, filing_id, kind, actor_id)"
        " values (:id, :of, 'REVOKED', :by)"
    )
    loaded = text(
        "insert into filing_lists (id, territory, source, sha256, loaded_by)"
        " values (:id, 'CN', 'x', '', :by)"
    )
    stranger = await accounts.open(PrincipalKind.SERVICE)
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    for account, statement, of in (
        (stranger, add, service.id), (auditor, add, service.id),
        (stranger, revoke, UUID(filing)), (auditor, revoke, UUID(filing)),
        (service, loaded, None),
    ):  # fmt: skip
        given = {"id": new_id(), "by": account.id} | ({} if of is None else {"of": of})
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(statement, given)


async def test_a_number_that_fits_counts_in_the_next_check_until_a_list_without_it_is_loaded(
    execute: Execute, owner: Account, service: Account, operator: Database
) -> None:
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)

    async def unfiled() -> bool:
        asked = acts.question(picture, territories=["CN"])
        decision = await acts.check(execute, service, asked)
        assert decision["mayProceed"] is not ("CN_UNFILED_SERVICE" in acts.codes(decision))
        return "CN_UNFILED_SERVICE" in acts.codes(decision)

    assert await unfiled()
    filing = await make(execute, service, "setFiling", **IN_CHINA)
    assert not await unfiled()
    await published(operator, OTHER_NUMBER)
    assert await unfiled()
    await published(operator, OTHER_NUMBER, NUMBER)
    assert not await unfiled()
    await end(execute, service, "revokeFiling", filing["id"])
    assert await unfiled()
