"""A report that opens a case is put on record by the registry itself.

Revision ID: 20261125_reports
Revises: 20261125_recoveries
Create Date: 2026-11-25 14:10:00
"""

from alembic import op

revision = "20261125_reports"
down_revision = "20261125_recoveries"

CONCERNED = (
    "exists (select 1 from subjects s where s.id = complaints.subject_id"
    " and likeness_principal() in (s.owner_id, complaints.filed_by))"
    " and filed_by = likeness_principal()"
)


def upgrade() -> None:
    op.execute(
        f"alter policy app_adds on complaints with check (likeness_is_operator() or ({CONCERNED}))"
    )


def downgrade() -> None:
    op.execute(f"alter policy app_adds on complaints with check ({CONCERNED})")
