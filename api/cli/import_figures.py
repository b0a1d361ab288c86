"""`likeness import`: public figures from named lists."""

import csv
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Any, Final, Self

import orjson
import typer

from api.cli.output import NO, AsJson, Bar, Failed, line, note, result
from api.cli.session import Acting, run_as
from api.cli.settings import DataDir
from registry import figures
from registry.errors import InvalidError
from registry.figure_rows import COLUMNS, FigureRow, checked

app = typer.Typer(no_args_is_help=True)

PRINTED: Final = 20
_NEEDED: Final = ("name", "classes", "source", "id")
_Raw = tuple[int, Mapping[str, object] | str]  # the line, and the row or why it cannot be read


@app.callback()
def _import() -> None:
    """Lists of public figures."""


@dataclass(slots=True)
class _Rejected(AbstractContextManager["_Rejected"]):
    """Rows that do not hold: the first are printed, all are written beside the file."""

    file: Path
    count: int = 0
    _out: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """What an earlier run wrote is no longer so."""
        self.file.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was written."""
        if self._out is not None:
            self._out.close()

    def add(self, at: int, reason: str, column: str | None = None) -> None:
        """Tell of one."""
        if self._out is None:
            self._out = self.file.open("wb")
        told = {"line": at, "column": column, "reason": reason}
        self._out.write(orjson.dumps(told) + b"\n")
        if self.count < PRINTED:
            place = "" if column is None else f"{column}: "
            note(f"Line {at}: {place}{reason}")
        self.count += 1


@dataclass(slots=True)
class _Checking:
    """Turns raw rows into checked ones; no row of a source may come twice."""

    today: date
    rejected: _Rejected
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def row(self, at: int, raw: Mapping[str, object] | str) -> FigureRow | None:
        """The row, or nothing if it does not hold."""
        if isinstance(raw, str):
            self.rejected.add(at, raw)
            return None
        try:
            row = checked(raw, today=self.today)
        except InvalidError as error:
            self.rejected.add(at, str(error), error.field)
            return None
        first = self.seen.setdefault((row.source, row.source_id), at)
        if first != at:
            self.rejected.add(at, f"This id of {row.source} is on line {first} already.", "id")
            return None
        return row


@app.command("figures")
def import_figures(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV with a heading, or JSON Lines (.jsonl)."
        ),
    ],
    *,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Import public and historical figures: whom a name that is theirs then protects.

    Columns: name, aliases, born, died, citizenship, domicile, classes, source, id. A row whose
    source and id are known is a new version if it says something else, and nothing otherwise: the
    same file can be imported again, and goes on where it was interrupted. Rows that do not hold
    are left out, printed, and written to FILE.errors.jsonl.

    For example:

        likeness import figures figures.csv
    """
    total = _lines(file)
    rejected = _Rejected(file.with_name(f"{file.name}.errors.jsonl"))

    async def work(acting: Acting) -> figures.Loaded:
        async with acting.db.reading() as session:
            checking = _Checking(await figures.today(session), rejected)
        done = figures.Loaded()
        with rejected, Bar("Importing") as bar:
            batch: list[FigureRow] = []
            for at, raw in _rows(file):
                row = checking.row(at, raw)
                if row is not None:
                    batch.append(row)
                if len(batch) == figures.BATCH:
                    done += await _load(acting, batch)
                    batch = []
                    bar.update(at, total)
            return done + await _load(acting, batch)

    began = time.monotonic()
    done = run_as(None, work, data_dir=data_dir)
    good = done.added + done.changed + done.unchanged
    if not good and not rejected.count:
        raise Failed(f"{file.name} holds no rows.", code="INVALID")
    _tell(done, rejected, time.monotonic() - began)
    if not good:
        raise typer.Exit(NO)


async def _load(acting: Acting, rows: list[FigureRow]) -> figures.Loaded:
    if not rows:
        return figures.Loaded()
    async with acting.db.writing() as session:
        return await figures.load(session, rows, actor=acting.actor, keys=acting.installation.keys)


def _tell(done: figures.Loaded, rejected: _Rejected, seconds: float) -> None:
    value = {
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "rejected": rejected.count,
        "errors": str(rejected.file) if rejected.count else None,
        "seconds": round(seconds, 3),
    }
    if rejected.count:
        note(f"{rejected.count} rows do not hold: {rejected.file} says which and why.")
    result(
        value,
        lambda: line(
            f"{done.added} figures added, {done.changed} changed, {done.unchanged} as they were;"
            f" {rejected.count} rows left out."
        ),
    )


def _lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(2**20), b""))


def _rows(file: Path) -> Iterator[_Raw]:
    return _of_json(file) if file.suffix.lower() in {".jsonl", ".ndjson"} else _of_csv(file)


def _of_json(file: Path) -> Iterator[_Raw]:
    with file.open("rb") as opened:
        for at, text in enumerate(opened, 1):
            if not text.strip():
                continue
            try:
                row: Any = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield at, f"This is no JSON: {error}."
                continue
            yield at, row if isinstance(row, dict) else "This is no JSON object."


def _of_csv(file: Path) -> Iterator[_Raw]:
    # What is no UTF-8 becomes unprintable, so that only its row does not hold.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        reader = csv.DictReader(opened, restkey="", strict=True)
        try:
            columns = [one.strip().lower() for one in reader.fieldnames or ()]
        except csv.Error as error:
            raise Failed(f"{file.name} is no CSV: {error}.", code="INVALID") from error
        wrong = [one for one in columns if one not in COLUMNS]
        lacking = [one for one in _NEEDED if one not in columns]
        if wrong or lacking:
            raise Failed(
                f"The first line of {file.name} names the columns {', '.join(COLUMNS)}."
                f" Not there: {', '.join(lacking) or 'none'}; unknown: {len(wrong)}.",
                code="INVALID",
            )
        reader.fieldnames = columns
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield reader.line_num, f"This is no CSV: {error}."
                continue
            yield reader.line_num, "This has more cells than columns." if "" in row else row


@app.command("remove")
def remove(
    *,
    source: Annotated[str, typer.Option(help="The list it came from.")],
    id: Annotated[str, typer.Option("--id", help="Its id there.")],
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Remove a figure: from now on it counts nowhere. Importing it again brings it back.

    For example:

        likeness import remove --source wikidata --id Q42
    """

    async def work(acting: Acting) -> figures.Figure:
        async with acting.db.writing() as session:
            return await figures.remove(
                session, source=source, source_id=id, actor=acting.actor, reason=reason
            )

    gone = run_as(None, work, data_dir=data_dir)
    result(
        {"id": str(gone.id), "source": gone.source, "sourceId": gone.source_id},
        lambda: line(f"{gone.name} of {gone.source} counts no more."),
    )
