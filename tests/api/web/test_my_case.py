"""My case: where everything stands, and nothing that a match with somebody else brought out."""

import re
from datetime import UTC, datetime

import pytest

from api.state import State
from api.web.my_case import DONE, FORMS
from registry import freezing, notices
from registry.database import Database, now
from registry.notices import NoticeKind
from registry.objections import CONTEST_PERIOD
from registry.principals import OPERATOR_ID
from registry.samples import Verdict
from tests.api.web.conftest import Holder, kept
from tests.api.web.reading import Reader
from tests.conftest import Account
from tests.registry.enrolling import Person


def plain(reader: Reader) -> str:
    """What the page says, without what differs between any two: ids, tokens, times, numbers."""
    text = re.sub(
        r"[0-9a-f-]{36}|[\w-]{43}|LR-[\w-]{14}|[A-Z][a-z]{2} \d+, \d{4}[^<]*", "", reader.text
    )
    return " ".join(text.split())


async def test_it_shows_what_was_said_and_who_said_it(holder: Holder) -> None:
    text = holder.reader.text
    for said in (
        holder.number,
        holder.name,
        "In force, not yet proved",
        "Every use of voice and face by AI, everywhere.",
        "You need do nothing.",
        "Nothing yet. With a photo or a recording",
        "https://mara.example/",
        "opened on",
        datetime.now(UTC).strftime("%Y"),
    ):
        assert said in text
    assert holder.pin not in text


async def test_without_a_session_one_is_asked_for_the_number(reader: Reader) -> None:
    await reader.open("/case")
    assert reader.status == 200
    assert "Open your case" in reader.text
    assert 'href="/case/lost"' in (reader.page.text if reader.page else "")


async def test_an_office_is_told_that_it_has_no_case(reader: Reader, service: Account) -> None:
    await reader.open("/sign-in")
    await reader.send("/sign-in", {"access_token": service.token})
    await reader.open("/case")
    assert (reader.status, "This account is no case" in reader.text) == (200, True)
    await reader.send("/case/contact", {"contact": "a@example.test"})
    assert reader.status == 404


async def test_a_contested_objection_says_until_when_to_answer(
    holder: Holder, operator: Database
) -> None:
    known = await kept(operator, holder.number)
    async with operator.writing() as session:
        due = await now(session) + CONTEST_PERIOD
        await notices.tell(
            session,
            known.account.id,
            NoticeKind.OBJECTION_CONTESTED,
            about=known.objection,
            due_at=due,
        )
    await holder.reader.open("/case")
    assert "contests your objection." in holder.reader.text
    assert re.search(rf"Answer by:.*{due.day}, {due.year}", holder.reader.text)
    assert "In force, not yet proved" in holder.reader.text
    await holder.reader.open("/case?lang=zh-Hans")
    assert f"{due.year}年{due.month}月{due.day}日" in holder.reader.text


async def test_a_frozen_case_says_so_and_may_still_withdraw(
    holder: Holder, operator: Database
) -> None:
    known = await kept(operator, holder.number)
    async with operator.writing() as session:
        await freezing.freeze(
            session, principal_id=known.account.id, actor_id=OPERATOR_ID, reason="test"
        )
    await holder.reader.open("/case")
    assert "This case is frozen" in holder.reader.text
    await holder.reader.open(f"/case/objections/{known.objection}/withdraw")
    await holder.reader.send(f"/case/objections/{known.objection}/withdraw", {})
    assert "Withdrawn. This no longer forbids anything." in holder.reader.text


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.JOIN])
async def test_what_was_held_looks_as_what_joined(
    holder: Holder, other: Reader, operator: Database, state: State, verdict: Verdict
) -> None:
    """Whether somebody else has this face is nothing that an unproved case learns."""
    joined, _ = await other.object(name=holder.name, links="https://mara.example/")
    for reader, number, judged in (
        (holder.reader, holder.number, verdict),
        (other, joined, Verdict.JOIN),
    ):
        known = await kept(operator, number)
        await Person(state, known.account, known.subject, ial=1).enrol(verdict=judged)
        await reader.open("/case")
        assert "A photo of your face" in reader.text
    assert plain(holder.reader) == plain(other)


async def test_what_a_form_brought_about_is_said_and_nothing_else(holder: Holder) -> None:
    for word, said in DONE.items():
        await holder.reader.open(f"/case?done={word}")
        assert said in holder.reader.text
    for word in ("x", "<script>alert(1)</script>"):
        await holder.reader.open(f"/case?done={word}")
        assert 'role="status"><p>' not in holder.reader.text
        assert "alert(1)" not in holder.reader.text


async def test_the_address_of_a_form_leads_to_its_page(holder: Holder) -> None:
    for one in FORMS:
        await holder.reader.open(f"{one}?lang=zh-Hans")
        assert holder.reader.status == 200
        assert holder.reader.path in {"/case", "/case/lost"}
        assert holder.reader.page is not None
        assert '<html lang="zh-Hans">' in holder.reader.page.text


async def test_a_case_opened_by_a_program_has_nobody_in_it(reader: Reader) -> None:
    opened = (await reader.client.post("/v1/cases")).json()
    await reader.open("/case")
    await reader.send("/case/sign-in", {"number": opened["caseNumber"], "pin": opened["pin"]})
    assert "There is nobody in this case any more." in reader.text
