from pathlib import Path

import httpx2

from tests.api.cli.conftest import Likeness

NUMBER = "网信算备110108000000009260001号"
SET = """
mutation ($input: SetFilingInput!) { setFiling(input: $input) {
  ... on FilingSet { filing { status counts } } ... on Problem { code message } } }
"""


def test_a_number_counts_until_a_list_without_it_is_loaded(
    likeness: Likeness, url: str, tmp_path: Path
) -> None:
    minted = ("token", "create", "--service", "filer", "--scope", "services:write")
    token = likeness(*minted).ok.splitlines()[-1]
    answer = httpx2.post(
        f"{url}/graphql",
        json={"query": SET, "variables": {"input": {"territory": "CN", "number": NUMBER}}},
        headers={"authorization": f"Bearer {token}"},
    ).json()
    assert answer["data"]["setFiling"] == {"filing": {"status": "FORMAT_OK", "counts": True}}
    assert likeness("filing", "show", "filer", "--json").json["filings"][0]["counts"] is True

    listed = tmp_path / "list.csv"
    listed.write_text("网信算备330110507206401230035号,somebody else\n\n", encoding="utf-8-sig")
    words = ("filing", "load-list", "CN", str(listed), "--source", "Notice of today")
    assert likeness(*words).ok == "1 numbers of CN are on record."
    assert likeness(*words).ok == "This list of CN speaks already."
    assert "FORMAT_OK" in likeness("filing", "show", "filer").ok
    assert likeness("filing", "show", "filer", "--json").json["filings"][0]["counts"] is False

    listed.write_text(NUMBER, encoding="utf-8")
    assert likeness(*words, "--json").json["loaded"] is True
    [found] = likeness("filing", "show", "filer", "--json").json["filings"]
    assert (found["status"], found["counts"]) == ("LIST_VERIFIED", True)


def test_lists_that_make_no_sense_are_refused(likeness: Likeness, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(b"\xff\xfe\xfd")
    words = ("filing", "load-list", "CN", str(file), "--source", "x")
    assert "no UTF-8 text" in likeness(*words).err
    file.write_text("")
    assert "1 to 200000 numbers" in likeness(*words).err
    file.write_text("n" * 101)
    assert "at most 100 printable" in likeness(*words).err
    file.write_text("1")
    assert "does not exist" in likeness("filing", "load-list", "QQ", *words[3:]).err
    assert likeness("filing", "load-list", "CN", str(tmp_path / "none")).code == 2
    with file.open("wb") as large:
        large.truncate(33 * 2**20)
    assert "over 32 MiB" in likeness(*words).err
    assert likeness("filing", "show", "nobody").code == 3
