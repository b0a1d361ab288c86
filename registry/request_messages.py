"""What services write to whom they ask: for the person's eyes, and gone once they are erased.

The service does not read it back: that it is gone would tell that somebody was erased.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ForeignKey, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.consent_requests import RequestAddressee
from registry.database import Base, ReadSession, WriteSession
from registry.errors import InvalidError
from registry.keys import Keys

LENGTH = 500


class RequestMessage(Base):
    """The message of a request, sealed under the deployment's key: whom it reaches is not known."""

    __tablename__ = "consent_request_messages"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("consent_requests.id"), primary_key=True)
    sealed: Mapped[bytes]


async def write(
    session: WriteSession, request_id: UUID, message: str | None, *, keys: Keys
) -> None:
    """Keep what goes with a request. In a session of the registry's own."""
    if message is None:
        return
    if not 0 < len(message) <= LENGTH or not message.isprintable():
        raise InvalidError(f"A message has 1 to {LENGTH} printable characters.", field="message")
    sealed = keys.deployment_key.seal(message.encode(), context=_context(request_id))
    await session.execute(
        insert(RequestMessage).inline().values(request_id=request_id, sealed=sealed)
    )


async def by_request(session: ReadSession, ids: Collection[UUID], *, keys: Keys) -> dict[UUID, str]:
    """What was written with each request, as far as the caller's subjects are asked."""
    rows = await session.scalars(select(RequestMessage).where(RequestMessage.request_id.in_(ids)))
    return {
        one.request_id: keys.deployment_key.open(
            one.sealed, context=_context(one.request_id)
        ).decode()
        for one in rows
    }


async def forget(session: WriteSession, subject_id: UUID) -> None:
    """Remove what was written to somebody whose key is destroyed."""
    reached = select(RequestAddressee.request_id).where(RequestAddressee.subject_id == subject_id)
    await session.execute(delete(RequestMessage).where(RequestMessage.request_id.in_(reached)))


def _context(request_id: UUID) -> bytes:
    return b"consent-request:" + request_id.bytes
