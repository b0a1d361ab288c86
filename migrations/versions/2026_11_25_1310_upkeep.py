"""Indexes for what every server looks for each minute, or oftener, among all there ever was.

Revision ID: 20261125_upkeep
Revises: 20261125_reviews
Create Date: 2026-11-25 13:10:00
"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_upkeep"
down_revision = "20261125_reviews"

# Index, table, column, and which rows alone are looked for.
INDEXES = (
    ("ix_subject_events_contests", "subject_events", "at", "kind in ('CONTESTED', 'CLOSED')"),
    ("ix_log_scans_size", "log_scans", "size", None),
    ("ix_consent_requests_expires_at", "consent_requests", "expires_at", None),
)


def upgrade() -> None:
    for name, table, column, rows in INDEXES:
        where = None if rows is None else sa.text(rows)
        op.create_index(op.f(name), table, [column], postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(op.f(name), table_name=table)
