"""`likeness calibrate`: how often an encoder errs on people of one's own, and what follows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli.output import AWAY, AsJson, Bar, Failed, failing, line, note, result, table, working
from api.cli.settings import settings_of
from registry.calibrating import encode, plot, report
from registry.calibrating.folder import Folder
from registry.calibrating.study import Study, measure
from registry.encoders.configuration import OwnEncoders
from registry.encoders.models import Models
from registry.errors import InvalidError
from registry.matching.calibration import Calibration
from registry.policy.vocabulary import Modality

app = typer.Typer(
    no_args_is_help=True,
    epilog="What the tables mean, and what this project measured: docs/accuracy.md.",
)

People = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="A folder for each person, with that person's files in it.",
    ),
]
EncoderId = Annotated[
    str | None,
    typer.Option("--encoder", help="Which encoder.  [default: the active one]", show_default=False),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", dir_okay=False, help="Write the calibration to this JSON file."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", dir_okay=False, help="Draw misses against false matches: a PNG file."),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", dir_okay=False, help="Write all tables to this Markdown file."),
]
Same = Annotated[
    Path | None,
    typer.Option(
        "--same",
        exists=True,
        dir_okay=False,
        help="CSV: `name,other name` of one person who has two folders.",
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option(
        "--exclude",
        exists=True,
        dir_okay=False,
        help="People or `person/file`, one a line, to leave out.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="What to call these data.  [default: the folder's name]"),
]
Encode = Callable[[Folder, str, Callable[[int, int], None]], encode.Encoded]
_SHOWN = 10


@app.command("faces")
def faces(
    people: People,
    encoder: EncoderId = None,
    out: Out = None,
    plot_file: Plot = None,
    report_file: Report = None,
    same: Same = None,
    exclude: Exclude = None,
    name: Name = None,
    *,
    _json: AsJson = False,
) -> None:
    """Measure a face encoder on pictures of people whose names you know.

    Two pictures of most people are needed, four or more are better, and some hundred people. Lines
    `person,group` in DIR/groups.csv have groups measured apart; the group `minor` decides what is
    said of children. Label errors are the commonest false match: look at what scores highest.

    For example:

        likeness calibrate faces people/ --out faces.json --report faces.md --plot faces.png
    """
    settings = settings_of(None)
    own = _own(settings.encoders_file)
    wanted = encoder or own.active["face"]
    models = _models(settings.models_dir, "face")

    def read(folder: Folder, id: str, progress: Callable[[int, int], None]) -> encode.Encoded:
        from registry.encoders.face import FaceReader  # noqa: PLC0415  # it loads what runs models

        return encode.faces(folder, FaceReader.open(models, own.faces), id, progress)

    folder = _folder(people, same, exclude)
    study, unread = _measured(folder, Modality.FACE, wanted, read, name)
    _tell(study, unread, out, plot_file, report_file)


@app.command("voices")
def voices(
    people: People,
    encoder: EncoderId = None,
    out: Out = None,
    plot_file: Plot = None,
    report_file: Report = None,
    same: Same = None,
    exclude: Exclude = None,
    name: Name = None,
    *,
    _json: AsJson = False,
) -> None:
    """Measure a voice encoder on recordings of people whose names you know.

    Each recording is enrolled whole, and is a probe whole and as 3 and 5 s out of the middle of its
    speech, as it is and as a telephone carries it. Two recordings of most people are needed, four
    or more are better, and as many people as you can get. Groups are as for faces.

    For example:

        likeness calibrate voices speakers/ --out voices.json --report voices.md
    """
    settings = settings_of(None)
    own = _own(settings.encoders_file)
    wanted = encoder or own.active["voice"]
    models = _models(settings.models_dir, "voice")

    def read(folder: Folder, id: str, progress: Callable[[int, int], None]) -> encode.Encoded:
        from registry.encoders.voice import VoiceReader  # noqa: PLC0415  # as above

        return encode.voices(folder, VoiceReader.open(models, own.voices), id, progress)

    folder = _folder(people, same, exclude)
    study, unread = _measured(folder, Modality.VOICE, wanted, read, name)
    _tell(study, unread, out, plot_file, report_file)


def _own(file: Path | None) -> OwnEncoders:
    with failing():
        return OwnEncoders.load(file)


def _models(folder: Path, kind: str) -> Models:
    models = Models.open(folder)
    if kind in models.missing:
        raise Failed(models.missing[kind], AWAY, code="SETUP")
    return models


def _folder(people: Path, same: Path | None, exclude: Path | None) -> Folder:
    with failing():
        return Folder.read(people, same, exclude)


def _measured(
    folder: Folder, modality: Modality, encoder: str, read: Encode, name: str | None
) -> tuple[Study, tuple[tuple[str, str], ...]]:
    with failing():
        with Bar("Encoding") as bar:
            encoded = read(folder, encoder, bar.update)
        with Bar("Measuring") as bar:
            results, tables = measure(encoded.taken, folder.groups, bar.update)
    study = Study(
        encoder=encoder,
        modality=modality,
        name=name or folder.root.resolve().name,
        people=max(one.trials.people for one in results),
        samples=encoded.samples,
        note=_note(modality),
        results=results,
        tables=tables,
    )
    return study, encoded.unread


def _note(modality: Modality) -> str:
    if modality is Modality.FACE:
        return "The largest face of each picture."
    return (
        "Recordings enrolled whole; probes of 3 s, 5 s and whole: curves go by the highest score of"
        " the three."
    )


def _tell(
    study: Study,
    unread: tuple[tuple[str, str], ...],
    out: Path | None,
    plot_file: Path | None,
    report_file: Path | None,
) -> None:
    document = study.document(
        datetime.now(UTC).date(), f"likeness calibrate {study.modality.lower()}s"
    )
    calibration, fault = _calibration(document, out)
    made = report.tables(study, calibration)
    if out is not None:
        _write(out, orjson.dumps(document) + b"\n")
    if report_file is not None:
        _write(report_file, report.markdown(study, made, len(unread)).encode())
    if plot_file is not None:
        with failing(), working("Drawing"):
            plot.det(study.results, f"{study.encoder} on\n{study.name}", plot_file)

    def show() -> None:
        line(f"{study.encoder}: {study.people} people, {study.samples} samples of {study.name}")
        for one in made:
            line(f"\n{one.title}")
            table(one.heads, one.rows)

    result(_json(study, made, unread, fault), show)
    _note_what_is_missing(unread, fault)


def _calibration(document: dict[str, Any], out: Path | None) -> tuple[Calibration | None, str]:
    """The calibration, or why these data do not make one; with `--out` that ends the command."""
    try:
        return Calibration.from_document(document, str(out or "calibration")), ""
    except InvalidError as error:
        if out is not None:
            raise Failed(
                f"These data are too few for a calibration: {error}", code=error.code
            ) from error
        return None, str(error)


def _note_what_is_missing(unread: tuple[tuple[str, str], ...], fault: str) -> None:
    if fault:
        note(f"These data are too few for a calibration: {fault}")
    if unread:
        note(f"{len(unread)} files could not be used in full:")
        for file, reason in unread[:_SHOWN]:
            note(f"  {file}: {reason}")
        if len(unread) > _SHOWN:
            note(f"  and {len(unread) - _SHOWN} more; --json lists all")


def _json(
    study: Study, made: list[report.Table], unread: tuple[tuple[str, str], ...], fault: str
) -> dict[str, Any]:
    return {
        "encoder": study.encoder,
        "data": study.name,
        "people": study.people,
        "samples": study.samples,
        "unread": [{"file": file, "reason": reason} for file, reason in unread],
        "calibration": fault or None,
        "tables": [
            {
                "title": one.title,
                "rows": [dict(zip(one.heads, row, strict=True)) for row in one.rows],
            }
            for one in made
        ],
    }


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}.", code="FILE") from error
