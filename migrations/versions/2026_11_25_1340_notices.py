"""Which text somebody was shown before they objected.

Revision ID: 20261125_notices
Revises: 20261125_leavings
Create Date: 2026-11-25 13:40:00
"""

import sqlalchemy as sa
from alembic import op

from registry.migrating import APP

revision = "20261125_notices"
down_revision = "20261125_leavings"

COLUMNS = {
    "notice_version": sa.Text(),
    "notice_language": sa.Text(),
    "notice_sha256": sa.LargeBinary(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("objections", sa.Column(name, kind, nullable=True))
    op.execute(f"grant insert ({', '.join(COLUMNS)}) on objections to {APP}")


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("objections", name)
