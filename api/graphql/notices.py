"""Notices in the schema: what the registry tells an account."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.context import Info
from api.graphql.paging import DEFAULT_PAGE, Connection, after, connection
from registry import notices
from registry.notices import NoticeKind


@strawberry.type(description="Something your account is told. It holds nothing personal.")
class Notice:
    """Something your account is told."""

    id: strawberry.ID
    kind: NoticeKind
    about: strawberry.ID | None = strawberry.field(description="Id of what it is about.")
    due_at: datetime | None = strawberry.field(description="Until when an answer counts.")
    created_at: datetime


@strawberry.type
class NoticeQuery:
    """Query fields about notices."""

    @strawberry.field(
        graphql_type=Connection[Notice],
        description="What your account was told, oldest first. Any token of it will do.",
    )
    async def notices(
        self,
        info: Info,
        first: int = DEFAULT_PAGE,
        after_: Annotated[str | None, strawberry.argument(name="after")] = None,
    ) -> Connection[Notice]:
        """What your account was told, oldest first."""
        mine = info.context.caller.actor.principal_id
        async with info.context.db.reading() as session:
            page = await notices.page(session, principal_id=mine, first=first, after=after(after_))
        return connection(page, lambda one: one.id)
