"""Keyset paging: ids are time-ordered (UUIDv7), so a page is "the next n after this id"."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from registry.database import ReadSession
from registry.errors import InvalidError

MAX_PAGE = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and whether there is more after it."""

    items: list[T]
    more: bool


async def page_of(
    session: ReadSession,
    query: Select[T],
    *,
    key: InstrumentedAttribute[UUID],
    first: int,
    after: UUID | None,
) -> Page[T]:
    """The first rows of `query` after the row with that key. `first` is 1 to 100."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidError(f"A page has 1 to {MAX_PAGE} items.", field="first")
    if after is not None:
        query = query.where(key > after)
    rows: list[Any] = list(await session.scalars(query.order_by(key).limit(first + 1)))
    return Page(items=rows[:first], more=len(rows) > first)
