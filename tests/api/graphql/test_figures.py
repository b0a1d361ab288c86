"""Public figures over GraphQL: imported, listed, and what a check by their name is answered."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from api.state import State
from registry import decisions, figures, replay
from registry.checks.questions import Person, ask
from registry.database import Database
from registry.policy.shelf import Shelf
from registry.policy.vocabulary import AiUse, Modality, Purpose
from registry.principals import OPERATOR, PrincipalKind, Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.listing import called, load, row, source

from .law import make

IMPORT = """
mutation ($input: ImportFiguresInput!) { importFigures(input: $input) {
  ... on FiguresImported { added changed unchanged rejected { index column reason } }
  ... on Problem { code message field } } }
"""
FIGURES = """
query ($name: String, $first: Int! = 20, $after: String) {
  figures(name: $name, first: $first, after: $after) {
    edges { node { id source sourceId name aliases born died citizenship domicile classes } }
    pageInfo { hasNextPage endCursor } } }
"""
NUMBERS = ("网信算备110108000000011260001号", "网信算备110108000000011260019号")
SINGING = {"use": "SYNTHESIZE_SINGING", "purpose": "MUSIC", "modalities": ["VOICE"]}


@pytest.fixture(scope="module")
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


def given(**changes: Any) -> Json:
    return {"id": "Q1", "name": called(), "classes": ["PUBLIC_FIGURE"], **changes}


async def brought(execute: Execute, account: Account, *rows: Json, **more: Any) -> Json:
    made = await execute(account, IMPORT, input={"rows": rows, "source": source(), **more})
    answer: Json = made["importFigures"]
    return answer


async def asked(execute: Execute, service: Account, name: str, **more: Any) -> Json:
    """The answer to a name alone, without what differs between any two answers."""
    decision = await acts.check(execute, service, {**SINGING, "persons": [{"name": name}], **more})
    own = {"id", "token", "salt", "logIndex", "decidedAt", "validUntil"}
    return {key: one for key, one in decision.items() if key not in own}


async def test_figures_are_imported_listed_and_found_by_any_of_their_names(
    execute: Execute, attester: Account, service: Account
) -> None:
    alias = called("Alias")
    one = given(
        aliases=[alias],
        born="1926",
        died="1996-02-29",
        citizenship="FR",
        domicile="US-CA",
        classes=["PERFORMER", "PUBLIC_FIGURE"],
    )
    bad = [given(id="Q2", born="soon"), given(id="Q1")]
    answer = await brought(execute, attester, one, *bad, source="The List")
    assert (answer["changed"], answer["unchanged"]) in {(0, 0), (1, 0)}
    assert [(each["index"], each["column"]) for each in answer["rejected"]] == [
        (1, "born"),
        (2, "id"),
    ]
    for name in (one["name"], alias.upper()):
        [edge] = (await execute(service, FIGURES, name=name))["figures"]["edges"]
        node = edge["node"]
        assert {**one, "sourceId": "Q1", "source": "The List", "id": node["id"]} == node
    page = (await execute(service, FIGURES, first=1))["figures"]
    assert len(page["edges"]) == 1
    assert (await execute(service, FIGURES, name=called()))["figures"]["edges"] == []


async def test_an_import_said_again_under_its_key_does_nothing_twice(
    execute: Execute, attester: Account
) -> None:
    key = {"rows": [given()], "source": source(), "idempotencyKey": source()}
    first = (await execute(attester, IMPORT, input=key))["importFigures"]
    assert first == {"added": 1, "changed": 0, "unchanged": 0, "rejected": []}
    again = (await execute(attester, IMPORT, input=key))["importFigures"]
    assert again == {"added": 0, "changed": 0, "unchanged": 1, "rejected": []}
    other = (await execute(attester, IMPORT, input={**key, "rows": [given()]}))["importFigures"]
    assert other["code"] == "CONFLICT"


async def test_who_may_not_import_is_refused(
    execute: Execute, accounts: Accounts, owner: Account, service: Account, attester: Account
) -> None:
    reviewer = await accounts.open(PrincipalKind.REVIEWER)
    for account in (owner, service, reviewer):
        assert (await brought(execute, account, given()))["code"] == "FORBIDDEN"
    assert (await brought(execute, attester))["code"] == "INVALID"
    many = [given(id=str(at)) for at in range(1001)]
    assert (await brought(execute, attester, *many))["field"] == "rows"


# ---------------------------------------------------------------- checks by name


@pytest.mark.usefixtures("no_lists")
async def test_a_hero_is_not_disparaged_under_their_name_in_china(
    execute: Execute, attester: Account, service: Account, accounts: Accounts
) -> None:
    small = await accounts.open(PrincipalKind.SERVICE, tier=0)
    for who in (service, small):
        await make(execute, who, "setFiling", territory="CN", number=NUMBERS[who is small])
    hero = given(died="1962", classes=["HERO_MARTYR", "HISTORICAL"], domicile="CN")
    await brought(execute, attester, hero)
    bad = {"content": ["DISPARAGING"], "territories": ["CN"]}
    told = await asked(execute, service, hero["name"], **bad)
    assert told["outcome"] == "PROHIBITED"
    assert "CN_HEROES_MARTYRS" in acts.codes(told)
    unknown = await asked(execute, service, called(), **bad)
    assert "CN_HEROES_MARTYRS" not in acts.codes(unknown)
    assert "CN_HEROES_MARTYRS" in acts.codes(await asked(execute, small, hero["name"], **bad))


async def test_the_dead_are_told_with_the_law_that_protects_them(
    execute: Execute, attester: Account, service: Account
) -> None:
    singer = given(died="2016", domicile="US-CA", classes=["PERFORMER"])
    await brought(execute, attester, singer)
    told = await asked(execute, service, singer["name"], territories=["US-CA"])
    assert (told["outcome"], told["mayProceed"]) == ("REVIEW_REQUIRED", False)
    assert acts.codes(told) >= {"NAME_ONLY", "POST_MORTEM_PROTECTED"}


async def test_a_figure_of_this_year_is_dead_by_the_year_alone(
    execute: Execute, attester: Account, service: Account, operator: Database
) -> None:
    async with operator.reading() as session:
        year = (await figures.today(session)).year
    singer = given(died=str(year), domicile="US-CA")
    await brought(execute, attester, singer)
    told = await asked(execute, service, singer["name"], territories=["US-CA"])
    assert "POST_MORTEM_PROTECTED" in acts.codes(told)


async def test_a_name_tells_nothing_of_registered_people(
    execute: Execute, owner: Account, service: Account, attester: Account, accounts: Accounts
) -> None:
    """Byte for byte: a registered name, one that nobody has, and each of them a figure's too."""
    registered, unknown = called(), called()
    await acts.subject(execute, owner, name=registered, aliases=[called()])
    small = await accounts.open(PrincipalKind.SERVICE, tier=0)
    for changes in ({}, {"territories": ["CN"], "content": ["SEXUAL"]}, {"modalities": ["NAME"]}):
        for who in (service, small):
            both = [await asked(execute, who, one, **changes) for one in (registered, unknown)]
            assert both[0] == both[1]
            assert both[0]["mayProceed"] is False
    rows = [given(id=str(at), name=one) for at, one in enumerate((registered, unknown))]
    await brought(execute, attester, *rows)
    for who in (service, small):
        both = [await asked(execute, who, one) for one in (registered, unknown)]
        assert both[0] == both[1]
        assert acts.codes(both[0]) >= {"NAME_ONLY", "PUBLIC_FIGURE"}


async def test_a_figure_that_was_removed_protects_no_more(
    execute: Execute, attester: Account, service: Account, operator: Database
) -> None:
    from_list, one = source(), given()
    await brought(execute, attester, one, source=from_list)
    assert "PUBLIC_FIGURE" in acts.codes(await asked(execute, service, one["name"]))
    async with operator.writing() as session:
        await figures.remove(session, source=from_list, source_id="Q1", actor=OPERATOR)
    told = await asked(execute, service, one["name"])
    assert told == await asked(execute, service, called())


async def test_the_past_is_asked_about_the_figures_of_then(
    service: Account, state: State, operator: Database
) -> None:
    one = row()
    async with operator.reading() as session:
        before = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    await load(operator, state.keys, one)
    async with operator.reading() as session:
        after = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    question = ask(
        use=AiUse.SYNTHESIZE_SPEECH,
        purpose=Purpose.AUDIOBOOK,
        modalities=[Modality.VOICE],
        persons=[Person(name=one.name)],
    )
    codes = [
        {
            reason.code
            for reason in (
                await state.checker.as_of(OPERATOR, question, service_id=service.id, at=at)
            ).reasons
        }
        for at in (before, after)
    ]
    assert ["PUBLIC_FIGURE" in each for each in codes] == [False, True]


async def test_a_check_of_a_figure_is_recorded_and_can_be_made_again(
    execute: Execute,
    attester: Account,
    service: Account,
    owner: Account,
    operator: Database,
    state: State,
) -> None:
    """The record is sealed for the people in it; a figure has no key, and needs none."""
    name, from_list = called(), source()
    subject = await acts.subject(execute, owner, name=name)
    await brought(execute, attester, given(name=name, died="2016"), source=from_list)
    question = {**SINGING, "persons": [{"name": name}], "nonce": source()}
    first = await acts.check(execute, service, question)
    assert await acts.check(execute, service, question) == first
    async with operator.writing() as session:
        await figures.remove(session, source=from_list, source_id="Q1", actor=OPERATOR)
    async with operator.reading() as session:
        row = await decisions.get(session, UUID(first["id"]))
        assert row is not None
        assert row.sealed_for == [UUID(subject)]
        again = await replay.again(session, row, shelf=Shelf.of(None), packs=None, keys=state.keys)
    assert (again.fate, again.differences) == (replay.Fate.SAME, ())


async def test_figures_need_a_scope(
    client: httpx2.AsyncClient, accounts: Accounts, service: Account
) -> None:
    token = await accounts.token(service.id, scopes=frozenset({Scope.GRANTS_READ}))
    for document in (
        "{ figures { edges { node { id } } } }",
        '{ checkPrompt(text: "x") { name } }',
    ):
        body = (
            await client.post(
                "/graphql",
                json={"query": document},
                headers={"Authorization": f"Bearer {token}"},
            )
        ).json()
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
