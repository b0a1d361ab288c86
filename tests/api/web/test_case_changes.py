"""What somebody does in their case counts from the next check on, and for nobody else's case."""

import re

import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from api.state import State
from registry import cases, objections, subjects
from registry.cases import ContactKind
from registry.database import Database, new_id
from registry.erasure import Erasure
from registry.objections import ObjectionEvent, ObjectionEventKind
from registry.policy.vocabulary import ObjectionState
from registry.principals import OPERATOR_ID
from tests import acts
from tests.api.web.conftest import Holder, Kept, kept
from tests.api.web.reading import Files, Reader, reading
from tests.api.web.test_objecting import outcome
from tests.conftest import Account, Execute

NO_FILE: Files = [("photo", ("", b""))]
NEW_PIN = "kite 58 lamp"


async def standing(operator: Database, known: Kept) -> ObjectionState:
    async with operator.reading() as session:
        return (await objections.states(session, [known.objection]))[known.objection]


async def contacts(state: State, operator: Database, known: Kept) -> dict[ContactKind, str]:
    async with operator.reading() as session:
        return await cases.contacts(session, known.account.id, keys=state.keys)


async def test_more_evidence_counts_from_the_next_check(
    holder: Holder, operator: Database, execute: Execute, service: Account
) -> None:
    known, hex = await kept(operator, holder.number), acts.random_hash()
    assert await outcome(execute, service, hex) == "UNKNOWN"
    given = {"subject": str(known.subject), "imageHash": hex}
    await holder.reader.send("/case/evidence", given, NO_FILE)
    assert "Added. It counts from now on." in holder.reader.text
    assert "1 picture that is known again" in holder.reader.text
    assert await outcome(execute, service, hex) == "PROHIBITED"


async def test_a_photo_and_a_voice_are_added_and_removed(
    holder: Holder, operator: Database, photos: dict[str, bytes]
) -> None:
    reader = holder.reader
    known = await kept(operator, holder.number)
    files = [("photo", ("a.jpg", photos["biden"])), ("photo", ("notes.txt", b"no picture"))]
    await reader.send("/case/evidence", {"subject": str(known.subject)}, files)
    assert reader.status == 200
    assert reader.page is not None
    [sample] = re.findall(r'action="(/case/samples/[^"]+/remove)"', reader.page.text)
    await reader.send(sample, {})
    assert "Removed. It counts no more." in reader.text
    assert "A photo of your face" not in reader.text
    await reader.send(sample, {})  # sent twice, it is one
    assert "Removed. It counts no more." in reader.text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (NO_FILE, "Choose a photo or a recording first."),
        ([("photo", ("n.txt", b"no picture"))], "None of these could be used: n.txt: Not a type"),
        ([("voice", ("v.wav", b"RIFF"))], "None of these could be used: v.wav:"),
    ],
)
async def test_what_cannot_be_used_is_said(
    holder: Holder, operator: Database, files: Files, said: str
) -> None:
    known = await kept(operator, holder.number)
    await holder.reader.send("/case/evidence", {"subject": str(known.subject)}, files)
    assert holder.reader.status == 422
    assert said in holder.reader.text
    assert "Nothing yet." in holder.reader.text


async def test_a_contact_is_replaced_and_removed(
    holder: Holder, operator: Database, state: State
) -> None:
    reader, known = holder.reader, await kept(operator, holder.number)
    for typed, kind in (
        ("mara@example.test", ContactKind.EMAIL),
        ("+47 22 11 33 44", ContactKind.PHONE),
        ("other@example.test", ContactKind.EMAIL),
    ):
        await reader.send("/case/contact", {"contact": f" {typed} "})
        assert "Saved. Our desk can reach you there." in reader.text
        assert f'value="{typed}"' in (reader.page.text if reader.page else "")
        assert await contacts(state, operator, known) == {kind: typed}
    for wrong in ("hello", "1234", "12 34 56 x", "@", "a@"):
        await reader.send("/case/contact", {"contact": wrong})
        assert reader.status == 422
        assert "e-mail address" in reader.text
    assert await contacts(state, operator, known) == {ContactKind.EMAIL: "other@example.test"}
    await reader.open("/case")
    await reader.send("/case/contact", {"contact": ""})
    assert "Nobody can reach you now" in reader.text
    assert await contacts(state, operator, known) == {}


async def test_a_new_pin_counts_alone_and_ends_other_sessions(holder: Holder, app: ASGIApp) -> None:
    async with reading(app) as elsewhere:
        await elsewhere.open("/case")
        await elsewhere.send("/case/sign-in", {"number": holder.number, "pin": holder.pin})
        assert holder.name in elsewhere.text
        given = {"current_pin": holder.pin, "new_pin": NEW_PIN}
        await holder.reader.send("/case/pin", given)
        assert "The new PIN counts from now on. Other sessions have ended." in holder.reader.text
        await elsewhere.open("/case")
        assert holder.name not in elsewhere.text
        assert "session" not in elsewhere.client.cookies
        for pin, opens in ((holder.pin, False), (NEW_PIN, True)):
            await elsewhere.open("/case")
            await elsewhere.send("/case/sign-in", {"number": holder.number, "pin": pin})
            assert (holder.name in elsewhere.text) is opens
    await holder.reader.open("/case")
    assert holder.name in holder.reader.text


@pytest.mark.parametrize(
    ("current", "new", "said"),
    [
        ("00000000", NEW_PIN, "The current PIN is another one, or it was tried too often."),
        ("", NEW_PIN, "The current PIN is another one"),
        (None, "short", "A PIN has 8 to 64 printable characters."),
        (None, "x" * 65, "A PIN has 8 to 64 printable characters."),
        (None, "12345678", "This PIN is easily guessed"),
        (None, "11111111", "This PIN is easily guessed"),
    ],
)
async def test_a_pin_is_not_changed_without_the_former_nor_to_a_poor_one(
    holder: Holder, other: Reader, current: str | None, new: str, said: str
) -> None:
    given = {"current_pin": holder.pin if current is None else current, "new_pin": new}
    await holder.reader.send("/case/pin", given)
    assert holder.reader.status == 422
    assert said in holder.reader.text
    await other.open("/case")
    await other.send("/case/sign-in", {"number": holder.number, "pin": holder.pin})
    assert holder.name in other.text


async def test_withdrawing_is_asked_first_and_ends_the_no(
    holder: Holder, operator: Database, execute: Execute, service: Account
) -> None:
    known, hex = await kept(operator, holder.number), acts.random_hash()
    given = {"subject": str(known.subject), "imageHash": hex}
    await holder.reader.send("/case/evidence", given, NO_FILE)
    path = f"/case/objections/{known.objection}/withdraw"
    await holder.reader.open(path)
    assert "From that moment on it forbids nothing." in holder.reader.text
    assert "This objection was proved" not in holder.reader.text
    assert await standing(operator, known) is ObjectionState.PROVISIONAL
    await holder.reader.send(path, {})
    assert "Withdrawn. This no longer forbids anything." in holder.reader.text
    assert await standing(operator, known) is ObjectionState.WITHDRAWN
    assert await outcome(execute, service, hex) != "PROHIBITED"
    await holder.reader.open(path)
    await holder.reader.send(path, {})  # sent twice, it is one
    assert "Withdrawn. This no longer forbids anything." in holder.reader.text


async def test_a_proved_no_is_not_taken_back_by_a_pin(holder: Holder, operator: Database) -> None:
    known = await kept(operator, holder.number)
    async with operator.writing() as session:
        session.add(
            ObjectionEvent(
                id=new_id(),
                objection_id=known.objection,
                kind=ObjectionEventKind.VERIFIED,
                actor_id=OPERATOR_ID,
            )
        )
    path = f"/case/objections/{known.objection}/withdraw"
    await holder.reader.open(path)
    assert "to withdraw it you must prove who you are again" in holder.reader.text
    await holder.reader.send(path, {})
    assert holder.reader.status == 403
    assert "This objection was proved" in holder.reader.text
    assert await standing(operator, known) is ObjectionState.VERIFIED


async def shown_and_leaving(
    holder: Holder, operator: Database, how: str, **more: str
) -> tuple[Kept, str, dict[str, str]]:
    """Somebody with a picture who leaves: what was on record, the picture's hash, and the form."""
    known, hex = await kept(operator, holder.number), acts.random_hash()
    await holder.reader.send("/case/contact", {"contact": "mara@example.test"})
    given = {"subject": str(known.subject), "imageHash": hex}
    await holder.reader.send("/case/evidence", given, NO_FILE)
    path = f"/case/people/{known.subject}/leave"
    await holder.reader.open(path)
    assert "How do you want to leave?" in holder.reader.text
    form = {**holder.reader.hidden(), "how": how, **more}
    await holder.reader.send(path, form)
    return known, hex, form


@pytest.mark.parametrize(
    ("how", "said", "asked"),
    [
        ("FORGET", "You are forgotten", "UNKNOWN"),
        ("KEEP_BLOCKING", "We no longer know you, and keep blocking for you", "PROHIBITED"),
    ],
)
async def test_somebody_leaves(
    holder: Holder,
    operator: Database,
    state: State,
    execute: Execute,
    service: Account,
    how: str,
    said: str,
    asked: str,
) -> None:
    known, hex, form = await shown_and_leaving(holder, operator, how, sure="yes")
    assert holder.reader.status == 200
    assert said in holder.reader.text
    await holder.reader.send(f"/case/people/{known.subject}/leave", form)  # sent twice, it is one
    assert said in holder.reader.text
    assert await outcome(execute, service, hex) == asked
    assert await contacts(state, operator, known) == {}
    async with operator.reading() as session:
        assert not await subjects.records(session, [known.subject], keys=state.keys)
    await holder.reader.open("/case")
    assert holder.name not in holder.reader.text
    again = f"/case/people/{known.subject}/leave"
    await holder.reader.open(again)
    assert holder.reader.status == 404
    await holder.reader.open("/case")
    await holder.reader.send(again, {"how": "FORGET", "sure": "yes"})
    assert holder.reader.status == 404


@pytest.mark.parametrize(
    ("how", "more"),
    [("FORGET", {}), ("", {"sure": "yes"}), ("BOTH", {"sure": "yes"}), ("forget", {"sure": "yes"})],
)
async def test_nobody_leaves_by_accident(
    holder: Holder, operator: Database, how: str, more: dict[str, str]
) -> None:
    known, _, _ = await shown_and_leaving(holder, operator, how, **more)
    assert holder.reader.status == 422
    assert "once" in holder.reader.hidden()
    assert "Choose one of the two, and tick the box." in holder.reader.text
    async with operator.reading() as session:
        assert not await session.scalar(
            select(func.count()).select_from(Erasure).where(Erasure.subject_id == known.subject)
        )


async def test_nobody_changes_somebody_elses_case(
    holder: Holder, other: Reader, operator: Database
) -> None:
    known = await kept(operator, holder.number)
    await other.object(name="Somebody Else")
    await other.open("/case")
    for id in (known.subject, known.objection, OPERATOR_ID, "x"):
        for path, given in (
            ("/case/evidence", {"subject": str(id), "imageHash": acts.random_hash()}),
            (f"/case/samples/{id}/remove", {}),
            (f"/case/objections/{id}/withdraw", {}),
            (f"/case/people/{id}/leave", {"how": "FORGET", "sure": "yes"}),
        ):
            await other.open("/case")
            await other.send(path, given, NO_FILE if path == "/case/evidence" else None)
            assert other.status == 404, path
            assert holder.name not in other.text
    for path in (
        f"/case/objections/{known.objection}/withdraw",
        f"/case/people/{known.subject}/leave",
    ):
        await other.open(path)
        assert other.status == 404
    assert await standing(operator, known) is ObjectionState.PROVISIONAL
    await holder.reader.open("/case")
    assert holder.name in holder.reader.text
