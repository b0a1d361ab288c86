"""What the law sees in people, who acts for them, and that the next check knows."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import end, make, refusal, sign
from .stage import SUBJECT, Stage

ABSENT = "00000000-0000-7000-8000-00000000dead"
WHY = {"source": "Register, page 1"}


@pytest.fixture
async def attester(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.ATTESTER)


@pytest.fixture
async def somebody(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.PERSON)


@pytest.fixture
async def stage(execute: Execute, owner: Account, service: Account) -> Stage:
    return await Stage(execute, owner, service).stand()


async def test_a_death_holds_for_the_next_check(stage: Stage, attester: Account) -> None:
    await stage.grant()
    assert await stage.ask("DE") == ("PERMITTED", {"GRANT"})
    died = await make(
        stage.execute,
        attester,
        "recordDeath",
        subjectId=stage.subject,
        diedOn="2001-01-01",
        domicile="DE",
        relativesLiving=True,
        **WHY,
    )
    assert (died["kind"], died["assured"], died["diedOn"], died["territory"]) == (
        "DEATH",
        True,
        "2001-01-01",
        "DE",
    )
    assert await stage.ask("DE") == ("PERMITTED", {"NO_PROTECTED_TERM"})
    outcome, codes = await stage.ask("US-CA")
    assert (outcome, codes) == (
        "CONSENT_REQUIRED",
        {
            "POST_MORTEM_PROTECTED",
            "AUTHORITY_MISSING",
            "GRANT_SUSPENDED",
        },
    )
    shown = await stage.seen()
    assert (shown["classes"], shown["diedOn"]) == (["DECEASED"], "2001-01-01")
    assert shown["domicileAtDeath"] == "DE"
    assert [one["kind"] for one in shown["protections"]] == ["DEATH", "RELATIVES"]


async def test_a_death_that_its_owner_reports_protects_and_opens_nothing(
    stage: Stage, attester: Account
) -> None:
    await stage.grant()
    died = {"subjectId": stage.subject, "diedOn": "1990-01-01", **WHY}
    told = await make(stage.execute, stage.owner, "recordDeath", **died)
    assert told["assured"] is False
    outcome, codes = await stage.ask("DE")
    assert (outcome, codes) == ("REVIEW_REQUIRED", {"DEATH_NOT_VERIFIED", "NO_PROTECTED_TERM"})
    again = await make(stage.execute, stage.owner, "recordDeath", **died)
    assert refusal(again) == ("CONFLICT", "subjectId")
    assert (await make(stage.execute, attester, "recordDeath", **died))["assured"] is True
    assert (await stage.ask("DE"))[0] == "PERMITTED"
    again = await make(stage.execute, attester, "recordDeath", **died)
    assert refusal(again) == ("CONFLICT", "subjectId")


async def test_retracted_statements_do_not_count(stage: Stage, attester: Account) -> None:
    execute = stage.execute
    await stage.grant()
    said = {"subjectId": stage.subject, "class": "PUBLIC_FIGURE", **WHY}
    mine = await make(execute, stage.owner, "assertClass", **said)
    theirs = await make(execute, attester, "assertClass", **{**said, "class": "HISTORICAL"})
    assert set((await stage.seen())["classes"]) == {"HISTORICAL", "PUBLIC_FIGURE"}
    assert refusal(await end(execute, stage.owner, "retractProtection", theirs["id"])) == (
        "FORBIDDEN",
        None,
    )
    assert (await end(execute, attester, "retractProtection", theirs["id"]))["stands"] is False
    assert (await end(execute, stage.owner, "retractProtection", mine["id"]))["stands"] is False
    again = await end(execute, stage.owner, "retractProtection", mine["id"])
    assert refusal(again)[0] == "CONFLICT"
    assert refusal(await end(execute, attester, "retractProtection", ABSENT))[0] == "NOT_FOUND"
    assert (await stage.seen())["classes"] == ["PRIVATE"]
    assert await stage.ask("DE") == ("PERMITTED", {"GRANT"})


async def test_a_residence_brings_its_law_along(stage: Stage, attester: Account) -> None:
    await stage.grant(separate=False)
    assert (await stage.ask("AU"))[1] == {"FORM_NOT_MET"}
    await stage.grant()
    assert (await stage.ask("AU"))[0] == "PERMITTED"
    home = {"subjectId": stage.subject, "territory": "US-IL", **WHY}
    assert (await make(stage.execute, attester, "recordResidence", **home))["territory"] == "US-IL"
    assert (await stage.seen())["residence"] == "US-IL"
    asked = acts.question(stage.hash, territories=["AU"])
    decision = await acts.check(stage.execute, stage.service, asked)
    assert decision["outcome"] == "PERMITTED"
    assert {"US-IL", "US", "ZZ"} <= {one["id"] for one in decision["packs"]}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("assertClass", {"class": "MINOR"}, ("INVALID", "class")),
        ("assertClass", {"class": "PRIVATE"}, ("INVALID", "class")),
        ("assertClass", {"class": "HISTORICAL"}, ("FORBIDDEN", None)),
        ("assertClass", {"class": "DECEASED"}, ("FORBIDDEN", None)),
        ("assertClass", {"class": "PERFORMER", "source": " "}, ("INVALID", "source")),
        ("assertClass", {"class": "PERFORMER", "source": "x" * 501}, ("INVALID", "source")),
        ("assertClass", {"class": "PERFORMER", "subjectId": ABSENT}, ("NOT_FOUND", "subjectId")),
        ("recordDeath", {"diedOn": "1970-01-01"}, ("INVALID", "diedOn")),
        ("recordDeath", {"diedOn": "2190-01-01"}, ("INVALID", "diedOn")),
        ("recordDeath", {"domicile": "QQ"}, ("INVALID", "domicile")),
        ("recordDeath", {"subjectId": ABSENT}, ("NOT_FOUND", "subjectId")),
        ("recordDeath", {"relativesLiving": False}, ("FORBIDDEN", None)),
        ("recordRelatives", {"living": False}, ("FORBIDDEN", None)),
        ("recordResidence", {"territory": "QQ"}, ("INVALID", "territory")),
    ],
)
async def test_what_cannot_be_said_is_refused(
    stage: Stage, name: str, given: Json, expected: tuple[str, str | None]
) -> None:
    told = {"subjectId": stage.subject, **WHY, **given}
    assert refusal(await make(stage.execute, stage.owner, name, **told)) == expected
    assert (await stage.seen())["protections"] == []


async def test_said_again_under_its_key_is_said_once(stage: Stage) -> None:
    told = {"subjectId": stage.subject, "living": True, "idempotencyKey": "k", **WHY}
    first = await make(stage.execute, stage.owner, "recordRelatives", **told)
    assert await make(stage.execute, stage.owner, "recordRelatives", **told) == first
    assert len((await stage.seen())["protections"]) == 1


async def test_others_see_and_say_nothing(stage: Stage, accounts: Accounts) -> None:
    stranger = await accounts.open()
    told = {"subjectId": stage.subject, "class": "PERFORMER", **WHY}
    absent = await make(stage.execute, stranger, "assertClass", **{**told, "subjectId": ABSENT})
    assert await make(stage.execute, stranger, "assertClass", **told) == absent
    assert (await stage.execute(stranger, SUBJECT, id=stage.subject))["subject"] is None


async def test_an_attester_attests_and_acts_for_nobody(stage: Stage, attester: Account) -> None:
    grant = await stage.proposed()
    assert (await stage.seen(attester))["classes"] == ["PRIVATE"]
    assert refusal(await sign(stage.execute, attester, grant, "SELF"))[0] in {
        "FORBIDDEN",
        "NOT_FOUND",
    }
    filed = await stage.execute(attester, acts.OBJECT, input={"subjectId": stage.subject})
    assert filed["fileObjection"]["code"] == "FORBIDDEN"


async def test_a_guardian_signs_for_a_child(
    execute: Execute, owner: Account, service: Account, attester: Account, somebody: Account
) -> None:
    born = datetime.now(UTC).date() - timedelta(days=3650)
    stage = await Stage(execute, owner, service).stand(birthDate=born.isoformat())
    assert (await stage.seen())["classes"] == ["MINOR"]
    grant = await stage.proposed()
    assert refusal(await sign(execute, somebody, grant, "GUARDIAN"))[0] == "NOT_FOUND"
    named = {
        "subjectId": stage.subject,
        "principalId": str(somebody.id),
        "role": "GUARDIAN",
        **WHY,
    }
    guardian = await make(execute, owner, "appointRepresentative", **named)
    assert (guardian["verified"], guardian["ended"]) == (False, False)
    assert refusal(await end(execute, owner, "verifyRepresentative", guardian["id"]))[0] == (
        "FORBIDDEN"
    )
    assert refusal(await sign(execute, somebody, grant, "GUARDIAN"))[0] == "NOT_FOUND"
    assert (await end(execute, attester, "verifyRepresentative", guardian["id"]))["verified"]
    assert refusal(await sign(execute, somebody, grant, "SELF"))[0] == "FORBIDDEN"
    assert refusal(await sign(execute, somebody, grant, "AGENT"))[0] == "FORBIDDEN"
    assert (await sign(execute, somebody, grant, "GUARDIAN"))["state"] == "ACTIVE"
    assert refusal(await sign(execute, somebody, grant, "GUARDIAN"))[0] == "CONFLICT"
    assert (await stage.ask("BR"))[0] == "PERMITTED"
    assert (await end(execute, somebody, "endRepresentative", guardian["id"]))["ended"]
    assert refusal(await end(execute, owner, "endRepresentative", guardian["id"]))[0] == "CONFLICT"
    assert (await execute(somebody, SUBJECT, id=stage.subject))["subject"] is None


async def test_a_guardian_does_not_take_back_what_the_person_said(
    execute: Execute, owner: Account, service: Account, attester: Account, somebody: Account
) -> None:
    born = datetime.now(UTC).date() - timedelta(days=6000)
    stage = await Stage(execute, owner, service).stand(birthDate=born.isoformat())
    named = {
        "subjectId": stage.subject,
        "principalId": str(somebody.id),
        "role": "GUARDIAN",
        **WHY,
    }
    await make(execute, attester, "appointRepresentative", **named)
    mine = await execute(owner, acts.OBJECT, input={"subjectId": stage.subject})
    theirs = await execute(somebody, acts.OBJECT, input={"subjectId": stage.subject})
    ids = [one["fileObjection"]["objection"]["id"] for one in (mine, theirs)]
    taken = await execute(somebody, acts.WITHDRAW, id=ids[0])
    assert taken["withdrawObjection"]["code"] == "FORBIDDEN"
    taken = await execute(owner, acts.WITHDRAW, id=ids[1])
    assert taken["withdrawObjection"]["objection"]["state"] == "WITHDRAWN"


async def test_heirs_decide_by_rank_and_share(
    stage: Stage, accounts: Accounts, attester: Account
) -> None:
    execute, subject = stage.execute, stage.subject
    daughter, sister = [await accounts.open(PrincipalKind.PERSON) for _ in range(2)]
    died = {"subjectId": subject, "diedOn": "2015-01-01", "relativesLiving": True, **WHY}
    heir = {"subjectId": subject, "role": "RIGHTS_HOLDER", **WHY}
    early = await make(execute, attester, "appointRepresentative", **heir, name="An heir")
    assert refusal(early) == ("INVALID", "role")
    await make(execute, attester, "recordDeath", **died)
    for account, kinship, share in ((daughter, "CHILD", 0.6), (sister, "SIBLING", 0.4)):
        named = {**heir, "principalId": str(account.id), "kinship": kinship, "share": share}
        assert (await make(execute, attester, "appointRepresentative", **named))["share"] == share
    over = await make(execute, attester, "appointRepresentative", **heir, name="x", share=0.1)
    assert refusal(over) == ("INVALID", "share")
    grant = await stage.proposed()
    assert (await sign(execute, sister, grant, "RIGHTS_HOLDER"))["state"] == "ACTIVE"
    outcome, codes = await stage.ask("US-CA")
    assert (outcome, codes) == ("REVIEW_REQUIRED", {"CO_HOLDER_MISSING"})
    await sign(execute, daughter, grant, "RIGHTS_HOLDER")
    assert await stage.ask("US-CA") == ("PERMITTED", {"GRANT"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"role": "SELF", "name": "x"}, ("INVALID", "role")),
        ({"role": "GUARDIAN", "name": "x"}, ("INVALID", "role")),
        ({"role": "AGENT"}, ("INVALID", "principalId")),
        ({"role": "AGENT", "principalId": ABSENT}, ("NOT_FOUND", "principalId")),
        ({"role": "AGENT", "principalId": "x"}, ("NOT_FOUND", "principalId")),
        ({"role": "AGENT", "principalId": "SERVICE"}, ("INVALID", "principalId")),
        ({"role": "AGENT", "name": "x", "share": 0}, ("INVALID", "share")),
        ({"role": "AGENT", "name": "x", "share": 1.5}, ("INVALID", "share")),
        ({"role": "AGENT", "name": "\n"}, ("INVALID", "name")),
        ({"role": "AGENT", "name": "x", "endsAt": "2001-01-01T00:00:00Z"}, ("INVALID", "endsAt")),
        ({"role": "AGENT", "name": "x", "endsAt": "2101-01-01T00:00:00"}, ("INVALID", "endsAt")),
        ({"role": "AGENT", "name": "x", "source": ""}, ("INVALID", "source")),
        ({"role": "AGENT", "name": "x", "subjectId": ABSENT}, ("NOT_FOUND", "subjectId")),
    ],
)
async def test_who_cannot_represent_is_refused(
    stage: Stage, service: Account, given: Json, expected: tuple[str, str | None]
) -> None:
    if given.get("principalId") == "SERVICE":
        given = {**given, "principalId": str(service.id)}
    told = {"subjectId": stage.subject, **WHY, **given}
    assert refusal(await make(stage.execute, stage.owner, "appointRepresentative", **told)) == (
        expected
    )


async def test_nobody_is_guardian_of_the_dead_or_of_who_has_no_age(
    execute: Execute, owner: Account, service: Account, attester: Account
) -> None:
    ageless = await Stage(execute, owner, service).stand(birthDate=None)
    guardian = {"role": "GUARDIAN", "name": "x", **WHY}
    told = await make(
        execute, attester, "appointRepresentative", subjectId=ageless.subject, **guardian
    )
    assert "birth date" in told["message"]
    await make(execute, attester, "recordDeath", subjectId=ageless.subject, **WHY)
    told = await make(
        execute, attester, "appointRepresentative", subjectId=ageless.subject, **guardian
    )
    assert "The dead have heirs" in told["message"]


async def test_only_the_owner_or_an_office_names_representatives(
    stage: Stage, attester: Account, somebody: Account
) -> None:
    agent = {"subjectId": stage.subject, "role": "AGENT", **WHY}
    named = {**agent, "principalId": str(somebody.id)}
    made = await make(stage.execute, attester, "appointRepresentative", **named)
    unseen = await make(stage.execute, somebody, "appointRepresentative", **agent, name="another")
    assert refusal(unseen)[0] == "NOT_FOUND"  # until the person confirms the agent
    await end(stage.execute, stage.owner, "confirmRepresentative", made["id"])
    told = await make(stage.execute, somebody, "appointRepresentative", **agent, name="another")
    assert refusal(told)[0] == "FORBIDDEN"
    again = await end(stage.execute, attester, "verifyRepresentative", made["id"])
    assert refusal(again)[0] == "CONFLICT"
    assert refusal(await end(stage.execute, attester, "endRepresentative", ABSENT))[0] == (
        "NOT_FOUND"
    )
