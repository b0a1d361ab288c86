"""The token endpoint: one answer for every way a PIN can be wrong, waits, and services' secrets."""

import asyncio
import base64
import secrets
import statistics
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import asyncpg
import httpx2
import pytest
from sqlalchemy import text
from starlette.types import ASGIApp

from api.runtime import Runtime
from api.state import State
from registry import cases, client_secrets, throttles
from registry.case_numbers import new_number
from registry.client_secrets import Made
from registry.database import Database
from registry.errors import InvalidError
from registry.principals import OPERATOR_ID, Scope
from registry.settings import Settings
from registry.throttles import CaseAttempt, wait_until
from tests import acts
from tests.conftest import Account, Execute, served
from tests.without_accounts import VIEWER, Visitor, coming, open_case

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def app(settings: Settings, runtime: Runtime) -> ASGIApp:
    return served(settings, runtime)


@pytest.fixture
async def web(app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    async with coming(app) as client:
        yield client


@pytest.fixture
async def visitor(web: httpx2.AsyncClient) -> Visitor:
    return await open_case(web)


def wrong(visitor: Visitor) -> str:
    return f"{(int(visitor.pin) + 1) % 10**8:08}"


async def test_a_wrong_pin_and_an_unknown_case_are_answered_alike(visitor: Visitor) -> None:
    """No oracle: the same bytes, and the work of one hash in both."""
    spent: dict[str, list[float]] = {"wrong": [], "unknown": []}
    answers = set()
    for _ in range(4):
        for which, number in (("wrong", visitor.number), ("unknown", new_number())):
            began = time.perf_counter()
            answer = await visitor.ask(case_number=number, pin=wrong(visitor))
            spent[which].append(time.perf_counter() - began)
            answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    (status, content), *_ = answers
    assert status == 400
    assert b'"error":"invalid_grant"' in content
    slow, fast = sorted(statistics.median(one) for one in spent.values())[::-1]
    assert slow < 3 * fast


async def test_after_five_wrong_attempts_the_right_pin_waits_too(
    visitor: Visitor, operator: Database, state: State
) -> None:
    for _ in range(throttles.FREE_ATTEMPTS):
        refused = await visitor.ask(pin=wrong(visitor))
    early = await visitor.ask()
    assert (early.status_code, early.content) == (refused.status_code, refused.content)
    digest = cases.digest_of(visitor.number, state.keys)
    async with operator.reading() as session:
        rows = await session.execute(
            text("select kind from case_attempts where number = :n"), {"n": digest}
        )
    # What comes too early is not looked at, and prolongs nothing.
    assert [kind for (kind,) in rows] == ["TRIED"] * throttles.FREE_ATTEMPTS


async def test_once_the_wait_is_over_the_right_pin_counts_and_the_count_begins_anew(
    visitor: Visitor, operator: Database, state: State
) -> None:
    digest = cases.digest_of(visitor.number, state.keys)
    async with operator.writing() as session:
        for _ in range(throttles.FREE_ATTEMPTS):
            session.add(CaseAttempt(number=digest, kind="TRIED"))
    assert (await visitor.ask()).status_code == 400
    admin = state.settings.admin_database_url
    assert admin is not None
    owner = await asyncpg.connect(admin)
    await owner.execute(
        "update case_attempts set created_at = created_at - interval '16 seconds'"
        " where number = $1",
        digest,
    )
    await owner.close()
    assert (await visitor.ask()).status_code == 200
    for _ in range(throttles.FREE_ATTEMPTS - 1):
        assert (await visitor.ask(pin=wrong(visitor))).status_code == 400
    assert (await visitor.ask()).status_code == 200


def test_the_wait_doubles_up_to_a_day() -> None:
    failures = [NOW + timedelta(minutes=one) for one in range(40)]
    assert wait_until(failures[:4]) is None
    waits = [
        (until - failures[n - 1]).total_seconds()
        for n in range(5, 41)
        if (until := wait_until(failures[:n])) is not None
    ]
    assert waits[:4] == [15, 30, 60, 120]
    assert max(waits) == waits[-1] == 86400
    assert waits == sorted(waits)


async def test_attempts_at_once_are_counted_one_by_one(visitor: Visitor) -> None:
    answers = await asyncio.gather(*(visitor.ask(pin=wrong(visitor)) for _ in range(8)))
    assert {one.status_code for one in answers} == {400}
    assert (await visitor.ask()).status_code == 400


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"pin": ""}, "invalid_request"),
        ({"case_number": "LR-AAAA-AAAA-AAAB"}, "invalid_request"),
        ({"scope": "grants:write"}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
async def test_what_does_not_fit_is_refused_in_the_words_of_oauth(
    visitor: Visitor, fields: dict[str, str], error: str
) -> None:
    refused = await visitor.ask(**fields)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert set(refused.json()) == {"error", "error_description"}


async def test_a_request_that_is_no_form_is_refused(web: httpx2.AsyncClient) -> None:
    as_json = await web.post("/oauth/token", json={"grant_type": "client_credentials"})
    twice = await web.post(
        "/oauth/token",
        content="grant_type=client_credentials&grant_type=client_credentials",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    for one in (as_json, twice):
        assert (one.status_code, one.json()["error"]) == (400, "invalid_request")


async def test_a_case_may_ask_for_less(visitor: Visitor) -> None:
    answer = (await visitor.ask(scope="objections:write subjects:read")).json()
    assert answer["scope"] == "objections:write subjects:read"


@pytest.fixture
async def secret(service: Account, operator: Database) -> Made:
    async with operator.writing() as session:
        return await client_secrets.make(
            session,
            principal_id=service.id,
            scopes=frozenset({Scope.CHECK, Scope.REQUESTS_READ}),
            made_by=OPERATOR_ID,
        )


async def test_a_service_fetches_its_tokens_with_its_secret(
    web: httpx2.AsyncClient, service: Account, secret: Made, execute: Execute
) -> None:
    form = {"grant_type": "client_credentials"}
    basic = (quote(str(service.id)), quote(secret.secret))
    by_header = await web.post("/oauth/token", data=form, auth=basic)
    by_form = await web.post(
        "/oauth/token",
        data={**form, "client_id": str(service.id), "client_secret": secret.secret},
    )
    for answer in (by_header, by_form):
        assert answer.status_code == 200, answer.text
        assert answer.json()["scope"] == "check requests:read"
        fresh = Account(service.id, service.kind, answer.json()["access_token"], service.handle)
        viewer = (await execute(fresh, VIEWER))["viewer"]
        assert (viewer["id"], viewer["ial"]) == (str(service.id), 0)
        decision = await acts.check(execute, fresh, acts.question(acts.random_hash()))
        assert decision["outcome"] != "PERMITTED"
    both = await web.post("/oauth/token", data={**form, "client_secret": "x"}, auth=basic)
    assert both.json()["error"] == "invalid_request"


async def test_a_secret_that_is_not_ones_own_or_revoked_opens_nothing(
    web: httpx2.AsyncClient, service: Account, owner: Account, secret: Made, operator: Database
) -> None:
    form = {"grant_type": "client_credentials"}
    for id, given in (
        (str(service.id), "lrs_" + secrets.token_urlsafe(32)),
        (str(owner.id), secret.secret),
        ("nobody", secret.secret),
        (str(service.id), ""),
    ):
        refused = await web.post("/oauth/token", data=form, auth=(id, given))
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.headers["www-authenticate"].startswith("Basic ")
    broken = await web.post("/oauth/token", data=form, headers={"Authorization": "Basic %%%"})
    assert broken.status_code == 401
    bearer = base64.b64encode(b"a:b").decode()
    other = await web.post("/oauth/token", data=form, headers={"Authorization": f"Bearer {bearer}"})
    assert other.status_code == 401
    async with operator.writing() as session:
        await client_secrets.revoke(session, secret_id=secret.id, actor_id=OPERATOR_ID)
    refused = await web.post("/oauth/token", data=form, auth=(str(service.id), secret.secret))
    assert refused.status_code == 401


async def test_only_a_service_has_a_secret(owner: Account, operator: Database) -> None:
    with pytest.raises(InvalidError):
        async with operator.writing() as session:
            await client_secrets.make(
                session,
                principal_id=owner.id,
                scopes=frozenset({Scope.CHECK}),
                made_by=OPERATOR_ID,
            )
