"""What tests of the schema share: a registry for which China published no list."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest

_LISTS = "select id from filing_lists where territory = 'CN'"


@pytest.fixture
async def no_lists(urls: tuple[str, str]) -> AsyncGenerator[None]:
    """No official list of China is on record, and none that the test loads outlives it.

    Others file there by format alone. Nobody but a test takes a list back: history is kept.
    """
    await _forget_lists(urls[0])
    yield
    await _forget_lists(urls[0])


async def _forget_lists(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    await connection.execute(f"delete from filing_list_numbers where list_id in ({_LISTS})")
    await connection.execute("delete from filing_lists where territory = 'CN'")
    await connection.close()
