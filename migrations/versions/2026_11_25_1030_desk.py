"""What the registry tells people, and what waits for a person to decide.

Revision ID: 20261125_desk
Revises: 20261125_law
Create Date: 2026-11-25 10:30:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import DESK, ONESELF, fact, secure

revision = "20261125_desk"
down_revision = "20261125_law"


def upgrade() -> None:
    fact(
        "notices",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        by="principal_id",
        indexed="principal_id",
    )
    secure("notices", read=ONESELF.format(column="principal_id"), add="true")
    fact(
        "reviews",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("same_as", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        by="opened_by",
    )
    op.create_index(op.f("ix_reviews_same_as"), "reviews", ["same_as"], unique=True)
    secure(
        "reviews",
        read=f"{DESK} or opened_by = likeness_principal()",
        add=ONESELF.format(column="opened_by"),
    )


def downgrade() -> None:
    op.drop_table("reviews")
    op.drop_table("notices")
