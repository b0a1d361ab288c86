"""`likeness object`: objections, filed and withdrawn; they bite at once."""

from typing import Annotated, NamedTuple

import typer

from api.cli.output import AsJson, line, note, result, table
from api.cli.scopes import (
    Modalities,
    Purposes,
    Territories,
    Uses,
    as_document,
    as_words,
    scope_of,
)
from api.cli.session import Acting, Key, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import idempotency, objections
from registry.objections import Objection
from registry.paging import MAX_PAGE
from registry.policy.vocabulary import ASSURED_IAL, ObjectionState

app = typer.Typer(no_args_is_help=True)


class _Seen(NamedTuple):
    objection: Objection
    state: ObjectionState


@app.command("file")
def file(
    *,
    subject: Annotated[str, typer.Option(help="Who objects: a subject's id.")],
    modality: Modalities = None,
    use: Uses = None,
    purpose: Purposes = None,
    territory: Territories = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A grant that stays good in spite of it; may be repeated."),
    ] = None,
    verified: Annotated[
        bool, typer.Option("--verified", help="You have checked who objects.")
    ] = False,
    owner: Owner = None,
    key: Key = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Forbid uses of a person, from the next check on. Without options: everything.

    The new id alone goes to standard output.

    For example:

        likeness object file --subject 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10

        likeness object file --subject 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 --use SWAP_FACE
    """
    subject_id = identifier(subject, "subject")
    scope = scope_of(modality, use, purpose, territory)
    kept = frozenset(identifier(one, "grant") for one in keep or ())

    async def work(acting: Acting) -> _Seen:
        async with acting.db.writing() as session:
            objection_id, new = await idempotency.claim(
                session,
                principal_id=acting.id,
                operation="fileObjection",
                key=key,
                request={"subject": subject_id, "kept": kept, **as_document(scope)},
                keys=acting.installation.keys,
            )
            if new:
                await objections.file(
                    session,
                    objection_id=objection_id,
                    subject_id=subject_id,
                    filed_by=acting.id,
                    ial=ASSURED_IAL if verified else 0,
                    scope=scope,
                    carve_out_grants=kept,
                )
            found = await objections.mine(session, objection_id)
            state = (await objections.states(session, [objection_id]))[objection_id]
        return _Seen(found, state)

    seen = run_as(owner, work, data_dir=data_dir)
    note(f"The objection is {seen.state} and holds from the next check on.")
    result(_document(seen), lambda: line(str(seen.objection.id)))


@app.command("withdraw")
def withdraw(
    objection: Annotated[str, typer.Argument(metavar="OBJECTION", help="The objection's id.")],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """End an objection. Grants it stood against count again.

    For example:

        likeness object withdraw 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --reason "settled"
    """
    wanted = identifier(objection, "objection")

    async def work(acting: Acting) -> _Seen:
        async with acting.db.writing() as session:
            found = await objections.withdraw(
                session, objection_id=wanted, actor_id=acting.id, ial=ASSURED_IAL, reason=reason
            )
            state = (await objections.states(session, [wanted]))[wanted]
        return _Seen(found, state)

    seen = run_as(owner, work, data_dir=data_dir)
    result(_document(seen), lambda: line(f"Objection {wanted} is {seen.state}."))


@app.command("list")
def list_(
    *,
    subject: Annotated[str | None, typer.Option(help="Only this subject's.")] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = MAX_PAGE,
    after: Annotated[str | None, typer.Option(help="Only those after this id.")] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List objections, oldest first.

    For example:

        likeness object list --subject 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10
    """
    subject_id = None if subject is None else identifier(subject, "subject")
    start = None if after is None else identifier(after, "objection")

    async def work(acting: Acting) -> tuple[list[_Seen], bool]:
        async with acting.db.reading() as session:
            page = await objections.page(session, subject_id=subject_id, first=first, after=start)
            states = await objections.states(session, [one.id for one in page.items])
        return [_Seen(one, states[one.id]) for one in page.items], page.more

    found, more = run_as(owner, work, data_dir=data_dir)
    result(
        {"objections": [_document(one) for one in found], "more": more},
        lambda: table(
            ["ID", "STATE", "SUBJECT", "MODALITIES", "USES", "PURPOSES", "TERRITORIES"],
            [
                [
                    str(one.objection.id),
                    one.state,
                    str(one.objection.subject_id),
                    *as_words(one.objection),
                ]
                for one in found
            ],
        ),
    )
    if more:
        note(f"There are more: --after {found[-1].objection.id}")


def _document(seen: _Seen) -> dict[str, object]:
    objection = seen.objection
    return {
        "id": objection.id,
        "state": seen.state,
        "subjectId": objection.subject_id,
        **as_document(objection),
        "role": objection.role,
        "since": objection.since,
        "carveOutGrants": objection.carve_out_grants,
    }
