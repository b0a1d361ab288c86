import io

import pytest
from rich.console import Console

from api.cli import output
from registry.errors import BusyError, ConflictError, InvalidError, SetupError, UnavailableError


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What somebody at a terminal sees."""
    seen = io.StringIO()
    output.begin()
    terminal = Console(file=seen, force_terminal=True, width=100)
    monkeypatch.setattr(output, "_console", lambda **_: terminal)
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 0.0)
    return seen


def test_work_that_takes_long_is_shown_to_who_watches(watched: io.StringIO) -> None:
    with output.Bar("Hashing") as bar:
        bar.update(1, 10)
        bar.update(3, 10)
    assert "3/10" in watched.getvalue()


def test_short_work_shows_no_bar(watched: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 60.0)
    with output.Bar("Hashing") as bar, output.working("Opening ..."):
        bar.update(3, 10)
    assert watched.getvalue() == ""


def test_nothing_moves_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    output.begin()
    with output.Bar("Hashing") as bar, output.working("Opening ..."):
        bar.update(3, 10)
    assert capsys.readouterr() == ("", "")


def test_a_strangers_words_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.begin()
    output.line("a\x1b[2Jb")
    output.table(["NAME"], [["\x1b]0;title\x07[red]x"]])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "[red]x" in said


@pytest.mark.parametrize(
    ("error", "code"),
    [(BusyError, 4), (UnavailableError, 4), (SetupError, 4), (InvalidError, 3), (ConflictError, 3)],
)
def test_what_is_away_and_what_is_refused_have_different_exit_codes(
    error: type[InvalidError], code: int
) -> None:
    failure = output.failure_of(error("Why.", field="x"))
    assert (str(failure), failure.exit_code, failure.code) == ("Why.", code, error.code)
