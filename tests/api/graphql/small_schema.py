"""A small schema that does one thing of each kind, and the server around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import httpx2
import strawberry
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp
from strawberry.scalars import JSON

from api.graphql.view import GraphQLView
from api.middleware import Errors, Guard, SecurityHeaders
from registry.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    RegistryError,
    UnauthenticatedError,
    UnavailableError,
)

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


strawberry.enum(Colour)


@strawberry.input(one_of=True)
class Choice:
    word: str | None = strawberry.UNSET
    number: int | None = strawberry.UNSET


@strawberry.input
class Note:
    text: str
    next: "Note | None" = None


@strawberry.type
class Made:
    id: UUID
    colour: Colour


@strawberry.type
class Problem:
    code: str
    message: str


class ProblemHandler(strawberry.ExceptionHandler[RegistryError, Problem]):
    def handle(self, exception: RegistryError, **_: Any) -> Problem:
        return Problem(code=exception.code, message=str(exception))


MakeResult = Annotated[Made | Problem, strawberry.union("MakeResult")]
REFUSALS: dict[str, type[RegistryError]] = {
    "conflict": ConflictError,
    "forbidden": ForbiddenError,
    "busy": BusyError,
    "unavailable": UnavailableError,
}


@strawberry.type
class Query:
    @strawberry.field
    async def hello(self, name: str = "you") -> str:
        return f"Hello, {name}."

    @strawberry.field
    async def caller(self, info: strawberry.Info[str, None]) -> str:
        return info.context

    @strawberry.field
    async def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    async def twice(self, number: int) -> int:
        return number * 2

    @strawberry.field
    async def id(self, id: UUID) -> UUID:
        return id

    @strawberry.field
    async def colours(self, colours: list[Colour]) -> list[Colour]:
        return colours

    @strawberry.field
    async def chosen(self, choice: Choice) -> str:
        return str(choice.word or choice.number)

    @strawberry.field
    async def noted(self, note: Note) -> str:
        return note.text

    @strawberry.field
    async def refused(self, how: str, wait: int | None = None) -> str | None:
        raise REFUSALS[how]("It was refused.", field="how", retry_after=wait)

    @strawberry.field
    async def defect(self) -> str | None:
        raise ValueError("password=secret")

    @strawberry.field
    async def needed(self) -> str:
        raise ValueError("password=secret")

    @strawberry.field
    async def wrong(self) -> Colour | None:
        return "password=secret"  # type: ignore[return-value]  # the defect under test

    @strawberry.field
    async def cut_off(self) -> str | None:
        raise ConnectionResetError("password=secret")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def make(self, colour: Colour) -> MakeResult:
        if colour is Colour.BLUE:
            raise ConflictError("There is a blue one.")
        return Made(id=UUID(int=1), colour=colour)

    @strawberry.mutation
    async def away(self) -> str | None:
        raise UnavailableError("Away.")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, exception_handlers=[ProblemHandler()])


async def context_of(request: Request) -> str:
    """The token is the caller; a few have no luck."""
    token = request.headers.get("authorization", "anonymous").removeprefix("Bearer ")
    if token == "bad":  # noqa: S105  # the name of a case
        raise UnauthenticatedError("The access token does not hold.")
    if token == "busy":  # noqa: S105  # the name of a case
        raise BusyError("Slow down.", retry_after=7)
    if token == "cut":  # noqa: S105  # the name of a case
        raise ConnectionRefusedError
    if token == "defect":  # noqa: S105  # the name of a case
        raise ValueError("password=secret")
    return token


def application(body_seconds: float = 5.0) -> SecurityHeaders:
    view = GraphQLView(SCHEMA, context_of, introspection=lambda caller: caller != "anonymous")
    router = Router([Route("/graphql", view, methods=["GET", "POST"])])
    guard = Guard(router, max_bytes=2**20, request_seconds=5, body_seconds=body_seconds)
    return SecurityHeaders(Errors(guard))


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as opened:
        yield opened


async def ask(
    client: httpx2.AsyncClient, query: str, accept: str = GRAPHQL_JSON, **members: Any
) -> httpx2.Response:
    return await client.post(
        "/graphql", json={"query": query, **members}, headers={"Accept": accept}
    )


def code_of(response: httpx2.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])
