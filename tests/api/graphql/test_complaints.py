"""Misuse is reported by the person or for them: what is taken, what is refused, who sees it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from starlette.types import ASGIApp

from api.runtime import Runtime
from api.state import State
from registry import complaints, freezing
from registry.complaints import Complaint
from registry.database import Database
from registry.errors import ForbiddenError
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.settings import Settings
from tests import acts
from tests.api.graphql import complaining
from tests.api.graphql.complaining import FILE, LINK, STATEMENT, WITHDRAW
from tests.conftest import Account, Accounts, Execute, served
from tests.desk import Desk
from tests.registry.enrolling import unit
from tests.without_accounts import coming, open_case


@pytest.fixture
def app(settings: Settings, runtime: Runtime) -> ASGIApp:
    return served(settings, runtime)


async def test_a_misuse_is_reported(execute: Execute, owner: Account) -> None:
    subject = await acts.subject(execute, owner)
    notice = {"version": "2026-11", "language": "zh-Hans"}
    made = await complaining.file(
        execute, owner, subject, kinds=["OTHER", "FRAUD", "OTHER"], notice=notice
    )
    complaint = made["complaint"]
    assert complaint["misuse"] == {
        "kinds": ["FRAUD", "OTHER"],
        "territory": "DE",
        "statement": STATEMENT,
        "links": [LINK],
        "whereSeen": "Example Video",
        "seenOn": "2026-11-20",
        "media": None,
    }
    assert complaint["state"] == "RECEIVED"
    assert (complaint["noticeVersion"], complaint["noticeLanguage"]) == ("2026-11", "zh-Hans")
    [found] = await complaining.listed(execute, owner, subject)
    assert (found["id"], found["subject"]) == (complaint["id"], {"id": subject})


async def test_a_minor_reports_alone_and_the_desk_looks_within_a_day(
    app: ASGIApp, execute: Execute, accounts: Accounts, state: State, operator: Database
) -> None:
    async with coming(app) as client:
        minor = await (await open_case(client)).account(execute)
        born = f"{datetime.now(UTC).year - 12}-01-01"
        subject = await acts.subject(execute, minor, birthDate=born)
        await complaining.filed(execute, minor, subject)
    desk = Desk(state, execute, accounts, operator)
    [review] = await desk.reviews(await desk.reviewer(), subject=subject, kind="MISUSE")
    due, made = (datetime.fromisoformat(review[one]) for one in ("dueAt", "createdAt"))
    assert abs(due - made - timedelta(days=1)) < timedelta(minutes=1)


@pytest.mark.parametrize(("kind", "days"), [("INTIMATE", 1), ("FRAUD", 3)])
async def test_what_is_intimate_is_due_sooner(
    execute: Execute,
    accounts: Accounts,
    state: State,
    operator: Database,
    owner: Account,
    kind: str,
    days: int,
) -> None:
    subject = await acts.subject(execute, owner)
    await complaining.filed(execute, owner, subject, kinds=[kind])
    desk = Desk(state, execute, accounts, operator)
    [review] = await desk.reviews(await desk.reviewer(), subject=subject, kind="MISUSE")
    due, made = (datetime.fromisoformat(review[one]) for one in ("dueAt", "createdAt"))
    assert abs(due - made - timedelta(days=days)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kinds": []}, "kinds"),
        ({"territory": "XX"}, "territory"),
        ({"statement": "  "}, "statement"),
        ({"statement": "x" * 4001}, "statement"),
        ({"links": [f"https://a.example/{one}" for one in range(21)]}, "links"),
        ({"links": ["https://a.example/" + "x" * 2000]}, "links"),
        ({"links": ["ftp://a.example/"]}, "links"),
        ({"links": ["javascript:alert(1)"]}, "links"),
        ({"links": ["https://"]}, "links"),
        ({"links": ["https://a.example/ b"]}, "links"),
        ({"links": ["https://[a/"]}, "links"),
        ({"whereSeen": "x" * 201}, "whereSeen"),
        ({"whereSeen": "a\u202eb"}, "whereSeen"),
        ({"seenOn": "2999-01-01"}, "seenOn"),
        ({"notice": {"version": "", "language": "en"}}, "notice"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    execute: Execute, owner: Account, given: dict[str, Any], field: str
) -> None:
    subject = await acts.subject(execute, owner)
    answer = await complaining.file(execute, owner, subject, **given)
    assert (answer["code"], answer["field"]) == ("INVALID", field)
    assert await complaining.listed(execute, owner, subject) == []


async def test_of_a_file_that_was_shown_its_digest_is_told_and_what_was_found_is_sealed(
    execute: Execute, accounts: Accounts, state: State, operator: Database, owner: Account
) -> None:
    subject, digest, face = await acts.subject(execute, owner), secrets.token_bytes(32), unit()
    desk = Desk(state, execute, accounts, operator)
    handle = await desk.upload(owner, face, sha256=digest)
    made = await complaining.file(execute, owner, subject, mediaHandle=handle)
    assert made["complaint"]["misuse"]["media"] == {"kind": "image", "sha256": digest.hex()}
    async with state.db.acting_for(owner.actor).reading() as session:
        row = await complaints.mine(session, UUID(made["complaint"]["id"]))
        shown = (await complaints.contents(session, [row.id], keys=state.keys))[row.id].shown
    assert shown is not None
    assert [list(one.vectors.values()) for one in shown.faces] == [[face.tobytes()]]
    assert shown.hashes
    assert all(part not in row.sealed for part in (digest, face.tobytes(), STATEMENT.encode()))


async def test_an_upload_of_somebody_else_is_not_found(
    execute: Execute, accounts: Accounts, state: State, operator: Database, owner: Account
) -> None:
    subject, other = await acts.subject(execute, owner), await accounts.open()
    handle = await Desk(state, execute, accounts, operator).upload(other, unit())
    answer = await complaining.file(execute, owner, subject, mediaHandle=handle)
    assert answer["code"] == "NOT_FOUND"
    answer = await complaining.file(execute, owner, subject, mediaHandle="nonsense")
    assert (answer["code"], answer["field"]) == ("NOT_FOUND", "mediaHandle")


async def test_the_same_key_files_one(execute: Execute, owner: Account) -> None:
    subject = await acts.subject(execute, owner)
    ids = {
        await complaining.filed(execute, owner, subject, idempotencyKey="once") for _ in range(2)
    }
    assert len(ids) == 1
    other = await complaining.file(
        execute, owner, subject, idempotencyKey="once", statement="Something else."
    )
    assert other["code"] == "CONFLICT"


@pytest.mark.parametrize("kind", ["ORGANISATION", "PERSON", "SERVICE", "ATTESTER", "REVIEWER"])
async def test_nobody_else_files_or_sees_it(
    execute: Execute, accounts: Accounts, owner: Account, kind: str
) -> None:
    subject = await acts.subject(execute, owner)
    complaint = await complaining.filed(execute, owner, subject)
    stranger = await accounts.open(PrincipalKind(kind))
    assert await complaining.listed(execute, stranger, subject) == []
    answer = await complaining.file(execute, stranger, subject)
    assert answer["code"] in {"NOT_FOUND", "FORBIDDEN"}
    answer = await execute(stranger, WITHDRAW, id=complaint)
    assert answer["withdrawComplaint"]["code"] == "NOT_FOUND"
    assert len(await complaining.listed(execute, owner, subject)) == 1


@pytest.mark.parametrize("kind", ["ATTESTER", "REVIEWER"])
async def test_the_database_itself_lets_no_office_read_or_add(
    execute: Execute, accounts: Accounts, state: State, owner: Account, kind: str
) -> None:
    subject = await acts.subject(execute, owner)
    complaint = UUID(await complaining.filed(execute, owner, subject))
    office = await accounts.open(PrincipalKind(kind))
    db = state.db.acting_for(office.actor)
    async with db.reading() as session:
        assert await session.get(Complaint, complaint) is None
        events = await session.scalars(text("select id from complaint_events"))
        assert list(events) == []
    with pytest.raises(ForbiddenError):
        async with db.writing() as session:
            session.add(
                Complaint(
                    subject_id=UUID(subject),
                    kinds=[],
                    territory="DE",
                    sealed=b"",
                    filed_by=office.id,
                )
            )


async def test_nobody_files_in_the_name_of_another(
    execute: Execute, accounts: Accounts, state: State, owner: Account
) -> None:
    subject, other = UUID(await acts.subject(execute, owner)), await accounts.open()
    row = Complaint(subject_id=subject, kinds=[], territory="DE", sealed=b"", filed_by=other.id)
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with state.db.acting_for(owner.actor).writing() as session:
            session.add(row)


async def test_a_scope_is_needed(execute: Execute, accounts: Accounts, owner: Account) -> None:
    subject = await acts.subject(execute, owner)
    without = frozenset(Scope) - {Scope.OBJECTIONS_WRITE}
    bare = Account(owner.id, owner.kind, await accounts.token(owner.id, scopes=without), "")
    assert (await complaining.file(execute, bare, subject))["code"] == "FORBIDDEN"
    answer = await execute(bare, WITHDRAW, id=subject)
    assert answer["withdrawComplaint"]["code"] == "FORBIDDEN"


async def test_a_frozen_account_files_nothing(
    execute: Execute, operator: Database, owner: Account
) -> None:
    subject = await acts.subject(execute, owner)
    async with operator.writing() as session:
        await freezing.freeze(session, principal_id=owner.id, actor_id=OPERATOR_ID)
    answer = await complaining.file(execute, owner, subject)
    assert answer["code"] == "FORBIDDEN"
    assert "frozen" in answer["message"]


async def test_so_many_a_day_and_no_more(
    client: httpx2.AsyncClient,
    execute: Execute,
    owner: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(complaints, "DAILY", 2)
    subject = await acts.subject(execute, owner)
    for _ in range(2):
        await complaining.filed(execute, owner, subject)
    asked = {"query": FILE, "variables": {"input": complaining.report(subject)}}
    answer = (await client.post("/graphql", json=asked, headers=owner.headers)).json()
    assert [one["extensions"]["code"] for one in answer["errors"]] == ["BUSY"]
    assert len(await complaining.listed(execute, owner, subject)) == 2


async def test_so_many_of_a_subject_and_no_more(
    execute: Execute, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complaints, "MAX_PER_SUBJECT", 1)
    subject = await acts.subject(execute, owner)
    await complaining.filed(execute, owner, subject)
    assert (await complaining.file(execute, owner, subject))["code"] == "CONFLICT"
