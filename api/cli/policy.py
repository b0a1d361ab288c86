"""`likeness policy`: the rules, read, tried on cases, and held against decisions that were made."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli import policy_decisions
from api.cli.output import NO, AsJson, Failed, failing, line, note, result, table
from api.cli.settings import settings_of
from registry.policy.cases import CaseResult, run_case_files
from registry.policy.decision import PackVersion
from registry.policy.pack import Pack
from registry.policy.prose import DISCLAIMER, after_death, prose
from registry.policy.review import from_memory, overdue
from registry.policy.shelf import Shelf

app = typer.Typer(no_args_is_help=True)
app.command("explain")(policy_decisions.explain)
app.command("replay")(policy_decisions.replay)


@app.command("test")
def try_cases(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Decision cases, as YAML.")
    ],
    *,
    _json: AsJson = False,
) -> None:
    """Decide every case of these files with the packs that are loaded, and compare the answers.

    The packs are those that are shipped and those of LIKENESS_PACKS_DIR. No database is needed.
    Exit code 1 if any answer is another than the file expects.

    For example:

        likeness policy test tests/cases/zz.yaml
    """
    results = run_case_files(files, _shelf().current())
    failed = [one for one in results if not one.passed]

    def show() -> None:
        for one in failed:
            _explain(one)
        line(f"{len(results) - len(failed)} passed, {len(failed)} failed")

    told = {
        "passed": len(results) - len(failed),
        "failed": len(failed),
        "cases": [
            {
                "id": one.id,
                "title": one.title,
                "passed": one.passed,
                "expected": one.expected,
                "got": one.got,
                "differences": one.differences,
            }
            for one in results
        ],
    }
    result(told, show)
    if failed:
        raise typer.Exit(NO)


def _explain(failed: CaseResult) -> None:
    line(f"FAILED {failed.id}: {failed.title}")
    line(f"  expected {failed.expected}")
    line(f"  got      {failed.got}")
    for one in failed.differences:
        line(f"  - {one}")


@app.command("list")
def list_packs(*, _json: AsJson = False) -> None:
    """List the rule packs: version, state, what holds after death, and what is to be checked.

    For example:

        likeness policy list
    """
    packs = [pack for _, pack in sorted(_shelf().current().packs.items())]
    today = datetime.now(UTC).date()
    late = overdue(packs, today)
    remembered = [one.pack for one in from_memory(packs)]

    def show() -> None:
        rows = [
            (
                pack.id,
                pack.version,
                pack.status.replace("_", " "),
                after_death(pack),
                str(remembered.count(pack.id)),
                str(pack.review_by),
            )
            for pack in packs
        ]
        table(("Pack", "Version", "Status", "After death", "From memory", "Review by"), rows)
        for one in late:
            note(f"{one.pack} {one.place}: its review was due by {one.review_by}.")
        line(DISCLAIMER)

    result([_listed(pack, remembered.count(pack.id), today) for pack in packs], show)


def _listed(pack: Pack, remembered: int, today: date) -> dict[str, object]:
    return {
        "id": pack.id,
        "name": pack.name,
        "version": pack.version,
        "status": pack.status,
        "confidence": pack.confidence,
        "afterDeath": after_death(pack),
        "fromMemory": remembered,
        "reviewBy": pack.review_by.isoformat(),
        "overdue": bool(overdue([pack], today)),
    }


@app.command("show")
def show_pack(
    pack: Annotated[str, typer.Argument(help="Its id: CN, US-CA, ZZ ...")],
    *,
    version: Annotated[
        str | None, typer.Option(help="An older version, for example 2026.11.1.")
    ] = None,
    _json: AsJson = False,
) -> None:
    """Print a rule pack in words: each value with its law, how sure that is, and its review date.

    For example:

        likeness policy show CN

        likeness policy show ZZ --version 2026.11.1
    """
    with failing():
        shelf = _shelf()
        packs = shelf.current().packs
        if version is not None:
            found = shelf.at([PackVersion(pack, version)]).packs[pack]
        elif pack in packs:
            found = packs[pack]
        else:
            known = ", ".join(sorted(packs))
            raise Failed(f"There is no pack {pack}. There are: {known}.", code="NOT_FOUND")
    result(found.model_dump(mode="json"), lambda: line(prose(found).rstrip()))


def _shelf() -> Shelf:
    return Shelf.of(settings_of(None).packs_dir)
