"""Evidence over HTTP: kept sealed for a time, read by the registry's offices alone."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select, text

from api.state import State
from registry import evidence, upkeep
from registry.database import Database, new_id
from registry.evidence import Evidence, EvidenceContent
from registry.principals import PrincipalKind, Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute

PDF = b"%PDF-1.7\n" + secrets.token_bytes(64)


@pytest.fixture
async def subject(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner)


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


async def keep(
    client: httpx2.AsyncClient,
    account: Account,
    subject: str,
    content: bytes = PDF,
    changed: dict[str, str | None] | None = None,
) -> Any:
    given = {"subject": subject, "kind": "DEATH_CERTIFICATE", **(changed or {})}
    params = {name: one for name, one in given.items() if one is not None}
    return await client.post(
        "/v1/evidence", params=params, content=content, headers=account.headers
    )


async def read(client: httpx2.AsyncClient, account: Account, id: str) -> Any:
    return await client.get(f"/v1/evidence/{id}", headers=account.headers)


async def contents(operator: Database, id: str) -> int:
    async with operator.reading() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(EvidenceContent)
            .where(EvidenceContent.evidence_id == UUID(id))
        )
    return found or 0


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\xff\xd8\xff\xe0 a photograph", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n a scan", "image/png"),
    ],
)
async def test_a_document_is_kept_and_read_by_an_office(
    client: httpx2.AsyncClient,
    owner: Account,
    attester: Account,
    subject: str,
    content: bytes,
    media_type: str,
) -> None:
    kept = await keep(client, owner, subject, content)
    assert kept.status_code == 201, kept.text
    said = kept.json()
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert (said["kind"], said["mediaType"]) == ("DEATH_CERTIFICATE", media_type)
    lasts = datetime.fromisoformat(said["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=89) < lasts <= timedelta(days=90)
    found = await read(client, attester, said["id"])
    assert (found.status_code, found.content) == (200, content)
    assert found.headers["content-type"] == media_type
    assert found.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("kind", [PrincipalKind.REVIEWER, PrincipalKind.OPERATOR])
async def test_other_offices_read_too(
    client: httpx2.AsyncClient,
    owner: Account,
    accounts: Accounts,
    subject: str,
    kind: PrincipalKind,
) -> None:
    id = (await keep(client, owner, subject)).json()["id"]
    found = await read(client, await accounts.open(kind), id)
    assert found.content == PDF


async def test_nobody_else_reads_it_back(
    client: httpx2.AsyncClient,
    owner: Account,
    accounts: Accounts,
    service: Account,
    subject: str,
    attester: Account,
) -> None:
    id = (await keep(client, owner, subject)).json()["id"]
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    auditor = await accounts.open(PrincipalKind.AUDITOR)
    for account in (owner, service, regulator, auditor):
        assert (await read(client, account, id)).status_code == 403
    weak = await accounts.token(attester.id, scopes=frozenset({Scope.CHECK}))
    answer = await read(client, Account(attester.id, attester.kind, weak, ""), id)
    assert answer.status_code == 403
    assert (await client.get(f"/v1/evidence/{id}")).status_code == 401
    for absent in (str(new_id()), "x"):
        assert (await read(client, attester, absent)).status_code == 404


async def test_an_attester_who_sees_the_person_keeps_one_too(
    client: httpx2.AsyncClient, subject: str, attester: Account
) -> None:
    assert (await keep(client, attester, subject)).status_code == 201


async def test_the_bytes_are_sealed_in_the_database(
    client: httpx2.AsyncClient, owner: Account, subject: str, operator: Database
) -> None:
    id = (await keep(client, owner, subject)).json()["id"]
    async with operator.reading() as session:
        row = await session.get(EvidenceContent, UUID(id))
    assert row is not None
    assert PDF[9:] not in row.sealed


@pytest.mark.parametrize(
    ("content", "more", "status"),
    [
        (b"GIF89a", {}, 415),
        (b"", {}, 415),
        (b" %PDF-", {}, 415),
        (PDF, {"kind": "HEARSAY"}, 400),
        (PDF, {"kind": None}, 400),
        (PDF, {"subject": "x"}, 404),
        (PDF, {"subject": None}, 404),
        (PDF, {"subject": str(new_id())}, 404),
        (PDF, {"expires": "soon"}, 400),
        (PDF, {"expires": "2027-01-01"}, 400),
        (PDF, {"expires": "2020-01-01T00:00:00Z"}, 400),
        (PDF, {"expires": "2190-01-01T00:00:00Z"}, 400),
        (PDF + b"x" * evidence.MAX_BYTES, {}, 413),
    ],
    ids=range(13),
)
async def test_what_is_no_evidence_is_refused(
    client: httpx2.AsyncClient,
    owner: Account,
    subject: str,
    content: bytes,
    more: dict[str, str | None],
    status: int,
) -> None:
    answer = await keep(client, owner, subject, content, more)
    assert answer.status_code == status, answer.text


async def test_a_document_of_ten_mebibytes_is_kept(
    client: httpx2.AsyncClient, owner: Account, subject: str, attester: Account
) -> None:
    content = PDF + b"x" * (evidence.MAX_BYTES - len(PDF))
    kept = await keep(client, owner, subject, content)
    assert kept.status_code == 201
    assert (await read(client, attester, kept.json()["id"])).content == content


async def test_who_does_not_see_the_person_keeps_nothing(
    client: httpx2.AsyncClient, accounts: Accounts, subject: str, service: Account, owner: Account
) -> None:
    for account in (await accounts.open(), service):
        assert (await keep(client, account, subject)).status_code == 404
    weak = await accounts.token(owner.id, scopes=frozenset({Scope.SUBJECTS_READ}))
    answer = await keep(client, Account(owner.id, owner.kind, weak, ""), subject)
    assert answer.status_code == 403


async def test_upkeep_removes_the_bytes_and_keeps_the_row(
    client: httpx2.AsyncClient,
    owner: Account,
    attester: Account,
    subject: str,
    operator: Database,
    state: State,
) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    short = (await keep(client, owner, subject, PDF, {"expires": soon})).json()["id"]
    long = (await keep(client, owner, subject)).json()["id"]
    async with operator.reading() as session:
        await session.execute(text("select pg_sleep(1.1)"))
    assert (await read(client, attester, short)).status_code == 404  # before anybody removes it
    await upkeep.run(operator, state.keys, state.checker.packs)
    assert (await contents(operator, short), await contents(operator, long)) == (0, 1)
    async with operator.reading() as session:
        assert await session.get(Evidence, UUID(short)) is not None
    assert (await read(client, attester, long)).content == PDF


async def test_nobody_removes_bytes_before_their_time(
    client: httpx2.AsyncClient, owner: Account, subject: str, operator: Database, state: State
) -> None:
    id = (await keep(client, owner, subject)).json()["id"]
    later = datetime.now(UTC) + timedelta(days=400)
    await evidence.forget(operator, state.keys, later)  # the database's own clock decides
    assert await contents(operator, id) == 1


async def test_nobody_fills_the_database_with_documents(
    client: httpx2.AsyncClient, owner: Account, execute: Execute, attester: Account
) -> None:
    people = [await acts.subject(execute, owner) for _ in range(2)]
    for at in range(evidence.DAILY):
        assert (await keep(client, owner, people[at % 2])).status_code == 201
    for subject in people:
        refused = await keep(client, owner, subject)
        assert (refused.status_code, refused.json()["code"]) == (429, "BUSY")
    assert (await keep(client, attester, people[0])).status_code == 201
