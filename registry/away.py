"""Telling "the database is not there for now" from a wrong query: the first is asked again."""

from collections.abc import Iterator
from types import TracebackType

import asyncpg
import sqlalchemy.exc

from registry.errors import UnavailableError

# PostgreSQL, Appendix A: connections, resources, shutdown, time-outs, deadlocks; 25006 is what a
# primary that became a replica says to a write.
_AWAY_CLASSES = ("08", "53", "57P")
_AWAY_STATES = frozenset({"57014", "55P03", "40001", "40P01", "25006"})

# How asyncpg says that a connection ended under a caller who still held it.
_GONE = ("is closed", "is closing", "released back to the pool")


class away:  # noqa: N801  # reads as a clause: `with away():`
    """Turn "the database cannot be reached" into one refusal that says when to ask again."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: object, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Translate connection failures; let everything else through."""
        if isinstance(error, Exception) and is_away(error):
            raise UnavailableError(
                "The registry's database cannot be reached.", retry_after=1
            ) from error


def is_away(error: BaseException) -> bool:
    """Whether the error says that the database is at fault, for now."""
    return any(map(_says_away, _chain(error)))


def _says_away(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_AWAY_CLASSES) or state in _AWAY_STATES
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, asyncpg.InternalClientError):
        return True  # asyncpg lost its place in the protocol: the server died in mid-answer
    if isinstance(error, asyncpg.InterfaceError):
        return str(error).endswith(_GONE)
    if isinstance(error, OSError):  # a missing file is a defect, a missing socket is not
        connection = isinstance(error, ConnectionError | TimeoutError)
        return connection or _passed_through(error.__traceback__, "asyncpg")
    return isinstance(error, sqlalchemy.exc.TimeoutError)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what its library says caused it, outermost first."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def _passed_through(traceback: TracebackType | None, package: str) -> bool:
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").partition(".")[0] == package:
            return True
        traceback = traceback.tb_next
    return False
