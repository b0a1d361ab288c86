"""`likeness import` and `likeness prompt`: lists with bad rows, interrupted and repeated."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import orjson

from registry import figures
from tests.api.cli.conftest import ENVIRONMENT, PROGRAM, Likeness
from tests.registry.listing import called, raw, source

EXAMPLE = Path(__file__).with_name("figures.csv")
HEADING = "name,aliases,born,died,citizenship,domicile,classes,source,id\n"


def as_jsonl(file: Path, rows: list[dict[str, object]]) -> Path:
    file.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    return file


def test_the_example_is_imported_once_and_its_names_are_found(
    likeness: Likeness, url: str, service_token: str, tmp_path: Path
) -> None:
    file = shutil.copy(EXAMPLE, tmp_path / "figures.csv")
    told = likeness("import", "figures", str(file)).ok
    assert told == "4 figures added, 0 changed, 0 as they were; 0 rows left out."
    again = likeness("import", "figures", str(file), "--json").json
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 4)
    assert not list(tmp_path.glob("*.errors.jsonl"))

    words = "请让阿达唱歌, and a photo of sing  sample"
    here = likeness("prompt", words, "--json").json["findings"]
    there = likeness("prompt", words, "--url", url, "--token", service_token, "--json").json
    assert here == there["findings"]
    assert [words[one["start"] : one["end"]] for one in here] == ["阿达", "sing  sample"]
    assert here[0]["name"] == "Ada Example"
    shown = likeness("prompt", "-", stdin="of Hero Muster").ok
    assert "HERO_MARTYR" in shown
    assert "what you make" in shown
    piped = likeness("prompt", words, "--url", url, "--token", "-", stdin=service_token)
    assert "Ada Example" in piped.ok
    assert likeness("prompt", "-", "--token", "-").code == 2
    assert likeness("prompt", "of nobody").ok == "No public figure is named."

    row = ("--source", "example list", "--id", "E4")
    assert likeness("import", "remove", *row).ok == "Liv Living of example list counts no more."
    assert likeness("import", "remove", *row).code == 3
    assert likeness("prompt", "Liv Living").ok == "No public figure is named."
    file = tmp_path / "figures.csv"
    file.write_text(file.read_text("utf-8").replace("2016-04-21", "2016"), "utf-8")
    told = likeness("import", "figures", str(file)).ok
    assert told == "0 figures added, 2 changed, 2 as they were; 0 rows left out."


def test_rows_that_do_not_hold_are_left_out_and_told(likeness: Likeness, tmp_path: Path) -> None:
    name, lists = called(), source()
    good = f"{name},,,,,,PUBLIC_FIGURE,{lists},1\n"
    bad = [
        f"{name},,soon,,,,PUBLIC_FIGURE,{lists},2\n",
        f"{name},,,,,,PUBLIC_FIGURE,{lists},1\n",
        f"{name},,,,,,,{lists},3\n",
        f"{name},,,,,,PUBLIC_FIGURE,{lists},4,more\n",
        f"{name}\n",
    ]
    file = tmp_path / "list.csv"
    broken = HEADING.encode() + good.encode() + "".join(bad).encode()
    file.write_bytes(broken + b"\xff\xfe,,,,,,PUBLIC_FIGURE,x,5\n")
    ended = likeness("import", "figures", str(file), "--json")
    assert ended.code == 0
    assert ended.json["added"] == 1
    assert ended.json["rejected"] == 6
    errors = [orjson.loads(one) for one in Path(ended.json["errors"]).read_bytes().splitlines()]
    assert [one["line"] for one in errors] == [3, 4, 5, 6, 7, 8]
    assert errors[0]["column"] == "born"
    assert "on line 2 already" in errors[1]["reason"]
    said = likeness("import", "figures", str(file)).err
    assert "Line 3: born: A date is a day" in said
    assert "6 rows do not hold" in said

    file.write_text(HEADING + good)
    assert likeness("import", "figures", str(file)).code == 0
    assert not Path(ended.json["errors"]).exists()


def test_at_most_twenty_are_printed_and_all_are_written(likeness: Likeness, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [raw(id=str(at), classes=["FAMOUS"]) for at in range(30)]
    file = as_jsonl(tmp_path / "list.jsonl", rows)
    ended = likeness("import", "figures", str(file))
    assert ended.code == 1
    assert ended.err.count("Line ") == 20
    assert len((tmp_path / "list.jsonl.errors.jsonl").read_bytes().splitlines()) == 30


def test_json_lines_are_read_one_by_one(likeness: Likeness, tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    row = orjson.dumps(raw(aliases=[called()], born=1926, classes=["PERFORMER"]))
    file.write_bytes(b"\n" + row + b"\n[1]\n{broken\n\xff\n")
    ended = likeness("import", "figures", str(file), "--json")
    assert (ended.json["added"], ended.json["rejected"]) == (1, 3)


def test_files_that_are_no_lists_are_refused(likeness: Likeness, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for text in ("", "name,classes,source\n", HEADING.replace("born", "birth"), 'a"b"c,"d\n'):
        file.write_text(text)
        ended = likeness("import", "figures", str(file))
        assert ended.code == 3, text
    file.write_text(HEADING)
    assert "holds no rows" in likeness("import", "figures", str(file)).err
    file.write_text(HEADING + '"x,,,,,,PUBLIC_FIGURE,s,1\n')
    ended = likeness("import", "figures", str(file))
    assert ended.code == 1
    assert "This is no CSV" in ended.err
    assert likeness("import", "figures", str(tmp_path / "none.csv")).code == 2


def test_an_import_that_is_killed_goes_on_where_it_was(
    likeness: Likeness, data_dir: Path, tmp_path: Path
) -> None:
    lists, count = source(), 3 * figures.BATCH
    rows: list[dict[str, object]] = [
        raw(id=str(at), source=lists, name=f"{called()} {at}") for at in range(count)
    ]
    file = as_jsonl(tmp_path / "list.jsonl", rows)
    with subprocess.Popen(
        [*PROGRAM, "import", "figures", str(file), "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as importing:
        until = time.monotonic() + 60
        while importing.poll() is None and time.monotonic() < until:
            found = likeness("prompt", str(rows[0]["name"]), "--json").json["findings"]
            if found:
                importing.send_signal(signal.SIGKILL)
                break
    done = likeness("import", "figures", str(file), "--json").json
    assert done["added"] + done["unchanged"] == count
    assert done["unchanged"] >= figures.BATCH
    assert done["unchanged"] % figures.BATCH == 0  # a batch is on record whole, or not at all
    last = likeness("prompt", str(rows[-1]["name"]), "--json").json["findings"]
    assert [one["name"] for one in last] == [rows[-1]["name"]]


def test_a_server_that_refuses_says_why(likeness: Likeness, url: str, service_token: str) -> None:
    asked = ("prompt", "x" * 2001, "--url", url, "--token")
    refused = likeness(*asked, service_token)
    assert refused.code == 3
    assert "at most 2000 characters" in refused.err.replace(",", "")
    assert likeness(*asked, " ").code == 2
    assert likeness(*asked, "no-token").code == 3
    assert likeness("prompt", "x" * 2001).code == 3
    ours = ("prompt", "x", "--url", "http://127.0.0.1:9", "--token", service_token)
    assert likeness(*ours).code == 4
