"""`likeness prompt`: which public figures a prompt names, before anything is made of it."""

import sys
from typing import Annotated, Any, Final

import typer

from api.cli.check import DEFAULT_URL
from api.cli.output import AWAY, USAGE, AsJson, Failed, line, result, table, working
from api.cli.remote import Remote
from api.cli.session import Acting, run_as
from api.cli.settings import DataDir
from registry.prompt_index import PromptIndex
from registry.prompts import Finding

_ASK: Final = """query ($text: String!) { checkPrompt(text: $text) {
  name start end figureId classes checks { modalities use persons { name } } } }"""


def prompt(
    text: Annotated[str, typer.Argument(help="The prompt; - reads it from standard input.")],
    *,
    token: Annotated[
        str | None,
        typer.Option(
            help="A service's access token, to ask a registry that serves; - reads it from"
            " standard input."
        ),
    ] = None,
    url: Annotated[str, typer.Option(help="Where the registry answers.")] = DEFAULT_URL,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Find the names of public figures in a prompt, and which checks to make.

    With --token a registry that serves is asked; without, the one on this machine. That nobody is
    found permits nothing: registered people are never told of here.

    For example:

        likeness prompt "a photo of Anna Adams singing" --token $TOKEN
    """
    if text == "-" == token:
        raise Failed("Only one of prompt and token can be read from standard input.", USAGE)
    text = sys.stdin.read() if text == "-" else text
    token = sys.stdin.readline() if token == "-" else token  # noqa: S105  # standard input
    found = _here(text, data_dir) if token is None else _there(text, url, token.strip())
    result({"findings": found}, lambda: _show(found))


def _there(text: str, url: str, token: str) -> list[dict[str, Any]]:
    if not token:
        raise Failed("The token is empty. Make one: likeness token create --service NAME", USAGE)
    with Remote(url, token) as remote, working("Asking the registry ..."):
        found = remote.ask(_ASK, text=text).get("checkPrompt")
    if not isinstance(found, list):
        raise Failed(f"What answers at {url} is no registry.", AWAY)
    return found


def _here(text: str, data_dir: DataDir) -> list[dict[str, Any]]:
    async def work(acting: Acting) -> list[Finding]:
        async with acting.db.reading() as session:
            return await PromptIndex().find(session, text)

    return [
        {
            "name": one.name,
            "start": one.start,
            "end": one.end,
            "figureId": str(one.figure_id),
            "classes": list(one.classes),
            "checks": [
                {
                    "modalities": list(check.modalities),
                    "use": check.use,
                    "persons": [{"name": check.name}],
                }
                for check in one.checks
            ],
        }
        for one in run_as(None, work, data_dir=data_dir)
    ]


def _show(found: list[dict[str, Any]]) -> None:
    if not found:
        line("No public figure is named.")
        return
    table(
        ("NAME", "FROM", "TO", "CLASSES", "CHECK FOR"),
        [
            (
                one["name"],
                str(one["start"]),
                str(one["end"]),
                ", ".join(one["classes"]),
                ", ".join(check["use"] or "what you make" for check in one["checks"]),
            )
            for one in found
        ],
    )
