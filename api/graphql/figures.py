"""Public figures in the schema: listed, and imported from named lists."""

from datetime import date, datetime
from typing import Annotated, Final

import strawberry

from api.graphql import once
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection
from api.graphql.permissions import requires
from registry import figures
from registry.errors import ForbiddenError, InvalidError
from registry.figure_rows import FigureRow, checked
from registry.policy.vocabulary import SubjectClass
from registry.principals import Scope

MAX_ROWS: Final = 1000


@strawberry.type(description="A public or historical figure, as a named list tells of them.")
class Figure:
    """A public or historical figure, as a named list tells of them."""

    id: strawberry.ID
    source: str
    source_id: str
    name: str
    aliases: list[str]
    born: str | None = strawberry.field(description="A day or a year.")
    died: str | None = strawberry.field(description="A day or a year.")
    citizenship: str | None
    domicile: str | None = strawberry.field(description="Where they lived at death.")
    classes: list[SubjectClass]
    created_at: datetime


@strawberry.input(description="A row of a list of figures.")
class FigureRowInput:
    """A row of a list of figures."""

    id: str = strawberry.field(description="Its id in the source.")
    name: str
    aliases: list[str] = strawberry.field(default_factory=list)
    born: str | None = strawberry.field(default=None, description="A day or a year.")
    died: str | None = strawberry.field(default=None, description="A day or a year.")
    citizenship: str | None = None
    domicile: str | None = None
    classes: list[SubjectClass]


@strawberry.input(description="Rows of one source, at most 1,000.")
class ImportFiguresInput:
    """Rows of one source, at most 1,000."""

    rows: list[FigureRowInput]
    source: str
    idempotency_key: str | None = None


@strawberry.type(description="A row that does not hold.")
class RejectedRow:
    """A row that does not hold."""

    index: int = strawberry.field(description="Which of the rows, from 0.")
    column: str | None
    reason: str


@strawberry.type(description="What came of the rows. Imported again, they change nothing.")
class FiguresImported:
    """What came of the rows."""

    added: int
    changed: int
    unchanged: int
    rejected: list[RejectedRow]


ImportFiguresResult = Annotated[FiguresImported | Problem, strawberry.union("ImportFiguresResult")]


@strawberry.type
class FigureQuery:
    """Query fields about figures."""

    @strawberry.field(
        graphql_type=Connection[Figure],
        extensions=[requires(Scope.CHECK, Scope.SUBJECTS_READ)],
        description="Public figures that count, oldest import first; of exactly this name, if one"
        " is given.",
    )
    async def figures(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
        name: str | None = None,
    ) -> Connection[Figure]:
        """Public figures that count, oldest import first."""
        async with info.context.db.reading() as session:
            page = await figures.page(
                session,
                name=name,
                first=first,
                after=after(after_),
                keys=info.context.state.keys,
            )
        return connection(page, lambda one: one.id)


@strawberry.type
class FigureMutation:
    """Mutation fields about figures."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Import public figures, as an attester or the operator. Rows that do not hold"
        " are left out and told of.",
    )
    async def import_figures(self, info: Info, input: ImportFiguresInput) -> ImportFiguresResult:
        """Import public figures."""
        actor = info.context.caller.actor
        if actor.kind not in figures.IMPORTERS:
            raise ForbiddenError("An attester or the operator imports figures.")
        if not 1 <= len(input.rows) <= MAX_ROWS:
            raise InvalidError(f"Send 1 to {MAX_ROWS} rows.", field="rows")
        plain = [vars(one) for one in input.rows]
        async with info.context.db.writing() as session:
            _, new = await once.claim(info, session, "importFigures", input, rows=plain)
            rows, rejected = _checked(input, today=await figures.today(session))
            done = figures.Loaded(unchanged=len(rows))
            if new:
                keys = info.context.state.keys
                done = await figures.load(session, rows, actor=actor, keys=keys)
        return FiguresImported(
            added=done.added, changed=done.changed, unchanged=done.unchanged, rejected=rejected
        )


def _checked(
    input: ImportFiguresInput, *, today: date
) -> tuple[list[FigureRow], list[RejectedRow]]:
    """The rows that hold, and the others; a second row of one id is one of those."""
    rows: dict[str, FigureRow] = {}
    rejected = []
    for index, given in enumerate(input.rows):
        try:
            row = checked({**vars(given), "source": input.source}, today=today)
        except InvalidError as error:
            rejected.append(RejectedRow(index=index, column=error.field, reason=str(error)))
            continue
        if row.source_id in rows:
            reason = "This id comes twice among the rows."
            rejected.append(RejectedRow(index=index, column="id", reason=reason))
            continue
        rows[row.source_id] = row
    return list(rows.values()), rejected
