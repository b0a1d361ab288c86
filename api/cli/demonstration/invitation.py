"""What the demonstration says last: where the pages are, and with what one signs in to them."""

from pathlib import Path
from shutil import which

from api.cli.demonstration import documents, folder
from api.cli.demonstration.accounts import REVIEWER
from api.cli.demonstration.souvenir import Souvenir
from api.cli.demonstration.table import Screen
from registry.settings import Settings


def invite(screen: Screen, left: Souvenir, url: str | None) -> None:
    """Say how to go on. `url`: of the server that runs on; None if it is to be started again."""
    address = url or _default_address()
    screen.heading("The web pages, with what was played in them")
    if url is None:
        screen.say(f"{_serve(left.data_dir)} serves them:")
    screen.pairs(_doors(left, address))
    screen.say("The reviewer's access token is in that file and lives for 24 hours. Another one:")
    screen.say(f'{_likeness()} token create --reviewer "{REVIEWER}" --data-dir {left.data_dir}')
    screen.heading("The same for programs")
    screen.say(f"curl -H @{left.header} -H 'content-type: application/json' \\")
    screen.say(f"  -d @{left.question} {address}/graphql")
    screen.say(f"curl -H @{left.header} --data-binary @{left.photo} \\")
    screen.say(f"  {address}/v1/media")
    screen.say(f"The access token in {left.token} lives for 24 hours. The first command asks:")
    screen.say(documents.TRY_CHECK.strip())


def _doors(left: Souvenir, address: str) -> list[tuple[str, str]]:
    """Each page with the way in. All of it opens this data alone."""
    return [
        ("For everybody", f"{address}/"),
        ("The case of who objected", f"{address}/case"),
        ("  case number", left.case.number),
        ("  PIN", left.case.pin),
        ("The desk of reviewers", f"{address}/desk"),
        ("  access token", str(left.reviewer)),
        ("An AI service", f"{address}/service"),
        ("  client id", str(left.service.id)),
        ("  client secret", left.service.secret),
    ]


def _serve(data_dir: Path) -> str:
    """The command that serves this data."""
    if data_dir == folder.DATA_DIR and Path("Makefile").is_file():
        return "make serve"
    return f"{_likeness()} serve --data-dir {data_dir}"


def _likeness() -> str:
    """The program as this shell finds it: `make` puts it where no path leads to."""
    made = Path(".venv/bin/likeness")
    return str(made) if which("likeness") is None and made.is_file() else "likeness"


def _default_address() -> str:
    settings = Settings()
    return f"http://{settings.host}:{settings.port}"
