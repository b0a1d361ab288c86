"""The demonstration is run as a reader runs it; its guards are made to fail."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from api.cli.demo import ENGINE_OUTCOMES, judge
from api.cli.demonstration import folder, journeys, server
from api.cli.demonstration.accounts import Account
from api.cli.demonstration.browser import Browser, Page, forms_in
from api.cli.demonstration.client import RefusedError, Told
from api.cli.demonstration.folder import MARKER
from api.cli.demonstration.journeys import Kept
from api.cli.demonstration.protected import FILED
from api.cli.demonstration.scene import Scene, answer
from api.cli.demonstration.table import WIDTH, Played, Screen
from api.cli.output import Failed
from registry.embedded.lock import Lock
from registry.errors import SetupError

OURS = Path(__file__).resolve().parents[3] / ".likeness"
LIKENESS = (sys.executable, "-c", "from api.cli.main import run; run()")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that the database's account can reach."""
    made = Path(tempfile.mkdtemp(prefix="likeness-demo-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def demo(photos: dict[str, bytes]) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """What a run of another seed left, and what it said."""
    assert photos  # the packages are there
    made = Path(tempfile.mkdtemp(prefix="likeness-demo-"))
    made.chmod(0o711)
    folders = {
        "--data-dir": made / "demo",
        "--packages-dir": OURS / "packages",
        "--models-dir": OURS / "models",
    }
    options = [str(part) for one in folders.items() for part in one]
    done = subprocess.run(
        [*LIKENESS, "demo", "--seed", "20261122", *options],
        env={**os.environ, "LIKENESS_PORT": "1", "LIKENESS_DATABASE_URL": "postgresql://nowhere/"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    yield made / "demo", done
    shutil.rmtree(made)


def test_another_seed_gives_another_run_in_which_every_answer_is_as_it_must_be(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    data_dir, done = demo
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    shown = [line.rstrip() for line in done.stdout.splitlines()]
    folders_of_ours = (str(data_dir), str(OURS))
    widest = [line for line in shown if not any(one in line for one in folders_of_ours)]
    assert max(map(len, widest)) <= WIDTH
    answers = [one[1] for line in shown if (one := re.search(r"  +([A-Z_]{7,16}) +[A-Z_]+$", line))]
    assert len(answers) >= 40
    assert set(answers) >= ENGINE_OUTCOMES
    assert done.stderr == ""  # the models were there
    for refusal in ("choose one with a box", "No face was found.", "at least 1.5 s are needed"):
        assert refusal in " ".join(done.stdout.split())
    assert re.search(r"CPU per check +\d+\.\d ms", done.stdout)
    for media in ("Photo", "5 s of voice"):
        assert re.search(rf"{media} to decision +\d+ ms; CPU \d+ ms", done.stdout)
    assert re.search(r"Peak memory of a media worker +\d+ MiB", done.stdout)
    assert "One character changed  refused" in done.stdout
    pid = int(re.findall(r"runs as process (\d+)", done.stdout)[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    token = data_dir / "try" / "token"
    assert token.read_text().count(".") == 2
    assert token.parent.stat().st_mode & 0o077 == 0


def test_what_it_says_last_opens_the_pages_of_its_data(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    data_dir, done = demo
    invitation = done.stdout.partition("The web pages,")[2]
    said = dict(re.findall(r"(?m)^ *([A-Za-z][A-Za-z ]+?)  +(\S+) *$", invitation))
    kept = Kept(said["case number"], said["PIN"])
    service = Account(UUID(said["client id"]), "", "", said["client secret"])
    reviewer = Account(UUID(int=0), "", Path(said["access token"]).read_text().strip())

    with server.running(data_dir, OURS / "models") as running:
        url = running.url
        with journeys.case(url, kept) as browser:
            case = browser.open("/case")
            for found in ("Every use of voice", "A photo of your face", "somebody@example.org"):
                assert found in case.html
            letter = browser.open(case.first(r'href="(/case/reports/[^"]+)"'))
            assert "https://video.example/1" in letter.first(r"(?s)<pre.*?>(.*)</pre>")
        with journeys.service(url, service) as browser:
            page = browser.open("/service")
            assert len(page.find(r'href="/service/decisions/')) > 5
            assert FILED in page.html
        with journeys.desk(url, reviewer) as browser:
            for kind in ("MISUSE", "LOST_PIN", "SUSPICIOUS_ENROLMENT"):
                assert journeys.waiting(browser, kind), kind
            assert browser.open("/desk?whose=DECIDED").find(r'href="/desk/[0-9a-f-]+"')


def test_a_form_is_filled_in_as_a_browser_would_send_it() -> None:
    [form] = forms_in(
        """<form action="/search"><input name="q"></form>
        <form method="post" action="/go">
        <input type="hidden" name="token" value="a&amp;b"><input name="name" value="">
        <input type="radio" name="one" value="1"><input type="radio" name="one" value="2" checked>
        <input type="checkbox" name="no" value="yes"><input type="file" name="file">
        <textarea name="words">two
        lines</textarea><textarea name="none"></textarea>
        <select name="place"><option value="a">A</option><option value="b" selected>B</option>
        </select><select name="first"><option value="c">C</option><option value="d">D</option>
        </select><button type="submit" name="button" value="b">Go</button></form>
        <input name="outside" value="x">"""
    )
    assert form.action == "/go"
    filled = [(name, " ".join(value.split())) for name, value in form.values]
    assert filled == [
        ("token", "a&b"),
        ("name", ""),
        ("one", "2"),
        ("words", "two lines"),
        ("none", ""),
        ("place", "b"),
        ("first", "c"),
    ]


def test_a_page_that_is_not_as_it_must_be_stops_a_journey_and_says_what_is_wrong() -> None:
    html = '<div class="notice bad"><p><strong>Not sent.</strong> It&#39;s late.</p></div>'
    with pytest.raises(RefusedError, match=r"/object, HTTP 422: Not sent\. It's late\."):
        Page(422, "/object", "", html).first("<dd>(.*)</dd>")
    with Browser("http://127.0.0.1:1") as browser, pytest.raises(RefusedError, match="No form /go"):
        browser.send("/go")


def test_a_server_that_does_not_start_is_shown_with_the_end_of_its_log(
    reachable: Path, photos: dict[str, bytes]
) -> None:
    assert photos
    data_dir = reachable / "demo"
    folder.prepare(data_dir)
    program = (
        "from pathlib import Path; from api.cli.demonstration import folder, server\n"
        f"path = Path({str(data_dir)!r})\n"
        "(path / 'keys').write_text('in the way')\n"
        "with server.running(path, path): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert f"The end of {data_dir / 'server.log'}" in done.stderr
    assert "keys" in done.stderr.rpartition("The end of")[2]


def test_a_folder_that_no_demonstration_made_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("mine")
    with pytest.raises(SetupError, match="not emptied"):
        folder.prepare(tmp_path)
    assert (tmp_path / "letters").read_text() == "mine"


def test_a_link_is_not_followed_to_a_folder_to_empty(tmp_path: Path) -> None:
    target = tmp_path / "target"
    folder.prepare(target)
    (target / "letters").write_text("mine")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(SetupError, match="not a folder"):
        folder.prepare(tmp_path / "link")
    assert (target / "letters").exists()


def test_the_demonstrations_own_folder_is_emptied_but_not_what_it_links_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "letters").write_text("mine")
    demo = tmp_path / "demo"
    folder.prepare(demo)
    (demo / "keys").mkdir()
    (demo / "keys" / "master.key").write_text("old")
    (demo / "link").symlink_to(elsewhere)

    folder.prepare(demo)

    assert [one.name for one in demo.iterdir()] == [MARKER]
    assert (elsewhere / "letters").exists()


def test_a_folder_that_is_served_is_not_emptied(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    served = Lock(tmp_path / "postgres.lock")
    assert served.acquire() is None
    with pytest.raises(SetupError, match=f"Process {os.getpid()} serves this folder"):
        folder.prepare(tmp_path)
    assert (tmp_path / "postgres.lock").exists()
    served.release()
    folder.prepare(tmp_path)
    assert not (tmp_path / "postgres.lock").exists()


def played(expected: Told, told: Told) -> Played:
    return Played("Part", Scene("Title", "photo", expected, lambda _: told), told)


EVERY_OUTCOME = [played(answer(one), answer(one)) for one in sorted(ENGINE_OUTCOMES)]


@pytest.mark.parametrize(
    "told",
    [answer("UNKNOWN", "NO_MATCH"), answer("PERMITTED", "GRANT", "EXTRA"), answer("UNKNOWN")],
)
def test_an_answer_that_is_another_fails_the_run_and_says_which(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = played(answer("PERMITTED", "GRANT"), told)
    with pytest.raises(Failed) as failure:
        judge(Screen(), [*EVERY_OUTCOME, wrong])
    assert failure.value.exit_code == 1
    shown = capsys.readouterr().out
    assert "expected PERMITTED GRANT" in shown
    assert f"got      {told.outcome}" in shown


def test_a_run_without_one_of_the_outcomes_fails() -> None:
    judge(Screen(), EVERY_OUTCOME)
    with pytest.raises(Failed, match=EVERY_OUTCOME[0].told.outcome):
        judge(Screen(), EVERY_OUTCOME[1:])
