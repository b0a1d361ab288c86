from datetime import date, timedelta

import pytest

from tests.api.cli.conftest import Likeness

ABSENT = "00000000-0000-7000-8000-00000000dead"
WHY = ("--source", "Register, page 1")


def _person(likeness: Likeness, born: str) -> str:
    return likeness("subject", "add", "--name", "Somebody", "--born", born, "--verified").ok


def test_a_guardian_is_named_and_signs_in_their_own_right(likeness: Likeness) -> None:
    child = _person(likeness, "2019-01-01")
    likeness("token", "create", "--person", "mother").ok  # noqa: B018  # opens the account
    named = likeness(
        "attest", "representative", child, "--role", "GUARDIAN", "--person", "mother", *WHY
    )
    assert "may act as GUARDIAN" in named.ok
    brief = ("--ends", (date.today() + timedelta(days=90)).isoformat())  # noqa: DTZ011  # any day
    grant = likeness("grant", "propose", "--subject", child, "--use", "LIP_SYNC", *brief).ok
    refused = likeness("grant", "sign", grant, "--role", "AGENT", "--owner", "mother")
    assert "not a verified AGENT" in refused.err
    signed = likeness("grant", "sign", grant, "--role", "GUARDIAN", "--owner", "mother")
    assert signed.ok == f"Grant {grant} is ACTIVE."


def test_a_death_and_the_heirs_are_put_on_record(likeness: Likeness) -> None:
    singer = _person(likeness, "1940-01-01")
    heir = ("attest", "representative", singer, "--role", "RIGHTS_HOLDER", "--name", "A daughter")
    assert "record the death first" in likeness(*heir, *WHY).err
    died = likeness(
        "attest", "death", singer, "--on", "2010-06-01", "--domicile", "DE", "--relatives", *WHY
    )
    assert "is on record" in died.ok
    assert likeness(*heir, "--kinship", "CHILD", "--share", "0.6", *WHY, "--json").json["id"]
    assert "more than the whole" in likeness(*heir, "--share", "0.5", *WHY).err
    assert "CLASS" not in likeness("attest", "class", singer, "PERFORMER", *WHY).err
    assert "is on record" in likeness("attest", "residence", singer, "FR", *WHY).ok


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["death", ABSENT], 3, "No such subject."),
        (["death", "x"], 3, "No such subject."),
        (["death", "ANNA", "--on", "1800-01-01"], 3, "before they are born"),
        (["death", "ANNA", "--on", "2190-01-01"], 3, "not in the future"),
        (["death", "ANNA", "--domicile", "QQ"], 3, "does not exist"),
        (["class", "ANNA", "MINOR"], 3, "is derived"),
        (["class", "ANNA", "SINGER"], 2, "SINGER"),
        (["residence", "ANNA", "QQ"], 3, "does not exist"),
        (["representative", "ANNA", "--role", "GUARDIAN", "--name", "x"], 3, "of age"),
        (["representative", "ANNA", "--role", "SELF", "--name", "x"], 3, "sign as SELF"),
        (["representative", "ANNA", "--role", "AGENT"], 3, "Give --person"),
        (["representative", "ANNA", "--role", "AGENT", "--person", "nobody"], 3, "no account"),
        (["representative", "ANNA", "--role", "AGENT", "--name", "x", "--ends", "2001-01-01"], 3,
         "ends in the future"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    likeness: Likeness, anna: str, words: list[str], code: int, why: str
) -> None:
    ended = likeness("attest", *[anna if one == "ANNA" else one for one in words], *WHY)
    assert ended.code == code
    assert why in ended.err
