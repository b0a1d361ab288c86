"""Which keys a database was made with: with other keys nothing sealed in it could be opened."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, WriteSession
from registry.errors import SetupError
from registry.keys import Keys


class Keyring(Base):
    """The name of the keys this database belongs to. One row."""

    __tablename__ = "keyrings"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


async def require(session: WriteSession, keys: Keys) -> None:
    """Remember the keys of a new database; SetupError for one that was made with others."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(Keyring.__tablename__))))
    known = await session.scalar(select(Keyring.id).limit(1))
    if known is None:
        session.add(Keyring(id=keys.installation_id))
    elif known != keys.installation_id:
        raise SetupError(
            "This database was made with other keys. Put the keys folder that belongs to it back"
            " into the data folder (LIKENESS_DATA_DIR), or use another database."
        )
