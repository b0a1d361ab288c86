"""`consentAsOf`: how a check stood then, for those who may know, and never a permission."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.graphql.schema import schema
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .law import make
from .stage import Stage

ABSENT = "00000000-0000-7000-8000-00000000dead"
AS_OF = """
query ($input: CheckInput!, $at: DateTime!, $service: ID) {
  consentAsOf(input: $input, at: $at, service: $service) {
    at serviceId outcome basis reasons { code grant } obligations { code } persons { outcome }
    packs { id version } engine } }
"""
Past = Callable[..., Awaitable[Json]]


@pytest.fixture
async def auditor(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.AUDITOR)


@pytest.fixture
async def stage(execute: Execute, owner: Account, service: Account) -> Stage:
    return await Stage(execute, owner, service).stand()


@pytest.fixture
def past(client: httpx2.AsyncClient, stage: Stage) -> Past:
    """What `consentAsOf` answers: the decision, or the error's extensions."""

    async def ask(
        by: Account, at: datetime | str, *, service: Account | None = None, **more: Any
    ) -> Json:
        person = more.pop("person", {"claimedSubject": stage.subject})
        asked = acts.question(territories=["BR"], persons=[person], **more)
        variables = {
            "input": asked,
            "at": at if isinstance(at, str) else at.isoformat(),
            "service": None if service is None else str(service.id),
        }
        body = (
            await client.post(
                "/graphql", json={"query": AS_OF, "variables": variables}, headers=by.headers
            )
        ).json()
        if body.get("data"):
            found: Json = body["data"]["consentAsOf"]
            return found
        refusal: Json = body["errors"][0]["extensions"]
        return refusal

    return ask


async def test_the_past_is_as_it_was_before_consent_was_withdrawn(
    stage: Stage, auditor: Account, past: Past
) -> None:
    before = datetime.now(UTC)
    grant = await stage.grant()
    granted = datetime.now(UTC)
    await stage.execute(stage.owner, acts.REVOKE, id=grant)
    after = datetime.now(UTC)
    for by, service in (
        (auditor, stage.service),
        (stage.owner, stage.service),
        (stage.service, None),
    ):
        then = await past(by, granted, service=service)
        assert (then["outcome"], then["basis"]) == ("PERMITTED", "CONSENT")
        assert then["reasons"] == [{"code": "GRANT", "grant": grant}]
        assert then["serviceId"] == str(stage.service.id)
        assert datetime.fromisoformat(then["at"]) == granted
        now = await past(by, after, service=service)
        assert [one["code"] for one in now["reasons"]] == ["CONSENT_WITHDRAWN"]
    earlier = await past(auditor, before, service=stage.service)
    assert (earlier["outcome"], earlier["reasons"][0]["code"]) == ("CONSENT_REQUIRED", "NO_GRANT")


async def test_orders_deaths_and_homes_are_as_they_were(
    stage: Stage, auditor: Account, accounts: Accounts, past: Past
) -> None:
    regulator = await accounts.open(PrincipalKind.REGULATOR)
    attester = await accounts.open(PrincipalKind.ATTESTER)
    await stage.grant()
    clear = datetime.now(UTC)
    told = {"subjectId": stage.subject, "source": "Register"}
    await make(stage.execute, attester, "recordDeath", diedOn="2001-01-01", **told)
    dead = datetime.now(UTC)
    order = {"subjectId": stage.subject, "authority": "Court", "reference": "1"}
    await make(stage.execute, regulator, "placeOrder", **order)
    ordered = datetime.now(UTC)
    seen = [
        (await past(auditor, at, service=stage.service))["reasons"][0]["code"]
        for at in (clear, dead, ordered)
    ]
    assert seen == ["GRANT", "POST_MORTEM_PROTECTED", "ORDER"]


async def test_an_auditor_may_show_a_picture(stage: Stage, auditor: Account, past: Past) -> None:
    await stage.grant()
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": stage.hash}}
    then = await past(auditor, datetime.now(UTC), service=stage.service, person={"probes": [probe]})
    assert then["outcome"] == "PERMITTED"


async def test_who_was_not_on_record_then_was_not_known(
    stage: Stage, auditor: Account, past: Past
) -> None:
    long_ago = "2020-01-01T00:00:00Z"
    answer = await past(auditor, long_ago, service=stage.service)
    assert (answer["code"], answer["field"]) == ("NOT_FOUND", "service")


async def test_what_may_not_be_asked_is_refused(
    stage: Stage, auditor: Account, accounts: Accounts, past: Past
) -> None:
    now, service = datetime.now(UTC), stage.service
    stranger, rival = await accounts.open(), await accounts.open(PrincipalKind.SERVICE)
    probe = {"imageHash": {"algorithm": "PHASH_256", "hex": stage.hash}}
    for answer, expected in (
        (await past(auditor, now), ("INVALID", "service")),
        (await past(auditor, now + timedelta(days=1), service=service), ("INVALID", "at")),
        (await past(auditor, "2026-01-01T00:00:00", service=service), ("INVALID", "at")),
        (await past(stranger, now, service=service), ("NOT_FOUND", "subjectId")),
        (await past(rival, now), ("NOT_FOUND", "persons")),
        (await past(rival, now, service=service), ("NOT_FOUND", "service")),
        (
            await past(stage.owner, now, service=service, person={"probes": [probe]}),
            ("INVALID", "persons"),
        ),
        (await past(service, now, person={"name": "x"}), ("INVALID", "persons")),
        (
            await past(service, now, person={"claimedSubject": ABSENT}),
            ("NOT_FOUND", "persons"),
        ),
    ):
        assert (answer.get("code"), answer.get("field")) == expected


async def test_below_contract_a_service_learns_of_permissions_only(
    stage: Stage, accounts: Accounts, past: Past
) -> None:
    small = await accounts.open(PrincipalKind.SERVICE, tier=0)
    grant = await acts.grant(stage.execute, stage.owner, stage.subject, small)
    granted = datetime.now(UTC)
    await stage.execute(stage.owner, acts.REVOKE, id=grant)
    assert (await past(small, granted))["outcome"] == "PERMITTED"
    assert (await past(small, datetime.now(UTC)))["outcome"] == "NOT_CLEARED"


def test_the_past_carries_no_token() -> None:
    printed = schema.as_str()
    shown = printed[printed.index("type HistoricalDecision") :].split("}")[0]
    for name in ("token", "mayProceed", "validUntil", "salt", "logIndex"):
        assert name not in shown
