"""`likeness enroll` and `likeness sample`: judged against everybody, file by file.

The encoders stand aside here: a file says who is in it, and a person's vectors lie close together.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from registry.encoders.identity import FACE, FACE_DIMENSIONS
from registry.encoders.media import MediaEncoding, MediaWorkers
from registry.encoders.targets import Box, FaceTarget
from tests.api.cli.conftest import Likeness, drawn

Photo = Callable[..., Path]
ABSENT = "0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10"


def vector(who: str, shot: str) -> bytes:
    """Two shots of one person have a cosine of 0.99; two people one of about 0."""
    base, noise = (
        np.random.default_rng(
            int.from_bytes(hashlib.sha256(one.encode()).digest()[:8])
        ).standard_normal(FACE_DIMENSIONS)
        for one in (who, who + shot)
    )
    made = base / np.linalg.norm(base) + 0.1 * noise / np.linalg.norm(noise)
    return (made / np.linalg.norm(made)).astype("<f4").tobytes()


def encoding(data: bytes) -> MediaEncoding:
    """What the encoders would make of a file that says "anna 1; kim 2"."""
    faces = tuple(
        FaceTarget(
            box=Box(200 * place, 0, 100, 100),
            seconds=None,
            trouble="The face is too small." if "small" in who else None,
            vectors={} if "small" in who else {FACE: vector(*who.split())},
        )
        for place, who in enumerate(data.decode().split("; "))
    )
    return MediaEncoding(
        kind="image", media_type="image/png", sha256=hashlib.sha256(data).digest(),
        faces=faces, faces_searched=True, enrolling=True,
    )  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Photo:
    async def encode(_: MediaWorkers, data: bytes, *, enrolling: bool = False) -> MediaEncoding:
        assert enrolling
        return encoding(data)

    monkeypatch.setattr(MediaWorkers, "encode", encode)

    def write(*people: str) -> Path:
        file = tmp_path / f"{'-'.join(people)}.png".replace(" ", "")
        file.write_text("; ".join(people))
        return file

    return write


@pytest.fixture
def person(likeness: Likeness) -> Callable[[str], str]:
    def add(name: str) -> str:
        words = ("--owner", name, "--name", name, "--born", "1985-03-03", "--verified")
        return likeness("subject", "add", *words).ok

    return add


def states(likeness: Likeness, subject: str) -> list[str]:
    return [one["state"] for one in likeness("sample", "list", subject, "--json").json["samples"]]


def test_every_file_becomes_a_sample(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject = person("una")
    files = [str(photo(f"una {shot}")) for shot in (1, 2, 3)]
    shown = likeness("enroll", subject, *files, "--owner", "una").ok
    assert shown.count("ENROLLED") == 3
    assert states(likeness, subject) == ["ENROLLED"] * 3
    listed = likeness("sample", "list", subject, "--owner", "una").ok
    assert listed.count("FACE") == 3


def test_one_bad_file_stops_no_other(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject = person("vera")
    files = [str(one) for one in (photo("vera small"), photo("vera 1"), photo("vera 2", "kim 1"))]
    ended = likeness("enroll", subject, *files, "--json")
    assert ended.code == 3
    small, good, two = ended.json["samples"]
    assert small["error"] == {"code": "MEDIA_UNREADABLE", "message": "The face is too small."}
    assert (good["state"], good["modality"]) == ("ENROLLED", "FACE")
    assert two["error"]["code"] == "INVALID"
    assert "2 faces" in two["error"]["message"]
    assert states(likeness, subject) == ["ENROLLED"]


def test_a_box_chooses_in_one_picture(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject = person("wanda")
    assert likeness("enroll", subject, str(photo("wanda 1"))).code == 0
    crowd = str(photo("xara 1", "wanda 2"))
    assert "ENROLLED" in likeness("enroll", subject, crowd, "--box", "200,0,100,100").ok
    for box, files in (("1,2,3", [crowd]), ("a,b,c,d", [crowd]), ("0,0,9,9", [crowd, crowd])):
        assert likeness("enroll", subject, *files, "--box", box).code == 2
    missed = likeness("enroll", subject, crowd, "--box", "900,900,9,9", "--json")
    assert missed.code == 3
    assert "No face is in this box" in missed.json["samples"][0]["error"]["message"]


def test_a_sample_of_somebody_else_waits_for_the_operator(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    una, vera = person("yara"), person("zoe")
    likeness("enroll", una, str(photo("yara 1")))
    likeness("enroll", vera, str(photo("zoe 1")))
    near = likeness("enroll", vera, str(photo("yara 2")), "--json").json["samples"][0]
    far = likeness("enroll", vera, str(photo("nobody 1")), "--json").json["samples"][0]
    assert (near["state"], far["state"]) == ("IN_REVIEW", "IN_REVIEW")
    waiting = {one["id"]: one for one in likeness("sample", "held", "--json").json["samples"]}
    assert waiting[near["id"]]["heldFor"] == "HOLD_NEAR_OTHERS"
    assert waiting[far["id"]]["heldFor"] == "HOLD_FAR_FROM_OWN"
    shown = likeness("sample", "held").ok
    assert "resembles somebody else" in shown
    assert "unlike the subject's others" in shown
    assert likeness("sample", "refuse", near["id"], "--reason", "not zoe").code == 0
    assert likeness("sample", "release", far["id"]).ok == f"Sample {far['id']} is ENROLLED."
    assert states(likeness, vera) == ["ENROLLED", "REFUSED", "ENROLLED"]
    left = {one["id"] for one in likeness("sample", "held", "--json").json["samples"]}
    assert not left & {near["id"], far["id"]}
    assert likeness("sample", "release", far["id"]).code == 3


def test_a_sample_that_could_be_anybody_is_refused(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    for name in ("ann", "ben", "cat", "dan"):
        twin = likeness("enroll", person(name), str(photo(f"everybody {name}")), "--json")
        held = twin.json["samples"][0]
        if held["state"] == "IN_REVIEW":
            likeness("sample", "release", held["id"])
    refused = likeness("enroll", person("eve"), str(photo("everybody eve")))
    assert refused.code == 3
    assert "Send another one" in refused.out
    assert not any(name in refused.out for name in ("ann", "ben", "cat", "dan "))


def test_a_sample_is_taken_back_by_its_owner_only(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject, _ = person("fay"), person("gus")
    enrolled = likeness("enroll", subject, str(photo("fay 1")), "--json").json["samples"][0]
    for words in (
        ("sample", "retire", enrolled["id"], "--owner", "gus"),
        ("sample", "retire", ABSENT, "--owner", "gus"),
        ("sample", "retire", "nonsense"),
    ):
        ended = likeness(*words)
        assert (ended.code, ended.err) == (3, "Error: No such sample.\n")
    retired = likeness("sample", "retire", enrolled["id"], "--owner", "fay", "--reason", "mine")
    assert retired.ok == f"Sample {enrolled['id']} is RETIRED."
    assert states(likeness, subject) == ["RETIRED"]
    assert likeness("sample", "retire", enrolled["id"]).code == 3


def test_nobody_enrols_for_anothers_subject(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject, _ = person("hal"), person("ivy")
    for words in (
        ("enroll", subject, str(photo("hal 1")), "--owner", "ivy"),
        ("enroll", ABSENT, str(photo("hal 1"))),
        ("enroll", "nonsense", str(photo("hal 1"))),
        ("sample", "list", subject, "--owner", "ivy"),
    ):
        ended = likeness(*words)
        assert (ended.code, ended.err) == (3, "Error: No such subject.\n")


def test_the_same_key_enrols_a_file_once(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> None:
    subject = person("jan")
    words = ("enroll", subject, str(photo("jan 1")), str(photo("jan 2")), "--key", "first day")
    once, twice = likeness(*words, "--json").json, likeness(*words, "--json").json
    assert once == twice
    assert states(likeness, subject) == ["ENROLLED", "ENROLLED"]


def test_without_models_it_says_so(
    likeness: Likeness,
    person: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_MODELS_DIR", str(tmp_path / "none"))
    ended = likeness("enroll", person("lea"), str(drawn(tmp_path / "lea.png", 5)), "--json")
    assert ended.code == 4
    assert "the models are not installed" in ended.json["samples"][0]["error"]["message"]


def test_what_is_no_photograph_is_refused_by_the_real_decoder(
    likeness: Likeness, person: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "words.txt"
    file.write_text("I am a face.")
    ended = likeness("enroll", person("mel"), str(file), "--json")
    assert ended.code == 3
    assert ended.json["samples"][0]["error"]["code"] == "UNSUPPORTED"
