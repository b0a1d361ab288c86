"""`likeness attest provider`: identity providers, and the keys by which they sign."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.cli.output import AsJson, Failed, line, result, table
from api.cli.session import run
from api.cli.settings import DataDir
from registry import attester_keys, principals
from registry.attester_keys import Provider
from registry.database import WriteSession
from registry.installation import Installation
from registry.principals import OPERATOR_ID, Principal, PrincipalKind

app = typer.Typer(no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The attester's account; opened if there is none.")],
    *,
    jwk: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="Its public key, Ed25519, as a JWK."
        ),
    ],
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Accept what an identity provider signs with this key, at `POST /v1/attestations`.

    For example:

        likeness attest provider add "Post Ident" --jwk postident.jwk
    """
    try:
        public = attester_keys.public_of(orjson.loads(jwk.read_bytes()))
    except orjson.JSONDecodeError as error:
        raise Failed("The key's file is not JSON.", code="INVALID") from error

    async def work(installation: Installation) -> str:
        async with installation.operator.writing() as session:
            attester = await _attester(session, principals.checked_handle(name))
            key = await attester_keys.add(
                session, attester=attester, public=public, added_by=OPERATOR_ID
            )
        return key.kid

    kid = run(work, data_dir=data_dir)
    result({"kid": kid}, lambda: line(f"Key {kid} speaks for {name}."))


async def _attester(session: WriteSession, name: str) -> Principal:
    found = await principals.by_handle(session, name)
    if found is not None:
        return found
    return await principals.register(session, kind=PrincipalKind.ATTESTER, handle=name)


@app.command("list")
def list_(*, data_dir: DataDir = None, _json: AsJson = False) -> None:
    """Show the providers' keys that count.

    For example:

        likeness attest provider list
    """

    async def work(installation: Installation) -> list[Provider]:
        async with installation.operator.reading() as session:
            return await attester_keys.live(session)

    found = run(work, data_dir=data_dir)
    result(
        {"providers": [{"name": one.name, "kid": one.kid} for one in found]},
        lambda: table(["PROVIDER", "KEY"], [[one.name, one.kid] for one in found]),
    )


@app.command("revoke")
def revoke(
    kid: Annotated[str, typer.Argument(metavar="KEY", help="The key, as `list` shows it.")],
    *,
    reason: Annotated[str | None, typer.Option(help="Why; kept for ever.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Accept nothing more that this key signs. What it signed before stays on record.

    For example:

        likeness attest provider revoke -- "$KEY"
    """

    async def work(installation: Installation) -> None:
        async with installation.operator.writing() as session:
            await attester_keys.revoke(session, kid=kid, actor_id=OPERATOR_ID, reason=reason)

    run(work, data_dir=data_dir)
    result({"kid": kid}, lambda: line(f"Key {kid} speaks for nobody any more."))
