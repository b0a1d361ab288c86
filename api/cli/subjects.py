"""`likeness subject`: the people on record, and pictures of them."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli.output import AsJson, line, note, pairs, result, table, working
from api.cli.session import Acting, Key, Owner, identifier, run, run_as
from api.cli.settings import DataDir
from api.cli.tokens import account_for
from registry import assets, idempotency, principals, subjects
from registry.database import WriteSession
from registry.encoders.identity import IMAGE_HASH
from registry.encoders.media import MediaWorkers, PictureHash
from registry.errors import ConflictError, MediaError, NotFoundError, RegistryError, TooLargeError
from registry.installation import Installation
from registry.paging import MAX_PAGE
from registry.principals import OPERATOR_ID, Principal, PrincipalKind
from registry.settings import Settings
from registry.subjects import NAMELESS, Profile, Record

app = typer.Typer(no_args_is_help=True)

SubjectId = Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's id.")]
_OWNERS = frozenset({PrincipalKind.PERSON, PrincipalKind.ORGANISATION, PrincipalKind.OPERATOR})


@app.command("add")
def add(
    *,
    name: Annotated[
        str | None,
        typer.Option(help="As services will ask for it; left out, only photos or links are known."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Whose record it is; opens an account if there is none.  [default: you]"),
    ] = None,
    alias: Annotated[
        list[str] | None, typer.Option(help="Another name, exactly; may be repeated.")
    ] = None,
    born: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Left out, a permission waits for who checks the age."
        ),
    ] = None,
    link: Annotated[
        list[str] | None, typer.Option(help="Where they are to be seen; may be repeated.")
    ] = None,
    verified: Annotated[
        bool, typer.Option("--verified", help="You have checked that the owner is this person.")
    ] = False,
    key: Key = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Put a person on record. The new id alone goes to standard output.

    For example:

        likeness subject add --owner anna --name "Anna Adams" --born 1985-03-03 --verified

        SUBJECT=$(likeness subject add --name "Kim Young" --alias "DJ Young")
    """
    if name is None and not link:
        raise typer.BadParameter("Give --name, or --link where no name is known.")
    birth_date = None if born is None else born.date()
    profile = Profile(
        NAMELESS if name is None else name, tuple(alias or ()), birth_date, tuple(link or ())
    )

    async def work(installation: Installation) -> Record:
        keys = installation.keys
        async with installation.operator.writing() as session:
            account = await _owner(session, owner)
            subject_id, new = await idempotency.claim(
                session,
                principal_id=account.id,
                operation="registerSubject",
                key=key,
                request={
                    "name": profile.name,
                    "aliases": profile.aliases,
                    "born": birth_date,
                    "links": profile.links,
                },
                keys=keys,
            )
            if new:
                await subjects.register(
                    session,
                    subject_id=subject_id,
                    owner_id=account.id,
                    profile=profile,
                    verified=verified,
                    keys=keys,
                )
            return (await subjects.records(session, [subject_id], keys=keys))[subject_id]

    record = run(work, data_dir=data_dir, create=True)
    note(f"{record.name} is on record, {record.registration}.")
    result(as_document(record), lambda: line(str(record.id)))


async def _owner(session: WriteSession, handle: str | None) -> Principal:
    if handle is None:
        return await principals.get(session, OPERATOR_ID)
    found = await principals.by_handle(session, principals.checked_handle(handle))
    if found is None:
        return await account_for(session, PrincipalKind.PERSON, handle)
    if found.kind not in _OWNERS:
        raise ConflictError(f"The account {handle} is a {found.kind}: it has no subjects.")
    return found


@app.command("list")
def list_(
    *,
    owner: Owner = None,
    name: Annotated[str | None, typer.Option(help="Only who is so called, exactly.")] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = MAX_PAGE,
    after: Annotated[str | None, typer.Option(help="Only those after this id.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List the people on record, oldest first.

    For example:

        likeness subject list

        likeness subject list --owner anna --name "Anna Adams"
    """
    start = None if after is None else identifier(after, "subject")

    async def work(acting: Acting) -> tuple[list[Record], bool]:
        keys = acting.installation.keys
        async with acting.db.reading() as session:
            page = await subjects.page(
                session,
                first=first,
                after=start,
                name_index=None if name is None else keys.blind_index(name),
            )
            found = await subjects.records(session, page.items, keys=keys)
        return [found[one] for one in page.items if one in found], page.more

    records, more = run_as(owner, work, data_dir=data_dir)
    result(
        {"subjects": [as_document(one) for one in records], "more": more},
        lambda: table(
            ["ID", "NAME", "REGISTRATION", "BORN"],
            [
                (str(one.id), one.name, one.registration, str(one.birth_date or "-"))
                for one in records
            ],
        ),
    )
    if more:
        note(f"There are more: --after {records[-1].id}")


@app.command("show")
def show(
    subject: SubjectId,
    *,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Show what is on record of one person.

    For example:

        likeness subject show 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10
    """
    wanted = identifier(subject, "subject")

    async def work(acting: Acting) -> Record:
        async with acting.db.reading() as session:
            found = await subjects.records(session, [wanted], keys=acting.installation.keys)
        if wanted not in found:
            raise NotFoundError("No such subject.")
        return found[wanted]

    record = run_as(owner, work, data_dir=data_dir)
    rows = [
        ("Id", str(record.id)),
        ("Name", record.name),
        ("Aliases", ", ".join(record.aliases) or "-"),
        *(("Link", one) for one in record.links),
        ("Born", str(record.birth_date or "-")),
        ("Registration", record.registration),
        ("Owner", str(record.owner_id)),
        ("Since", record.created_at.isoformat()),
    ]
    result(as_document(record), lambda: pairs(rows))


@app.command("picture")
def picture(
    subject: SubjectId,
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, help="JPEG, PNG, WebP or GIF."),
    ],
    *,
    also: Annotated[
        list[str] | None, typer.Option(help="Another subject the pictures show; may be repeated.")
    ] = None,
    owner: Owner = None,
    key: Key = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Register pictures of a person. Only a sealed hash of each is kept.

    All are registered, or none. The new ids go to standard output, one a line.

    For example:

        likeness subject picture 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 portrait.jpg stage.png
    """
    shown = [identifier(one, "subject") for one in (subject, *(also or ()))]

    async def work(acting: Acting) -> list[UUID]:
        with working("Reading the pictures ..."):
            encoded = await _encoded(files, acting.installation.settings)
        async with acting.db.writing() as session:
            return [await _register(session, acting, shown, one, key) for one in encoded]

    ids = run_as(owner, work, data_dir=data_dir)
    note(f"{len(ids)} registered. The next check anywhere finds them.")
    result({"assets": ids}, lambda: line("\n".join(map(str, ids))))


async def _encoded(files: list[Path], settings: Settings) -> list[PictureHash]:
    workers = MediaWorkers(settings.media_workers, settings.media_seconds)
    found = []
    try:
        for file in files:
            if file.stat().st_size > settings.media_max_bytes:
                raise TooLargeError(f"{file}: a file has at most {settings.media_max_bytes} bytes.")
            found.append(await _encode(workers, file))
    finally:
        await workers.close()
    return found


async def _encode(workers: MediaWorkers, file: Path) -> PictureHash:
    try:
        encoding = await workers.encode(await asyncio.to_thread(file.read_bytes))
    except RegistryError as error:
        raise type(error)(f"{file}: {error}", retry_after=error.retry_after) from error
    if encoding.picture is None:
        raise MediaError(f"{file}: that is no picture. A recording is enrolled: likeness enroll")
    if not encoding.picture.usable:
        raise MediaError(f"{file}: the picture is too uniform to be recognised again.")
    return encoding.picture


async def _register(
    session: WriteSession,
    acting: Acting,
    shown: list[UUID],
    picture: PictureHash,
    key: str | None,
) -> UUID:
    owner_id = (await subjects.mine(session, shown[0])).owner_id
    digest = picture.plain.hex()
    asset_id, new = await idempotency.claim(
        session,
        principal_id=acting.id,
        operation="registerAsset",
        key=None if key is None else f"{key}:{digest}",
        request={"subjects": shown, "hash": digest},
        keys=acting.installation.keys,
    )
    if new:
        await assets.register(
            session,
            asset_id=asset_id,
            owner_id=owner_id,
            subject_ids=shown,
            encoder=IMAGE_HASH,
            image_hash=picture.plain,
            keys=acting.installation.keys,
        )
    return asset_id


def as_document(record: Record) -> dict[str, object]:
    """The subject with the names the schema gives its fields."""
    return {
        "id": record.id,
        "ownerId": record.owner_id,
        "name": record.name,
        "aliases": record.aliases,
        "birthDate": record.birth_date,
        "links": record.links,
        "registration": record.registration,
        "createdAt": record.created_at,
    }
