from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from api.cli import calibrate, output
from api.cli.output import Failed
from registry import calibrations
from registry.calibrating.study import Study, Taken, measure
from registry.encoders.identity import Condition
from registry.encoders.models import install
from registry.errors import RegistryError
from registry.policy.vocabulary import Modality
from registry.recordings import spoken
from tests.api.cli.conftest import Ended, _in_this_process
from tests.registry.calibrating.made import people

KEPT = Path(__file__).parents[3] / ".likeness"
SAID = [
    (
        "The north wind and the sun were disputing which was the stronger, when a traveller came by"
        " in a cloak. They agreed that whoever took it off him was the stronger one."
    ),
    (
        "Then the north wind blew as hard as he could, but the more he blew, the more closely did"
        " the traveller fold his cloak around him, and at last the wind gave it up."
    ),
]


@pytest.fixture(autouse=True)
def _models(monkeypatch: pytest.MonkeyPatch) -> None:
    output.begin()  # what is called here directly, a command before it may have set to JSON
    install(KEPT / "models", KEPT / "packages")
    monkeypatch.setenv("LIKENESS_MODELS_DIR", str(KEPT / "models"))


def likeness(*arguments: object) -> Ended:
    return _in_this_process(tuple(map(str, arguments)), "")


@pytest.fixture
def faces(photos: dict[str, bytes], tmp_path: Path) -> Path:
    """Three people, one of them with three pictures; a text and a picture of nobody."""
    root = tmp_path / "faces"
    for name, person in (
        ("obama", "president"),
        ("obama2", "president"),
        ("obama3", "president"),
        ("biden", "successor"),
        ("astronaut", "astronaut"),
        ("coffee", "astronaut"),
    ):
        (root / person).mkdir(parents=True, exist_ok=True)
        (root / person / name).write_bytes(photos[name])
    (root / "successor" / "notes.txt").write_text("no picture")
    (root / "groups.csv").write_text("person,group\npresident,men\nsuccessor,men\n")
    return root


def rows(document: dict[str, Any], title: str) -> list[dict[str, str]]:
    return next(one["rows"] for one in document["tables"] if one["title"].startswith(title))


def test_faces_are_measured_and_what_could_not_be_read_is_told(faces: Path, tmp_path: Path) -> None:
    report, plot = tmp_path / "report.md", tmp_path / "plot.png"
    ended = likeness("calibrate", "faces", faces, "--report", report, "--plot", plot)
    assert ended.code == 0, ended.err
    assert "dlib-resnet/1: 3 people, 5 samples of faces" in ended.out
    assert "2 files could not be used in full:" in ended.err
    assert "astronaut/coffee: no face that can be compared" in ended.err
    assert "successor/notes.txt: not a kind of file that is read here" in ended.err
    assert "too few for a calibration" in ended.err
    assert "3 people, 5 samples. 2 more could not be used in full." in report.read_text()
    with Image.open(plot) as image:
        assert image.size[0] > 500


def test_people_and_files_can_be_left_out_and_joined(faces: Path, tmp_path: Path) -> None:
    exclude, same = tmp_path / "exclude.txt", tmp_path / "same.csv"
    exclude.write_text("president/obama3\nastronaut/coffee\nsuccessor/notes.txt\n")
    same.write_text("successor,astronaut\n")
    options = ("--exclude", exclude, "--same", same, "--name", "a few", "--json")
    told = likeness("calibrate", "faces", faces, *options).json
    assert (told["people"], told["samples"], told["data"], told["unread"]) == (2, 4, "a few", [])
    (first, second) = rows(told, "How often it errs")
    assert (first["impostors"], first["genuine"], second["genuine"]) == ("4", "2", "0")


def test_voices_are_measured_wide_and_by_telephone(tmp_path: Path) -> None:
    root = tmp_path / "voices"
    for voice in ("en-us+f3", "en-us+m7"):
        (root / voice).mkdir(parents=True)
        for at, text in enumerate(SAID):
            (root / voice / f"{at}.wav").write_bytes(spoken(text, voice))
    ended = likeness("calibrate", "voices", root, "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert (told["encoder"], told["people"], told["samples"]) == ("campplus/1", 2, 4)
    measured = {
        (row["condition"], row["probe"], row["samples enrolled"])
        for row in rows(told, "How often it errs")
        if row["genuine"] != "0"
    }
    assert {("WIDE", kind, "1") for kind in ("whole", "3 s", "5 s")} <= measured
    assert {("TELEPHONE", kind, "1") for kind in ("whole", "3 s", "5 s")} <= measured


def test_too_few_people_make_no_file(faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.json"
    ended = likeness("calibrate", "faces", faces, "--out", out)
    assert ended.code == 3
    assert "These data are too few for a calibration" in ended.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--encoder", "mine/1"), "There is no encoder mine/1"),
        (("--exclude", "{exclude}"), "there is no nobody"),
        (("--report", "{root}/no/folder.md"), "No such file"),
        (("--plot", "{root}/no/folder.png"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    faces: Path, tmp_path: Path, arguments: tuple[str, str], fault: str
) -> None:
    (tmp_path / "exclude.txt").write_text("nobody")
    given = [one.format(exclude=tmp_path / "exclude.txt", root=faces) for one in arguments]
    ended = likeness("calibrate", "faces", faces, *given)
    assert ended.code == 3
    assert fault in ended.err
    assert len(ended.err.strip().splitlines()) == 1


@pytest.mark.parametrize("what", ["faces", "voices"])
def test_files_that_show_nobody_are_refused(what: str, tmp_path: Path) -> None:
    for person in ("one", "two"):
        (tmp_path / "people" / person).mkdir(parents=True)
        (tmp_path / "people" / person / "file").write_bytes(b"RIFF\0\0\0\0WAVE damaged")
    ended = likeness("calibrate", what, tmp_path / "people")
    assert ended.code == 3
    assert "could be read" in ended.err


@pytest.mark.parametrize("what", ["faces", "voices"])
def test_without_models_one_is_told_how_to_get_them(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_MODELS_DIR", str(tmp_path / "none"))
    ended = likeness("calibrate", what, tmp_path)
    assert ended.code == 4
    assert "likeness models install" in ended.err


def test_the_file_of_a_study_is_one_that_a_registry_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = people(60, 4)
    results, tables = measure([Taken(Condition.PHOTO, samples, {"photo": samples})], {})
    study = Study("mine/1", Modality.FACE, "mine", 60, 240, "note", results, tables)
    out = tmp_path / "mine.json"
    unread = tuple((f"person/{at}", "damaged") for at in range(12))
    calibrate._tell(study, unread, out, None, None)
    loaded = calibrations.load(out)
    assert (loaded.encoder, loaded.data.by) == ("mine/1", "likeness calibrate faces")
    told = capsys.readouterr()
    assert "Least score of each band" in told.out
    assert "and 2 more; --json lists all" in told.err
    with pytest.raises((Failed, RegistryError), match="No such file"):
        calibrate._tell(study, (), tmp_path / "no" / "mine.json", None, None)
