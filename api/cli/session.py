"""A command's turn with the installation: opened, acted on as somebody, closed again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from api.cli.output import Failed, failing, note, working
from api.cli.settings import existing, settings_of
from registry import principals
from registry.database import Actor, Database
from registry.errors import NotFoundError
from registry.installation import Installation, opened
from registry.principals import OPERATOR, Principal, PrincipalKind
from registry.settings import Settings

T = TypeVar("T")

Owner = Annotated[
    str | None,
    typer.Option(help="Act as this account, seeing what it may.  [default: you, the operator]"),
]
Key = Annotated[
    str | None,
    typer.Option(help="Your own word for this: said again, it makes nothing twice."),
]


@dataclass(frozen=True, slots=True)
class Acting:
    """The installation's database as one account sees it."""

    installation: Installation
    actor: Actor

    @property
    def db(self) -> Database:
        """The database as this account sees it."""
        return self.installation.db.acting_for(self.actor)

    @property
    def id(self) -> UUID:
        """Who acts."""
        return self.actor.principal_id


def run(
    work: Callable[[Installation], Awaitable[T]], *, data_dir: Path | None, create: bool = False
) -> T:
    """What `work` makes of the installation. Without `create` there must be one already."""
    settings = settings_of(data_dir)
    if not (settings.data_dir / "keys").exists() and create:
        note(f"Making a new installation in {settings.data_dir.absolute()}.")
    elif not create:
        existing(settings)
    with failing():
        return asyncio.run(_opened(settings, work))


async def _opened(settings: Settings, work: Callable[[Installation], Awaitable[T]]) -> T:
    async with AsyncExitStack() as stack:
        with working("Opening the registry ..."):
            installation = await stack.enter_async_context(opened(settings, supervise=False))
        return await work(installation)


def run_as(
    owner: str | None, work: Callable[[Acting], Awaitable[T]], *, data_dir: Path | None
) -> T:
    """What `work` does as this account; as the operator without one."""

    async def acting(installation: Installation) -> T:
        if owner is None:
            return await work(Acting(installation, OPERATOR))
        found = await account(installation, owner)
        return await work(Acting(installation, Actor(found.id, found.kind)))

    return run(acting, data_dir=data_dir)


async def account(
    installation: Installation, handle: str, kind: PrincipalKind = PrincipalKind.PERSON
) -> Principal:
    """The account of this name; NotFoundError says how to open one, of this kind."""
    async with installation.operator.reading() as session:
        found = await principals.by_handle(session, principals.checked_handle(handle))
    if found is None:
        raise NotFoundError(
            f"There is no account named {handle}. `likeness token create"
            f" --{kind.lower()} {handle}` opens one."
        )
    return found


def identifier(text: str, what: str) -> UUID:
    """The id; Failed in the words used for an absent one, as the API does."""
    try:
        return UUID(text)
    except ValueError:
        raise Failed(f"No such {what}.", code="NOT_FOUND") from None
