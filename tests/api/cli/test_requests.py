"""`likeness request`: sent, shown, listed, against a registry that serves."""

from pathlib import Path

import orjson
import pytest

from tests.api.cli.conftest import Likeness

ABSENT = "00000000-0000-7000-8000-00000000dead"


@pytest.fixture(scope="module")
def privacy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("privacy") / "privacy.txt"
    file.write_text("What we do with your face.")
    return file


def test_a_request_is_sent_shown_and_listed(
    likeness: Likeness, url: str, service_token: str, privacy: Path, saved: Path
) -> None:
    where = ("--url", url, "--token", "-")
    decision = orjson.loads(saved.read_bytes())["id"]
    words = ("--notice", str(privacy), "--version", "3", "--use", "SWAP_FACE", "--key", "job-1",
             "--decision", decision, "--ends", "2030-01-01", "--written", "--separate",
             "--message", "May we?")  # fmt: skip
    sent = likeness("request", "send", *words, *where, stdin=service_token)
    assert sent.ok.startswith("http")
    assert "/consent/" in sent.ok
    assert "is REQUESTED until" in sent.err
    listed = likeness("request", "list", *where, "--json", stdin=service_token).json
    [request] = [one for one in listed if one["uses"] == ["SWAP_FACE"]]
    assert (request["state"], request["message"]) == ("REQUESTED", None)  # for the person alone
    shown = likeness("request", "show", request["id"], *where, stdin=service_token)
    assert "REQUESTED" in shown.ok
    assert request["id"] in likeness("request", "list", *where, stdin=service_token).ok
    again = likeness("request", "send", *words, *where, stdin=service_token)
    assert again.ok == request["id"]


def test_a_refusal_is_one_line_and_an_exit_code(
    likeness: Likeness, url: str, service_token: str, privacy: Path
) -> None:
    where = ("--url", url, "--token", "-")
    words = ("request", "send", "--notice", str(privacy), "--version", "3")
    unknown = likeness(*words, "--decision", ABSENT, *where, stdin=service_token)
    assert (unknown.code, unknown.out) == (3, "")
    assert unknown.err == "Error: No such decision.\n"
    both = likeness(*words, "--decision", ABSENT, "--subject", ABSENT, *where, stdin=service_token)
    assert both.code == 2
    empty = likeness("request", "list", *where, stdin="\n")
    assert empty.code == 2
    absent = likeness("request", "show", ABSENT, *where, "--json", stdin=service_token)
    assert (absent.code, absent.json["error"]["code"]) == (3, "NOT_FOUND")
    less = likeness("token", "create", "--service", "studio", "--scope", "check").ok
    unscoped = likeness("request", "list", *where, "--json", stdin=less)
    assert (unscoped.code, unscoped.json["error"]["code"]) == (3, "FORBIDDEN")
