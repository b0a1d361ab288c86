"""Grants that need several hands: who is missing, the cooling-off, mandates, age and death."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from api.graphql.context import Context
from api.state import State
from registry import notices, signing, succession, upkeep
from registry.database import Database
from registry.grant_states import HoldCause, Step, state_of
from registry.notices import NoticeKind
from registry.principals import PrincipalKind
from tests import acts
from tests.api.graphql.law import end, make, refusal, sign
from tests.conftest import Account, Accounts, Execute, Json

WHY = {"source": "A document"}
SHOWN = """query ($subject: ID!) { grants(subjectId: $subject, first: 100) { edges { node {
  id state effectiveAt noticeVersion noticeLanguage exclusive
  missingSignatures { anyOf holders decision territories } } } } }"""
ADD = """mutation ($input: AddMemberInput!) { done: addMember(input: $input) {
  ... on MemberAdded { made: member { id principalId } } ... on Problem { code message } } }"""
END = """mutation ($id: ID!) { done: endMembership(id: $id) {
  ... on MembershipEnded { made: member { id } } ... on Problem { code message } } }"""


def born(years: int, *, days: int = 0) -> str:
    """The birth date of somebody who is so many years, and days, old."""
    today = datetime.now(UTC).date()
    return (date(today.year - years, today.month, min(today.day, 28)) - timedelta(days)).isoformat()


async def shown(execute: Execute, owner: Account, subject: str, grant: str) -> Json:
    """The grant as its side sees it."""
    page = (await execute(owner, SHOWN, subject=subject))["grants"]["edges"]
    return next(edge["node"] for edge in page if edge["node"]["id"] == grant)


async def told(operator: Database, account: Account) -> list[NoticeKind]:
    """What an account was told, oldest first."""
    async with operator.acting_for(account.actor).reading() as session:
        page = await notices.page(session, principal_id=account.id, first=100, after=None)
    return [one.kind for one in page.items]


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


@pytest.fixture
async def mother(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.PERSON)


async def guarded(
    execute: Execute, owner: Account, attester: Account, mother: Account, **who: str
) -> tuple[str, str]:
    """A child with a picture, and their mother as guardian."""
    subject, picture = await acts.subject(execute, owner, **who), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    named = {"subjectId": subject, "principalId": str(mother.id), "role": "GUARDIAN", **WHY}
    await make(execute, attester, "appointRepresentative", **named)
    return subject, picture


async def test_a_grant_waits_for_the_hands_it_names(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account
) -> None:
    subject, picture = await guarded(execute, owner, attester, mother, birthDate=born(15))
    in_china = {"modalities": ["FACE"], "uses": ["GENERATE_IMAGE"], "purposes": ["FILM_TV"]}
    grant = await acts.grant(
        execute, owner, subject, service, state="PENDING", scope={**in_china, "territories": ["CN"]}
    )
    seen = await shown(execute, owner, subject, grant)
    assert seen["missingSignatures"] == [
        {"anyOf": ["GUARDIAN"], "holders": [], "decision": None, "territories": ["CN"]}
    ]
    assert seen["effectiveAt"] is None
    asked = acts.question(picture, territories=["CN"])
    assert not (await acts.check(execute, service, asked))["mayProceed"]
    assert (await sign(execute, mother, grant, "GUARDIAN"))["state"] == "ACTIVE"
    seen = await shown(execute, owner, subject, grant)
    assert (seen["missingSignatures"], seen["effectiveAt"] is None) == ([], False)


async def test_a_grant_for_everywhere_says_where_hands_are_missing(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account
) -> None:
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(15))
    grant = await acts.grant(execute, owner, subject, service, state="PENDING")
    await sign(execute, mother, grant, "GUARDIAN")
    seen = await shown(execute, owner, subject, grant)
    assert (seen["state"], seen["missingSignatures"]) == ("ACTIVE", [])
    other = await acts.grant(execute, owner, subject, service, state="PENDING")
    missing = (await shown(execute, owner, subject, other))["missingSignatures"]
    assert all(one["anyOf"] == ["GUARDIAN"] for one in missing)
    assert {"CN", "ZZ", "US-CA"} <= set(missing[0]["territories"])
    by_service = (await execute(service, SHOWN, subject=subject))["grants"]["edges"]
    assert [edge["node"]["missingSignatures"] for edge in by_service] == [None, None]


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        ({}, False),
        ({"exclusive": True}, True),
        ({"endsAt": None}, True),
        ({"endsAt": "2029-06-01T00:00:00Z"}, True),
        ({"scope": {"modalities": ["FACE"], "uses": ["TRAIN_MODEL"]}}, True),
        ({"scope": {"modalities": ["FACE"]}}, True),  # every use, so also that
    ],
)
async def test_what_binds_most_waits_three_days_and_can_be_revoked_meanwhile(
    execute: Execute, owner: Account, service: Account, state: State, operator: Database,
    monkeypatch: pytest.MonkeyPatch, change: Json, waits: bool,
) -> None:  # fmt: skip
    law = signing.Law(state.checker.packs, state.keys)
    monkeypatch.setattr(Context, "law", law)
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    grant = await acts.grant(
        execute, owner, subject, service, state="PENDING" if waits else "ACTIVE", **change
    )
    seen = await shown(execute, owner, subject, grant)
    begins = datetime.fromisoformat(seen["effectiveAt"])
    assert seen["missingSignatures"] == []
    assert (begins > datetime.now(UTC) + timedelta(hours=71)) is waits
    if not waits:
        return
    permitted = (await acts.check(execute, service, acts.question(picture)))["mayProceed"]
    assert permitted is False
    assert NoticeKind.COOLING_OFF in await told(operator, owner)
    assert (await execute(owner, acts.REVOKE, id=grant))["revokeGrant"]["grant"]["state"] == (
        "REVOKED"
    )


async def test_the_notice_that_was_shown_is_on_record(
    execute: Execute, owner: Account, service: Account
) -> None:
    subject = await acts.subject(execute, owner)
    shown_notice = {"version": "2026-11", "language": "zh-Hans", "sha256": "A" * 43 + "="}
    grant = await acts.grant(execute, owner, subject, service, notice=shown_notice)
    seen = await shown(execute, owner, subject, grant)
    assert (seen["noticeVersion"], seen["noticeLanguage"]) == ("2026-11", "zh-Hans")
    bad = await execute(
        owner,
        acts.PROPOSE,
        input={"subjectId": subject, "scope": {}, "notice": {"version": "", "language": "en"}},
    )
    assert (bad["proposeGrant"]["code"], bad["proposeGrant"]["field"]) == ("INVALID", "notice")


FILMS = {"modalities": ["FACE"], "uses": ["GENERATE_IMAGE"], "purposes": ["FILM_TV"]}


async def agent_of(
    execute: Execute, owner: Account, subject: str, agent: Account, role: str = "AGENT"
) -> Json:
    """What the owner makes of naming this agent, with a mandate for films."""
    named = {"subjectId": subject, "principalId": str(agent.id), "role": role, **WHY}
    return await make(execute, owner, "appointRepresentative", **named, scope=FILMS)


async def test_an_agent_signs_for_the_person_within_the_mandate_only(
    execute: Execute, owner: Account, service: Account, accounts: Accounts
) -> None:
    agent = await accounts.open(PrincipalKind.PERSON)
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    made = await agent_of(execute, owner, subject, agent)
    assert made["confirmed"] is True
    given = {"subjectId": subject, "grantees": [str(service.id)], "written": True, "separate": True}
    given["endsAt"] = "2028-01-01T00:00:00Z"
    wide = await execute(agent, acts.PROPOSE, input={**given, "scope": {"modalities": ["FACE"]}})
    within = await execute(agent, acts.PROPOSE, input={**given, "scope": FILMS})
    refused = await sign(execute, agent, wide["proposeGrant"]["grant"]["id"], "AGENT")
    assert (refused["code"], "mandate" in refused["message"]) == ("FORBIDDEN", True)
    grant = within["proposeGrant"]["grant"]["id"]
    assert (await sign(execute, agent, grant, "AGENT"))["state"] == "ACTIVE"
    allowed = await acts.check(execute, service, acts.question(picture))
    assert allowed["mayProceed"], allowed
    await end(execute, owner, "endRepresentative", made["id"])
    assert (await sign(execute, agent, grant, "AGENT"))["code"] == "NOT_FOUND"


async def test_an_agent_s_yes_does_not_stand_against_the_person_s_no(
    execute: Execute, owner: Account, service: Account, accounts: Accounts
) -> None:
    agent = await accounts.open(PrincipalKind.PERSON)
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await agent_of(execute, owner, subject, agent)
    refused = await execute(owner, acts.OBJECT, input={"subjectId": subject})
    objection = refused["fileObjection"]["objection"]["id"]
    made = await execute(agent, acts.PROPOSE, input={
        "subjectId": subject, "scope": FILMS, "grantees": [str(service.id)], "written": True,
        "separate": True, "endsAt": "2028-01-01T00:00:00Z", "acknowledgesObjections": [objection],
    })  # fmt: skip
    await sign(execute, agent, made["proposeGrant"]["grant"]["id"], "AGENT")
    answer = await acts.check(execute, service, acts.question(picture))
    assert (answer["outcome"], acts.codes(answer)) == ("PROHIBITED", {"OBJECTION", "ASSET_MATCH"})


async def test_an_agent_named_by_an_office_or_below_ial2_waits_for_the_person(
    execute: Execute, owner: Account, accounts: Accounts, attester: Account, operator: Database
) -> None:
    agent = await accounts.open(PrincipalKind.PERSON)
    subject = await acts.subject(execute, owner)
    made = await agent_of(execute, attester, subject, agent)
    assert (made["verified"], made["confirmed"]) == (True, False)
    assert NoticeKind.REPRESENTATION_OFFERED in await told(operator, owner)
    unknown = Account(owner.id, owner.kind, await accounts.token(owner.id, ial=1), owner.handle)
    assert refusal(await end(execute, unknown, "confirmRepresentative", made["id"]))[0] == (
        "FORBIDDEN"
    )
    assert refusal(await end(execute, attester, "confirmRepresentative", made["id"]))[0] == (
        "FORBIDDEN"
    )
    assert (await end(execute, owner, "confirmRepresentative", made["id"]))["confirmed"] is True
    assert refusal(await end(execute, owner, "confirmRepresentative", made["id"]))[0] == "CONFLICT"
    by_half = await agent_of(execute, unknown, subject, agent)
    assert by_half["confirmed"] is False


async def test_members_act_for_their_organisation_and_nobody_gives_to_their_own_service(
    execute: Execute, owner: Account, accounts: Accounts
) -> None:
    agency = await accounts.open(PrincipalKind.ORGANISATION)
    clerk, stranger = [await accounts.open(PrincipalKind.PERSON) for _ in range(2)]
    subject = await acts.subject(execute, owner)
    await agent_of(execute, owner, subject, agency, "AGENCY")
    register = """mutation ($input: RegisterServiceInput!) { registerService(input: $input) {
      ... on ServiceRegistered { service { id } } ... on Problem { code message } } }"""
    own = await execute(agency, register, input={"name": f"{agency.handle} studio"})
    mine = own["registerService"]["service"]["id"]
    other = await accounts.open(PrincipalKind.SERVICE)
    given = {"subjectId": subject, "scope": FILMS, "endsAt": "2028-01-01T00:00:00Z"}
    fair = await execute(owner, acts.PROPOSE, input={**given, "grantees": [str(other.id)]})
    unfair = await execute(owner, acts.PROPOSE, input={**given, "grantees": [mine]})
    for_all = await execute(owner, acts.PROPOSE, input=given)
    fair, unfair, for_all = (one["proposeGrant"]["grant"]["id"] for one in (fair, unfair, for_all))
    assert (await sign(execute, clerk, fair, "AGENCY"))["code"] == "NOT_FOUND"
    added = await execute(agency, ADD, input={"principalId": str(clerk.id)})
    again = await execute(agency, ADD, input={"principalId": str(clerk.id)})
    assert again["done"]["code"] == "CONFLICT"
    foreign = {"principalId": str(stranger.id), "organisationId": str(agency.id)}
    assert (await execute(stranger, ADD, input=foreign))["done"]["code"] == "FORBIDDEN"
    for signer in (clerk, agency):
        for grant in (unfair, for_all):
            refused = await sign(execute, signer, grant, "AGENCY")
            assert (refused["code"], "own service" in refused["message"]) == ("FORBIDDEN", True)
    assert (await sign(execute, clerk, fair, "AGENCY"))["state"] == "ACTIVE"
    listed = await execute(agency, "{ members { principalId } }")
    assert listed["members"] == [{"principalId": str(clerk.id)}]
    await execute(agency, END, id=added["done"]["made"]["id"])
    assert (await execute(agency, "{ members { principalId } }"))["members"] == []
    assert (await sign(execute, clerk, fair, "AGENCY"))["code"] == "NOT_FOUND"
    assert (await execute(agency, END, id=added["done"]["made"]["id"]))["done"]["code"] == (
        "CONFLICT"
    )


async def upkeep_at(state: State, operator: Database, at: datetime) -> None:
    """What the clock brings about at this moment."""
    await succession.come_of_age(operator, state.keys, at, packs=state.checker.packs)


async def test_w10_what_a_guardian_gave_waits_at_majority_and_lapses_unless_ratified(
    execute: Execute, owner: Account, service: Account, attester: Account, mother: Account,
    state: State, operator: Database,
) -> None:  # fmt: skip
    subject, _ = await guarded(execute, owner, attester, mother, birthDate=born(17, days=300))
    first, second = [
        await acts.grant(execute, owner, subject, service, state="PENDING") for _ in range(2)
    ]
    for grant in (first, second):
        # The child's own signature is there; here only the guardian's counts as given.
        assert (await sign(execute, mother, grant, "GUARDIAN"))["state"] == "ACTIVE"
    alone = {"subjectId": subject, "scope": FILMS, "grantees": [str(service.id)],
             "endsAt": "2028-11-01T00:00:00Z", "written": True, "separate": True}  # fmt: skip
    grants = [
        (await execute(owner, acts.PROPOSE, input=alone))["proposeGrant"]["grant"]["id"]
        for _ in range(2)
    ]
    for grant in grants:
        assert (await sign(execute, mother, grant, "GUARDIAN"))["state"] == "ACTIVE"
    await upkeep_at(state, operator, datetime.now(UTC))
    assert (await shown(execute, owner, subject, grants[0]))["state"] == "ACTIVE"
    majority = datetime.now(UTC) + timedelta(days=70)
    await upkeep_at(state, operator, majority)
    await upkeep_at(state, operator, majority)
    for grant in grants:
        assert (await shown(execute, owner, subject, grant))["state"] == "SUSPENDED"
    assert (await shown(execute, owner, subject, first))["state"] == "ACTIVE"  # they signed it too
    assert (await told(operator, owner)).count(NoticeKind.RATIFICATION_REQUESTED) == 2
    assert (await told(operator, service)).count(NoticeKind.GRANT_SUSPENDED) == 2
    assert (await sign(execute, mother, grants[0], "GUARDIAN"))["code"] == "CONFLICT"
    ratified = await sign(execute, owner, grants[0], "SELF")
    assert ratified["state"] == "ACTIVE", ratified
    await upkeep_at(state, operator, majority + timedelta(days=91))
    assert (await shown(execute, owner, subject, grants[1]))["state"] == "EXPIRED"
    assert (await shown(execute, owner, subject, grants[0]))["state"] == "ACTIVE"
    assert (await sign(execute, owner, grants[1], "SELF"))["code"] == "CONFLICT"


async def test_w11_a_death_holds_back_grants_leaves_objections_and_calls_the_holders(
    execute: Execute, owner: Account, service: Account, attester: Account, operator: Database,
    accounts: Accounts,
) -> None:  # fmt: skip
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    grant = await acts.grant(execute, owner, subject, service)
    music = {"modalities": ["VOICE"]}
    objected = await execute(owner, acts.OBJECT, input={"subjectId": subject, "scope": music})
    objection = objected["fileObjection"]["objection"]
    assert (await acts.check(execute, service, acts.question(picture)))["mayProceed"]
    reported = {"subjectId": subject, "diedOn": "2026-11-01", "relativesLiving": True, **WHY}
    unassured = await make(execute, owner, "recordDeath", **reported)
    assert unassured["assured"] is False
    assert (await shown(execute, owner, subject, grant))["state"] == "ACTIVE"  # no office said so
    assert not (await acts.check(execute, service, acts.question(picture)))["mayProceed"]
    died = await make(execute, attester, "recordDeath", **reported)
    assert (await shown(execute, owner, subject, grant))["state"] == "SUSPENDED"
    assert NoticeKind.GRANT_SUSPENDED in await told(operator, service)
    standing = """query ($id: ID!) { objections(subjectId: $id, first: 9) {
      edges { node { id state } } } }"""
    [edge] = (await execute(owner, standing, id=subject))["objections"]["edges"]
    assert edge["node"] == {"id": objection["id"], "state": "VERIFIED"}
    heir = await accounts.open(PrincipalKind.PERSON)
    named = {"subjectId": subject, "role": "RIGHTS_HOLDER", "principalId": str(heir.id), **WHY}
    await make(execute, attester, "appointRepresentative", **named, kinship="CHILD")
    assert NoticeKind.HOLDERS_CALLED in await told(operator, heir)
    assert not (await acts.check(execute, service, acts.question(picture)))["mayProceed"]
    for one in (died, unassured):
        await end(execute, attester, "retractProtection", one["id"])
    assert (await shown(execute, owner, subject, grant))["state"] == "ACTIVE"
    assert (await told(operator, service))[-1] is NoticeKind.GRANT_ACTIVE


@pytest.mark.parametrize("first", list(HoldCause))
def test_what_ends_one_suspension_leaves_the_others(first: HoldCause) -> None:
    at = datetime.now(UTC)
    steps = [Step("SIGNED"), Step("ACTIVATED")]
    steps += [Step("SUSPENDED", cause=one) for one in HoldCause]
    for one in sorted(HoldCause, key=lambda cause: cause is not first):
        assert state_of(steps, ends_at=None, at=at) == "SUSPENDED"
        steps.append(Step("RESUMED", cause=one))
    assert state_of(steps, ends_at=None, at=at) == "ACTIVE"


async def test_upkeep_is_done_twice_without_harm_and_one_failure_stops_nothing(
    state: State, operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime] = []

    async def fails(*_: object) -> None:
        raise RuntimeError("a task that breaks")

    async def works(_operator: Database, _keys: object, at: datetime) -> None:
        done.append(at)

    monkeypatch.setattr(upkeep, "TASKS", (fails, works))
    await asyncio.gather(*(upkeep.run(operator, state.keys, state.checker.packs) for _ in range(2)))
    assert len(done) == 2


async def test_an_agent_of_several_mandates_signs_by_the_one_that_covers_it(
    execute: Execute, owner: Account, service: Account, accounts: Accounts
) -> None:
    agent = await accounts.open(PrincipalKind.PERSON)
    subject = await acts.subject(execute, owner)
    await agent_of(execute, owner, subject, agent)
    named = {"subjectId": subject, "principalId": str(agent.id), "role": "AGENT", **WHY}
    voices = {"modalities": ["VOICE"], "uses": ["SYNTHESIZE_SPEECH"], "purposes": ["AUDIOBOOK"]}
    await make(execute, owner, "appointRepresentative", **named, scope=voices)
    for scope in (FILMS, voices):
        given = {"subjectId": subject, "scope": scope, "grantees": [str(service.id)]}
        given |= {"endsAt": "2028-01-01T00:00:00Z", "written": True, "separate": True}
        made = (await execute(agent, acts.PROPOSE, input=given))["proposeGrant"]["grant"]["id"]
        signed = await sign(execute, agent, made, "AGENT")
        assert signed.get("state") == "ACTIVE", signed
        assert (await sign(execute, agent, made, "AGENT"))["code"] == "CONFLICT"


async def test_who_acts_for_several_holders_signs_for_all_of_them(
    execute: Execute, owner: Account, service: Account, accounts: Accounts, attester: Account
) -> None:
    """In California more than half of the interest decides: of two halves, both."""
    lawyer = await accounts.open(PrincipalKind.PERSON)
    subject = await acts.subject(execute, owner)
    died = {"subjectId": subject, "diedOn": "2020-01-01", "domicile": "US-CA"}
    await make(execute, attester, "recordDeath", **died, **WHY)
    named = {"subjectId": subject, "principalId": str(lawyer.id), "role": "RIGHTS_HOLDER", **WHY}
    for _ in range(2):
        await make(execute, attester, "appointRepresentative", **named, kinship="CHILD", share=0.5)
    given = {"subjectId": subject, "scope": {**FILMS, "territories": ["US-CA"]},
             "grantees": [str(service.id)], "endsAt": "2028-01-01T00:00:00Z", "written": True,
             "separate": True}  # fmt: skip
    made = (await execute(lawyer, acts.PROPOSE, input=given))["proposeGrant"]["grant"]["id"]
    signed = await sign(execute, lawyer, made, "RIGHTS_HOLDER")
    assert signed.get("state") == "ACTIVE", signed
    assert (await shown(execute, owner, subject, made))["missingSignatures"] == []


async def test_an_agent_ends_nothing_beyond_the_mandate(
    execute: Execute, owner: Account, service: Account, accounts: Accounts
) -> None:
    films, voices = [await accounts.open(PrincipalKind.PERSON) for _ in range(2)]
    subject = await acts.subject(execute, owner)
    await agent_of(execute, owner, subject, films)
    named = {"subjectId": subject, "principalId": str(voices.id), "role": "AGENT", **WHY}
    await make(execute, owner, "appointRepresentative", **named, scope={"modalities": ["VOICE"]})
    filed = await execute(films, acts.OBJECT, input={"subjectId": subject, "scope": FILMS})
    objection = filed["fileObjection"]["objection"]["id"]
    grant = await acts.grant(execute, owner, subject, service)
    for document, id in ((acts.WITHDRAW, objection), (acts.REVOKE, grant)):
        refused = next(iter((await execute(voices, document, id=id)).values()))
        assert (refused["code"], "mandate" in refused["message"]) == ("FORBIDDEN", True)
        assert "code" not in next(iter((await execute(films, document, id=id)).values()))


async def test_nobody_signs_as_the_person_and_as_their_guardian(
    execute: Execute, owner: Account, service: Account, attester: Account
) -> None:
    """A parent who keeps the child's record gives the parent's word, and not the child's too."""
    subject = await acts.subject(execute, owner, birthDate=born(15))
    named = {"subjectId": subject, "principalId": str(owner.id), "role": "GUARDIAN", **WHY}
    await make(execute, attester, "appointRepresentative", **named)
    for first, second in (("GUARDIAN", "SELF"), ("SELF", "GUARDIAN")):
        given = {"subjectId": subject, "scope": {**FILMS, "territories": ["CN"]},
                 "grantees": [str(service.id)], "endsAt": "2028-01-01T00:00:00Z"}  # fmt: skip
        grant = (await execute(owner, acts.PROPOSE, input=given))["proposeGrant"]["grant"]["id"]
        assert (await sign(execute, owner, grant, first))["state"] == "PENDING"
        assert (await sign(execute, owner, grant, second))["code"] == "FORBIDDEN"
