"""Who acts for minors and for the dead: named, verified by an office, ended; and who may not."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from strawberry.types import get_object_definition

from api.graphql.representatives import Representative
from api.state import State
from registry import appointments, representatives
from registry.database import new_id
from registry.errors import ForbiddenError
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json
from tests.registry import enrolling

from .law import ABSENT, DEATH, end, make, refusal

SIGN_AS = """mutation ($id: ID!, $role: GrantorRole!) { signGrant(id: $id, role: $role) {
  ... on GrantSigned { grant { state } } ... on Problem { code message } } }"""
SHOWN = "query ($id: ID!) { subject(id: $id) { id representatives { id role verified ended } } }"
WHY = {"source": "Order of the family court"}


def _born(years: int) -> str:
    return (datetime.now(UTC) - timedelta(days=366 * years)).date().isoformat()


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


@pytest.fixture
async def mother(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.PERSON)


@pytest.fixture
async def child(execute: Execute, owner: Account) -> str:
    return await acts.subject(execute, owner, birthDate=_born(8))


@pytest.fixture
async def dead(execute: Execute, owner: Account, attester: Account) -> str:
    subject = await acts.subject(execute, owner, birthDate="1930-01-01")
    await make(execute, attester, "recordDeath", subjectId=subject, diedOn="2015-01-01", **DEATH)
    return subject


async def named(execute: Execute, by: Account, subject: str, who: Account, **more: str) -> Json:
    given = {"subjectId": subject, "principalId": str(who.id), "role": "GUARDIAN", **WHY, **more}
    return await make(execute, by, "appointRepresentative", **given)


async def proposed(execute: Execute, owner: Account, subject: str) -> str:
    made = await execute(owner, acts.PROPOSE, input={"subjectId": subject, "scope": {}})
    id: str = made["proposeGrant"]["grant"]["id"]
    return id


async def signed(execute: Execute, who: Account, grant: str, role: str = "GUARDIAN") -> Json:
    done: Json = (await execute(who, SIGN_AS, id=grant, role=role))["signGrant"]
    return done


def test_a_plain_field_is_an_attribute_of_what_backs_it() -> None:
    fields = get_object_definition(Representative, strict=True).fields
    plain = {field.python_name for field in fields if field.base_resolver is None}
    assert plain <= set(representatives.Record.__dataclass_fields__)


async def test_whom_the_owner_names_acts_once_an_office_has_verified_it(
    execute: Execute, owner: Account, attester: Account, mother: Account, child: str
) -> None:
    made = await named(execute, owner, child, mother, name="Ms Doe", endsAt="2090-01-01T00:00:00Z")
    assert (made["verified"], made["ended"], made["name"]) == (False, False, "Ms Doe")
    assert made["endsAt"] < "2046"  # nobody has a guardian for longer than they are a minor
    assert made["source"] == WHY["source"]
    grant = await proposed(execute, owner, child)
    assert (await signed(execute, mother, grant))["code"] == "NOT_FOUND"
    refused = await end(execute, owner, "verifyRepresentative", made["id"])
    assert refusal(refused) == ("FORBIDDEN", None)
    verified = await end(execute, attester, "verifyRepresentative", made["id"])
    assert verified["verified"] is True
    assert (await signed(execute, mother, grant, "AGENT"))["code"] == "FORBIDDEN"
    assert (await signed(execute, mother, grant, "SELF"))["code"] == "FORBIDDEN"
    assert (await signed(execute, mother, grant))["grant"]["state"] == "ACTIVE"
    again = await end(execute, attester, "verifyRepresentative", made["id"])
    assert refusal(again) == ("CONFLICT", None)


async def test_whom_an_office_names_acts_at_once_until_it_ends(
    execute: Execute, owner: Account, attester: Account, mother: Account, child: str
) -> None:
    made = await named(execute, attester, child, mother)
    assert made["verified"] is True
    first, second = [await proposed(execute, owner, child) for _ in range(2)]
    assert (await signed(execute, mother, first))["grant"]["state"] == "ACTIVE"
    assert (await execute(mother, SHOWN, id=child))["subject"]["id"] == child
    over = await end(execute, mother, "endRepresentative", made["id"], "They are reconciled")
    assert over["ended"] is True
    assert (await execute(mother, SHOWN, id=child))["subject"] is None
    assert (await signed(execute, mother, second))["code"] == "NOT_FOUND"
    again = await end(execute, owner, "endRepresentative", made["id"])
    assert refusal(again) == ("CONFLICT", None)
    shown = (await execute(owner, SHOWN, id=child))["subject"]["representatives"]
    assert shown == [{"id": made["id"], "role": "GUARDIAN", "verified": True, "ended": True}]


async def test_a_guardian_s_signature_bites_in_the_very_next_check_and_so_does_its_lack(
    execute: Execute, owner: Account, attester: Account, mother: Account, service: Account,
    child: str,
) -> None:  # fmt: skip
    picture = acts.random_hash()
    await acts.asset(execute, owner, [child], picture)
    grant = await acts.grant(execute, owner, child, service, state="PENDING")
    asked = acts.question(picture, persons=[{
        "claimedSubject": child,
        "probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": picture}}],
    }])  # fmt: skip
    before = await acts.check(execute, service, asked)
    assert not before["mayProceed"]
    await named(execute, attester, child, mother)
    await signed(execute, mother, grant)
    after = await acts.check(execute, service, asked)
    assert after["mayProceed"], after


@pytest.mark.parametrize(
    ("whom", "change", "field"),
    [
        ("child", {"role": "SELF"}, "role"),
        ("child", {"role": "RIGHTS_HOLDER"}, "role"),
        ("child", {"role": "ESTATE_REPRESENTATIVE"}, "role"),
        ("adult", {}, "role"),
        ("ageless", {}, "role"),
        ("dead", {}, "role"),
        ("child", {"principalId": None}, "principalId"),
        ("child", {"principalId": None, "name": "a\u0007b"}, "name"),
        ("child", {"endsAt": "2001-01-01T00:00:00Z"}, "endsAt"),
        ("child", {"endsAt": "2090-01-01T00:00:00"}, "endsAt"),
        ("child", {"source": ""}, "source"),
        ("dead", {"role": "RIGHTS_HOLDER", "share": 0.0}, "share"),
        ("dead", {"role": "RIGHTS_HOLDER", "share": 1.01}, "share"),
        ("dead", {"role": "RIGHTS_HOLDER", "share": -1.0}, "share"),
    ],
)
async def test_a_representation_that_cannot_be_is_a_problem(
    execute: Execute, owner: Account, mother: Account, child: str, dead: str, whom: str,
    change: Json, field: str,
) -> None:  # fmt: skip
    subject = {"child": child, "dead": dead}.get(whom) or await acts.subject(
        execute, owner, birthDate=_born(30) if whom == "adult" else None
    )
    made = await named(execute, owner, subject, mother, **change)
    assert refusal(made) == ("INVALID", field)


async def test_nobody_is_named_who_is_not_there_and_no_service_is(
    execute: Execute, owner: Account, mother: Account, service: Account, child: str
) -> None:
    absent = await named(execute, owner, child, mother, principalId=ABSENT)
    assert refusal(absent) == ("NOT_FOUND", "principalId")
    nonsense = await named(execute, owner, child, mother, principalId="x")
    assert refusal(nonsense) == ("NOT_FOUND", "principalId")
    assert refusal(await named(execute, owner, child, service)) == ("INVALID", "principalId")
    nobody = await named(execute, owner, ABSENT, mother)
    assert refusal(nobody)[0] == "NOT_FOUND"


async def test_the_shares_of_the_heirs_are_at_most_the_whole(
    execute: Execute, owner: Account, attester: Account, dead: str
) -> None:
    heir = {"subjectId": dead, "role": "RIGHTS_HOLDER", "kinship": "CHILD", **WHY}
    first = await make(
        execute, owner, "appointRepresentative", **heir, name="A daughter", share=0.6
    )
    assert (first["kinship"], first["share"], first["principalId"]) == ("CHILD", 0.6, None)
    rest = {**heir, "name": "A son"}
    more = await make(execute, owner, "appointRepresentative", **rest, share=0.41)
    assert refusal(more) == ("INVALID", "share")
    assert "id" in await make(execute, owner, "appointRepresentative", **rest, share=0.4)
    await end(execute, attester, "endRepresentative", first["id"])
    assert "id" in await make(execute, owner, "appointRepresentative", **rest, share=0.6)


@pytest.mark.parametrize("kind", ["ORGANISATION", "PERSON", "SERVICE", "REGULATOR", "AUDITOR"])
async def test_whoever_does_not_see_somebody_names_and_ends_nobody_for_them(
    execute: Execute, accounts: Accounts, owner: Account, mother: Account, child: str, kind: str
) -> None:
    stranger = await accounts.open(PrincipalKind(kind))
    assert (await named(execute, stranger, child, mother))["code"] == "NOT_FOUND"
    made = await named(execute, owner, child, mother)
    ended = await end(execute, stranger, "endRepresentative", made["id"])
    assert refusal(ended) == ("NOT_FOUND", None)
    verified = await end(execute, stranger, "verifyRepresentative", made["id"])
    assert refusal(verified) == ("FORBIDDEN", None)


async def test_a_representative_names_and_ends_no_other(
    execute: Execute, accounts: Accounts, attester: Account, mother: Account, child: str
) -> None:
    await named(execute, attester, child, mother)
    father = await accounts.open(PrincipalKind.PERSON)
    other = await named(execute, attester, child, father)
    assert refusal(await named(execute, mother, child, mother)) == ("FORBIDDEN", None)
    ended = await end(execute, mother, "endRepresentative", other["id"])
    assert refusal(ended) == ("FORBIDDEN", None)
    for absent in (ABSENT, "x"):
        gone = await end(execute, attester, "endRepresentative", absent)
        assert refusal(gone)[0] == "NOT_FOUND"


async def test_the_same_key_names_once_and_ending_at_once_ends_once(
    execute: Execute, owner: Account, mother: Account, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = secrets.token_hex(8)
    first = await named(execute, owner, child, mother, idempotencyKey=key)
    assert await named(execute, owner, child, mother, idempotencyKey=key) == first
    other = await named(execute, owner, child, mother, idempotencyKey=key, source="Another")
    assert refusal(other)[0] == "CONFLICT"
    monkeypatch.setattr(appointments, "MAX_PER_SUBJECT", 1)
    assert refusal(await named(execute, owner, child, mother)) == ("CONFLICT", None)
    ended = await asyncio.gather(
        *(end(execute, owner, "endRepresentative", first["id"]) for _ in range(4))
    )
    assert sorted(one.get("code", "") for one in ended) == ["", *["CONFLICT"] * 3]


@pytest.mark.parametrize("kind", ["ATTESTER", "REVIEWER"])
async def test_an_office_consents_objects_and_enrols_for_nobody(
    execute: Execute, accounts: Accounts, owner: Account, state: State, kind: str
) -> None:
    office = await accounts.open(PrincipalKind(kind))
    subject = await acts.subject(execute, owner)
    grant = await proposed(execute, owner, subject)
    given = {"subjectId": subject, "scope": {}}
    proposal = (await execute(office, acts.PROPOSE, input=given))["proposeGrant"]
    assert proposal["code"] == "FORBIDDEN"
    assert (await execute(office, acts.SIGN, id=grant))["signGrant"]["code"] == "FORBIDDEN"
    revoked = (await execute(office, acts.REVOKE, id=grant))["revokeGrant"]
    assert revoked["code"] == "FORBIDDEN"
    objected = (await execute(office, acts.OBJECT, input=given))["fileObjection"]
    assert objected["code"] == "FORBIDDEN"
    source = {"imageHash": {"algorithm": "PHASH_256", "hex": acts.random_hash()}}
    shown = {"subjectIds": [subject], "source": source}
    pictured = (await execute(office, acts.REGISTER_ASSET, input=shown))["registerAsset"]
    assert pictured["code"] == "FORBIDDEN"
    with pytest.raises(ForbiddenError):
        await enrolling.Person(state, office, UUID(subject), 2).enrol()


async def test_the_database_itself_lets_only_the_owner_and_offices_name_and_verify(
    execute: Execute, state: State, owner: Account, accounts: Accounts, mother: Account,
    attester: Account, child: str,
) -> None:  # fmt: skip
    stranger = await accounts.open()
    await named(execute, attester, child, mother)
    add = text(
        "insert into representatives (id, subject_id, principal_id, role, sealed, appointed_by)"
        " values (:id, :subject, :who, 'GUARDIAN', '', :by)"
    )
    for account, by in ((stranger, stranger), (mother, mother), (owner, stranger)):
        given = {"id": new_id(), "subject": UUID(child), "who": stranger.id, "by": by.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(add, given)
    made = await named(execute, owner, child, mother)
    verify = text(
        "insert into representative_events (id, representative_id, kind, actor_id)"
        " values (:id, :of, 'VERIFIED', :by)"
    )
    for account in (owner, mother, stranger):
        given = {"id": new_id(), "of": UUID(made["id"]), "by": account.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(account.actor).writing() as session:
                await session.execute(verify, given)


async def test_of_what_is_said_at_once_the_second_is_told(
    execute: Execute, owner: Account, attester: Account, dead: str
) -> None:
    living = await acts.subject(execute, owner)
    deaths = await asyncio.gather(
        *(make(execute, attester, "recordDeath", subjectId=living, **DEATH) for _ in range(4))
    )
    assert sorted(one.get("code", "") for one in deaths) == ["", *["CONFLICT"] * 3]
    heir = {"subjectId": dead, "role": "RIGHTS_HOLDER", "kinship": "CHILD", "share": 0.6}
    heirs = await asyncio.gather(
        *(
            make(execute, attester, "appointRepresentative", **heir, name=f"Heir {i}", **WHY)
            for i in range(4)
        )
    )
    assert sorted(one.get("code", "") for one in heirs) == ["", *["INVALID"] * 3]
