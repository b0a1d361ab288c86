"""`likeness log`: the transparency log, audited and proved."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import NO, AsJson, Bar, Failed, document, failing, line, result
from api.cli.session import run
from api.cli.settings import DataDir, existing, settings_of
from registry import decision_audit
from registry.errors import InvalidError, NotFoundError
from registry.installation import Installation
from registry.key_files import KeyRole
from registry.keys import Keys
from registry.log import audit as audits
from registry.log import entries
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.entries import LogCheckpoint

app = typer.Typer(no_args_is_help=True)

EMPTY = "The log is empty: no decision was made yet."


def verifier_keys(keys: Keys, origin: str) -> list[str]:
    """The keys that signed checkpoints of this log, as others write them; the current one first."""
    return [str(VerifierKey(origin, key)) for key in keys.public_keys(KeyRole.LOG).values()]


@app.command("verify")
def verify(
    *,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="A signed checkpoint you kept; may be repeated."
        ),
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Audit the log: every leaf, node and signed checkpoint, and every decision behind a leaf.

    The server may run meanwhile. Checkpoints that others kept find what a thief of the log's key
    could rewrite.

    For example:

        likeness log verify

        likeness log verify --checkpoint january.note --checkpoint june.note
    """

    async def work(installation: Installation) -> audits.Audit:
        keys = verifier_keys(installation.keys, installation.settings.log_origin)
        held = _held(checkpoint or (), keys)
        with Bar("Hashing leaves") as bar:
            async with installation.operator.reading() as session:
                found = await audits.audit(
                    session, verifier_keys=keys, held=held, progress=bar.update
                )
        with Bar("Opening decisions") as bar:
            async with installation.operator.reading() as session:
                await decision_audit.audit(session, keys=installation.keys, progress=bar.update)
        return found

    try:
        found = run(work, data_dir=data_dir)
    except Failed as failure:
        if isinstance(failure.__cause__, InvalidError):
            raise Failed(f"The log does not hold. {failure}", NO, code="DIFFERS") from failure
        raise
    counts = {"leaves": found.leaves, "checkpoints": found.checkpoints, "held": found.held}
    kept = f" {found.held} kept by others agree." if found.held else ""
    result(
        {"holds": True, **counts},
        lambda: line(
            f"The log holds: {found.leaves} leaves, each with its decision,"
            f" {found.checkpoints} checkpoints.{kept}"
        ),
    )


@app.command("checkpoint")
def checkpoint(*, data_dir: DataDir = None, _json: AsJson = False) -> None:
    """Print the newest signed checkpoint. Keep it: it finds any later rewriting.

    For example:

        likeness log checkpoint > today.note
    """

    async def work(installation: Installation) -> LogCheckpoint:
        async with installation.operator.reading() as session:
            newest = await entries.latest(session)
        if newest is None:
            raise NotFoundError(EMPTY)
        return newest

    newest = run(work, data_dir=data_dir)
    shown = {
        "size": newest.size,
        "root": base64.b64encode(newest.root).decode(),
        "at": newest.at,
        "note": newest.note,
    }
    result(shown, lambda: line(newest.note.removesuffix("\n")))


@app.command("key")
def key(*, data_dir: DataDir = None, _json: AsJson = False) -> None:
    """Print the key that checkpoints verify with, in the form of C2SP signed-note.

    For example:

        likeness log key > likeness.vkey
    """
    settings = existing(settings_of(data_dir))
    with failing():
        current, *retired = verifier_keys(Keys.open(settings.data_dir), settings.log_origin)
    result({"key": current, "retired": retired}, lambda: line(current))


@app.command("proof")
def proof(
    index: Annotated[int, typer.Argument(min=0, help="The entry's place, a decision's logIndex.")],
    *,
    size: Annotated[
        int | None, typer.Option(min=1, help="In the tree of so many leaves.  [default: newest]")
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Prove that an entry is in the log: JSON, with the signed checkpoint if there is one.

    For example:

        likeness log proof 17 > proof.json

        likeness receipt verify decision.json --proof proof.json
    """

    async def work(installation: Installation) -> dict[str, object]:
        async with installation.operator.reading() as session:
            newest = await entries.latest(session)
            if newest is None:
                raise NotFoundError(EMPTY)
            wanted = size or newest.size
            hashes = await entries.inclusion_proof(session, index=index, tree_size=wanted)
            signed = await session.get(LogCheckpoint, wanted)
        return {
            "index": index,
            "treeSize": wanted,
            "hashes": [base64.b64encode(one).decode() for one in hashes],
            "checkpoint": None if signed is None else signed.note,
        }

    document(run(work, data_dir=data_dir))


def _held(files: Sequence[Path], keys: Sequence[str]) -> dict[str, Checkpoint]:
    held = {}
    for file in files:
        try:
            held[str(file)] = audits.read_held(file.read_text(encoding="utf-8"), keys)
        except (InvalidError, UnicodeDecodeError) as error:
            raise InvalidError(f"{file}: {error}") from error
    return held
