"""Templates: the mean of a subject's enrolled samples, one for each encoder and condition.

Checks compare with templates and never with samples. A template is not changed: another one takes
its place in the transaction that retires it.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func, text
from sqlalchemy.orm import Mapped, mapped_column

from registry.database import Base, Event, Xid8, new_id
from registry.encoders.identity import Condition
from registry.policy.vocabulary import Modality


class TemplateEventKind(StrEnum):
    """What may become of a template."""

    RETIRED = "RETIRED"


class Template(Base):
    """What a face or voice is compared with.

    `samples`: how many are in the mean. `verified`: whether the subject's registration was VERIFIED
    when it was derived; the others are searched in a gallery of their own. `xid`: as for
    asset references.
    """

    __tablename__ = "templates"
    __table_args__ = (CheckConstraint("samples > 0", name="samples_positive"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    modality: Mapped[Modality]
    encoder: Mapped[str]
    condition: Mapped[Condition]
    samples: Mapped[int]
    verified: Mapped[bool]
    sealed_vector: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    xid: Mapped[int] = mapped_column(
        Xid8(), server_default=text("pg_current_xact_id()"), index=True
    )


class TemplateEvent(Event):
    """What became of a template."""

    __tablename__ = "template_events"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), index=True)
    kind: Mapped[TemplateEventKind]


def vector_context(template_id: UUID) -> bytes:
    """What a sealed vector is bound to: its own row."""
    return b"template:" + template_id.bytes
