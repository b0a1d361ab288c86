import asyncpg
import pytest
import sqlalchemy.exc

from api.problems import explain, is_away, status_of
from registry.errors import ProblemCode


def test_every_code_has_a_status() -> None:
    assert all(400 <= status_of(code) < 600 for code in ProblemCode)


def _state(sqlstate: str) -> asyncpg.PostgresError:
    error = asyncpg.PostgresError("x")
    error.sqlstate = sqlstate
    return error


async def _refused_connection() -> BaseException:
    try:
        await asyncpg.connect(host="/nowhere", user="x", database="x", timeout=1)
    except OSError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (FileNotFoundError("settings.yaml"), False),
        (_state("57P01"), True),
        (_state("08006"), True),
        (_state("53100"), True),
        (_state("40001"), True),
        (_state("23505"), False),
        (_state("42P01"), False),
        (asyncpg.InterfaceError("pool is closing"), True),
        (asyncpg.InterfaceError("another operation is in progress"), False),
        (asyncpg.InterfaceError("connection has been released back to the pool"), True),
        (asyncpg.InternalClientError("cannot switch to state 12"), True),
        (sqlalchemy.exc.TimeoutError(), True),
        (sqlalchemy.exc.OperationalError("select", None, _state("57P01")), True),
        (sqlalchemy.exc.IntegrityError("insert", None, _state("23505")), False),
        (sqlalchemy.exc.DBAPIError("select", None, Exception(), connection_invalidated=True), True),
        (ValueError("x"), False),
    ],
)
def test_the_database_is_away_only_if_the_error_says_so(error: Exception, away: bool) -> None:
    assert is_away(error) is away
    assert explain(error).status == (503 if away else 500)


async def test_a_missing_socket_is_a_database_away() -> None:
    assert is_away(await _refused_connection())
