"""`likeness check`: the question an AI service asks before it generates, from the command line."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli.output import (
    AWAY,
    NO,
    USAGE,
    AsJson,
    Failed,
    line,
    note,
    pairs,
    result,
    table,
    working,
)
from api.cli.remote import Remote
from registry.policy.vocabulary import AiUse, ContentFlag, Modality, ObligationCode, Purpose

DEFAULT_URL = "http://127.0.0.1:8000"


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            exists=True, dir_okay=False, help="Pictures, recordings or videos of the person."
        ),
    ] = None,
    *,
    use: Annotated[AiUse, typer.Option(help="The technique.")],
    purpose: Annotated[Purpose, typer.Option(help="What it is for.")],
    token: Annotated[
        str, typer.Option(help="A service's access token; - reads it from standard input.")
    ],
    url: Annotated[str, typer.Option(help="Where the registry answers.")] = DEFAULT_URL,
    modality: Annotated[
        list[Modality] | None,
        typer.Option(help="What of the person is used.  [default: what the files show]"),
    ] = None,
    territory: Annotated[
        list[str] | None,
        typer.Option(help="Where it is published: ISO 3166-1, US-CA, EU, 001 for the world."),
    ] = None,
    content: Annotated[list[ContentFlag] | None, typer.Option(help="What it shows.")] = None,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Nobody earns by it.")
    ] = False,
    obligation: Annotated[
        list[ObligationCode] | None,
        typer.Option(help="A duty you can fulfil; left out: those the service registered."),
    ] = None,
    claim: Annotated[
        str | None, typer.Option(help="Whom you believe it is: a subject's id.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    save: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Keep the whole answer here: token, salt, log index."),
    ] = None,
    _json: AsJson = False,
) -> None:
    """Ask whether this use of this person is consented. Exit code 0: go; 1: do not.

    All files are of one person: whoever else they show or let be heard counts too. A face alone
    permits only the one who is claimed. Each option that takes a list may be repeated.

    For example:

        likeness check portrait.jpg --use GENERATE_IMAGE --purpose GAMES --token $TOKEN

        likeness check voice.mp3 --use SYNTHESIZE_SPEECH --purpose GAMES --claim ID --token $TOKEN

        likeness check --name "Anna Adams" --use SWAP_FACE --purpose ADVERTISING --token - < token
    """
    if not files and claim is None and name is None:
        raise Failed("Say who it is: a picture, --claim or --name.", USAGE)
    if save is not None and not save.parent.is_dir():
        raise Failed(f"There is no folder {save.parent} to save the answer in.", USAGE)
    question = {
        "use": use,
        "purpose": purpose,
        "territories": territory or [],
        "content": content or [],
        "commercial": not non_commercial,
        "supportedObligations": obligation or None,
    }
    person = {"claimedSubject": claim, "name": name}
    with Remote(url, _token(token)) as remote, working("Asking the registry ..."):
        uploads = [_upload(remote, one) for one in files or ()]
        probes = [{"media": {"handle": str(one.get("handle"))}} for one in uploads]
        body = {
            **question,
            "modalities": modality or _shown(uploads),
            "persons": [{**person, "probes": probes}],
        }
        answer = remote.post("/v1/check", orjson.dumps(body), kind="application/json")
    go = answer.get("mayProceed") is True
    if save is not None:
        _save(save, answer)
    try:
        result(answer, lambda: _show(answer))
    except (KeyError, TypeError) as error:
        raise Failed(f"What answers at {url} is no registry.", AWAY) from error
    if not go:
        raise typer.Exit(NO)


def _token(given: str) -> str:
    token = sys.stdin.readline() if given == "-" else given
    if not token.strip():
        raise Failed("The token is empty. Make one: likeness token create --service NAME", USAGE)
    return token.strip()


def _shown(uploads: Sequence[dict[str, Any]]) -> list[Modality]:
    """What the files are of: recordings of a voice, all others of a face."""
    kinds = {one.get("kind") for one in uploads}
    voices = [Modality.VOICE] if "audio" in kinds else []
    return [*([Modality.FACE] if kinds != {"audio"} else []), *voices]


def _upload(remote: Remote, file: Path) -> dict[str, Any]:
    try:
        return remote.post("/v1/media", file.read_bytes(), kind="application/octet-stream")
    except Failed as failure:
        if failure.exit_code == AWAY:
            raise
        raise Failed(f"{file}: {failure}", failure.exit_code, code=failure.code) from failure


def _save(file: Path, answer: dict[str, Any]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds the salt
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2) + b"\n")
    note(f"Saved in {file}. Verify it with: likeness receipt verify {file}")


def _show(answer: dict[str, Any]) -> None:
    pairs(
        [
            ("Outcome", answer["outcome"]),
            ("May proceed", "yes" if answer["mayProceed"] else "no"),
            ("Basis", answer["basis"] or "-"),
            ("Valid until", answer["validUntil"]),
            ("Decision", answer["id"]),
            ("Log entry", str(answer["logIndex"])),
        ]
    )
    _table(["REASON", "WHAT TO DO", "WHY"], [_reason(one) for one in answer["reasons"]])
    _table(["OBLIGATION", "FROM", "EXACTLY"], [_duty(one) for one in answer["obligations"]])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        line("")
        table(columns, rows)


def _reason(reason: dict[str, Any]) -> list[str]:
    grant = "" if reason["grant"] is None else f" (grant {reason['grant']})"
    return [reason["code"], reason["action"], reason["message"] + grant]


def _duty(duty: dict[str, Any]) -> list[str]:
    exactly = ", ".join(f"{one['name']} = {one['value']}" for one in duty["parameters"])
    return [duty["code"], duty["source"], exactly or "-"]
