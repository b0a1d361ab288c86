"""`likeness erase`: what is known of a person is destroyed, or kept for blocking alone."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from api.cli.output import USAGE, AsJson, Failed, line, note, result
from api.cli.session import Acting, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import erasure
from registry.database import new_id
from registry.erasure import Erasure


def erase(
    subject: Annotated[str, typer.Argument(help="Whose record: a subject's id.")],
    *,
    keep_blocking: Annotated[
        bool,
        typer.Option(
            "--keep-blocking",
            help="Keep faces, voices, pictures and objections under a record without a name.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Destroy what is known of a person. It cannot be undone.

    Their key is destroyed, their grants end, and no check knows them any more. Decisions, their
    tokens and the log stay verifiable. With --keep-blocking the id of the nameless record goes to
    standard output.

    For example:

        likeness erase 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10

        likeness erase 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 --keep-blocking --yes
    """
    subject_id = identifier(subject, "subject")
    if not yes:
        _make_sure(subject_id)

    async def work(acting: Acting) -> Erasure:
        async with acting.db.writing() as session:
            return await erasure.erase(
                session,
                erasure_id=new_id(),
                subject_id=subject_id,
                actor_id=acting.id,
                keep_blocking=keep_blocking,
                keys=acting.installation.keys,
            )

    done = run_as(owner, work, data_dir=data_dir)
    note(f"Erased {subject_id}.")
    document = {"subjectId": done.subject_id, "keptAs": done.kept_as, "erasedAt": done.created_at}
    result(document, lambda: None if done.kept_as is None else line(str(done.kept_as)))


def _make_sure(subject_id: UUID) -> None:
    if not sys.stdin.isatty():
        raise Failed("This cannot be undone: say --yes where nobody can be asked.", USAGE)
    if not typer.confirm(f"Destroy what is known of {subject_id}, for good?", err=True):
        raise Failed("Nothing was erased.", USAGE)
