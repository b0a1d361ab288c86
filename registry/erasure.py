"""Erasure: a person's key is destroyed, and with it everything that was sealed under it.

What was logged stays verifiable: leaves hold salted digests, and nothing personal. A person may ask
to be protected still: a nameless record under a new key then keeps what blocks, and no more.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, new_id


class Erasure(Base):
    """That a person was erased; `kept_as`: the nameless record that blocks in their place."""

    __tablename__ = "erasures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True, unique=True)
    kept_as: Mapped[UUID | None] = mapped_column(ForeignKey("subjects.id"))
    erased_by: Mapped[UUID] = mapped_column(ForeignKey("principals.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
