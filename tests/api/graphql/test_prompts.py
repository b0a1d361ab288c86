"""checkPrompt over GraphQL: public figures by name, never registered people; at once."""

import time
from typing import Any

import httpx2

from api.state import State
from registry import figures
from registry.database import Database
from registry.principals import OPERATOR
from tests import acts
from tests.conftest import Account, Execute, Json
from tests.registry.listing import called, load, row

PROMPT = """
query ($text: String!) { checkPrompt(text: $text) {
  name start end figureId classes checks { modalities use persons { name } } } }
"""


async def found(execute: Execute, service: Account, text: str) -> list[Json]:
    answer: list[Json] = (await execute(service, PROMPT, text=text))["checkPrompt"]
    return answer


async def test_a_prompt_is_told_with_places_and_checks_to_make(
    execute: Execute, service: Account, operator: Database, state: State
) -> None:
    one = row(classes=["PERFORMER", "PUBLIC_FIGURE"])
    before = f"\U0001f3a4 let {one.name.upper()}'s voice sing"
    assert await found(execute, service, before) == []
    await load(operator, state.keys, one)
    [finding] = await found(execute, service, before)
    assert before[finding["start"] : finding["end"]] == one.name.upper()
    assert finding["name"] == one.name
    assert finding["classes"] == ["PERFORMER", "PUBLIC_FIGURE"]
    assert finding["checks"] == [
        {"modalities": ["VOICE"], "use": use, "persons": [{"name": one.name}]}
        for use in ("SYNTHESIZE_SINGING", "SYNTHESIZE_SPEECH")
    ]


async def test_a_suggested_check_is_one_that_can_be_made(
    execute: Execute, service: Account, operator: Database, state: State
) -> None:
    one = row(died="1999")
    await load(operator, state.keys, one)
    [finding] = await found(execute, service, f"{one.name}的照片")
    [suggested] = finding["checks"]
    decision = await acts.check(execute, service, {**suggested, "purpose": "ADVERTISING"})
    assert decision["mayProceed"] is False
    assert "NAME_ONLY" in acts.codes(decision)
    [plain] = await found(execute, service, f"about {one.name}")
    assert plain["checks"] == [
        {"modalities": ["NAME"], "use": None, "persons": [{"name": one.name}]}
    ]


async def test_registered_people_are_never_told_of(
    execute: Execute, service: Account, owner: Account
) -> None:
    name, alias = called(), called()
    await acts.subject(execute, owner, name=name, aliases=[alias])
    assert await found(execute, service, f"a photo of {name} and {alias}") == []


async def test_a_removed_figure_is_told_of_no_more(
    execute: Execute, service: Account, operator: Database, state: State
) -> None:
    one = row()
    await load(operator, state.keys, one)
    assert len(await found(execute, service, one.name)) == 1
    async with operator.writing() as session:
        await figures.remove(session, source=one.source, source_id=one.source_id, actor=OPERATOR)
    assert await found(execute, service, one.name) == []


async def test_a_long_prompt_is_refused_and_the_longest_is_cheap(
    client: httpx2.AsyncClient,
    execute: Execute,
    service: Account,
    operator: Database,
    state: State,
) -> None:
    body: dict[str, Any] = {"query": PROMPT, "variables": {"text": "x" * 2001}}
    answer = (await client.post("/graphql", json=body, headers=service.headers)).json()
    assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    one = row()
    await load(operator, state.keys, one)
    text = (f"{one.name}, " * 100)[:1990]
    assert len(await found(execute, service, text)) > 50
    began = time.process_time()
    state.prompts.search("and so on, 请画一张照片 " * 100)
    assert time.process_time() - began < 0.25
