"""`likeness policy`: the rules, tried on cases whose answers somebody has written down."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import NO, AsJson, line, result
from api.cli.settings import settings_of
from registry.policy.cases import CaseResult, run_case_files
from registry.policy.shelf import load_packs

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """Keep `test` a command of its own though it is the only one."""


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

    For example:

        likeness policy test tests/cases/decisions.yaml
    """
    results = run_case_files(files, load_packs(settings_of(None).packs_dir))
    failed = [one for one in results if not one.passed]

    def show() -> None:
        for one in failed:
            _explain(one)
        line(f"{len(results) - len(failed)} passed, {len(failed)} failed")

    document = {
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
    result(document, show)
    if failed:
        raise typer.Exit(NO)


def _explain(failed: CaseResult) -> None:
    line(f"FAILED {failed.id}: {failed.title}")
    line(f"  expected {failed.expected}")
    line(f"  got      {failed.got}")
    for one in failed.differences:
        line(f"  - {one}")
