"""Objecting by the page: no account, one form; the next check is refused."""

import re

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from api.state import State
from registry.cases import Case
from registry.database import Database
from registry.objections import Objection
from registry.settings import Settings
from registry.subjects import Subject, records
from tests import acts
from tests.api.web.reading import Reader, reading
from tests.conftest import Account, Execute, Json


async def counted(operator: Database) -> tuple[int, int]:
    async with operator.reading() as session:
        return (
            await session.scalar(select(func.count()).select_from(Case)) or 0,
            await session.scalar(select(func.count()).select_from(Objection)) or 0,
        )


async def newest(operator: Database) -> tuple[Subject, Objection]:
    async with operator.reading() as session:
        objection = (
            await session.scalars(select(Objection).order_by(Objection.id.desc()).limit(1))
        ).one()
        subject = await session.get(Subject, objection.subject_id)
        assert subject is not None
        return subject, objection


async def outcome(execute: Execute, service: Account, hex: str) -> str:
    return await told(execute, service, {"imageHash": {"algorithm": "PHASH_256", "hex": hex}})


async def told(execute: Execute, service: Account, probe: Json) -> str:
    """What a service is told that asks with this probe."""
    asked: Json = {"use": "SWAP_FACE", "purpose": "ADVERTISING", "modalities": ["FACE"]}
    asked["persons"] = [{"probes": [probe]}]
    answer: str = (await execute(service, acts.CHECK, input=asked))["checkConsent"]["outcome"]
    return answer


async def test_a_hash_made_on_the_device_is_enough_and_counts_at_once(
    reader: Reader, execute: Execute, service: Account
) -> None:
    hex = acts.random_hash()
    before = await outcome(execute, service, hex)
    await reader.object(imageHash=hex)
    assert (before, await outcome(execute, service, hex)) == ("UNKNOWN", "PROHIBITED")


async def test_a_photo_is_compared_and_not_kept(
    reader: Reader, operator: Database, photos: dict[str, bytes], state: State
) -> None:
    name, photo = next(iter(photos.items()))
    await reader.object(files=[("photo", (f"{name}.jpg", photo))], name="Somebody Real")
    await reader.open("/case")
    assert "A photo of your face" in reader.text
    assert "1 picture that is known again" in reader.text
    subject, _ = await newest(operator)
    async with operator.reading() as session:
        [record] = (await records(session, [subject.id], keys=state.keys)).values()
    assert record.name == "Somebody Real"


async def test_who_gives_nothing_is_told_and_nothing_is_on_record(
    reader: Reader, operator: Database
) -> None:
    before = await counted(operator)
    await reader.open("/object")
    await reader.send("/object", {"level": "ALL", "confirmed": "yes"}, [("photo", ("", b""))])
    assert (reader.status, reader.path) == (422, "/object")
    assert "Give a photo, a recording, a name or a link" in reader.text
    assert await counted(operator) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"confirmed": ""}, "Tick the box"),
        ({"level": "SOME"}, "Choose how much you forbid"),
        ({"level": "OWN"}, "Choose at least one thing"),
        ({"level": "OWN", "use": "FLY"}, "Choose at least one thing"),
        ({"age_group": "MINOR", "age": "18"}, "Write how old you are"),
        ({"age_group": "MINOR", "age": "-1"}, "Write how old you are"),
        ({"contact": "hello"}, "Write an e-mail address or a telephone number"),
        ({"name": "x" * 201}, "A name has 1 to 200"),
        ({"links": "javascript:alert(1)"}, "link"),
        ({"imageHash": "xyz"}, ""),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_written_stays(
    reader: Reader, operator: Database, fields: dict[str, str], said: str
) -> None:
    before = await counted(operator)
    await reader.open("/object")
    given = {"name": "Kept <b>Name</b>", "level": "ALL", "confirmed": "yes", **fields}
    await reader.send("/object", given, [("photo", ("", b""))])
    assert reader.status == 422
    assert said in reader.text
    assert "name" in fields or "Kept <b>Name</b>" in reader.text
    assert "<b>Name" not in reader.page.text if reader.page else False
    assert await counted(operator) == before


async def test_a_file_that_cannot_be_used_stops_nothing_else(reader: Reader) -> None:
    await reader.object(name="Somebody", files=[("photo", ("notes.txt", b"no picture at all"))])
    assert "notes.txt" in reader.text
    assert "Not a type read here" in reader.text


async def test_a_form_sent_twice_is_one_case_and_the_second_pin_counts(
    reader: Reader, operator: Database
) -> None:
    await reader.open("/object")
    form = {"name": "Twice", "level": "ALL", "confirmed": "yes", **reader.hidden()}
    before = await counted(operator)
    await reader.send("/object", form, [("photo", ("", b""))])
    number, first = reader.secrets()
    await reader.send("/object", form, [("photo", ("", b""))])
    again, second = reader.secrets()
    assert number == again
    assert await counted(operator) == (before[0] + 1, before[1] + 1)
    for pin, path in ((first, "/case/sign-in"), (second, "/case")):
        await reader.open("/case")
        await reader.send("/sign-out", {})
        await reader.open("/case")
        await reader.send("/case/sign-in", {"number": number, "pin": pin})
        assert reader.path == path


async def test_the_page_of_the_pin_is_shown_again_and_files_nothing(
    reader: Reader, operator: Database
) -> None:
    shown = await reader.object(name="Reloader")
    before = await counted(operator)
    await reader.open("/object/done")
    assert (reader.secrets(), await counted(operator)) == (shown, before)


async def test_nobody_else_is_shown_the_pin(reader: Reader, app: ASGIApp) -> None:
    await reader.object(name="Alone")
    cookie = reader.client.cookies["opened"]
    async with reading(app) as other:
        await other.open("/object")
        other.client.cookies.set("opened", cookie)
        await other.open("/object/done")
        assert other.path == "/case"


async def test_a_minor_objects_alone_and_is_protected_as_one(
    reader: Reader, operator: Database, state: State
) -> None:
    await reader.object(name="Young", age_group="MINOR", age="15")
    assert "help for young people" in reader.text
    subject, _ = await newest(operator)
    async with operator.reading() as session:
        record = (await records(session, [subject.id], keys=state.keys))[subject.id]
    assert record.birth_date is not None


async def test_an_own_choice_is_what_is_forbidden(reader: Reader, operator: Database) -> None:
    await reader.object(name="Exact", level="OWN", modality="VOICE", use=["SYNTHESIZE_SPEECH"])
    _, objection = await newest(operator)
    assert (objection.modalities, objection.uses, objection.purposes) == (
        ["VOICE"],
        ["SYNTHESIZE_SPEECH"],
        None,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.test"},
        {"sec-fetch-site": "cross-site"},
    ],
)
async def test_another_site_sends_no_form(
    reader: Reader, operator: Database, headers: dict[str, str]
) -> None:
    before = await counted(operator)
    await reader.open("/object")
    reader.client.headers.update(headers)
    await reader.send("/object", {"name": "X", "level": "ALL", "confirmed": "yes"})
    assert (reader.status, await counted(operator)) == (403, before)


async def test_a_form_without_its_token_is_refused(reader: Reader, operator: Database) -> None:
    before = await counted(operator)
    await reader.open("/object")
    given = {"name": "X", "level": "ALL", "confirmed": "yes", "form_token": "x"}
    await reader.send("/object", given)
    assert (reader.status, await counted(operator)) == (403, before)


async def test_an_address_that_opens_too_many_is_asked_to_come_back(
    app: ASGIApp, settings: Settings
) -> None:
    async with reading(app) as reader:
        for _ in range(settings.cases_per_source):
            await reader.object(name="Often")
        await reader.open("/object")
        given = {"name": "Once more", "level": "ALL", "confirmed": "yes"}
        await reader.send("/object", given, [("photo", ("", b""))])
        assert reader.status == 429
        assert reader.page is not None
        assert "retry-after" in reader.page.headers


# Two unproved records of one face cannot be told apart: then a person decides, and until then no.
REFUSED = {"PROHIBITED", "REVIEW_REQUIRED"}


async def seen(execute: Execute, service: Account, client: httpx2.AsyncClient, photo: bytes) -> str:
    """What a service is told that asks with this photograph."""
    sent = await client.post("/v1/media", content=photo, headers=service.headers)
    return await told(execute, service, {"media": {"handle": sent.json()["handle"]}})


async def withdraws(reader: Reader) -> None:
    """By the page, whatever they said."""
    await reader.open("/case")
    assert reader.page is not None
    found = re.search(r'href="(/case/objections/[^"]+/withdraw)"', reader.page.text)
    assert found is not None
    await reader.open(found[1])
    await reader.send(found[1], {})
    assert "Withdrawn. This no longer forbids anything." in reader.text


async def test_who_objects_again_after_withdrawing_is_known_in_other_photos(
    reader: Reader,
    other: Reader,
    execute: Execute,
    service: Account,
    client: httpx2.AsyncClient,
    photos: dict[str, bytes],
) -> None:
    await reader.object(files=[("photo", ("first.jpg", photos["obama"]))])
    assert await seen(execute, service, client, photos["obama3"]) in REFUSED
    await withdraws(reader)
    assert await seen(execute, service, client, photos["obama3"]) not in REFUSED
    await other.object(files=[("photo", ("second.jpg", photos["obama2"]))])
    assert await seen(execute, service, client, photos["obama2"]) == "PROHIBITED"
    for one in ("obama3", "obama"):
        assert await seen(execute, service, client, photos[one]) in REFUSED


async def test_nobody_disarms_an_objection_by_objecting_first_with_the_same_face(
    reader: Reader,
    other: Reader,
    execute: Execute,
    service: Account,
    client: httpx2.AsyncClient,
    photos: dict[str, bytes],
) -> None:
    await reader.object(files=[("photo", ("stolen.jpg", photos["obama"]))])
    await other.object(files=[("photo", ("mine.jpg", photos["obama2"]))])
    await withdraws(reader)
    assert await seen(execute, service, client, photos["obama2"]) == "PROHIBITED"
    for one in ("obama3", "obama"):
        assert await seen(execute, service, client, photos[one]) in REFUSED
