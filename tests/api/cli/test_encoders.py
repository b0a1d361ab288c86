from pathlib import Path

from tests.api.cli.conftest import Likeness


def test_the_encoders_in_use_are_listed_with_whom_they_know(likeness: Likeness, anna: str) -> None:
    assert anna
    ended = likeness("encoders", "status")
    assert ended.code == 0
    assert "dlib-resnet/1" in ended.out
    assert "campplus/1" in ended.out
    assert ended.out.count("active") == 2
    assert "(as shipped)" in " ".join(ended.out.split())


def test_as_json_they_are_told_apart_by_their_state(likeness: Likeness, anna: str) -> None:
    assert anna
    encoders = likeness("encoders", "status", "--json").json["encoders"]
    assert [one["id"] for one in encoders] == ["dlib-resnet/1", "campplus/1"]
    assert all(one["state"] == "active" for one in encoders)
    assert all(0 <= one["onlyHere"] <= one["people"] for one in encoders)


def test_without_an_installation_it_says_so(likeness: Likeness, tmp_path: Path) -> None:
    ended = likeness("encoders", "status", data_dir=tmp_path / "none")
    assert ended.code == 4
    assert "There is no installation" in ended.err
