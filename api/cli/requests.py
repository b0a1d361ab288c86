"""`likeness request`: a service asks a running registry for a person's consent."""

import base64
import hashlib
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli.output import AWAY, REFUSED, USAGE, AsJson, Failed, line, note, pairs, result, table
from api.cli.remote import Remote
from registry.policy.vocabulary import AiUse, Modality, ObligationCode, Purpose

app = typer.Typer(no_args_is_help=True)

Token = Annotated[
    str, typer.Option(help="A service's access token; - reads it from standard input.")
]
Url = Annotated[str, typer.Option(help="Where the registry answers.")]
DEFAULT_URL = "http://127.0.0.1:8000"
PAGE = 100
_FIELDS = (
    "id state serviceName modalities uses purposes territories endsAt message expiresAt createdAt"
    " grant { id state }"
)
_SEND = (
    "mutation ($input: RequestConsentInput!) { done: requestConsent(input: $input) {"
    f" ... on ConsentRequested {{ link request {{ {_FIELDS} }} }}"
    " ... on Problem { code message field } } }"
)
_SHOW = f"query ($id: ID!) {{ consentRequest(id: $id) {{ {_FIELDS} }} }}"
_LIST = (
    "query ($first: Int!, $after: String) { consentRequests(first: $first, after: $after) {"
    f" edges {{ node {{ {_FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
)


@app.command("send")
def send(
    *,
    notice: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="The privacy notice that you show: a file."),
    ],
    version: Annotated[str, typer.Option(help="Which version of your notice it is.")],
    token: Token,
    language: Annotated[str, typer.Option(help="The notice's language.")] = "en",
    notice_url: Annotated[str | None, typer.Option(help="Where it can be read: https.")] = None,
    subject: Annotated[str | None, typer.Option(help="Whom you ask: a subject's id.")] = None,
    decision: Annotated[
        str | None, typer.Option(help="A decision of yours that says REQUEST_CONSENT.")
    ] = None,
    person: Annotated[int, typer.Option(min=0, help="Which person of it, from 0.")] = 0,
    modality: Annotated[list[Modality] | None, typer.Option(help="Left out: all.")] = None,
    use: Annotated[list[AiUse] | None, typer.Option(help="Left out: all.")] = None,
    purpose: Annotated[list[Purpose] | None, typer.Option(help="Left out: all.")] = None,
    territory: Annotated[list[str] | None, typer.Option(help="Left out: all.")] = None,
    ends: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until when the consent is.")
    ] = None,
    max_uses: Annotated[int | None, typer.Option(min=1, help="So many uses.")] = None,
    obligation: Annotated[
        list[ObligationCode] | None, typer.Option(help="A duty that comes with it.")
    ] = None,
    written: Annotated[bool, typer.Option("--written", help="It is given in writing.")] = False,
    separate: Annotated[
        bool, typer.Option("--separate", help="It is given separately from other terms.")
    ] = False,
    message: Annotated[str | None, typer.Option(help="What you write to the person.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Your word for this request: sent twice, it is one.")
    ] = None,
    url: Url = DEFAULT_URL,
    _json: AsJson = False,
) -> None:
    """Ask for a consent. The link to hand to the person alone goes to standard output.

    Whom the registry knows by --subject or --decision is told; you are not told whether there is
    such a person. Each option that takes a list may be repeated.

    For example:

        likeness request send --notice privacy.txt --version 3 --modality VOICE --token - < token

        likeness request send --notice privacy.txt --version 3 --decision ID --token $TOKEN
    """
    if subject is not None and decision is not None:
        raise Failed("Give --subject or --decision, not both.", USAGE)
    digest = hashlib.sha256(notice.read_bytes()).digest()
    given = {
        "scope": {
            "modalities": modality or None,
            "uses": use or None,
            "purposes": purpose or None,
            "territories": territory or None,
        },
        "terms": {
            "endsAt": None if ends is None else f"{ends:%Y-%m-%d}T00:00:00Z",
            "maxUses": max_uses,
            "obligations": obligation or [],
            "written": written,
            "separate": separate,
        },
        "notice": {
            "version": version,
            "language": language,
            "sha256": base64.b64encode(digest).decode(),
            "url": notice_url,
        },
        "subjectId": subject,
        "decisionId": decision,
        "person": person,
        "message": message,
        "idempotencyKey": key,
    }
    with Remote(url, token_of(token)) as remote:
        done = _asked(remote, _SEND, input=given)["done"]
    if "code" in done:
        raise Failed(done["message"], REFUSED, code=done["code"], field=done["field"])
    request = done["request"]
    note(f"Request {request['id']} is {request['state']} until {request['expiresAt']}.")
    result(done, lambda: line(done["link"] or request["id"]))


@app.command("show")
def show(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    *,
    token: Token,
    url: Url = DEFAULT_URL,
    _json: AsJson = False,
) -> None:
    """How a request of yours stands.

    For example:

        likeness request show 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 --token - < token
    """
    with Remote(url, token_of(token)) as remote:
        found = _asked(remote, _SHOW, id=request)["consentRequest"]
    grant = found["grant"]
    result(
        found,
        lambda: pairs(
            [
                ("Request", found["id"]),
                ("State", found["state"]),
                ("Expires", found["expiresAt"]),
                ("Grant", "-" if grant is None else f"{grant['id']} ({grant['state']})"),
            ]
        ),
    )


@app.command("list")
def list_(*, token: Token, url: Url = DEFAULT_URL, _json: AsJson = False) -> None:
    """Every request of yours, oldest first.

    For example:

        likeness request list --token - < token
    """
    found: list[dict[str, Any]] = []
    with Remote(url, token_of(token)) as remote:
        after = None
        while True:
            page = _asked(remote, _LIST, first=PAGE, after=after)["consentRequests"]
            found += [edge["node"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    result(found, lambda: table(["REQUEST", "STATE", "USE", "PURPOSE", "EXPIRES"], _rows(found)))


def _rows(found: Sequence[dict[str, Any]]) -> list[list[str]]:
    return [
        [one["id"], one["state"], _all(one["uses"]), _all(one["purposes"]), one["expiresAt"]]
        for one in found
    ]


def _all(values: list[str] | None) -> str:
    return "all" if values is None else ", ".join(values)


def token_of(given: str) -> str:
    """The token, from standard input where that is asked for."""
    token = sys.stdin.readline() if given == "-" else given
    if not token.strip():
        raise Failed("The token is empty. Make one: likeness token create --service NAME", USAGE)
    return token.strip()


def _asked(remote: Remote, document: str, **variables: object) -> dict[str, Any]:
    """The data of one GraphQL operation; its first error as `Failed`."""
    body = orjson.dumps({"query": document, "variables": variables})
    answer = remote.post("/graphql", body, kind="application/json")
    if errors := answer.get("errors"):
        code = errors[0].get("extensions", {}).get("code", "FAILED")
        raise Failed(errors[0]["message"], REFUSED, code=code)
    data = answer.get("data")
    if not isinstance(data, dict):
        raise Failed("What answers is no registry.", AWAY)
    return data
