"""The GraphQL endpoint: GraphQL over HTTP on strawberry's schema, without strawberry's view.

Documents come parsed and judged from the DocumentStore and run on graphql-core's plain executor;
strawberry's resolvers, scalars, permissions and exception handlers are part of the schema and run
as ever. Why not strawberry's own view: docs/decisions/0005-own-graphql-view.md.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, Generic, TypeGuard, TypeVar, cast

import orjson
import strawberry
from graphql import ExecutionResult, OperationDefinitionNode, OperationType
from graphql.execution import Executor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.execution import optimized_is_awaitable

from api.graphql.documents import Document, DocumentStore
from api.graphql.failures import describe, refused
from api.graphql.protocol import (
    GRAPHQL_JSON,
    NOT_FOUND,
    PLAIN_JSON,
    Asked,
    RefusedError,
    ask,
    negotiate,
)
from api.problems import explain
from registry.errors import ProblemCode

Context = TypeVar("Context")

# strawberry's quicker predicate; it doesn't say in its type that it is a guard.
_IS_AWAITABLE = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class GraphQLView(Generic[Context]):
    """An ASGI application for one path: `Route("/graphql", GraphQLView(schema, context_factory))`.

    `context_factory` makes what resolvers see as `info.context`; a RegistryError it raises is the
    answer, with that error's status. `introspection` decides from the context whether this caller
    may ask for the schema; by default everyone the factory lets through may.

    Extensions and operation directives of the schema are not run, so a schema with any is refused
    here; `info.input_extensions` is not available.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_factory: Callable[[Request], Awaitable[Context]],
        *,
        introspection: Callable[[Context], bool] = lambda _context: True,
        documents: DocumentStore | None = None,
    ) -> None:
        if schema.extensions or schema.directives:
            raise TypeError("GraphQLView runs no schema extensions and no operation directives.")
        self._schema = schema._schema  # noqa: SLF001  # strawberry's only way to graphql-core
        self._context_factory = context_factory
        self._introspection = introspection
        self._documents = documents or DocumentStore(self._schema)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        media_type = negotiate(request.headers.get("accept"))
        response = await self._respond(request, media_type)
        response.headers["Vary"] = "Accept"
        await response(scope, receive, send)

    async def _respond(self, request: Request, media_type: str | None) -> Response:
        if media_type is None:
            return _refusal(
                RefusedError(406, f"Answers are {GRAPHQL_JSON} or {PLAIN_JSON}."), PLAIN_JSON
            )
        try:
            asked = await ask(request)
            context = await self._context_factory(request)
            return await self._answer(request.method, asked, context, media_type)
        except RefusedError as error:
            return _refusal(error, media_type)
        except Exception as error:  # noqa: BLE001  # a GraphQL client reads only GraphQL's shape
            explained = explain(error)
            members = explained.body()
            problem = {"message": members.pop("message"), "extensions": members}
            return _response(
                {"errors": [problem]}, media_type, explained.status, explained.headers()
            )

    async def _answer(
        self, method: str, asked: Asked, context: Context, media_type: str
    ) -> Response:
        document = self._document(asked)
        if document.ast is None:
            return _request_error(document.errors, media_type)
        operation = document.operation(asked.operation_name)
        if operation is None:
            return _request_error((_which_operation(asked),), media_type)
        _require_allowed(method, operation)
        if document.introspects and not self._introspection(context):
            raise RefusedError(
                403, "Introspection is for authenticated callers.", code=ProblemCode.FORBIDDEN
            )
        executor = Executor.build(
            self._schema,
            document.ast,
            context_value=context,
            raw_variable_values=asked.variables,
            operation_name=asked.operation_name,
            is_awaitable=_IS_AWAITABLE,
            hide_suggestions=True,
        )
        if isinstance(executor, list):
            return _request_error(refused(executor), media_type)
        result = executor.execute_operation()
        if isawaitable(result):
            result = await result
        return _result(cast("ExecutionResult", result), media_type)  # the executor defers nothing

    def _document(self, asked: Asked) -> Document:
        if asked.query is None:
            document = self._documents.known(asked.sha256 or "")
            if document is None:
                raise RefusedError(404, "No such document; send its text.", code=NOT_FOUND)
            return document
        document = self._documents.read(asked.query)
        if asked.sha256 not in {None, document.sha256}:
            raise RefusedError(400, "The document is not the one its digest names.")
        return document


def _require_allowed(method: str, operation: OperationDefinitionNode) -> None:
    if operation.operation is OperationType.SUBSCRIPTION:
        raise RefusedError(400, "Subscriptions are not answered over HTTP.")
    if method == "GET" and operation.operation is not OperationType.QUERY:
        raise RefusedError(405, "Only queries are answered to GET.", headers={"Allow": "POST"})


def _which_operation(asked: Asked) -> dict[str, Any]:
    message = (
        "`operationName` has to name one of the document's operations."
        if asked.operation_name is None
        else "The document has no operation of that name."
    )
    return {"message": message, "extensions": {"code": ProblemCode.INVALID}}


def _result(result: ExecutionResult, media_type: str) -> Response:
    payload: dict[str, Any] = {"data": result.data}
    if not result.errors:
        return _response(payload, media_type)
    failures = describe(result.errors)
    payload["errors"] = failures.errors
    if failures.status != 200 and not any((result.data or {}).values()):  # noqa: PLR2004  # OK
        del payload["data"]  # an answer with data has to be 2xx; what a mutation did is kept
    return _response(payload, media_type, failures.status, failures.headers)


def _request_error(errors: Any, media_type: str) -> Response:
    """A well-formed request whose document or variables do not hold: nothing was executed."""
    status = 400 if media_type == GRAPHQL_JSON else 200  # the draft's rule for each media type
    return _response({"errors": errors}, media_type, status)


def _refusal(error: RefusedError, media_type: str) -> Response:
    problem = {"message": str(error), "extensions": {"code": error.code}}
    return _response({"errors": [problem]}, media_type, error.status, error.headers)


def _response(
    payload: dict[str, Any],
    media_type: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    try:
        body = orjson.dumps(payload)
    except orjson.JSONEncodeError:  # an integer of a JSON scalar may exceed 64 bits
        body = json.dumps(payload).encode()
    content_type = f"{media_type}; charset=utf-8"
    return Response(body, status, {**(headers or {}), "Content-Type": content_type})
