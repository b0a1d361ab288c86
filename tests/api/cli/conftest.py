"""A registry that serves, and the command line beside it on the same data folder."""

import contextlib
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image

from api.cli.main import run

PROGRAM = [sys.executable, "-c", "from api.cli.main import run; run()"]
ENVIRONMENT = {name: one for name, one in os.environ.items() if not name.startswith("LIKENESS_")}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)

    @property
    def ok(self) -> str:
        """Standard output of a command that did what it was asked."""
        assert self.code == 0, self.err
        return self.out.strip()


Likeness = Callable[..., Ended]


def _in_this_process(arguments: tuple[str, ...], stdin: str) -> Ended:
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(stdin)
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            run(arguments)
    finally:
        sys.stdin = before
    code = ended.value.code
    assert isinstance(code, int)
    return Ended(code, out.getvalue(), err.getvalue())


def as_a_program(*arguments: str, data_dir: Path | None = None, stdin: str = "") -> Ended:
    """The console script in a process of its own."""
    more = {} if data_dir is None else {"LIKENESS_DATA_DIR": str(data_dir)}
    ended = subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        env=ENVIRONMENT | more,
        timeout=120,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the database's account can reach, with a short name for its socket."""
    made = Path(tempfile.mkdtemp(prefix="lk-cli-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def url(folder: Path) -> Iterator[str]:
    """Where `likeness serve` answers; it also runs the database that commands attach to."""
    errors = folder / "serve.err"
    with (
        errors.open("w") as log,
        subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", "--data-dir", str(folder / "data")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=ENVIRONMENT,
        ) as server,
    ):
        assert server.stdout is not None
        said = server.stdout.readline()
        assert "http://" in said, errors.read_text()
        yield said.split()[3]
        server.terminate()


@pytest.fixture(scope="session")
def data_dir(url: str, folder: Path) -> Path:
    """The folder of the registry that serves."""
    assert url
    return folder / "data"


@pytest.fixture(scope="session")
def likeness(data_dir: Path) -> Iterator[Likeness]:
    """Run a command on that registry. In a thread, where no event loop runs."""
    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:

        def invoke(*arguments: str, stdin: str = "", data_dir: Path = data_dir) -> Ended:
            with patch.context() as settings:
                settings.setenv("LIKENESS_DATA_DIR", str(data_dir))
                return thread.submit(_in_this_process, arguments, stdin).result()

        yield invoke


def drawn(file: Path, seed: int) -> Path:
    """A picture unlike that of any other seed."""
    chosen = random.Random(seed)  # noqa: S311  # a picture, not a secret
    image = Image.new("L", (16, 16))
    image.putdata([chosen.randrange(256) for _ in range(256)])
    image.resize((256, 256)).save(file)
    return file


@pytest.fixture(scope="session")
def picture(folder: Path) -> Path:
    return drawn(folder / "portrait.png", 1)


@pytest.fixture(scope="session")
def service_token(likeness: Likeness) -> str:
    """Of a service under contract that supports every duty of pack ZZ."""
    duties = ("LABEL_EXPLICIT", "LABEL_MACHINE_READABLE", "REPORT_USAGE")
    supports = [word for duty in duties for word in ("--supports", duty)]
    return likeness("token", "create", "--service", "studio", "--tier", "2", *supports).ok


@pytest.fixture(scope="session")
def anna(likeness: Likeness, picture: Path) -> str:
    """A verified subject with a registered picture."""
    words = ("--name", "Anna Adams", "--born", "1985-03-03", "--verified")
    id = likeness("subject", "add", "--owner", "anna", *words).ok
    assert likeness("subject", "picture", id, str(picture)).code == 0
    return id


@pytest.fixture(scope="session")
def saved(
    likeness: Likeness, url: str, service_token: str, picture: Path, anna: str, folder: Path
) -> Path:
    """An answer as `likeness check --save` keeps it."""
    assert anna
    file = folder / "decision.json"
    asked = likeness("check", str(picture), "--use", "SWAP_FACE", "--purpose", "GAMES",
                     "--url", url, "--token", service_token, "--save", str(file))  # fmt: skip
    assert asked.code == 1, asked.err
    return file
