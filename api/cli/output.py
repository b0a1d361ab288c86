"""What commands say: results on standard output, everything else on standard error.

With `--json` a command prints one JSON document and nothing else, also when it is refused.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Self

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from registry.errors import ProblemCode, RegistryError

NO, USAGE, REFUSED, AWAY, DEFECT = 1, 2, 3, 4, 70  # 70: EX_SOFTWARE of sysexits.h

_AWAY_CODES = frozenset({ProblemCode.BUSY, ProblemCode.UNAVAILABLE, ProblemCode.SETUP})
_PATIENCE_SECONDS = 1.0
_PIPE_WIDTH = 1000  # of a pipe or a file: ids are not cut there


class Failed(Exception):  # noqa: N818  # what became of the command, as main.py reads it
    """The command did not do what was asked: one line that says why, and an exit code."""

    def __init__(
        self,
        message: str,
        exit_code: int = REFUSED,
        *,
        code: str = "FAILED",
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.field = field


@dataclass(slots=True)
class _Mode:
    json: bool = False


_mode = _Mode()


def _choose(wanted: bool) -> bool:
    _mode.json = wanted
    return wanted


# Eager, so that whatever is wrong with the other options is already said in the chosen form.
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document and nothing else.", callback=_choose, is_eager=True
    ),
]


def begin() -> None:
    """Forget what an earlier command in this process chose."""
    _mode.json = False


def failure_of(error: RegistryError) -> Failed:
    """The refusal with its exit code."""
    exit_code = AWAY if error.code in _AWAY_CODES else REFUSED
    return Failed(str(error), exit_code, code=error.code, field=error.field)


@contextmanager
def failing() -> Iterator[None]:
    """Let refusals of the registry end the command as `Failed`."""
    try:
        yield
    except RegistryError as error:
        raise failure_of(error) from error


def report(failure: Failed) -> None:
    """Say why the command failed."""
    if _mode.json:
        problem = {"code": failure.code, "message": str(failure), "field": failure.field}
        document({"error": {name: one for name, one in problem.items() if one is not None}})
        return
    line = Text("Error: ", style="bold red").append(safe(str(failure)), style="not bold default")
    _console(stderr=True).print(line, soft_wrap=True)


def result(value: object, show: Callable[[], None]) -> None:
    """The result: the value as JSON with `--json`, else what `show` prints."""
    if _mode.json:
        document(value)
    else:
        show()


def line(text: str) -> None:
    """One line of a result, never wrapped."""
    typer.echo(safe(text))


def note(text: str) -> None:
    """Something worth knowing beside the result."""
    if not _mode.json:
        _console(stderr=True).print(Text(safe(text)), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of text; ids keep on one line where the output is no terminal."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*[Text(safe(cell)) for cell in row])
    _console().print(made)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values below one another."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text(safe(value)))
    _console().print(made)


def safe(text: str) -> str:
    """The text without what a terminal would obey instead of show: it may be a stranger's."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)


def document(value: object) -> None:
    """One JSON document."""
    typer.echo(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode())


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show that something goes on, if it takes more than a second and somebody watches."""
    console = _console(stderr=True)
    if _mode.json or not console.is_terminal:
        yield
        return
    status = console.status(label)
    timer = threading.Timer(_PATIENCE_SECONDS, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # else it could start to spin after the end
        status.stop()


class Bar:
    """A progress bar, shown once the work has taken more than a second and somebody watches."""

    def __init__(self, label: str) -> None:
        console = _console(stderr=True)
        self._label = label
        self._hidden = _mode.json or not console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )
        self._began = time.monotonic()
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._task is not None:  # to stop what never started prints an empty line
            self._progress.stop()

    def update(self, done: int, total: int) -> None:
        """So much of so much is done."""
        if self._hidden or time.monotonic() - self._began < _PATIENCE_SECONDS:
            return
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task(self._label, total=total)
        self._progress.update(self._task, completed=done, total=total)
