import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.main import COMMANDS
from tests.api.cli.conftest import Likeness, as_a_program

SUBCOMMANDS = {
    "subject": ("add", "list", "show", "picture"),
    "grant": ("propose", "sign", "revoke", "list"),
    "object": ("file", "withdraw", "list"),
    "token": ("create", "revoke"),
    "models": ("install", "status"),
    "policy": ("test",),
    "receipt": ("verify",),
    "log": ("verify", "checkpoint", "key", "proof"),
}
EVERY = [
    *((name,) for name in COMMANDS if name not in SUBCOMMANDS),
    *((name, one) for name, several in SUBCOMMANDS.items() for one in several),
]


def test_help_names_every_command_without_loading_the_database() -> None:
    script = (
        "import atexit, sys; from api.cli.main import run;"
        "atexit.register(lambda: print('sqlalchemy' in sys.modules)); run(['--help'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert all(name in ended.stdout for name in COMMANDS)
    assert ended.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_of_every_command_shows_an_example(likeness: Likeness, words: tuple[str, ...]) -> None:
    said = likeness(*words, "--help").ok
    assert f"likeness {' '.join(words)}" in said.split("Options", 1)[0]


def test_a_word_that_is_no_command_is_wrong_usage_and_a_near_one_is_named(
    likeness: Likeness,
) -> None:
    ended = likeness("chek")
    assert ended.code == 2
    assert "check" in ended.err
    assert ended.out == ""


def test_an_unknown_setting_is_said_in_one_line(data_dir: Path, monkeypatch: pytest.MonkeyPatch,
                                                likeness: Likeness) -> None:  # fmt: skip
    monkeypatch.setenv("LIKENESS_TOKEN", "x")
    ended = likeness("subject", "list", data_dir=data_dir)
    assert ended.code == 4
    assert ended.err.splitlines() == [
        "Error: Unknown setting LIKENESS_TOKEN. See docs/reference/settings.md."
    ]


def test_reading_makes_no_installation(likeness: Likeness, tmp_path: Path) -> None:
    for words in (("subject", "list"), ("log", "verify"), ("log", "key")):
        ended = likeness(*words, data_dir=tmp_path / "none")
        assert ended.code == 4
        assert "There is no installation in" in ended.err
    assert not (tmp_path / "none").exists()


def test_a_refusal_with_json_is_one_document_and_nothing_else(data_dir: Path) -> None:
    ended = as_a_program("subject", "show", "x", "--json", data_dir=data_dir)
    assert ended.code == 3
    assert ended.json == {"error": {"code": "NOT_FOUND", "message": "No such subject."}}
    assert ended.err == ""


def test_a_defect_has_an_exit_code_of_its_own(
    likeness: Likeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(COMMANDS, "policy")
    monkeypatch.setitem(COMMANDS, "policy", COMMANDS["token"]._replace(attribute="absent"))
    ended = likeness("policy", "test", "x")
    assert ended.code == 70
    assert "AttributeError" in ended.err
