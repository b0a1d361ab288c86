"""A lost PIN by the page: one answer for everybody, and a new PIN for whoever has the code."""

from collections.abc import AsyncGenerator

import pytest
from starlette.types import ASGIApp

from api.web.lost_pin import DONE
from registry.case_numbers import new_code, new_number
from registry.database import Database
from tests.api.test_recovery_http import LOST, NEW_PIN, asked, decide
from tests.api.web.reading import Reader, reading
from tests.conftest import Account, Execute
from tests.desk import Desk
from tests.without_accounts import Visitor, open_case


@pytest.fixture
async def reader(app: ASGIApp) -> AsyncGenerator[Reader]:
    async with reading(app) as reader:
        yield reader


@pytest.fixture
async def visitor(reader: Reader) -> Visitor:
    return await open_case(reader.client)


@pytest.fixture
async def case(visitor: Visitor, execute: Execute) -> Account:
    return await visitor.account(execute)


async def ask(reader: Reader, number: str, statement: str = LOST) -> Reader:
    await reader.open("/case/lost")
    return await reader.send("/case/lost", {"number": number, "statement": statement})


async def redeem(reader: Reader, number: str, code: str, pin: str = NEW_PIN) -> Reader:
    await reader.open("/case/lost")
    given = {"number": number, "code": code, "new_pin": pin}
    return await reader.send("/case/lost/code", given)


async def test_a_code_of_the_desk_sets_a_new_pin_with_which_the_case_opens(
    reader: Reader,
    visitor: Visitor,
    case: Account,
    desk: Desk,
    execute: Execute,
    operator: Database,
) -> None:
    await ask(reader, visitor.number)
    assert DONE["asked"] in reader.text
    assert visitor.number not in str(reader.page and reader.page.url)
    [review] = await asked(operator, case)
    for reviewer in (await desk.reviewer(), await desk.reviewer()):  # no contact: two must agree
        await desk.take(reviewer, review)
        decided = await decide(execute, reviewer, review, "RENEW")
    await redeem(reader, visitor.number.lower(), decided["recoveryCode"])
    assert DONE["set"] in reader.text
    await reader.open("/case")
    await reader.send("/case/sign-in", {"number": visitor.number, "pin": NEW_PIN})
    assert (reader.path, reader.status) == ("/case", 200)
    await redeem(reader, visitor.number, decided["recoveryCode"], "another one 8")
    assert reader.status == 403


async def test_whether_there_is_such_a_case_does_not_show(
    reader: Reader, visitor: Visitor, case: Account, operator: Database
) -> None:
    known = (await ask(reader, visitor.number)).text
    assert (await ask(reader, new_number())).text == known
    assert len(await asked(operator, case)) == 1
    wrong = (await redeem(reader, visitor.number, new_code())).text
    other = new_number()
    assert (await redeem(reader, other, new_code())).text == wrong.replace(visitor.number, other)
    assert reader.status == 403


@pytest.mark.parametrize(
    ("number", "statement", "said"),
    [
        ("LR-7K3M", LOST, "A case number looks like"),
        ("LR-7K3M-9QXV-2C4T", " ", "A statement has 1 to"),
    ],
)
async def test_what_is_missing_is_said_and_what_was_written_stays(
    reader: Reader, number: str, statement: str, said: str
) -> None:
    number = new_number() if said.startswith("A statement") else number
    await ask(reader, number, statement)
    assert reader.status == 400
    assert said in reader.text
    assert f'value="{number}"' in reader.text


async def test_a_pin_that_is_easily_guessed_is_refused_and_uses_up_no_code(
    reader: Reader, visitor: Visitor
) -> None:
    await redeem(reader, visitor.number, new_code(), "11111111")
    assert reader.status == 400
    assert "easily guessed" in reader.text
    assert "11111111" not in reader.text


async def test_a_form_from_elsewhere_asks_nothing(
    reader: Reader, visitor: Visitor, case: Account, operator: Database
) -> None:
    given = {"number": visitor.number, "statement": LOST}
    for path in ("/case/lost", "/case/lost/code"):
        answer = await reader.client.post(path, data=given)
        assert answer.status_code == 403
    assert await asked(operator, case) == []
