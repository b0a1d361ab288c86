"""Erasure: what is known of a person ends; what was logged stays verifiable (W12)."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import numpy as np
import pytest
from sqlalchemy import select, text
from starlette.types import ASGIApp

from api.runtime import Runtime
from api.state import State
from registry import receipts
from registry.database import Database
from registry.decisions import Decision, open_recorded
from registry.encoders.identity import FACE
from registry.notices import Notice
from registry.principals import PrincipalKind
from registry.settings import Settings
from registry.subjects import Subject, SubjectAlias, SubjectKey, open_profile, wrapped_keys
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json, served
from tests.registry.checks.test_evidence import PROOF, newest, verifier_key
from tests.registry.enrolling import Person, face, unit
from tests.without_accounts import VIEWER, coming, open_case

ERASE = """
mutation ($input: EraseSubjectInput!) { eraseSubject(input: $input) {
  ... on SubjectErased { subjectId erasedAt keptAs } ... on Problem { code message } } }
"""
SEEN = """
query ($id: ID!) { subject(id: $id) { name aliases birthDate registration classes
  samples { state } } objections(subjectId: $id) { edges { node { state uses } } }
  grants(subjectId: $id) { edges { node { id state } } } }
"""


class Erased:
    """Somebody with a name, a face, a picture, an objection and a grant; then without."""

    def __init__(self, state: State, execute: Execute, owner: Account, service: Account) -> None:
        self.state, self.execute, self.owner, self.service = state, execute, owner, service
        self.vector, self.hash, self.subject, self.grant = unit(), acts.random_hash(), "", ""

    async def stand(self, *, ial: int = 2, granted: bool = True, **person: object) -> "Erased":
        given = {"name": "Ada Erased", "aliases": ["Adina Erased"], **person}
        self.subject = await acts.subject(self.execute, self.owner, **given)
        await Person(self.state, self.owner, UUID(self.subject), ial).enrol(face(self.vector))
        await acts.asset(self.execute, self.owner, [self.subject], self.hash)
        if granted:
            self.grant = await acts.grant(self.execute, self.owner, self.subject, self.service)
        scope = {"uses": ["GENERATE_IMAGE"]}
        await self.execute(
            self.owner, acts.OBJECT, input={"subjectId": self.subject, "scope": scope}
        )
        return self

    async def erase(self, *, keep: bool, by: Account | None = None, **more: str) -> Json:
        given = {"subjectId": self.subject, "keepBlocking": keep, **more}
        made: Json = (await self.execute(by or self.owner, ERASE, input=given))["eraseSubject"]
        return made

    async def seen(self, id: str | None = None) -> Json:
        return await self.execute(self.owner, SEEN, id=id or self.subject)

    async def by_hash(self) -> Json:
        return await acts.check(self.execute, self.service, acts.question(self.hash))

    async def by_face(self) -> Json:
        given = base64.b64encode(self.vector.astype(np.float32).tobytes()).decode()
        probe = {"faceVector": {"encoder": FACE, "base64": given}}
        asked = {**acts.question(), "persons": [{"probes": [probe]}]}
        return await acts.check(self.execute, self.service, asked)


@pytest.fixture
async def person(state: State, execute: Execute, owner: Account, service: Account) -> Erased:
    return await Erased(state, execute, owner, service).stand()


async def test_nothing_is_known_of_an_erased_person(person: Erased, operator: Database) -> None:
    assert (await person.by_hash())["outcome"] == "PROHIBITED"
    assert (await person.by_face())["outcome"] == "PROHIBITED"
    erased = await person.erase(keep=False)
    assert (erased["subjectId"], erased["keptAs"]) == (person.subject, None)
    seen = await person.seen()
    assert seen["subject"] is None
    for decision in (await person.by_hash(), await person.by_face()):
        assert decision["outcome"] == "UNKNOWN"
        assert "OBJECTION" not in acts.codes(decision)
    async with operator.reading() as session:
        for table in (SubjectKey, SubjectAlias):
            rows = await session.scalars(
                select(table.subject_id).where(table.subject_id == UUID(person.subject))
            )
            assert list(rows) == []
        kept = await session.execute(
            text("select subject_id, kept_as from erasures where subject_id = :id"),
            {"id": UUID(person.subject)},
        )
        assert list(kept) == [(UUID(person.subject), None)]


async def test_what_was_said_for_them_ends_and_its_holders_are_told(
    person: Erased, operator: Database
) -> None:
    await person.erase(keep=False)
    seen = await person.seen()
    assert [one["node"]["state"] for one in seen["grants"]["edges"]] == ["REVOKED"]
    assert [one["node"]["state"] for one in seen["objections"]["edges"]] == ["WITHDRAWN"]
    async with operator.reading() as session:
        told = await session.scalars(select(Notice).where(Notice.principal_id == person.service.id))
        revoked = [str(one.about) for one in told if one.kind == "GRANT_REVOKED"]
        assert revoked == [person.grant]
        why = await session.scalar(
            text("select reason from grant_events where grant_id = :id and kind = 'REVOKED'"),
            {"id": UUID(person.grant)},
        )
    assert why == "erasure"


async def test_an_old_decision_verifies_and_what_it_was_made_of_is_unreadable(
    person: Erased, operator: Database, state: State, execute: Execute, client: httpx2.AsyncClient
) -> None:
    decision = await person.by_hash()
    async with operator.reading() as session:
        row = await session.get(Decision, UUID(decision["id"]))
        before = await wrapped_keys(session, [UUID(person.subject)])
    assert row is not None
    sealed_for = [(one, before[one]) for one in row.sealed_for]
    opened = open_recorded(
        row.sealed_facts, decision_id=row.id, subjects=sealed_for, keys=state.keys
    )
    assert opened.decision.outcome == "PROHIBITED"
    await person.erase(keep=False)
    jwks = (await client.get("/.well-known/jwks.json")).json()
    claims = receipts.verify_decision(decision["token"], jwks).claims
    size = (await newest(execute, person.service))["size"]
    proved = await execute(person.service, PROOF, index=claims["log"]["index"], size=size)
    receipts.verify_in_log(
        claims,
        salt=bytes.fromhex(decision["salt"]),
        proof=[base64.b64decode(one) for one in proved["inclusionProof"]["hashes"]],
        checkpoint_note=proved["checkpoint"]["note"],
        verifier_key=verifier_key(state),
    )
    async with operator.reading() as session:
        assert await wrapped_keys(session, row.sealed_for) == {}
        after = await session.get(Decision, UUID(decision["id"]))
    assert after is not None
    assert after.sealed_facts == row.sealed_facts  # the log is what it was; the key is gone
    assert b"Ada" not in after.sealed_facts


async def test_kept_for_blocking_nothing_personal_stays_and_what_is_forbidden_stays_so(
    person: Erased, operator: Database, state: State
) -> None:
    erased = await person.erase(keep=True)
    kept = erased["keptAs"]
    assert kept not in {None, person.subject}
    assert (await person.seen())["subject"] is None
    seen = await person.seen(kept)
    assert seen["subject"] == {
        "name": "—",
        "aliases": [],
        "birthDate": None,
        "registration": "VERIFIED",
        "classes": ["PRIVATE"],
        "samples": [{"state": "ENROLLED"}],
    }
    assert [one["node"] for one in seen["objections"]["edges"]] == [
        {"state": "VERIFIED", "uses": ["GENERATE_IMAGE"]}
    ]
    assert seen["grants"]["edges"] == []
    for decision in (await person.by_hash(), await person.by_face()):
        assert decision["outcome"] == "PROHIBITED"
        assert "OBJECTION" in acts.codes(decision)
    async with operator.reading() as session:
        former = await session.get(Subject, UUID(person.subject))
        new = (await wrapped_keys(session, [UUID(kept)]))[UUID(kept)]
        assert await wrapped_keys(session, [UUID(person.subject)]) == {}
    assert former is not None
    with pytest.raises(Exception, match="cannot be opened"):
        open_profile(former.profile, subject_id=UUID(kept), wrapped=new, keys=state.keys)


async def test_a_child_that_is_kept_for_blocking_stays_one(
    state: State, execute: Execute, owner: Account, service: Account
) -> None:
    born = (datetime.now(UTC) - timedelta(days=12 * 365.25)).date()
    child = await Erased(state, execute, owner, service).stand(
        granted=False, birthDate=born.isoformat()
    )
    kept = (await child.erase(keep=True))["keptAs"]
    seen = (await child.seen(kept))["subject"]
    assert seen["birthDate"] == f"{born.year}-12-31"
    assert seen["classes"] == ["MINOR"]


async def test_only_whoever_keeps_the_record_erases_it_and_once(
    person: Erased, accounts: Accounts
) -> None:
    other = await accounts.open()
    attester = await accounts.open(PrincipalKind.ATTESTER)
    assert (await person.erase(keep=False, by=other))["code"] == "NOT_FOUND"
    assert (await person.erase(keep=False, by=attester))["code"] == "FORBIDDEN"
    assert (await person.seen())["subject"] is not None
    first = await person.erase(keep=True, idempotencyKey="once")
    again = await person.erase(keep=True, idempotencyKey="once")
    assert first == again
    assert (await person.erase(keep=False))["code"] == "NOT_FOUND"


@pytest.mark.parametrize("keep", [False, True])
async def test_a_case_is_erased_by_number_and_pin_and_its_contact_with_it(
    settings: Settings,
    runtime: Runtime,
    state: State,
    execute: Execute,
    service: Account,
    *,
    keep: bool,
) -> None:
    app: ASGIApp = served(settings, runtime)
    async with coming(app) as web:
        case = await (await open_case(web)).account(execute)
    contact = "mutation ($input: AddContactInput!) { addContact(input: $input) { __typename } }"
    await execute(case, contact, input={"kind": "EMAIL", "contact": "ada@example.org"})
    person = await Erased(state, execute, case, service).stand(ial=1, granted=False)
    assert (await person.by_hash())["outcome"] == "PROHIBITED"
    erased = await person.erase(keep=keep)
    assert (erased["keptAs"] is not None) is keep
    assert (await person.by_hash())["outcome"] == ("PROHIBITED" if keep else "UNKNOWN")
    assert (await execute(case, VIEWER))["viewer"]["case"]["contacts"] == []


async def test_the_database_lets_nobody_else_destroy_a_key(
    person: Erased, accounts: Accounts, state: State
) -> None:
    other = await accounts.open()
    async with state.db.acting_for(other.actor).writing() as session:
        for table in ("subject_keys", "subject_aliases"):
            await session.execute(
                text(f"delete from {table} where subject_id = :id"),  # of this file
                {"id": UUID(person.subject)},
            )
    assert (await person.seen())["subject"]["name"] == "Ada Erased"
