"""Whoever keeps or represents a person gets a signed receipt of every event; nobody else does."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import event

from api.state import State
from registry import consent_events, consent_receipts
from registry.grant_states import GrantEventKind
from registry.objections import ObjectionEventKind
from registry.policy.vocabulary import GrantState
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.scopes import Scope as Scopes
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import DEATH, make

SCHEMA = Draft202012Validator(
    json.loads(Path(consent_receipts.__file__).with_name("consent_receipt.schema.json").read_text())
)
RECEIPTS = "receipts { eventId eventState at document token }"
NODES = f"pageInfo {{ endCursor }} edges {{ node {{ id {RECEIPTS} }} }}"
PAGE = f"(first: 100, after: $after) {{ {NODES} }}"
GRANTS = f"query ($after: String) {{ grants{PAGE} }}"
OBJECTIONS = f"query ($after: String) {{ objections{PAGE} }}"
APPOINT = """
mutation ($input: AppointRepresentativeInput!) { appointRepresentative(input: $input) {
  ... on RepresentativeAppointed { representative { id } } ... on Problem { code message } } }
"""
SIGN_AS = """
mutation ($id: ID!, $role: GrantorRole!) { signGrant(id: $id, role: $role) {
  ... on GrantSigned { grant { id } } ... on Problem { code message } } }
"""


async def of(execute: Execute, account: Account, id: str, document: str = GRANTS) -> list[Json]:
    """The receipts of a record; a service sees every open grant, so it may be on a later page."""
    after = None
    while True:
        found = next(iter((await execute(account, document, after=after)).values()))
        for one in found["edges"]:
            if one["node"]["id"] == id:
                receipts: list[Json] = one["node"]["receipts"]
                return receipts
        after = found["pageInfo"]["endCursor"]
        assert after, f"no {id}"


async def refused(client: httpx2.AsyncClient, account: Account, document: str) -> str:
    response = await client.post("/graphql", json={"query": document}, headers=account.headers)
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


async def test_every_event_of_a_consent_is_receipted(
    execute: Execute, client: httpx2.AsyncClient, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner)
    grant = await acts.grant(execute, owner, subject, service)
    signed = await of(execute, owner, grant)
    assert [one["eventState"] for one in signed] == ["likeness:ConsentSigned", "ConsentGiven"]
    await execute(owner, acts.REVOKE, id=grant)
    receipts = await of(execute, owner, grant)
    assert receipts[:2] == signed
    assert [one["eventState"] for one in receipts[2:]] == ["ConsentWithdrawn"]
    jwks = (await client.get("/.well-known/jwks.json")).json()
    for one in receipts:
        verified = consent_receipts.verify(one["token"], jwks)
        assert verified.document == json.loads(one["document"])
        SCHEMA.validate(verified.document)
        metadata, said = verified.document["receipt_metadata"], verified.document["event"]
        assert (metadata["record_id"], metadata["receipt_id"]) == (grant, one["eventId"])
        assert said["entity_role"] == "SELF"
        parties = verified.document["party_identification"]
        assert [each["party_name"] for each in parties][1:] == [service.handle]
    states = [json.loads(one["document"])["event"]["likeness:record_state"] for one in receipts]
    assert states == ["PENDING", "ACTIVE", "REVOKED"]


async def test_a_receipt_names_no_person_and_no_account(
    execute: Execute, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner, name="Rumpelstilzchen Eins")
    grant = await acts.grant(execute, owner, subject, service)
    for reader in (owner, service):
        text = (await of(execute, reader, grant))[0]["document"]
        assert subject not in text
        assert str(owner.id) not in text
        assert "Rumpelstilzchen" not in text


async def test_every_service_it_is_given_to_has_its_own_name_for_the_person(
    execute: Execute, accounts: Accounts, owner: Account, service: Account
) -> None:
    other = await accounts.open(PrincipalKind.SERVICE)
    subject = await acts.subject(execute, owner)
    grants = [await acts.grant(execute, owner, subject, service, other) for _ in range(2)]

    async def name(reader: Account, grant: str) -> str:
        receipts = await of(execute, reader, grant)
        named: str = json.loads(receipts[0]["document"])["receipt_metadata"]["pii_principal_id"]
        return named

    names = [[await name(one, grant) for grant in grants] for one in (owner, service, other)]
    assert all(first == second for first, second in names)
    assert len({first for first, _ in names}) == 3


async def test_who_acts_for_the_person_gets_them_and_an_office_does_not(
    execute: Execute, client: httpx2.AsyncClient, accounts: Accounts, owner: Account,
    service: Account,
) -> None:  # fmt: skip
    subject = await acts.subject(execute, owner)
    agent, attester = await accounts.open(), await accounts.open(PrincipalKind.ATTESTER)
    appointed = {"subjectId": subject, "principalId": str(agent.id), "role": "AGENT", "source": "m"}
    made = (await execute(owner, APPOINT, input=appointed))["appointRepresentative"]
    assert "representative" in made, made
    grant = await acts.grant(execute, owner, subject, service)
    await execute(agent, SIGN_AS, id=grant, role="AGENT")
    await execute(agent, acts.REVOKE, id=grant)
    events = [json.loads(one["document"])["event"] for one in await of(execute, agent, grant)]
    assert [(one["event_state"], one["entity_role"]) for one in events] == [
        ("likeness:ConsentSigned", "SELF"),
        ("ConsentGiven", "SELF"),
        ("likeness:ConsentSigned", "AGENT"),
        ("ConsentRevoked", "AGENT"),
    ]
    assert events[2]["entity_id"] == events[3]["entity_id"] != events[0]["entity_id"]
    assert await refused(client, attester, GRANTS) == "FORBIDDEN"
    stranger = await accounts.open()
    assert (await execute(stranger, GRANTS))["grants"]["edges"] == []
    token = await accounts.token(owner.id, scopes=frozenset({Scope.OBJECTIONS_READ}))
    limited = Account(owner.id, owner.kind, token, owner.handle)
    assert await refused(client, limited, GRANTS) == "FORBIDDEN"


async def test_a_consent_that_ran_out_is_receipted_though_nobody_did_it(
    execute: Execute, owner: Account, service: Account, urls: tuple[str, str]
) -> None:
    subject = await acts.subject(execute, owner)
    grant, revoked = [await acts.grant(execute, owner, subject, service) for _ in range(2)]
    await execute(owner, acts.REVOKE, id=revoked)
    proposed = (await execute(owner, acts.PROPOSE, input={"subjectId": subject, "scope": {}}))[
        "proposeGrant"
    ]["grant"]["id"]
    assert await of(execute, owner, proposed) == []
    connection = await asyncpg.connect(urls[0])
    await connection.execute("set session_replication_role = replica")
    for id in (grant, revoked, proposed):
        await connection.execute(
            "update grants set starts_at = now() - interval '2 days', ends_at = clock_timestamp()"
            " where id = $1",
            UUID(id),
        )
    await connection.close()
    ended = await of(execute, owner, grant)
    assert [one["eventState"] for one in ended[1:]] == ["ConsentGiven", "ConsentExpired"]
    assert ended == await of(execute, owner, grant)
    SCHEMA.validate(json.loads(ended[2]["document"]))
    assert json.loads(ended[2]["document"])["event"]["entity_role"] == "REGISTRY"
    withdrawn = await of(execute, owner, revoked)
    assert [one["eventState"] for one in withdrawn[1:]] == ["ConsentGiven", "ConsentWithdrawn"]
    assert await of(execute, owner, proposed) == []


async def test_what_a_death_does_to_a_consent_is_the_registrys_and_the_notice_is_told(
    execute: Execute, accounts: Accounts, owner: Account, service: Account
) -> None:
    subject, attester = (
        await acts.subject(execute, owner),
        await accounts.open(PrincipalKind.ATTESTER),
    )
    shown = {"version": "2026-11", "language": "de", "sha256": None}
    grant = await acts.grant(execute, owner, subject, service, notice=shown)
    await make(execute, attester, "recordDeath", subjectId=subject, diedOn="2026-01-01", **DEATH)
    documents = [json.loads(one["document"]) for one in await of(execute, owner, grant)]
    for one in documents:
        SCHEMA.validate(one)
        assert one["pii_processing"]["privacy_notice"] == {"version": "2026-11", "sha256": None}
        assert one["pii_processing"]["language"] == "de"
    held = documents[-1]["event"]
    assert (held["event_state"], held["entity_role"], held["likeness:record_state"]) == (
        "likeness:ConsentSuspended",
        "REGISTRY",
        "SUSPENDED",
    )
    assert str(attester.id) not in json.dumps(documents)


async def test_an_objection_is_receipted_from_its_filing_on(
    execute: Execute, accounts: Accounts, client: httpx2.AsyncClient, owner: Account
) -> None:
    subject = await acts.subject(execute, owner)
    filed = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    id = filed["fileObjection"]["objection"]["id"]
    await execute(owner, acts.WITHDRAW, id=id)
    receipts = await of(execute, owner, id, OBJECTIONS)
    assert [one["eventState"] for one in receipts] == [
        "likeness:ObjectionFiled",
        "likeness:ObjectionVerified",
        "likeness:ObjectionWithdrawn",
    ]
    assert len({one["eventId"] for one in receipts}) == 3
    jwks = (await client.get("/.well-known/jwks.json")).json()
    for one in receipts:
        document = consent_receipts.verify(one["token"], jwks).document
        SCHEMA.validate(document)
        assert document["pii_processing"]["withdrawal_method"]["mutation"] == "withdrawObjection"
    attester = await accounts.open(PrincipalKind.ATTESTER)
    assert await refused(client, attester, OBJECTIONS) == "FORBIDDEN"


SHOWN = """mutation ($input: FileObjectionInput!) { fileObjection(input: $input) {
  ... on ObjectionFiled { objection { id noticeVersion noticeLanguage } }
  ... on Problem { code field } } }"""


async def test_the_text_shown_to_who_objects_and_its_language_are_in_the_receipt(
    execute: Execute, owner: Account
) -> None:
    subject = await acts.subject(execute, owner)
    digest = bytes(range(32))
    notice = {
        "version": "2026-11",
        "language": "zh-Hans",
        "sha256": base64.b64encode(digest).decode(),
    }
    filed = await execute(owner, SHOWN, input={"subjectId": subject, "notice": notice})
    objection = filed["fileObjection"]["objection"]
    assert (objection["noticeVersion"], objection["noticeLanguage"]) == ("2026-11", "zh-Hans")
    for one in await of(execute, owner, objection["id"], OBJECTIONS):
        said = json.loads(one["document"])
        SCHEMA.validate(said)
        assert said["pii_processing"]["language"] == "zh-Hans"
        assert said["pii_processing"]["privacy_notice"] == {
            "version": "2026-11",
            "sha256": digest.hex(),
        }


@pytest.mark.parametrize(
    "notice",
    [
        {"version": "", "language": "en"},
        {"version": "1", "language": "German, please"},
        {"version": "1", "language": ""},
        {"version": "1", "language": "en", "sha256": "AAAA"},
    ],
)
async def test_a_text_shown_that_cannot_be_is_refused_and_nothing_is_filed(
    execute: Execute, owner: Account, notice: dict[str, str]
) -> None:
    subject = await acts.subject(execute, owner)
    filed = await execute(owner, SHOWN, input={"subjectId": subject, "notice": notice})
    assert filed["fileObjection"] == {"code": "INVALID", "field": "notice"}
    listed = await execute(
        owner,
        "query ($id: ID) { objections(subjectId: $id) { edges { node { id } } } }",
        id=subject,
    )
    assert listed["objections"]["edges"] == []


async def test_what_the_person_holds_still_verifies_after_an_erasure(
    execute: Execute, client: httpx2.AsyncClient, owner: Account, urls: tuple[str, str]
) -> None:
    subject = await acts.subject(execute, owner)
    held = await of(execute, owner, await acts.grant(execute, owner, subject))
    connection = await asyncpg.connect(urls[0])
    await connection.execute("delete from subject_keys where subject_id = $1", UUID(subject))
    await connection.close()
    jwks = (await client.get("/.well-known/jwks.json")).json()
    verified = consent_receipts.verify(held[0]["token"], jwks)
    assert verified.document == json.loads(held[0]["document"])


async def test_receipts_of_many_grants_cost_as_many_queries_as_of_one(
    execute: Execute, owner: Account, state: State
) -> None:
    subject = await acts.subject(execute, owner)
    await acts.grant(execute, owner, subject)
    one = await counted(execute, owner, state)
    for _ in range(4):
        await acts.grant(execute, owner, subject)
    assert await counted(execute, owner, state) == one > 0


async def counted(execute: Execute, owner: Account, state: State) -> int:
    """How many statements it takes to list the grants with their receipts.

    The least of three: the server's own upkeep runs beside it now and then.
    """
    return min([await _counted(execute, owner, state) for _ in range(3)])


async def _counted(execute: Execute, owner: Account, state: State) -> int:
    statements: list[str] = []

    def note(*told: Any) -> None:
        statements.append(told[2])

    engine = state.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await execute(owner, GRANTS)
    event.remove(engine, "before_cursor_execute", note)
    return len(statements)


def test_every_kind_of_event_has_a_word() -> None:
    assert set(consent_events.OF_GRANTS) == set(GrantEventKind)
    assert set(consent_events.OF_OBJECTIONS) == set(ObjectionEventKind)


async def test_a_request_that_was_declined_is_receipted(
    state: State, owner: Account, service: Account
) -> None:
    matter = consent_receipts.Matter(
        record_id=UUID(int=5),
        subject_id=UUID(int=6),
        scope=Scopes(),
        parties=(consent_receipts.Party(service.id, service.handle),),
        withdrawal=None,
    )
    issuer = consent_receipts.Issuer("http://registry.test", "DE", state.keys)
    made = consent_events.refused(
        matter,
        event_id=UUID(int=7),
        at=datetime.now(UTC) - timedelta(minutes=1),
        by=owner.id,
        role="SELF",
        issuer=issuer,
    )
    assert made.event_state == "ConsentRefused"
    document = consent_receipts.verify(made.token, state.keys.jwks()).document
    SCHEMA.validate(document)
    assert document["pii_processing"]["withdrawal_method"] is None
    assert GrantState.ACTIVE not in document["event"].values()


@asynccontextmanager
async def rewriting(urls: tuple[str, str]) -> AsyncGenerator[asyncpg.Connection]:
    """History as only a test may write it: time that has not passed yet."""
    connection = await asyncpg.connect(urls[0])
    try:
        await connection.execute("set session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("proved", [False, True])
async def test_a_contested_objection_is_receipted_as_it_stands_and_not_by_whom_it_is_contested(
    execute: Execute, accounts: Accounts, owner: Account, urls: tuple[str, str], proved: bool
) -> None:
    weak = Account(owner.id, owner.kind, await accounts.token(owner.id, ial=1), owner.handle)
    subject = await acts.subject(execute, weak)
    filed = await execute(weak, acts.OBJECT, input={"subjectId": subject})
    id = filed["fileObjection"]["objection"]["id"]
    contestant = await accounts.open()
    async with rewriting(urls) as connection:
        await connection.execute(
            "insert into objection_events (id, objection_id, kind, actor_id)"
            " values (gen_random_uuid(), $1, 'CONTESTED', $2)",
            UUID(id), contestant.id,
        )  # fmt: skip
        if proved:
            await connection.execute(
                "insert into subject_events (id, subject_id, kind, actor_id)"
                " values (gen_random_uuid(), $1, 'VERIFIED', $2)",
                UUID(subject), OPERATOR_ID,
            )  # fmt: skip
    contested = [
        ("likeness:ObjectionFiled", "SELF", "PROVISIONAL"),
        ("likeness:ObjectionContested", "REGISTRY", "PROVISIONAL"),
    ]
    assert await told(execute, owner, id) == contested
    async with rewriting(urls) as connection:
        for change, of_what in (
            ("update objections set since = since - interval '15 days' where id = $1", id),
            (
                "update objection_events set at = at - interval '15 days' where objection_id = $1",
                id,
            ),
            (
                "update subject_events set at = at - interval '15 days' where subject_id = $1",
                subject,
            ),
        ):
            await connection.execute(change, UUID(of_what))
    lapsed = ("likeness:ObjectionLapsed", "REGISTRY", "LAPSED")
    assert await told(execute, owner, id) == [*contested, *([] if proved else [lapsed])]
    if proved:
        await execute(owner, acts.WITHDRAW, id=id)
        withdrawn = ("likeness:ObjectionWithdrawn", "SELF", "WITHDRAWN")
        assert await told(execute, owner, id) == [*contested, withdrawn]


async def told(execute: Execute, owner: Account, objection: str) -> list[tuple[str, ...]]:
    """Each receipt of an objection: what happened, by whom, and how it then stood."""
    words = ("event_state", "entity_role", "likeness:record_state")
    documents = [
        json.loads(one["document"]) for one in await of(execute, owner, objection, OBJECTIONS)
    ]
    for one in documents:
        SCHEMA.validate(one)
    return [tuple(one["event"][word] for word in words) for one in documents]
