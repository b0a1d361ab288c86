"""Complaints about misuse, and what becomes of them.

Revision ID: 20261125_complaints
Revises: 20261125_notices
Create Date: 2026-11-25 13:50:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import APP, CHILD_OF, events, fact, secure

revision = "20261125_complaints"
down_revision = "20261125_notices"

OPERATOR = "likeness_is_operator()"
# `subjects` is seen by its owner, by who acts for the person, and by offices. Of these a complaint
# is read by the owner, and by whoever filed it while they act for the person; reviewers read papers
CONCERNED = (
    "exists (select 1 from subjects s where s.id = complaints.subject_id"
    " and likeness_principal() in (s.owner_id, complaints.filed_by))"
)
OF_COMPLAINT = CHILD_OF.format(parent="complaints", table="complaint_events", column="complaint_id")


def upgrade() -> None:
    fact(
        "complaints",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("notice_version", sa.Text(), nullable=True),
        sa.Column("notice_language", sa.Text(), nullable=True),
        sa.Column("notice_sha256", sa.LargeBinary(), nullable=True),
        by="filed_by",
        indexed="subject_id",
    )
    op.create_index(op.f("ix_complaints_filed_by"), "complaints", ["filed_by"], unique=False)
    secure(
        "complaints",
        read=f"{OPERATOR} or {CONCERNED}",
        add=f"{CONCERNED} and filed_by = likeness_principal()",
    )
    events("complaint_events", "complaint_id", "complaints")
    secure("complaint_events", read=OF_COMPLAINT, add=OPERATOR)
    op.execute(
        f"create policy offices_stand_aside on complaints as restrictive for insert to {APP}"
        " with check (likeness_kind() not in ('ATTESTER', 'REVIEWER'))"
    )
    op.execute(
        f"create policy the_frozen_stand_still on complaints as restrictive for insert to {APP}"
        " with check (not likeness_is_frozen())"
    )


def downgrade() -> None:
    op.drop_table("complaint_events")
    op.drop_table("complaints")
