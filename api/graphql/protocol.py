"""GraphQL over HTTP, the request: which answers are accepted, and what is asked.

Follows the draft at https://graphql.github.io/graphql-over-http/draft/. A request that does not is
refused before anything of it is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request

from registry.errors import ProblemCode

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
METHODS = ("GET", "POST")

_MEMBERS: dict[str, tuple[type[Any], str]] = {
    "query": (str, "a string"),
    "documentId": (str, "a string"),
    "operationName": (str, "a string"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}
_DIGEST_PREFIX = "sha256:"
_ORJSON_DEPTH = 254  # what it writes; it reads 1,024, more than a resolver's recursion may bear


class RefusedError(Exception):
    """The request cannot be run; `status` holds whatever media type is accepted."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = ProblemCode.INVALID,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: a document by text, by digest or both, and how to run it."""

    query: str | None
    sha256: str | None
    operation_name: str | None
    variables: dict[str, Any]


@lru_cache(maxsize=256)
def negotiate(accept: str | None) -> str | None:
    """The media type to answer with, or None where neither is accepted (RFC 9110, 12.5.1).

    Clients that don't say, or take anything, get application/json as in the days before the draft.
    """
    if accept is None or not accept.strip():
        return PLAIN_JSON
    ranges = [_media_range(part) for part in accept.split(",")]
    graphql, plain = _preference(ranges, GRAPHQL_JSON), _preference(ranges, PLAIN_JSON)
    quality, specificity = max(graphql, plain)
    if quality <= 0:
        return None
    return GRAPHQL_JSON if graphql >= plain and specificity == _EXACT else PLAIN_JSON


async def ask(request: Request) -> Asked:
    """Read the request, or raise RefusedError."""
    if request.method == "GET":
        return _asked(_from_query_string(request))
    if request.method != "POST":
        raise RefusedError(
            405, "GraphQL is asked by GET or POST.", headers={"Allow": ", ".join(METHODS)}
        )
    _require_json(request.headers.get("content-type"))
    return _asked(_decoded(await request.body(), "The body"))


_EXACT, _SUBTYPE, _ANYTHING, _NO_MATCH = 3, 2, 1, 0


def _media_range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return name, quality if 0.0 <= quality <= 1.0 else 0.0


def _preference(ranges: list[tuple[str, float]], offer: str) -> tuple[float, int]:
    """Quality and specificity of the most specific range that covers the offer."""
    matches = {offer: _EXACT, "application/*": _SUBTYPE, "*/*": _ANYTHING}
    specificity, quality = max(
        ((matches.get(name, _NO_MATCH), quality) for name, quality in ranges),
        default=(_NO_MATCH, 0.0),
    )
    return (quality, specificity) if specificity else (0.0, _NO_MATCH)


def _require_json(content_type: str | None) -> None:
    name, *parameters = ((content_type or "").lower()).split(";")
    charset = "utf-8"
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset":
            charset = value.strip().strip('"')
    if name.strip() != PLAIN_JSON or charset not in {"utf-8", "utf8"}:
        raise RefusedError(
            415,
            "Send the request as application/json in UTF-8.",
            code=ProblemCode.UNSUPPORTED,
            headers={"Accept": PLAIN_JSON},
        )


def _from_query_string(request: Request) -> dict[str, Any]:
    members: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = _decoded(members[name].encode("utf-8", "replace"), f"`{name}`")
    return members


def _decoded(text: bytes, what: str) -> Any:
    try:
        value = orjson.loads(text)  # refuses NaN, infinity, lone surrogates and bad UTF-8
        if text.count(b"[") + text.count(b"{") > _ORJSON_DEPTH:
            orjson.dumps(value)  # refuses deeper nesting than that, and quicker than a walk would
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise RefusedError(400, f"{what} is not JSON that can be read.") from error
    if b"\\u0000" in text and _holds_nul(value):
        raise RefusedError(400, f"{what} may not hold a NUL character.")
    return value


def _asked(members: object) -> Asked:
    if not isinstance(members, dict):
        raise RefusedError(400, "The body has to be one JSON object; batches are not answered.")
    for name, (kind, words) in _MEMBERS.items():
        if members.get(name) is not None and not isinstance(members[name], kind):
            raise RefusedError(400, f"`{name}` has to be {words}.")
    query, sha256 = members.get("query"), _digest(members)
    if query is None and sha256 is None:
        raise RefusedError(400, "`query` or `documentId` is missing.")
    return Asked(query, sha256, members.get("operationName"), members.get("variables") or {})


def _digest(members: dict[str, Any]) -> str | None:
    """The digest a request names by `documentId`, or by Apollo's `persistedQuery` extension."""
    document_id = members.get("documentId")
    if document_id is not None:
        if not document_id.startswith(_DIGEST_PREFIX):
            raise RefusedError(404, "No such document.", code=NOT_FOUND)
        return str(document_id.removeprefix(_DIGEST_PREFIX)).lower()
    persisted = (members.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or persisted.get("version") != 1:
        raise RefusedError(400, "`persistedQuery` has to hold version 1 and a sha256Hash.")
    return digest.lower()


def _holds_nul(value: object) -> bool:
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            if "\0" in each:
                return True
        elif isinstance(each, dict):
            rest.extend(each.keys())
            rest.extend(each.values())
        elif isinstance(each, list):
            rest.extend(each)
    return False
