import pytest

from tests.api.cli.conftest import Likeness

ABSENT = "00000000-0000-7000-8000-00000000dead"


def test_a_grant_is_proposed_signed_listed_and_revoked(
    likeness: Likeness, anna: str, service_token: str
) -> None:
    assert service_token
    proposed = likeness(
        "grant", "propose", "--subject", anna, "--service", "studio", "--modality", "FACE",
        "--use", "GENERATE_IMAGE", "--purpose", "GAMES", "--territory", "EU",
        "--ends", "2099-01-01", "--written", "--separate",
    )  # fmt: skip
    grant = proposed.ok
    assert f"likeness grant sign {grant}" in proposed.err
    signed = likeness("grant", "sign", grant)
    assert signed.ok == f"Grant {grant} is PENDING."
    assert "It takes effect on" in signed.err  # 72 years are long: it cools off
    listed = likeness("grant", "list", "--subject", anna, "--state", "PENDING", "--json").json
    (found,) = [one for one in listed["grants"] if one["id"] == grant]
    assert found["uses"] == ["GENERATE_IMAGE"]
    assert found["territories"] == ["EU"]
    assert found["endsAt"].startswith("2099-01-01T00:00:00")
    assert grant in likeness("grant", "list").ok
    ended = likeness("grant", "revoke", grant, "--reason", "over", "--json").json
    assert ended["state"] == "REVOKED"
    again = likeness("grant", "revoke", grant)
    assert (again.code, again.err) == (3, f"Error: Grant {grant} is REVOKED.\n")


def test_the_same_key_proposes_nothing_twice(likeness: Likeness, anna: str) -> None:
    words = ("grant", "propose", "--subject", anna, "--use", "LIP_SYNC", "--key", "once")
    assert likeness(*words).ok == likeness(*words).ok
    assert likeness(*words, "--written").code == 3


def test_an_unidentified_signer_signs_nothing(likeness: Likeness, anna: str) -> None:
    grant = likeness("grant", "propose", "--subject", anna, "--owner", "anna").ok
    ended = likeness("grant", "sign", grant, "--ial", "1", "--owner", "anna")
    assert ended.code == 3
    assert "identity assurance 2" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["propose", "--subject", "x"], 3, "No such subject."),
        (["propose", "--subject", ABSENT], 3, "No such subject."),
        (["propose", "--subject", "ANNA", "--territory", "QQ"], 3, "QQ"),
        (["propose", "--subject", "ANNA", "--ends", "2001-01-01"], 3, "ends in the future"),
        (["propose", "--subject", "ANNA", "--service", "operator"], 3, "not a SERVICE"),
        (["propose", "--subject", "ANNA", "--service", "nobody"], 3, "no account named nobody"),
        (["propose", "--subject", "ANNA", "--use", "DANCE"], 2, "DANCE"),
        (["propose"], 2, "subject"),
        (["sign", ABSENT], 3, "No such grant."),
        (["revoke", "x"], 3, "No such grant."),
        (["list", "--state", "GONE"], 2, "GONE"),
        (["list", "--first", "101"], 2, "less than or equal to 100"),
    ],
)
def test_what_makes_no_sense_is_refused(
    likeness: Likeness, anna: str, words: list[str], code: int, why: str
) -> None:
    ended = likeness("grant", *[anna if one == "ANNA" else one for one in words])
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err
