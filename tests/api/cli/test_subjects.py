from pathlib import Path

import pytest
from PIL import Image

from tests.api.cli.conftest import Likeness, drawn


def test_a_person_is_put_on_record_shown_and_found_by_any_name(likeness: Likeness) -> None:
    id = likeness(
        "subject", "add", "--owner", "kim", "--name", "Kim Young", "--alias", "DJ Young",
        "--born", "2012-06-01",
    ).ok  # fmt: skip
    shown = likeness("subject", "show", id, "--json").json
    assert shown["name"] == "Kim Young"
    assert shown["birthDate"] == "2012-06-01"
    assert shown["registration"] == "PROVISIONAL"
    assert "Kim Young" in likeness("subject", "show", id).ok
    found = likeness("subject", "list", "--name", "dj  young", "--json").json
    assert [one["id"] for one in found["subjects"]] == [id]
    assert id in likeness("subject", "list", "--owner", "kim").ok


def test_the_same_key_makes_nobody_twice(likeness: Likeness) -> None:
    words = ("subject", "add", "--owner", "lou", "--name", "Lou Reid", "--key", "once")
    assert likeness(*words).ok == likeness(*words).ok
    other = likeness(*words, "--alias", "Louis")
    assert other.code == 3
    assert "idempotency key" in other.err


def test_an_owner_sees_their_own_subjects_only(likeness: Likeness, anna: str) -> None:
    mine = likeness("subject", "add", "--owner", "mia", "--name", "Mia Moss").ok
    listed = likeness("subject", "list", "--owner", "mia", "--json").json["subjects"]
    assert [one["id"] for one in listed] == [mine]
    hidden = likeness("subject", "show", anna, "--owner", "mia")
    assert (hidden.code, hidden.err) == (3, "Error: No such subject.\n")


def test_a_page_says_that_there_is_more(likeness: Likeness, anna: str) -> None:
    likeness("subject", "add", "--name", "Second Person")
    first = likeness("subject", "list", "--first", "1", "--json").json
    assert first["more"] is True
    last = first["subjects"][0]["id"]
    told = likeness("subject", "list", "--first", "1")
    assert f"--after {last}" in told.err
    rest = likeness("subject", "list", "--after", last, "--json").json["subjects"]
    assert last not in [one["id"] for one in rest]
    assert anna


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--name", " "], 3, "printable characters"),
        (["--name", "A", "--born", "2999-01-01"], 3, "not in the future"),
        (["--name", "A", "--born", "soon"], 2, "born"),
        (["--name", "A", "--owner", "studio"], 3, "has no subjects"),
        ([], 2, "name"),
    ],
)
def test_who_cannot_be_put_on_record(
    likeness: Likeness, service_token: str, words: list[str], code: int, why: str
) -> None:
    assert service_token
    ended = likeness("subject", "add", *words)
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err


def test_an_account_that_does_not_exist_is_said_with_a_way_to_open_it(likeness: Likeness) -> None:
    ended = likeness("subject", "list", "--owner", "nobody")
    assert ended.code == 3
    assert "likeness token create --person nobody" in ended.err


def test_pictures_are_registered_all_or_none(likeness: Likeness, anna: str, tmp_path: Path) -> None:
    good = [str(drawn(tmp_path / f"{seed}.png", seed)) for seed in (11, 12)]
    words = ("subject", "picture", anna, *good, "--key", "pictures", "--json")
    made = likeness(*words).json["assets"]
    assert len(set(made)) == 2
    assert likeness(*words).json["assets"] == made
    flat, text = tmp_path / "flat.png", tmp_path / "text.png"
    Image.new("L", (64, 64)).save(flat)
    text.write_text("hello")
    for bad, why in ((flat, "too uniform"), (text, "Not a type read here")):
        ended = likeness("subject", "picture", anna, good[0], str(bad))
        assert (ended.code, ended.out) == (3, "")
        assert f"{bad.name}: " in ended.err
        assert why in ended.err


def test_a_picture_of_somebody_elses_subject_is_refused(
    likeness: Likeness, anna: str, picture: Path
) -> None:
    likeness("token", "create", "--person", "mia")
    ended = likeness("subject", "picture", anna, str(picture), "--owner", "mia")
    assert (ended.code, ended.err) == (3, "Error: No such subject.\n")


def test_somebody_is_put_on_record_by_links_alone(likeness: Likeness) -> None:
    link = "https://example.org/@me"
    added = likeness("subject", "add", "--link", link, "--json")
    assert added.code == 0
    shown = likeness("subject", "show", added.json["id"])
    assert f"Link          {link}" in shown.out
    assert added.json["links"] == [link]
    assert added.json["registration"] == "PROVISIONAL"
