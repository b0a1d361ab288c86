"""Reporting: what happened is with the desk, and a letter waits, in the reader's language."""

import hashlib
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from api.state import State
from api.web.languages import Language, moment
from registry import complaints, reviews
from registry.complaints import Complaint
from registry.database import Database
from registry.misuse import ComplaintKind, Misuse
from registry.principals import OPERATOR_ID
from tests.api.web.conftest import Holder
from tests.api.web.reading import Files, Reader, reading
from tests.conftest import Account

NO_FILE: Files = [("photo", ("", b""))]
SAID = {
    "kind": ["ADVERTISING", "FRAUD"],
    "statement": "It sells <b>pills</b> with my face.",
    "where": "https://video.example/1\nhttps://video.example/2",
    "place": "Example Video",
    "seen_on": "2026-11-20",
    "territory": "US",
}
PERSON = {"name": "Rita Reporter", "age_group": "ADULT", "level": "ALL", "confirmed": "yes"}


async def newest(operator: Database, state: State) -> tuple[Complaint, Misuse]:
    async with operator.reading() as session:
        found = (
            await session.scalars(select(Complaint).order_by(Complaint.id.desc()).limit(1))
        ).one()
        contents = await complaints.contents(session, [found.id], keys=state.keys)
    return found, contents[found.id].misuse


async def due(operator: Database, state: State) -> datetime:
    """By when the desk looks at the newest report."""
    complaint, _ = await newest(operator, state)
    async with operator.reading() as session:
        return (await reviews.mine(session, complaint.id)).due_at


async def counted(operator: Database) -> int:
    async with operator.reading() as session:
        return await session.scalar(select(func.count()).select_from(Complaint)) or 0


async def reports(reader: Reader, files: Files = NO_FILE, **more: str | list[str]) -> Reader:
    """By the page, as somebody who has no case."""
    await reader.open("/report")
    return await reader.send("/report", {**PERSON, **SAID, **more}, files)


async def opens_the_report(reader: Reader) -> Reader:
    """From the case, where it is listed."""
    await reader.open("/case")
    assert reader.page is not None
    found = re.search(r'href="(/case/reports/[0-9a-f-]{36})"', reader.page.text)
    assert found is not None, reader.text
    return await reader.open(found[1])


async def test_a_report_opens_a_case_and_is_with_the_desk(
    reader: Reader, operator: Database, state: State
) -> None:
    await reports(reader)
    assert (reader.status, reader.path) == (200, "/object/done")
    assert "Your report is with our desk." in reader.text
    reader.secrets()
    complaint, misuse = await newest(operator, state)
    assert misuse.kinds == (ComplaintKind.FRAUD, ComplaintKind.ADVERTISING)
    assert (misuse.place, misuse.seen_on) == ("Example Video", date(2026, 11, 20))
    assert misuse.links == ("https://video.example/1", "https://video.example/2")
    assert complaint.notice is not None
    assert (complaint.notice.version, complaint.notice.language) == ("object-2026-11", "en")
    async with operator.reading() as session:
        waiting = await session.scalar(
            select(func.count())
            .select_from(reviews.Review)
            .where(reviews.Review.about == complaint.id)
        )
    assert waiting == 1


@pytest.mark.parametrize(
    ("language", "kinds", "state_said", "in_letter"),
    [
        (
            "en",
            "It is used to cheat people, It advertises something with me",
            "Received",
            ["To whom it may concern", "not legal advice", "[your name]"],
        ),
        ("zh-Hans", None, None, ["您好", "不是法律意见", "[您的姓名]"]),
    ],
)
async def test_the_letter_is_in_the_readers_language_and_says_all_that_was_said(
    app: ASGIApp,
    operator: Database,
    state: State,
    language: str,
    kinds: str | None,
    state_said: str | None,
    in_letter: list[str],
) -> None:
    async with reading(app, language) as reader:
        await reports(reader)
        await opens_the_report(reader)
        assert reader.page is not None
        assert "<b>pills</b>" not in reader.page.text
        for said in (SAID["statement"], "Example Video", "https://video.example/2", *in_letter):
            assert said in reader.text
        for said in (kinds, state_said):
            assert said is None or said in reader.text
        assert f'id="due">{moment(await due(operator, state), Language(language))}<' in reader.text
        page = await reader.client.get(f"{reader.path}/letter.txt")
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.headers["content-disposition"] == 'attachment; filename="letter.txt"'
    for said in (SAID["statement"], *in_letter):
        assert said in page.text


async def test_a_picture_that_shows_it_is_recognised_and_not_kept(
    reader: Reader, operator: Database, state: State, photos: dict[str, bytes]
) -> None:
    picture = photos["coffee"]
    await reports(reader, [("seen", ("fake.png", picture))])
    assert reader.path == "/object/done", reader.text
    _, misuse = await newest(operator, state)
    assert misuse.media is not None
    assert misuse.media.sha256 == hashlib.sha256(picture).hexdigest()
    await opens_the_report(reader)
    assert misuse.media.sha256 in reader.text


TOMORROW = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()


@pytest.mark.parametrize(
    ("fields", "said", "field"),
    [
        ({"kind": []}, "Say what happened: choose at least one.", "kind"),
        ({"kind": "NONSENSE"}, "Say what happened: choose at least one.", "kind"),
        ({"statement": " "}, "A statement has 1 to 4000 characters.", "statement"),
        ({"statement": "x" * 4001}, "A statement has 1 to 4000 characters.", "statement"),
        ({"where": "javascript:alert(1)"}, "A link begins with https://", "where"),
        ({"place": "x" * 201}, "At most 200 printable characters.", "place"),
        ({"seen_on": "yesterday"}, "Write the day as year, month and day", "seen_on"),
        ({"seen_on": TOMORROW}, "What was seen is not in the future.", "seen_on"),
        ({"territory": "XX"}, "Territory 'XX' does not exist", "territory"),
        ({"confirmed": ""}, "Tick the box", "confirmed"),
        ({"level": "OWN"}, "Choose at least one thing", "level"),
        ({"name": ""}, "Give a photo, a recording, a name or a link", "name"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_on_record(
    reader: Reader, operator: Database, fields: dict[str, str], said: str, field: str
) -> None:
    before = await counted(operator)
    await reports(reader, **fields)
    assert (reader.status, reader.path) == (422, "/report")
    assert said in reader.text
    assert reader.page is not None
    assert f'href="#{field}"' in reader.page.text
    assert re.search(rf'<\w+[^>]* id="{field}"', reader.page.text), f"nothing is called {field}"
    assert f'id="{field}-wrong"' in reader.page.text
    assert "place" in fields or 'value="Example Video"' in reader.page.text  # it stays
    assert await counted(operator) == before


async def test_a_file_that_shows_it_and_cannot_be_read_is_said_to_be_so(
    reader: Reader, operator: Database
) -> None:
    before = await counted(operator)
    await reports(reader, [("seen", ("virus.exe", b"MZ no picture"))])
    assert reader.status == 422
    assert "Not a type read here." in reader.text
    assert reader.page is not None
    assert 'id="seen-wrong"' in reader.page.text
    assert await counted(operator) == before


async def test_who_is_in_their_case_reports_into_it(
    holder: Holder, operator: Database, state: State
) -> None:
    reader = holder.reader
    await reader.open("/report")
    assert "Who is it about?" in reader.text
    assert reader.page is not None
    subject = re.search(r'name="subject" value="([^"]+)"', reader.page.text)
    assert subject is not None
    form = {**SAID, **reader.hidden(), "subject": subject[1]}
    before = await counted(operator)
    await reader.send("/report", form, NO_FILE)
    assert (reader.status, reader.path) == (200, "/case")
    assert "Sent. A person of our desk looks at it." in reader.text
    await reader.send("/report", form, NO_FILE)  # sent twice, it is one
    assert reader.status == 200
    assert await counted(operator) == before + 1
    complaint, _ = await newest(operator, state)
    assert str(complaint.subject_id) == subject[1]


async def test_nobody_reports_for_somebody_elses_case(
    holder: Holder, other: Reader, operator: Database
) -> None:
    await holder.reader.open("/report")
    assert holder.reader.page is not None
    subject = re.search(r'name="subject" value="([^"]+)"', holder.reader.page.text)
    assert subject is not None
    before = await counted(operator)
    await other.object(name="Somebody Else")
    for given in (subject[1], "x"):
        await other.open("/report")
        await other.send("/report", {**SAID, "subject": given}, NO_FILE)
        assert other.status == 404
    await other.open("/case")
    await other.send("/sign-out", {})
    await other.open("/report")
    other.client.follow_redirects = False
    await other.send("/report", {**SAID, "subject": subject[1]}, NO_FILE)
    assert (other.status, other.page and other.page.headers["location"]) == (
        303,
        "/sign-in?next=/report",
    )
    assert await counted(operator) == before


async def test_a_report_is_shown_to_its_case_only(holder: Holder, other: Reader) -> None:
    await reports(other)
    await opens_the_report(other)
    path = other.path
    for one in (path, f"{path}/letter.txt", "/case/reports/x", f"/case/reports/{OPERATOR_ID}"):
        await holder.reader.open(one)
        assert holder.reader.status == 404
        assert "pills" not in holder.reader.text


async def test_a_report_of_somebody_who_was_forgotten_is_gone(reader: Reader) -> None:
    await reports(reader)
    await opens_the_report(reader)
    report = reader.path
    await reader.open("/case")
    assert reader.page is not None
    leaving = re.search(r'href="(/case/people/[^"]+/leave)"', reader.page.text)
    assert leaving is not None
    await reader.open(leaving[1])
    await reader.send(leaving[1], {"how": "FORGET", "sure": "yes"})
    assert "You are forgotten" in reader.text
    await reader.open(report)
    assert reader.status == 404
    await reader.open("/case")
    assert "What you reported" not in reader.text


async def test_a_service_that_looks_in_is_shown_the_form(reader: Reader, service: Account) -> None:
    await reader.open("/sign-in")
    await reader.send("/sign-in", {"access_token": service.token})
    await reader.open("/report")
    assert reader.status == 200
    assert "Who is it about?" not in reader.text


async def test_young_people_are_shown_help_first(reader: Reader) -> None:
    await reader.open("/report?young")
    assert "You can do this alone, and you did nothing wrong." in reader.text
    await reader.open("/report")
    assert "Get help right now" in reader.text
