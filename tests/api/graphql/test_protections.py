"""What the law sees in people: said with a source, assured by an office, retracted, decided on."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from strawberry.types import get_object_definition

from api.graphql.protections import Protection
from api.state import State
from registry import protections
from registry.database import new_id
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import ABSENT, DEATH, end, make, refusal
from .test_registering import counted

SEEN = """query ($id: ID!) { subject(id: $id) {
  classes diedOn domicileAtDeath residence
  protections { id kind class assured stands source relativesLiving territory diedOn } } }"""
EVERY: list[tuple[str, Json]] = [
    ("assertClass", {"class": "PERFORMER"}),
    ("recordDeath", {"diedOn": "2001-02-03", "domicile": "FR"}),
    ("recordRelatives", {"living": True}),
    ("recordResidence", {"territory": "US-CA"}),
]


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


async def seen(execute: Execute, account: Account, subject: str) -> Json:
    found: Json = (await execute(account, SEEN, id=subject))["subject"]
    return found


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(Protection, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(protections.Record.__dataclass_fields__) | set(dir(protections.Record))


@pytest.mark.parametrize(("name", "said"), EVERY)
async def test_what_an_office_says_is_assured_and_what_the_owner_says_is_not(
    execute: Execute, attester: Account, owner: Account, subject: str, name: str, said: Json
) -> None:
    for account, assured in ((owner, False), (attester, True)):
        made = await make(execute, account, name, subjectId=subject, source="  Page 7 ", **said)
        assert (made["assured"], made["stands"], made["source"]) == (assured, True, "Page 7")
        told = {
            "class": made["class"],
            "diedOn": made["diedOn"],
            "living": made["relativesLiving"],
            "domicile": made["territory"],
            "territory": made["territory"],
        }
        assert {key: told[key] for key in said} == said


async def test_a_subject_shows_what_its_statements_add_up_to(
    execute: Execute, attester: Account, owner: Account, subject: str
) -> None:
    assert (await seen(execute, owner, subject))["classes"] == ["PRIVATE"]
    home = {"subjectId": subject, "source": "Passport"}
    for territory in ("DE", "FR"):
        await make(execute, owner, "recordResidence", **home, territory=territory)
    await make(execute, owner, "assertClass", **home, **{"class": "PERFORMER"})
    await make(execute, owner, "recordDeath", subjectId=subject, diedOn="2003-01-01", **DEATH)
    shown = await seen(execute, owner, subject)
    assert shown["classes"] == ["DECEASED", "PERFORMER"]
    assert (shown["diedOn"], shown["domicileAtDeath"], shown["residence"]) == (
        "2003-01-01", None, "FR",
    )  # fmt: skip
    await make(
        execute, attester, "recordDeath", subjectId=subject, diedOn="2002-01-01", domicile="IT",
        relativesLiving=True, **DEATH,
    )  # fmt: skip
    shown = await seen(execute, owner, subject)
    assert (shown["diedOn"], shown["domicileAtDeath"]) == ("2002-01-01", "IT")
    assert [one["kind"] for one in shown["protections"]] == [
        "RESIDENCE", "RESIDENCE", "CLASS", "DEATH", "DEATH", "RELATIVES",
    ]  # fmt: skip


async def test_a_minor_is_one_by_the_birth_date_alone(execute: Execute, owner: Account) -> None:
    born = (datetime.now(UTC) - timedelta(days=3000)).date().isoformat()
    child = await acts.subject(execute, owner, birthDate=born)
    assert (await seen(execute, owner, child))["classes"] == ["MINOR"]


async def test_dead_since_nobody_knows_when(
    execute: Execute, attester: Account, owner: Account, subject: str
) -> None:
    await make(execute, attester, "recordDeath", subjectId=subject, **DEATH)
    shown = await seen(execute, owner, subject)
    assert (shown["classes"], shown["diedOn"]) == (["DECEASED"], None)


@pytest.mark.parametrize(
    ("name", "said", "code", "field"),
    [
        ("assertClass", {"class": "MINOR"}, "INVALID", "class"),
        ("assertClass", {"class": "PRIVATE"}, "INVALID", "class"),
        ("assertClass", {"class": "DECEASED"}, "FORBIDDEN", None),
        ("assertClass", {"class": "HISTORICAL"}, "FORBIDDEN", None),
        ("recordDeath", {"diedOn": "1979-12-31"}, "INVALID", "diedOn"),
        ("recordDeath", {"diedOn": "2190-01-01"}, "INVALID", "diedOn"),
        ("recordDeath", {"domicile": "QQ"}, "INVALID", "domicile"),
        ("recordDeath", {"relativesLiving": False}, "FORBIDDEN", None),
        ("recordRelatives", {"living": False}, "FORBIDDEN", None),
        ("recordResidence", {"territory": "Narnia"}, "INVALID", "territory"),
        ("recordResidence", {"territory": "DE", "source": " "}, "INVALID", "source"),
        ("recordResidence", {"territory": "DE", "source": "x" * 501}, "INVALID", "source"),
        ("recordResidence", {"territory": "DE", "source": "a\nb"}, "INVALID", "source"),
        ("recordResidence", {"territory": "DE", "subjectId": ABSENT}, "NOT_FOUND", "subjectId"),
        ("recordDeath", {"subjectId": ABSENT}, "NOT_FOUND", "subjectId"),
        ("recordDeath", {"subjectId": "x"}, "NOT_FOUND", "subjectId"),
    ],
)
async def test_what_an_owner_cannot_say_is_a_problem(
    execute: Execute, owner: Account, subject: str, name: str, said: Json, code: str,
    field: str | None,
) -> None:  # fmt: skip
    given = {"subjectId": subject, **DEATH, **said}
    assert refusal(await make(execute, owner, name, **given)) == (code, field)
    assert (await seen(execute, owner, subject))["protections"] == []


@pytest.mark.parametrize("kind", ["ORGANISATION", "PERSON", "SERVICE", "REGULATOR", "AUDITOR"])
async def test_whoever_does_not_see_somebody_says_nothing_about_them(
    execute: Execute, accounts: Accounts, owner: Account, subject: str, kind: str
) -> None:
    stranger = await accounts.open(PrincipalKind(kind))
    for name, said in EVERY:
        made = await make(execute, stranger, name, subjectId=subject, **DEATH, **said)
        assert made["code"] == "NOT_FOUND", (name, made)
    stated = await make(execute, owner, "assertClass", subjectId=subject, source="x",
                        **{"class": "PERFORMER"})  # fmt: skip
    gone = await end(execute, stranger, "retractProtection", stated["id"])
    assert gone["code"] == "NOT_FOUND"


async def test_a_death_is_recorded_once_and_an_office_overrides_the_owner(
    execute: Execute, attester: Account, owner: Account, subject: str
) -> None:
    died = {"subjectId": subject, **DEATH}
    first = await make(execute, owner, "recordDeath", **died)
    again = await make(execute, owner, "recordDeath", **died)
    assert refusal(again) == ("CONFLICT", "subjectId")
    certain = await make(execute, attester, "recordDeath", **died)
    assert certain["assured"] is True
    for account in (attester, owner):
        refused = await make(execute, account, "recordDeath", **died)
        assert refusal(refused) == ("CONFLICT", "subjectId")
    assert (await end(execute, attester, "retractProtection", certain["id"]))["stands"] is False
    assert (await end(execute, owner, "retractProtection", first["id"]))["stands"] is False
    assert (await seen(execute, owner, subject))["classes"] == ["PRIVATE"]
    assert (await make(execute, attester, "recordDeath", **died))["stands"] is True


async def test_a_statement_is_taken_back_once_by_whoever_may(
    execute: Execute, attester: Account, owner: Account, subject: str
) -> None:
    said = {"subjectId": subject, "source": "x", "class": "PUBLIC_FIGURE"}
    own = (await make(execute, owner, "assertClass", **said))["id"]
    assured = (await make(execute, attester, "assertClass", **said))["id"]
    refused = await end(execute, owner, "retractProtection", assured)
    assert refusal(refused) == ("FORBIDDEN", None)
    both = await asyncio.gather(
        *(end(execute, owner, "retractProtection", own, "A mistake") for _ in range(4))
    )
    assert sorted(one.get("code", "") for one in both) == ["", *["CONFLICT"] * 3]
    other = (await make(execute, owner, "assertClass", **said))["id"]
    for one in (other, assured):
        assert (await end(execute, attester, "retractProtection", one))["stands"] is False
    for absent in (ABSENT, "nonsense"):
        gone = await end(execute, attester, "retractProtection", absent)
        assert refusal(gone)[0] == "NOT_FOUND"
    assert (await seen(execute, owner, subject))["classes"] == ["PRIVATE"]


@pytest.mark.parametrize(("name", "said"), EVERY)
async def test_the_same_key_says_the_same_once(
    execute: Execute, owner: Account, subject: str, name: str, said: Json
) -> None:
    given = {"subjectId": subject, **DEATH, **said, "idempotencyKey": secrets.token_hex(8)}
    first = await make(execute, owner, name, **given)
    assert await make(execute, owner, name, **given) == first
    other = await make(execute, owner, name, **{**given, "source": "Another"})
    assert refusal(other)[0] == "CONFLICT"
    assert len((await seen(execute, owner, subject))["protections"]) == 1


async def test_a_subject_has_a_bounded_number_of_statements(
    execute: Execute, owner: Account, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protections, "MAX_PER_SUBJECT", 1)
    home = {"subjectId": subject, "territory": "DE", "source": "Passport"}
    await make(execute, owner, "recordResidence", **home)
    assert refusal(await make(execute, owner, "recordResidence", **home)) == ("CONFLICT", None)


async def test_the_database_itself_keeps_statements_to_those_who_may_make_them(
    execute: Execute, state: State, owner: Account, attester: Account, accounts: Accounts,
    subject: str,
) -> None:  # fmt: skip
    add = text(
        "insert into protections (id, subject_id, kind, sealed, assured, asserted_by)"
        " values (:id, :subject, 'DEATH', '', :assured, :by)"
    )
    stranger = await accounts.open()
    for account, assured, by in (
        (owner, True, owner), (owner, False, stranger), (stranger, False, stranger),
        (attester, True, owner),
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(
                    add,
                    {"id": new_id(), "subject": UUID(subject), "assured": assured, "by": by.id},
                )
    made = await make(execute, owner, "assertClass", subjectId=subject, source="A secret paper",
                      **{"class": "PERFORMER"})  # fmt: skip
    found = select(protections.Protection).where(protections.Protection.id == UUID(made["id"]))
    async with state.db.acting_for(stranger.actor).reading() as session:
        assert (await session.scalars(found)).all() == []
    async with state.db.acting_for(owner.actor).reading() as session:
        [row] = await session.scalars(found)
        assert b"secret" not in row.sealed


async def test_lists_of_people_cost_the_same_however_much_is_said_of_them(
    execute: Execute, owner: Account, state: State
) -> None:
    document = """{ subjects(first: 50) { edges { node {
      classes diedOn residence protections { source } representatives { role } } } } }"""
    counts = []
    for number in (1, 3):
        for _ in range(3):
            subject = await acts.subject(execute, owner)
            for _ in range(number):
                await make(execute, owner, "recordResidence", subjectId=subject,
                           territory="DE", source="x")  # fmt: skip
        with counted(state) as statements:
            found = await execute(owner, document)
        counts.append((len(found["subjects"]["edges"]), len(statements)))
    (few, first), (many, second) = counts
    assert (few, many) == (3, 6)
    assert first == second


async def test_a_death_and_its_retraction_bite_in_the_very_next_check(
    execute: Execute, owner: Account, attester: Account, service: Account, subject: str
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)
    asked = acts.question(picture, territories=["DE"])
    before = await acts.check(execute, service, asked)
    assert before["mayProceed"], before
    dead = await make(execute, attester, "recordDeath", subjectId=subject, diedOn="2020-01-01",
                      domicile="FR", relativesLiving=True, **DEATH)  # fmt: skip
    after = await acts.check(execute, service, asked)
    assert not after["mayProceed"], after
    await end(execute, attester, "retractProtection", dead["id"])
    assert (await acts.check(execute, service, asked))["mayProceed"]


async def test_a_death_that_nobody_answers_for_opens_nothing(
    execute: Execute, owner: Account, service: Account, subject: str
) -> None:
    picture = acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await make(execute, owner, "recordDeath", subjectId=subject, diedOn="1981-01-01", **DEATH)
    decision = await acts.check(execute, service, acts.question(picture, territories=["GB"]))
    assert not decision["mayProceed"], decision
