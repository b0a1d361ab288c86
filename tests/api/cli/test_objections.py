from tests.api.cli.conftest import Likeness


def test_an_objection_is_filed_listed_and_withdrawn_once(likeness: Likeness) -> None:
    who = likeness("subject", "add", "--owner", "noa", "--name", "Noa North").ok
    words = ("object", "file", "--subject", who, "--use", "SWAP_FACE", "--key", "once")
    filed = likeness(*words)
    assert "PROVISIONAL" in filed.err
    objection = filed.ok
    assert likeness(*words).ok == objection
    assert objection in likeness("object", "list").ok
    (found,) = likeness("object", "list", "--subject", who, "--json").json["objections"]
    assert found["uses"] == ["SWAP_FACE"]
    assert found["modalities"] is None
    withdrawn = likeness("object", "withdraw", objection, "--json").json
    assert withdrawn["state"] == "WITHDRAWN"
    again = likeness("object", "withdraw", objection)
    assert (again.code, again.err) == (3, f"Error: Objection {objection} is WITHDRAWN.\n")


def test_an_objection_of_somebody_who_was_checked_is_verified(likeness: Likeness) -> None:
    who = likeness("subject", "add", "--owner", "ola", "--name", "Ola Olsen").ok
    filed = likeness("object", "file", "--subject", who, "--verified", "--owner", "ola", "--json")
    assert filed.json["state"] == "VERIFIED"


def test_nobody_objects_for_somebody_elses_subject(likeness: Likeness, anna: str) -> None:
    likeness("token", "create", "--person", "pia")
    for who in (anna, "x"):
        ended = likeness("object", "file", "--subject", who, "--owner", "pia")
        assert (ended.code, ended.err) == (3, "Error: No such subject.\n")
    ended = likeness("object", "withdraw", "x")
    assert (ended.code, ended.err) == (3, "Error: No such objection.\n")
