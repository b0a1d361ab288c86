"""`likeness`: the command line. Each group of commands has a file of its own.

A file is imported when one of its commands is run: most bring the database along, a second or two,
and `serve` must set limits before numpy is imported.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typing_extensions import override

from api.cli.output import DEFECT, Failed, begin, failure_of, report
from registry.errors import RegistryError


class _Entry(NamedTuple):
    """Where a command or a group of commands is written, and what it is for."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "serve": _Entry("serve", "serve", "Serve the registry over HTTP."),
    "demo": _Entry("demo", "demo", "See the whole thing work, from photographs to proofs."),
    "check": _Entry("check", "check", "Ask a running registry whether a use is consented."),
    "request": _Entry("requests", "app", "Requests for consent, of a service."),
    "subject": _Entry("subjects", "app", "People on record, and pictures of them."),
    "enroll": _Entry("enroll", "enroll", "Enrol photographs and recordings of a person."),
    "sample": _Entry("samples", "app", "Enrolled samples: listed, decided on, taken back."),
    "attest": _Entry("attest", "app", "Identities, deaths, classes, homes, who acts for whom."),
    "grant": _Entry("grants", "app", "Consents: proposed, signed, revoked."),
    "object": _Entry("objections", "app", "Objections: filed, withdrawn."),
    "erase": _Entry("erase", "erase", "Destroy what is known of a person."),
    "review": _Entry("review", "app", "What waits for a person: listed, taken, decided."),
    "encoders": _Entry("encoders", "app", "Face and voice encoders, and whom each knows."),
    "models": _Entry("models", "app", "The face and voice models: installed, verified."),
    "token": _Entry("tokens", "app", "Access tokens and the accounts they act for."),
    "account": _Entry("accounts", "app", "Accounts that claimed what is not theirs, frozen."),
    "calibrate": _Entry("calibrate", "app", "How often an encoder errs, on people you know."),
    "policy": _Entry("policy", "app", "The rule packs: read, tried, held against decisions."),
    "import": _Entry("import_figures", "app", "Public figures from named lists."),
    "prompt": _Entry("prompt", "prompt", "Find protected names in a prompt."),
    "filing": _Entry("filing", "app", "Official lists of filed services."),
    "receipt": _Entry("receipts", "app", "Signed decisions and consent receipts, verified."),
    "log": _Entry("logs", "app", "The transparency log, audited."),
}
_SETTINGS: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def _load(name: str) -> Any:
    entry = COMMANDS[name]
    found = getattr(import_module(f"api.cli.{entry.module}"), entry.attribute)
    root = typer.Typer(**_SETTINGS)
    if isinstance(found, typer.Typer):
        root.add_typer(found, name=name, help=entry.help)
    else:
        root.command(name)(found)
    return typer.main.get_group(root).commands[name]


class Commands(TyperGroup):
    """Knows every command by name; imports the one that is run."""

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command as ever, then put the real one in the place of its name."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in COMMANDS else command, rest


app = typer.Typer(
    name="likeness",
    cls=Commands,
    help="A registry of consent to the use of people's voice and face.",
    no_args_is_help=True,
    epilog=(
        "Exit codes: 0 done; 1 the answer is no (a case failed, a proof does not hold, a check is"
        " not permitted); 2 wrong usage; 3 refused; 4 the registry or its database is away; 70 a"
        " defect of this program."
    ),
    **_SETTINGS,
)


for _name, _entry in COMMANDS.items():
    app.command(_name, help=_entry.help)(lambda: None)


def run(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    begin()
    try:
        app(arguments, prog_name="likeness")
    except RegistryError as error:
        failure = failure_of(error)
    except Failed as error:
        failure = error
    except Exception:  # noqa: BLE001  # a defect is not a "no": it has an exit code of its own
        sys.excepthook(*sys.exc_info())
        failure = Failed("This is a defect of likeness; please report it.", DEFECT, code="INTERNAL")
    report(failure)
    raise SystemExit(failure.exit_code)
