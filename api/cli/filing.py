"""`likeness filing`: official lists of filed services, and how services stand by them."""

import csv
import hashlib
import io
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import AsJson, Failed, line, result, table, working
from api.cli.session import Acting, account, run_as
from api.cli.settings import DataDir
from registry import filings
from registry.principals import PrincipalKind

app = typer.Typer(no_args_is_help=True)

_LARGEST = 32 * 2**20


@app.callback()
def _filing() -> None:
    """Filing duties of services."""


@app.command("load-list")
def load_list(
    territory: Annotated[str, typer.Argument(help="Whose list it is: CN ...")],
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="One number a line, or CSV: column one."),
    ],
    *,
    source: Annotated[str, typer.Option(help="Where the list is from, and of which day.")],
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Load an authority's list of filed services. From then on only what it names counts.

    A number that merely fits the format does not count as filed any more. The newest list of a
    territory speaks; loading the one that speaks already does nothing.

    For example:

        likeness filing load-list CN numbers.csv --source "Notice of 2026-11-01"
    """
    text, digest = _read(file)
    numbers = [row[0] for row in csv.reader(io.StringIO(text)) if row]

    async def work(acting: Acting) -> filings.FilingList | None:
        with working(f"Loading {len(numbers)} numbers"):
            async with acting.db.writing() as session:
                return await filings.load_list(
                    session,
                    territory=territory,
                    numbers=numbers,
                    source=source,
                    sha256=digest,
                    actor=acting.actor,
                )

    made = run_as(None, work, data_dir=data_dir)
    result(
        {"territory": territory, "loaded": made is not None, "sha256": digest.hex()},
        lambda: line(
            f"This list of {territory} speaks already."
            if made is None
            else f"{len(set(numbers))} numbers of {territory} are on record."
        ),
    )


def _read(file: Path) -> tuple[str, bytes]:
    if file.stat().st_size > _LARGEST:
        raise Failed(f"{file.name} is over {_LARGEST // 2**20} MiB.", code="TOO_LARGE")
    data = file.read_bytes()
    try:
        return data.decode("utf-8-sig"), hashlib.sha256(data).digest()
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is no UTF-8 text.", code="INVALID") from None


@app.command("show")
def show(
    service: Annotated[str, typer.Argument(help="The service's name.")],
    *,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Show the filing numbers of a service, and whether each counts.

    For example:

        likeness filing show studio
    """

    async def work(acting: Acting) -> list[dict[str, object]]:
        found = await account(acting.installation, service, PrincipalKind.SERVICE)
        async with acting.db.reading() as session:
            declared = (await filings.by_service(session, [found.id]))[found.id]
            standings = await filings.standings(session, [one.id for one in declared])
        return [
            {
                "id": str(one.id),
                "territory": one.territory,
                "number": one.number,
                "kind": one.kind,
                "status": standings[one.id].status,
                "counts": standings[one.id].counts,
            }
            for one in declared
        ]

    rows = run_as(None, work, data_dir=data_dir)
    result(
        {"filings": rows},
        lambda: table(
            ("Territory", "Number", "Kind", "Status", "Counts"),
            [
                (
                    str(one["territory"]),
                    str(one["number"]),
                    str(one["kind"]),
                    str(one["status"]),
                    "yes" if one["counts"] else "no",
                )
                for one in rows
            ],
        ),
    )
