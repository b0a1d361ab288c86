"""`likeness encoders`: which face and voice encoders are in use, and whom each knows."""

import typer

from api.cli.output import AsJson, note, result, table
from api.cli.session import Acting, run_as
from api.cli.settings import DataDir
from registry import encoder_status
from registry.encoder_set import EncoderSet
from registry.encoder_status import Known
from registry.encoders.models import Models

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _encoders() -> None:
    """Keep `status` a command of its own though it is the only one."""


@app.command("status")
def status(*, data_dir: DataDir = None, _json: AsJson = False) -> None:
    """Show the encoders in use, how many people each knows, and what it is calibrated on.

    An encoder that is being replaced may be given up once nobody is known to it alone; until then
    whoever is not found by the active one is REVIEW_REQUIRED, and not UNKNOWN.

    For example:

        likeness encoders status
    """

    async def work(acting: Acting) -> tuple[list[Known], EncoderSet, Models]:
        settings = acting.installation.settings
        encoders = EncoderSet.load(settings.encoders_file)
        async with acting.db.reading() as session:
            known = await encoder_status.status(session, encoders)
        return known, encoders, Models.open(settings.models_dir)

    known, encoders, models = run_as(None, work, data_dir=data_dir)
    result(
        {"encoders": [_document(one, encoders) for one in known], "missing": dict(models.missing)},
        lambda: table(
            ["ENCODER", "OF", "STATE", "PEOPLE", "ONLY HERE", "CALIBRATED ON"],
            [
                (
                    one.encoder,
                    one.modality,
                    _state(one),
                    str(one.people),
                    str(one.only),
                    _calibrated(one, encoders),
                )
                for one in known
            ],
        ),
    )
    for why in models.missing.values():
        note(why)


def _state(one: Known) -> str:
    if one.active:
        return "active"
    return "being replaced" if one.in_use else "not in use"


def _calibrated(one: Known, encoders: EncoderSet) -> str:
    known = encoders.by_id.get(one.encoder)
    if known is None:
        return "-"
    return known.calibration.data.name + (" (as shipped)" if known.shipped else "")


def _document(one: Known, encoders: EncoderSet) -> dict[str, object]:
    return {
        "id": one.encoder,
        "modality": one.modality,
        "state": _state(one),
        "people": one.people,
        "onlyHere": one.only,
        "calibratedOn": _calibrated(one, encoders),
    }
