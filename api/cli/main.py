"""`likeness`: the command line. Each group of commands has a file of its own."""

import typer

from api.cli import check, demo, grants, objections, policy, receipts, serve, subjects, tokens
from api.cli.output import Failed, report

app = typer.Typer(
    name="likeness",
    help="A registry of consent to the use of people's voice and face.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog=(
        "Exit codes: 0 done; 1 the answer is no (a case failed, a proof does not hold, a check is"
        " not permitted); 2 wrong usage; 3 refused; 4 the registry or its database is away."
    ),
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.add_typer(subjects.app, name="subject")
app.add_typer(grants.app, name="grant")
app.add_typer(objections.app, name="object")
app.add_typer(tokens.app, name="token")
app.add_typer(policy.app, name="policy")
app.add_typer(receipts.receipt_app, name="receipt")
app.add_typer(receipts.log_app, name="log")


def run() -> None:
    """The console script."""
    try:
        app()
    except Failed as failure:
        report(failure)
        raise SystemExit(failure.exit_code) from None
