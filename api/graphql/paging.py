"""Connections: every list is paged by an opaque cursor, at most 100 at a time."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry

from registry.errors import InvalidError, NotFoundError
from registry.paging import Page

T = TypeVar("T")

DEFAULT_PAGE = 20


@strawberry.type(description="Where a page ends, and whether there is more.")
class PageInfo:
    """Where a page ends, and whether there is more."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type(description="One item of a list and its place.")
class Edge(Generic[T]):
    """One item of a list and its place."""

    cursor: str
    node: T


@strawberry.type(description="Some of a list, in the order it was made.")
class Connection(Generic[T]):
    """Some of a list, in the order it was made."""

    edges: list[Edge[T]]
    page_info: PageInfo


def connection(page: Page[Any], key: Callable[[Any], UUID]) -> Connection[Any]:
    """A page of the registry as the schema shows it."""
    edges = [Edge(cursor=cursor_of(key(one)), node=one) for one in page.items]
    return Connection(
        edges=edges,
        page_info=PageInfo(has_next_page=page.more, end_cursor=edges[-1].cursor if edges else None),
    )


def cursor_of(id: UUID) -> str:
    """The place of the item with this id."""
    return base64.urlsafe_b64encode(id.bytes).decode().rstrip("=")


def after(cursor: str | None) -> UUID | None:
    """The id a cursor stands for; InvalidError for one that was not given out here."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidError("This cursor was not given out by this list.", field="after") from error


def identifier(id: str, what: str, field: str = "id") -> UUID:
    """The id in the form the registry uses; one that cannot exist is as absent as any other."""
    try:
        return UUID(id)
    except ValueError as error:
        raise NotFoundError(f"No such {what}.", field=field) from error
