"""Which installation a command is about."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import AWAY, Failed, failing
from registry.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of keys and database.  [default: $LIKENESS_DATA_DIR or .likeness]",
        show_default=False,
    ),
]


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, with the data folder of the command line if there is one."""
    with failing():
        return Settings.load() if data_dir is None else Settings.load(data_dir=data_dir)


def existing(settings: Settings) -> Settings:
    """The same settings; Failed unless an installation was made there before."""
    if not (settings.data_dir / "keys").is_dir():
        raise Failed(
            f"There is no installation in {settings.data_dir}. Start one with `likeness serve`, or"
            " name its folder with --data-dir.",
            AWAY,
            code="SETUP",
        )
    return settings
