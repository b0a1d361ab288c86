"""One-time codes for who lost the PIN of a case.

Revision ID: 20261125_recoveries
Revises: 20261125_complaints
Create Date: 2026-11-25 13:50:00
"""

import sqlalchemy as sa
from alembic import op

from registry.migrating import events, fact, secure

revision = "20261125_recoveries"
down_revision = "20261125_complaints"

OPERATOR = "likeness_is_operator()"


def upgrade() -> None:
    fact(
        "recovery_codes",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        by="made_by",
        indexed="principal_id",
    )
    op.create_foreign_key(
        op.f("fk_recovery_codes_review_id"), "recovery_codes", "reviews", ["review_id"], ["id"]
    )
    op.create_unique_constraint(
        op.f("uq_recovery_codes_review_id"), "recovery_codes", ["review_id"]
    )
    secure("recovery_codes", read=OPERATOR, add=OPERATOR)
    events("recovery_events", "code_id", "recovery_codes")
    secure("recovery_events", read=OPERATOR, add=OPERATOR)


def downgrade() -> None:
    op.drop_table("recovery_events")
    op.drop_table("recovery_codes")
