"""`likeness account`: accounts that claimed what is not theirs are frozen, and freed."""

from typing import Annotated

import typer

from api.cli.output import AsJson, line, result
from api.cli.session import account, run
from api.cli.settings import DataDir
from registry import freezing
from registry.installation import Installation
from registry.principals import OPERATOR_ID, Principal

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name, or its case number.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]


@app.command("freeze")
def freeze(
    name: Name, *, reason: Reason = None, data_dir: DataDir = None, _json: AsJson = False
) -> None:
    """Let an account register, enrol, object, propose and sign no more. It is told.

    What it said before stands, and it may withdraw, revoke and read. The registry freezes by
    itself whose claims were contested by their real holders twice.

    For example:

        likeness account freeze anna --reason "three false claims"
    """

    async def work(installation: Installation) -> Principal:
        found = await account(installation, name)
        async with installation.operator.writing() as session:
            await freezing.freeze(
                session, principal_id=found.id, actor_id=OPERATOR_ID, reason=reason
            )
        return found

    _show(run(work, data_dir=data_dir), is_frozen=True)


@app.command("unfreeze")
def unfreeze(
    name: Name, *, reason: Reason = None, data_dir: DataDir = None, _json: AsJson = False
) -> None:
    """Let an account act again; what it did before is not held against it any more.

    For example:

        likeness account unfreeze anna --reason "identity was proved"
    """

    async def work(installation: Installation) -> Principal:
        found = await account(installation, name)
        async with installation.operator.writing() as session:
            await freezing.unfreeze(
                session, principal_id=found.id, actor_id=OPERATOR_ID, reason=reason
            )
        return found

    _show(run(work, data_dir=data_dir), is_frozen=False)


def _show(found: Principal, *, is_frozen: bool) -> None:
    document = {"principalId": found.id, "name": found.handle, "frozen": is_frozen}
    result(document, lambda: line(f"{found.handle} is {'' if is_frozen else 'not '}frozen."))
