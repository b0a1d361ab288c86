"""Attestations through the schema: a level is given, weighed where it counts, and taken back."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from strawberry.types import get_object_definition

from api.graphql import attestations as attestations_schema
from api.state import State
from registry import (
    assurance,
    attestations,
    jws,
    live_captures,
    organisations,
    presentations,
    services,
    upkeep,
)
from registry.attestations import Attestation, AttestationCapture
from registry.database import Database, new_id
from registry.key_files import KeyRole
from registry.policy.vocabulary import GrantorRole
from registry.presentations import PresentationFault
from registry.principals import OPERATOR, PrincipalKind
from registry.reviews import Review, ReviewKind
from tests import acts
from tests.api.graphql.identifying import Identities, near
from tests.api.graphql.test_erasure import ERASE
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry.enrolling import unit

REVOKE = """
mutation ($id: ID!) { done: revokeAttestation(id: $id) {
  ... on AttestationRevoked { attestation { id counts } } ... on Problem { code message field } } }
"""
VIEWER = "{ viewer { ial attestations { id level counts matched statement } } }"
ENROL = """
mutation ($input: EnrollSampleInput!) { done: enrollSample(input: $input) {
  ... on SampleEnrolled { sample { id state } } ... on Problem { code message field } } }
"""
SUBJECT = "query ($id: ID!) { subject(id: $id) { registration samples { id } } }"
LIKE, UNLIKE = 0.99, 0.0


@pytest.fixture
async def desk(state: State, accounts: Accounts, execute: Execute) -> Identities:
    return await Identities.open(state, accounts, execute)


async def own_service(operator: Database, account: Account) -> Account:
    """A service that this account owns."""
    service_id, name = new_id(), f"service-{new_id()}"
    async with operator.writing() as session:
        await services.register(session, service_id=service_id, owner_id=account.id, name=name)
    return Account(service_id, PrincipalKind.SERVICE, "", name)


async def viewer(execute: Execute, account: Account) -> Json:
    found: Json = (await execute(account, VIEWER))["viewer"]
    return found


async def enrol(execute: Execute, account: Account, subject: str, handle: str, **more: Any) -> Json:
    given = {"subjectId": subject, "media": {"handle": handle}, **more}
    answer: Json = (await execute(account, ENROL, input=given))["done"]
    return answer


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(attestations_schema.Attestation, strict=True).fields
    plain = {one.python_name for one in fields if one.base_resolver is None}
    assert plain <= set(dir(Attestation))


async def test_an_attested_account_has_the_level_until_it_is_revoked(
    desk: Identities, execute: Execute, state: State
) -> None:
    account, _ = await desk.newcomer()
    assert await viewer(execute, account) == {"ial": 1, "attestations": []}
    made = (await desk.attest(account))["attestation"]
    assert (made["level"], made["method"], made["counts"]) == (2, "DOCUMENT_IN_PERSON", True)
    assert made["attestedBy"] == str(desk.attester.id)
    seen = await viewer(execute, account)
    assert (seen["ial"], seen["attestations"][0]["id"]) == (2, made["id"])
    claims = jws.verify(
        made["statement"],
        typ=attestations.TYPE,
        key_of=lambda kid: state.keys.public_key(KeyRole.TOKEN, kid),
    ).claims
    assert (claims["sub"], claims["jti"], claims["level"]) == (str(account.id), made["id"], 2)
    gone = await execute(desk.attester, REVOKE, id=made["id"])
    assert gone["done"]["attestation"] == {"id": made["id"], "counts": False}
    seen = await viewer(execute, account)
    assert (seen["ial"], seen["attestations"][0]["counts"]) == (1, False)
    again = await execute(desk.attester, REVOKE, id=made["id"])
    assert again["done"]["code"] == "CONFLICT"


async def test_a_token_of_a_higher_level_keeps_it(
    desk: Identities, execute: Execute, owner: Account
) -> None:
    await desk.attest(owner, level=1)
    assert (await viewer(execute, owner))["ial"] == 2
    await desk.attest(owner, level=3)
    assert (await viewer(execute, owner))["ial"] == 3


async def test_what_is_over_counts_no_more(desk: Identities, state: State) -> None:
    account, _ = await desk.newcomer()
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    await desk.attest(account, expiresAt=soon.isoformat())
    async with state.db.acting_for(account.actor).reading() as session:
        assert await attestations.level_of(session, account.id) == 2
        await session.execute(select(attestations.func.pg_sleep(1.6)))
        assert await attestations.level_of(session, account.id) == 0


async def test_a_record_is_provisional_below_and_verified_at_an_attested_level(
    desk: Identities, execute: Execute
) -> None:
    account, before = await desk.newcomer()
    await desk.attest(account)
    after = await acts.subject(execute, account)
    found = [
        (await execute(account, SUBJECT, id=one))["subject"]["registration"]
        for one in (before, after)
    ]
    assert found == ["PROVISIONAL", "VERIFIED"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PrincipalKind.PERSON, "FORBIDDEN"),
        (PrincipalKind.ORGANISATION, "FORBIDDEN"),
        (PrincipalKind.SERVICE, "FORBIDDEN"),
        (PrincipalKind.REVIEWER, "FORBIDDEN"),
        (PrincipalKind.AUDITOR, "FORBIDDEN"),
    ],
)
async def test_only_an_attester_attests(
    desk: Identities, accounts: Accounts, kind: PrincipalKind, code: str
) -> None:
    account, _ = await desk.newcomer()
    assert (await desk.attest(account, by=await accounts.open(kind)))["code"] == code


async def test_nobody_attests_themselves_or_while_owning_a_service(
    desk: Identities, operator: Database
) -> None:
    account, _ = await desk.newcomer()
    assert (await desk.attest(desk.attester))["code"] == "FORBIDDEN"
    await own_service(operator, desk.attester)
    refused = await desk.attest(account)
    assert refused["code"] == "FORBIDDEN"
    assert "owns a service" in refused["message"]


async def test_who_is_no_person_or_organisation_is_not_attested(
    desk: Identities, service: Account, accounts: Accounts
) -> None:
    absent = Account(new_id(), PrincipalKind.PERSON, "", "")
    office = await accounts.open(PrincipalKind.REVIEWER)
    for account in (service, office, absent):
        assert (await desk.attest(account))["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"level": 0}, "level"),
        ({"level": 4}, "level"),
        ({"evidenceSha256": "eA=="}, "evidenceSha256"),
        ({"evidenceSha256": "?"}, "evidenceSha256"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2090-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2027-01-01T00:00:00"}, "expiresAt"),
        ({"subjectId": "SUBJECT"}, "liveCapture"),
        ({"liveCapture": {"handle": "x"}}, None),
    ],
    ids=range(9),
)
async def test_what_is_not_an_attestation_is_refused(
    desk: Identities, execute: Execute, more: Json, field: str | None
) -> None:
    account, subject = await desk.newcomer()
    given = {name: subject if one == "SUBJECT" else one for name, one in more.items()}
    refused = await desk.attest(account, **given)
    assert refused["code"] in {"INVALID", "NOT_FOUND"}
    assert field in {None, refused["field"]}
    assert (await viewer(execute, account))["attestations"] == []


async def test_what_another_attested_is_neither_seen_nor_revoked(
    desk: Identities, accounts: Accounts, execute: Execute, state: State
) -> None:
    account, _ = await desk.newcomer()
    made = (await desk.attest(account))["attestation"]
    other = await accounts.open(PrincipalKind.ATTESTER)
    assert (await execute(other, REVOKE, id=made["id"]))["done"]["code"] == "NOT_FOUND"
    assert (await execute(account, REVOKE, id=made["id"]))["done"]["code"] == "FORBIDDEN"
    async with state.db.acting_for(other.actor).reading() as session:
        assert await attestations.of_account(session, account.id) == []
        assert await attestations.level_of(session, account.id) == 0


async def test_the_same_key_attests_once(desk: Identities, execute: Execute) -> None:
    account, _ = await desk.newcomer()
    same = {
        "idempotencyKey": "once",
        "evidenceSha256": base64.b64encode(b"e" * 32).decode(),
        "expiresAt": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
    }
    first, second = [await desk.attest(account, **same) for _ in range(2)]
    assert first["attestation"]["id"] == second["attestation"]["id"]
    assert len((await viewer(execute, account))["attestations"]) == 1


async def test_a_live_capture_of_the_person_matches_and_verifies_their_record(
    desk: Identities, execute: Execute
) -> None:
    account, subject, vector = await desk.enrolled()
    stranger = await desk.attest(account, face=near(vector, UNLIKE), subjectId=subject)
    assert stranger["attestation"]["matched"] == []
    found = (await execute(account, SUBJECT, id=subject))["subject"]
    assert found["registration"] == "PROVISIONAL"
    matched = await desk.attest(account, face=near(vector, LIKE), subjectId=subject)
    assert matched["attestation"]["matched"] == ["FACE"]
    assert matched["attestation"]["subjectId"] == subject
    found = (await execute(account, SUBJECT, id=subject))["subject"]
    assert found["registration"] == "VERIFIED"


async def test_to_match_anothers_record_verifies_nothing(
    desk: Identities, execute: Execute
) -> None:
    keeper, subject, vector = await desk.enrolled()
    account, _ = await desk.newcomer()
    made = await desk.attest(account, face=near(vector, LIKE), subjectId=subject)
    assert made["attestation"]["matched"] == ["FACE"]
    found = (await execute(keeper, SUBJECT, id=subject))["subject"]
    assert found["registration"] == "PROVISIONAL"


async def test_w02_a_grant_waits_until_its_signer_is_known_and_seen_live(
    desk: Identities,
) -> None:
    account, subject = await desk.newcomer()
    grant = await desk.proposed(account, subject)
    refused = await desk.sign(account, grant)
    assert refused["code"] == "FORBIDDEN"
    assert "yours is 1" in refused["message"]
    await desk.attest(account, liveness=False)
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"
    await desk.attest(account, level=1)
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"
    assert await desk.state_of(account, grant) == "PENDING"
    await desk.attest(account)
    assert (await desk.sign(account, grant))["grant"]["state"] == "ACTIVE"


async def test_w02_with_a_template_on_record_the_signer_must_have_matched_it(
    desk: Identities,
) -> None:
    account, subject, vector = await desk.enrolled()
    grant = await desk.proposed(account, subject)
    await desk.attest(account)
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"
    await desk.attest(account, face=near(vector, UNLIKE), subjectId=subject)
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"
    await desk.attest(account, face=near(vector, LIKE), subjectId=subject, liveness=False)
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"
    assert await desk.state_of(account, grant) == "PENDING"
    await desk.attest(account, face=near(vector, LIKE), subjectId=subject)
    assert (await desk.sign(account, grant))["grant"]["state"] == "ACTIVE"


async def test_a_revoked_attestation_signs_nothing(desk: Identities, execute: Execute) -> None:
    account, subject = await desk.newcomer()
    grant = await desk.proposed(account, subject)
    made = (await desk.attest(account))["attestation"]
    await execute(desk.attester, REVOKE, id=made["id"])
    assert (await desk.sign(account, grant))["code"] == "FORBIDDEN"


async def test_who_owns_the_grantee_has_attested_in_vain(
    desk: Identities, operator: Database, service: Account
) -> None:
    account, subject = await desk.newcomer()
    await desk.attest(account)
    own = await own_service(operator, desk.attester)
    theirs, others = [
        await desk.proposed(account, subject, *services) for services in ([own, service], [service])
    ]
    assert (await desk.sign(account, theirs))["code"] == "FORBIDDEN"
    levels = []
    async with desk.state.db.acting_for(account.actor).reading() as session:
        for grantees in (None, [own.id], [service.id]):  # None: every service
            levels.append(  # noqa: PERF401
                await assurance.level_for_signing(
                    session,
                    principal_id=account.id,
                    token_ial=1,
                    role=GrantorRole.GUARDIAN,
                    subject_id=UUID(subject),
                    grantees=grantees,
                )
            )
    assert levels == [1, 1, 2]
    assert (await desk.sign(account, others))["grant"]["state"] == "ACTIVE"


async def test_a_member_of_an_organisation_stands_for_its_services(
    desk: Identities, operator: Database, owner: Account
) -> None:
    account, _ = await desk.newcomer()
    await own_service(operator, owner)
    assert "attestation" in await desk.attest(account)
    member_id = new_id()
    async with operator.writing() as session:
        await organisations.add(
            session,
            member_id=member_id,
            organisation_id=owner.id,
            principal_id=desk.attester.id,
            by=OPERATOR,
        )
    assert (await desk.attest(account))["code"] == "FORBIDDEN"
    async with operator.writing() as session:
        await organisations.end(session, member_id=member_id, by=OPERATOR)
    assert "attestation" in await desk.attest(account)


async def test_what_the_operator_said_by_a_token_is_enough(
    desk: Identities, owner: Account
) -> None:
    subject = await acts.subject(desk.execute, owner)
    grant = await desk.proposed(owner, subject)
    assert (await desk.sign(owner, grant))["grant"]["state"] == "ACTIVE"


async def test_w04_another_persons_face_is_rejected_and_goes_to_the_desk(
    desk: Identities, execute: Execute, operator: Database
) -> None:
    account, subject = await desk.newcomer()
    face = unit()
    made = (await desk.attest(account, face=face))["attestation"]
    handle = await desk.photograph(account, near(face, UNLIKE))
    refused = await enrol(execute, account, subject, handle, idempotencyKey="once")
    assert refused == {
        "code": "REJECTED_PRESENTATION_ATTACK",
        "message": "This face or voice is not accepted for this person.",
        "field": None,
    }
    assert await enrol(execute, account, subject, handle, idempotencyKey="once") == refused
    assert await enrol(execute, account, subject, handle) == refused
    assert (await execute(account, SUBJECT, id=subject))["subject"]["samples"] == []
    async with operator.reading() as session:
        kept = list(
            await session.scalars(
                select(presentations.RefusedPresentation)
                .where(presentations.RefusedPresentation.presented_by == account.id)
                .order_by(presentations.RefusedPresentation.id)
            )
        )
        refusal, _ = kept  # both are kept, and the desk looks once
        reviews = await session.scalars(
            select(Review).where(Review.about.in_([one.id for one in kept]))
        )
        (review,) = reviews
    assert refusal.fault is PresentationFault.NOT_THE_HOLDER
    assert str(refusal.about) == made["id"]
    assert review.kind is ReviewKind.SUSPICIOUS_ENROLMENT


async def test_w04_ones_own_face_is_enrolled(desk: Identities, execute: Execute) -> None:
    account, subject = await desk.newcomer()
    face = unit()
    await desk.attest(account, face=face)
    handle = await desk.photograph(account, near(face, LIKE))
    assert (await enrol(execute, account, subject, handle))["sample"]["state"] == "ENROLLED"


async def test_w04_a_capture_no_encoder_reads_any_more_resembles_nothing(
    desk: Identities, execute: Execute, state: State, operator: Database
) -> None:
    account, subject = await desk.newcomer()
    async with operator.writing() as session:
        await attestations.attest(
            session,
            attestations.Finding(
                principal_id=account.id,
                level=2,
                method=attestations.AttestationMethod.EID,
                liveness=True,
                evidence_sha256=b"e" * 32,
                expires_at=datetime.now(UTC) + timedelta(days=9),
                capture={("forgotten/1", next(iter(attestations.samples.Condition))): b"\0" * 512},
            ),
            attestation_id=new_id(),
            actor=OPERATOR,
            issuer=state.settings.issuer,
            keys=state.keys,
        )
    handle = await desk.photograph(account, unit())
    refused = await enrol(execute, account, subject, handle)
    assert refused["code"] == "REJECTED_PRESENTATION_ATTACK"


async def test_an_agency_known_by_its_token_enrols_whom_it_represents(
    desk: Identities, execute: Execute, owner: Account
) -> None:
    subject = await acts.subject(execute, owner)
    await desk.attest(owner, face=unit())
    handle = await desk.photograph(owner, unit())
    assert (await enrol(execute, owner, subject, handle))["sample"]["state"] == "ENROLLED"


async def test_row_security_lets_only_attesters_add(
    desk: Identities, state: State, operator: Database
) -> None:
    account, _ = await desk.newcomer()
    made = (await desk.attest(account))["attestation"]
    async with operator.reading() as session:
        row = await session.get(Attestation, made["id"])
    assert row is not None
    names = [one.name for one in Attestation.__table__.columns if one.name != "created_at"]
    copy = {name: getattr(row, name) for name in names} | {"id": new_id()}
    other, _ = await desk.newcomer()
    for actor, changed in (
        (other, {"attested_by": other.id}),
        (account, {"attested_by": account.id}),
        (desk.attester, {"attested_by": desk.attester.id, "principal_id": desk.attester.id}),
        (desk.attester, {"attested_by": other.id}),
    ):
        with pytest.raises(Exception, match="row-level security"):
            async with state.db.acting_for(actor.actor).writing() as session:
                session.add(Attestation(**(copy | changed)))


async def test_a_capture_is_kept_no_longer_than_its_attestation_counts(
    desk: Identities, execute: Execute, state: State, operator: Database
) -> None:
    account, _ = await desk.newcomer()
    kept, revoked = [(await desk.attest(account, face=unit()))["attestation"] for _ in range(2)]
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await desk.attest(account, face=unit(), expiresAt=soon)
    await execute(desk.attester, REVOKE, id=revoked["id"])
    async with operator.reading() as session:
        await session.execute(select(attestations.func.pg_sleep(1.1)))
    await upkeep.run(operator, state.keys, state.checker.packs)
    async with operator.reading() as session:
        rows = await session.scalars(
            select(AttestationCapture.attestation_id)
            .join(Attestation, Attestation.id == AttestationCapture.attestation_id)
            .where(Attestation.principal_id == account.id)
        )
        assert [str(one) for one in rows] == [kept["id"]]
    later = datetime.now(UTC) + timedelta(days=400)
    await live_captures.forget(operator, state.keys, later)  # the database's own clock decides
    async with state.db.acting_for(account.actor).reading() as session:
        held = await live_captures.of_account(session, account.id, keys=state.keys)
    assert [str(one) for one in held] == [kept["id"]]


async def test_a_capture_goes_with_the_person_it_was_compared_with(
    desk: Identities, execute: Execute, state: State, operator: Database
) -> None:
    account, subject = await desk.newcomer()
    made = (await desk.attest(account, face=unit(), subjectId=subject))["attestation"]
    erase = """mutation ($input: EraseSubjectInput!) { eraseSubject(input: $input) {
      ... on SubjectErased { subjectId } ... on Problem { code message } } }"""
    gone = await execute(account, erase, input={"subjectId": subject, "keepBlocking": False})
    assert "code" not in gone["eraseSubject"], gone
    await upkeep.run(operator, state.keys, state.checker.packs)
    async with operator.reading() as session:
        assert await session.get(AttestationCapture, made["id"]) is None


@pytest.mark.parametrize("compared", [True, False])
async def test_w04_erasure_takes_the_capture_and_the_level_it_stood_behind(
    desk: Identities, execute: Execute, state: State, operator: Database, *, compared: bool
) -> None:
    account, subject, vector = await desk.enrolled()
    shown = {"subjectId": subject} if compared else {}
    made = (await desk.attest(account, face=near(vector, 0.99), **shown))["attestation"]
    other = await acts.subject(execute, account)
    await execute(account, ERASE, input={"subjectId": other, "keepBlocking": False})
    await upkeep.run(operator, state.keys, state.checker.packs)
    assert await captures(operator, made["id"]) == 1  # of somebody else who is still on record
    await execute(account, ERASE, input={"subjectId": subject, "keepBlocking": True})
    await upkeep.run(operator, state.keys, state.checker.packs)
    assert await captures(operator, made["id"]) == 0
    anew = await acts.subject(execute, account)
    handle = await desk.photograph(account, unit())
    assert (await enrol(execute, account, anew, handle))["sample"]["state"] == "RECEIVED"
    async with state.db.acting_for(account.actor).reading() as session:
        assert await attestations.level_of(session, account.id) == 0


async def captures(operator: Database, attestation: str) -> int:
    async with operator.reading() as session:
        rows = await session.scalars(
            select(AttestationCapture.attestation_id).where(
                AttestationCapture.attestation_id == UUID(attestation)
            )
        )
        return len(list(rows))
