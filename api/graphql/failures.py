"""What a client sees of an execution's errors: a code it may branch on, or a masked defect."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from api.problems import Explanation, explain, status_of
from registry.errors import ProblemCode

MAX_MESSAGE = 300

# graphql-core raises GraphQLError for bad arguments here, and elsewhere for what a resolver got
# wrong, quoting the value: only the first is the client's to see.
_ARGUMENTS = "graphql.execution.values"

# These make the whole answer one to ask for again, the first of them first.
_WHOLE = (ProblemCode.UNAVAILABLE, ProblemCode.BUSY)


@dataclass(frozen=True, slots=True)
class Failures:
    """The `errors` of a response, and the HTTP status and headers they call for."""

    errors: list[dict[str, Any]]
    status: int
    headers: dict[str, str]


def describe(errors: Iterable[GraphQLError]) -> Failures:
    """Every error with its `extensions.code`; a defect is logged whole and masked."""
    described: list[dict[str, Any]] = []
    whole: dict[str, Explanation] = {}
    for error in errors:
        explained = _explained(error)
        whole.setdefault(explained.code, explained)
        described.append(_located(error, explained))
    decisive = next((whole[code] for code in _WHOLE if code in whole), None)
    if decisive is None:
        return Failures(described, status=200, headers={})
    return Failures(described, status=decisive.status, headers=decisive.headers())


def refused(
    errors: Iterable[GraphQLError], code: str = ProblemCode.INVALID
) -> list[dict[str, Any]]:
    """The `errors` of a request whose variables or arguments do not hold."""
    status = status_of(ProblemCode.INVALID)
    return [_located(each, Explanation(code, each.message, status)) for each in errors]


def _explained(error: GraphQLError) -> Explanation:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if not isinstance(cause, GraphQLError):
        return explain(cause)
    if not _is_meant_for_clients(cause):
        return explain(cause)
    code = (cause.extensions or {}).get("code", ProblemCode.INVALID)
    return Explanation(str(code), cause.message, status_of(ProblemCode.INVALID))


def _is_meant_for_clients(error: GraphQLError) -> bool:
    """Whether a resolver raised it, or graphql-core on reading the arguments."""
    traceback, module = error.__traceback__, ""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return module == _ARGUMENTS or module.partition(".")[0] != "graphql"


def _located(error: GraphQLError, explained: Explanation) -> dict[str, Any]:
    located: dict[str, Any] = {"message": explained.message[:MAX_MESSAGE]}
    if error.locations:
        located["locations"] = [each.formatted for each in error.locations]
    if error.path:
        located["path"] = error.path
    members = explained.body()
    del members["message"]
    located["extensions"] = members
    return located
