"""Rows of lists of figures, each of a source of its own: no test meets another's."""

import secrets
from datetime import date
from typing import Any

from registry import figures
from registry.database import Database
from registry.figure_rows import FigureRow, checked
from registry.keys import Keys
from registry.principals import OPERATOR

TODAY = date(2026, 11, 25)


def source() -> str:
    """A source nobody else has."""
    return f"list-{secrets.token_hex(6)}"


def called(first: str = "Figure") -> str:
    """A name nobody else has, in letters only."""
    return f"{first} {secrets.token_hex(6).translate(str.maketrans('0123456789', 'ghijklmnop'))}"


def raw(**changes: Any) -> dict[str, Any]:
    """A row as a list gives it."""
    plain = {"id": "Q1", "source": source(), "name": called(), "classes": ["PUBLIC_FIGURE"]}
    return {**plain, **changes}


def row(**changes: Any) -> FigureRow:
    return checked(raw(**changes), today=TODAY)


async def load(operator: Database, keys: Keys, *rows: FigureRow) -> figures.Loaded:
    """Import them as the operator."""
    async with operator.writing() as session:
        return await figures.load(session, rows, actor=OPERATOR, keys=keys)


async def by_name(operator: Database, keys: Keys, name: str) -> list[figures.Figure]:
    """The figures of that name that count."""
    async with operator.reading() as session:
        return (await figures.page(session, name=name, first=100, after=None, keys=keys)).items
