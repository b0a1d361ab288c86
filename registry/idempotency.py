"""Retried requests: the same key and the same request name the same thing, once.

The key is stored in the transaction that makes the thing, so a crash leaves both or neither.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, WriteSession, new_id
from registry.errors import ConflictError, InvalidError
from registry.keys import Keys
from registry.receipts import jcs

MAX_KEY_LENGTH = 255
KEPT = timedelta(days=7)


class IdempotencyKey(Base):
    """A key a client chose for one creating request, and the id of what it made."""

    __tablename__ = "idempotency_keys"

    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    object_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


async def claim(
    session: WriteSession,
    *,
    principal_id: UUID,
    operation: str,
    key: str | None,
    request: dict[str, object],
    keys: Keys,
) -> tuple[UUID, bool]:
    """The id for what this request makes, and whether it is new.

    A twin that is still running is waited for: its transaction holds the key. Another request
    under the same key is a ConflictError.
    """
    fresh = new_id()
    if key is None:
        return fresh, True
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidError(
            f"An idempotency key has 1 to {MAX_KEY_LENGTH} printable characters.",
            field="idempotencyKey",
        )
    digest = keys.request_digest(jcs(_plain(request)))
    inserted = await session.scalar(
        insert(IdempotencyKey)
        .values(
            principal_id=principal_id,
            operation=operation,
            key=key,
            request_digest=digest,
            object_id=fresh,
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.object_id)
    )
    if inserted is not None:
        return fresh, True
    earlier = await session.get(IdempotencyKey, (principal_id, operation, key))
    if earlier is None or earlier.request_digest != digest:
        raise ConflictError(
            "This idempotency key was used for another request.", field="idempotencyKey"
        )
    return earlier.object_id, False


def _plain(value: object) -> object:
    """The request in JSON's own types, sets in a fixed order."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


async def forget_old(session: WriteSession) -> None:
    """Drop keys older than a week: no client retries that late."""
    await session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - KEPT)
    )
