"""Workflow cases of the law's case file, each from end to end: W13 and W14 (see also each area)."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.runtime import Runtime
from registry.policy.vocabulary import ObligationCode
from registry.settings import PREFIX, Settings
from tests import acts
from tests.conftest import ISSUER, Account, Accounts, Execute, Json, served

PACK = """
id: IS
version: "{version}"
name: Invented for a test
status: in_force
confidence: low
source: "Invented for a test; says nothing of the law there."
review_by: "2027-01-01"
dead: {{terms: [{{kind: none, evidence: policy, confidence: low}}]}}
{more}
"""
FORBIDS = """bars:
  - id: IS_NO_FILMS
    message: "No pictures for films."
    cure: none
    purposes: [FILM_TV]
    evidence: policy
    confidence: low
"""
PROGRAM = "from api.cli.main import run; run()"


@asynccontextmanager
async def under(settings: Settings, packs: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    """The same registry, started with an operator's folder of packs."""
    changed = settings.model_copy(update={"packs_dir": packs})
    runtime = Runtime(changed)
    await runtime.start()
    await runtime.opened.wait()
    assert runtime.failure is None
    transport = httpx2.ASGITransport(served(changed, runtime))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client
    await runtime.stop()


async def asked(client: httpx2.AsyncClient, service: Account, question: Json) -> Json:
    body = {"query": acts.CHECK, "variables": {"input": question}}
    response = await client.post("/graphql", json=body, headers=service.headers)
    decision: Json = response.json()["data"]["checkConsent"]
    return decision


async def replayed(settings: Settings, packs: Path, decision: str, *words: str) -> tuple[int, Json]:
    """What `likeness policy replay` says of a decision, run as the operator runs it."""
    given = {
        "DATA_DIR": settings.data_dir,
        "DATABASE_URL": settings.database_url,
        "ADMIN_DATABASE_URL": settings.admin_database_url,
        "PACKS_DIR": packs,
    }
    clean = {name: one for name, one in os.environ.items() if not name.startswith(PREFIX)}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM, "policy", "replay", "--decision", decision, *words,
         "--json"],
        capture_output=True, text=True, check=False, timeout=120,
        env=clean | {PREFIX + name: str(one) for name, one in given.items()},
    )  # fmt: skip
    assert ended.stdout, ended.stderr
    told: Json = json.loads(ended.stdout)
    return ended.returncode, told


async def pictured(execute: Execute, owner: Account, service: Account) -> str:
    """The hash of a picture of somebody who lets this service use it in films."""
    subject, picture = await acts.subject(execute, owner), acts.random_hash()
    await acts.asset(execute, owner, [subject], picture)
    await acts.grant(execute, owner, subject, service)
    return picture


async def test_w13_an_old_decision_comes_out_the_same_under_the_pack_of_its_time(
    execute: Execute, settings: Settings, owner: Account, service: Account, tmp_path: Path
) -> None:
    current = tmp_path / "IS.yaml"
    current.write_text(PACK.format(version="2026.1.1", more=""))
    picture = await pictured(execute, owner, service)

    def question() -> Json:
        return acts.question(picture, territories=["IS"], nonce=secrets.token_hex(8))

    async with under(settings, tmp_path) as client:
        old = await asked(client, service, question())
    assert (old["outcome"], old["mayProceed"]) == ("PERMITTED", True), old
    assert {"id": "IS", "version": "2026.1.1"} in old["packs"]

    (tmp_path / "old").mkdir()
    current.rename(tmp_path / "old" / "IS@2026.1.1.yaml")
    current.write_text(PACK.format(version="2026.2.1", more=FORBIDS))
    async with under(settings, tmp_path) as client:
        new = await asked(client, service, question())
    assert (new["outcome"], acts.codes(new)) == ("PROHIBITED", {"IS_NO_FILMS"})
    assert {"id": "IS", "version": "2026.2.1"} in new["packs"]

    for decision in (old, new):
        code, told = await replayed(settings, tmp_path, decision["id"])
        assert (code, told["fates"]["SAME"], told["different"]) == (0, 1, [])
    code, told = await replayed(settings, tmp_path, old["id"], "--current")
    assert (code, told["fates"]["OTHER"]) == (1, 1)
    assert "outcome PERMITTED, now PROHIBITED" in told["different"][0]["differences"]

    (tmp_path / "old" / "IS@2026.1.1.yaml").unlink()
    code, told = await replayed(settings, tmp_path, old["id"])
    assert (told["fates"]["NO_PACK"], told["fates"]["SAME"]) == (1, 0)


@pytest.mark.parametrize("missing", ["LABEL_EXPLICIT", "REPORT_USAGE"])
async def test_w14_a_duty_that_the_service_does_not_support_needs_a_person(
    execute: Execute, client: httpx2.AsyncClient, accounts: Accounts, owner: Account,
    service: Account, missing: str,
) -> None:  # fmt: skip
    able = frozenset(ObligationCode) - {ObligationCode(missing)}
    limited = await accounts.open(service.kind, supports=able)
    picture = await pictured(execute, owner, limited)

    async def over_graphql(**more: Any) -> Json:
        return await acts.check(execute, limited, acts.question(picture, **more))

    async def over_http(**more: Any) -> Json:
        given = acts.question(picture, **more)
        response = await client.post("/v1/check", json=given, headers=limited.headers)
        assert response.status_code == 200
        answer: Json = response.json()
        return answer

    for ask in (over_graphql, over_http):
        refused = await ask()
        assert (refused["outcome"], refused["mayProceed"]) == ("REVIEW_REQUIRED", False)
        assert "OBLIGATION_UNSUPPORTED" in acts.codes(refused)
        assert missing in {one["code"] for one in refused["obligations"]}
        action = {one["code"]: one["action"] for one in refused["reasons"]}
        assert action["OBLIGATION_UNSUPPORTED"] == "DECLARE_OBLIGATION"
        declared = await ask(supportedObligations=[str(one) for one in able])
        assert declared["outcome"] == "REVIEW_REQUIRED"
        kept = await ask(supportedObligations=[str(one) for one in ObligationCode])
        assert (kept["outcome"], kept["mayProceed"]) == ("PERMITTED", True), kept
