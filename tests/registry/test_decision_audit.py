"""Decisions held against the log: whatever was changed behind the registry's back is found."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest

from api.state import State
from registry import decision_audit
from registry.database import Database
from registry.errors import InvalidError
from tests import acts
from tests.conftest import Account, Execute


@pytest.fixture
async def connection(urls: tuple[str, str]) -> AsyncGenerator[asyncpg.Connection]:
    """A superuser in a transaction that is rolled back; history's triggers are off."""
    connection = await asyncpg.connect(urls[0])
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


async def verify(operator: Database, state: State) -> int:
    async with operator.reading() as session:
        return await decision_audit.audit(
            session, keys=state.keys, progress=lambda _done, _total: None
        )


CHANGES = {
    "a permission by hand": "update decisions set outcome = 'PERMITTED' where id = $1",
    "another place": "update decisions set log_index = log_index + 1 where id = $1",
    "another answer": (
        "update decisions set sealed_answer = set_byte(sealed_answer, 0, 255) where id = $1"
    ),
    "another service": (
        "update decisions set service_id = '00000000-0000-7000-8000-0000000000ff' where id = $1"
    ),
    "none at all": "delete from decisions where id = $1",
    "another entry": "update log_leaves set entry = sha256('x') where decision_id = $1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_changed_decision_is_found(
    execute: Execute, operator: Database, state: State, service: Account,
    connection: asyncpg.Connection, change: str,
) -> None:  # fmt: skip
    decision = await acts.check(execute, service, acts.question(acts.random_hash()))
    assert await verify(operator, state) > decision["logIndex"]
    kept = await connection.fetchrow("select * from decisions where id = $1", decision["id"])
    entry = await connection.fetchval(
        "select entry from log_leaves where decision_id = $1", decision["id"]
    )
    await connection.execute(change, decision["id"])
    try:
        with pytest.raises(InvalidError, match=f"Entry {decision['logIndex']}"):
            await verify(operator, state)
    finally:
        await connection.execute("delete from decisions where id = $1", decision["id"])
        await connection.execute(
            f"insert into decisions values ({', '.join(f'${n + 1}' for n in range(len(kept)))})",
            *kept,
        )
        await connection.execute(
            "update log_leaves set entry = $1 where decision_id = $2", entry, decision["id"]
        )
    assert await verify(operator, state) > decision["logIndex"]
