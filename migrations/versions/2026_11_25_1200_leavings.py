"""What erasure left behind: captures that no named person stands behind, and what services wrote.

Revision ID: 20261125_leavings
Revises: 20261125_reviews
Create Date: 2026-11-25 12:00:00
"""

# ruff: noqa: S608  # policies are put together from the text of this file alone

from alembic import op

revision = "20261125_leavings"
down_revision = "20261125_reviews"

OF_CAPTURE = "exists (select 1 from attestations a where a.id = attestation_captures.attestation_id"
OVER = (
    f"{OF_CAPTURE} and (a.expires_at <= clock_timestamp() or exists"
    " (select 1 from attestation_events e where e.attestation_id = a.id and e.kind = 'REVOKED')))"
)
COMPARED = (
    f"{OF_CAPTURE} and a.subject_id is not null"
    " and not exists (select 1 from subject_keys k where k.subject_id = a.subject_id))"
)
# The account kept somebody, and keeps nobody under a name any more.
NOBODY = (
    f"{OF_CAPTURE} and a.subject_id is null"
    " and exists (select 1 from subjects s where s.owner_id = a.principal_id"
    " and not exists (select 1 from subject_keys k where k.subject_id = s.id))"
    " and not exists (select 1 from subjects s join subject_aliases n on n.subject_id = s.id"
    " where s.owner_id = a.principal_id))"
)


def upgrade() -> None:
    forget_captures(f"{OVER} or {COMPARED} or {NOBODY}")


def forget_captures(when: str) -> None:
    op.execute(
        "alter policy app_forgets on attestation_captures"
        f" using (likeness_is_operator() and ({when}))"
    )


def downgrade() -> None:
    forget_captures(f"{OVER} or {COMPARED}")
