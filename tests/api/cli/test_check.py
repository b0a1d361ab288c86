from pathlib import Path

import pytest

from registry.recordings import spoken
from tests.api.cli.conftest import Likeness, as_a_program, drawn

ASKED = ("--use", "GENERATE_IMAGE", "--purpose", "GAMES")


@pytest.fixture
def granted(likeness: Likeness, anna: str, service_token: str) -> str:
    assert service_token
    grant = likeness(
        "grant", "propose", "--subject", anna, "--service", "studio", "--use", "GENERATE_IMAGE",
        "--purpose", "GAMES", "--ends", "2027-12-31", "--written", "--separate",
    ).ok  # fmt: skip
    assert likeness("grant", "sign", grant).code == 0
    return grant


def test_a_covered_use_may_proceed_until_the_grant_is_revoked(
    likeness: Likeness, url: str, service_token: str, picture: Path, granted: str
) -> None:
    words = ("check", str(picture), *ASKED, "--url", url, "--token", "-")
    go = likeness(*words, stdin=service_token + "\n")
    assert (go.code, go.err) == (0, ""), go.out
    assert "PERMITTED" in go.out
    assert "REPORT_USAGE" in go.out
    assert likeness("grant", "revoke", granted).code == 0
    stop = likeness(*words, stdin=service_token)
    assert stop.code == 1
    assert "PROHIBITED" in stop.out
    assert "STOP" in stop.out


def test_json_is_the_whole_answer_and_its_exit_code_is_the_decision(
    url: str, service_token: str, tmp_path: Path
) -> None:
    stranger = drawn(tmp_path / "stranger.png", 99)
    ended = as_a_program(
        "check", str(stranger), *ASKED, "--url", url, "--token", service_token, "--json",
        "--territory", "JP", "--content", "VIOLENCE", "--name", "No One", "--non-commercial",
    )  # fmt: skip
    assert (ended.code, ended.err) == (1, "")
    assert ended.json["mayProceed"] is False
    assert {"token", "salt", "logIndex", "reasons"} <= set(ended.json)


def test_a_saved_answer_is_whole_and_closed_to_others(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    assert '"salt"' in saved.read_text()


def test_where_no_registry_answers_one_line_says_what_to_do(likeness: Likeness) -> None:
    ended = likeness("check", "--name", "A", *ASKED, "--url", "http://127.0.0.1:9", "--token", "t")
    assert (ended.code, ended.out) == (4, "")
    assert ended.err == (
        "Error: No registry answers at http://127.0.0.1:9. Start one with `make serve`.\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ([], 2, "Say who it is"),
        (["--name", "A", "--url", "registry"], 2, "no address of a registry"),
        (["--name", "A", "--url", "http://[::1"], 2, "no address"),
        (["--name", "A", "--save", "/absent/answer.json"], 2, "There is no folder /absent"),
        (["--name", "A", "--token", " "], 2, "The token is empty"),
        (["--name", "A", "--token", "é"], 2, "characters no token has"),
        (["--name", "A", "--token", "x.y.z"], 3, "The access token does not hold."),
        (["--name", "A", "--territory", "QQ"], 3, "QQ"),
        (["--claim", "x"], 3, "no subject id"),
        (["TEXT"], 3, "text.png: Not a type read here"),
        (["/absent.png"], 2, "/absent.png"),
    ],
)
def test_what_makes_no_sense_is_refused(
    likeness: Likeness,
    url: str,
    service_token: str,
    tmp_path: Path,
    words: list[str],
    code: int,
    why: str,
) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    given = [str(text) if one == "TEXT" else one for one in words]
    ended = likeness("check", *ASKED, "--token", service_token, "--url", url, *given)
    assert (ended.code, ended.out) == (code, "")
    assert why in " ".join(ended.err.replace("│", "").split())


def test_of_a_recording_the_voice_is_asked_about(
    likeness: Likeness, url: str, service_token: str, tmp_path: Path
) -> None:
    recording = tmp_path / "voice.wav"
    recording.write_bytes(spoken("Was this use of my voice consented to by anybody at all?"))
    words = ("check", str(recording), *ASKED, "--url", url, "--token", service_token, "--json")
    ended = likeness(*words)
    assert ended.code == 1
    assert {one["modality"] for one in ended.json["reasons"]} == {"VOICE"}
