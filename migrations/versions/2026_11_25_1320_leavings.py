"""What erasure left behind: captures that no named person stands behind, and what services wrote.

Revision ID: 20261125_leavings
Revises: 20261125_upkeep
Create Date: 2026-11-25 13:20:00
"""

# ruff: noqa: S608  # policies are put together from the text of this file alone

import sqlalchemy as sa
from alembic import op

from registry.migrating import APP, forgettable, secure

revision = "20261125_leavings"
down_revision = "20261125_upkeep"

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


MESSAGES = "consent_request_messages"
REACHED = (
    "exists (select 1 from consent_request_addressees a"
    f" where a.request_id = {MESSAGES}.request_id{{more}})"
)
ERASED = " and not exists (select 1 from subject_keys k where k.subject_id = a.subject_id)"


def upgrade() -> None:
    forget_captures(f"{OVER} or {COMPARED} or {NOBODY}")
    op.create_table(
        MESSAGES,
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["consent_requests.id"], name=op.f(f"fk_{MESSAGES}_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f(f"pk_{MESSAGES}")),
    )
    # Whom a request reached sees its message. Neither the service, which wrote it, nor an office.
    secure(
        MESSAGES,
        read=f"{REACHED.format(more='')} and likeness_kind() not in ('ATTESTER', 'REVIEWER')",
        add="likeness_is_operator()",
        history=False,
    )
    forgettable(MESSAGES, when=REACHED.format(more=ERASED))
    op.execute(
        f"insert into {MESSAGES} select id, message from consent_requests where message is not null"
    )
    op.drop_column("consent_requests", "message")


def forget_captures(when: str) -> None:
    op.execute(
        "alter policy app_forgets on attestation_captures"
        f" using (likeness_is_operator() and ({when}))"
    )


def downgrade() -> None:
    op.add_column("consent_requests", sa.Column("message", sa.LargeBinary(), nullable=True))
    op.execute(f"grant insert (message) on consent_requests to {APP}")
    op.execute("alter table consent_requests disable trigger history_is_kept")
    op.execute(
        f"update consent_requests r set message = m.sealed from {MESSAGES} m"
        " where m.request_id = r.id"
    )
    op.execute("alter table consent_requests enable trigger history_is_kept")
    op.drop_table(MESSAGES)
    forget_captures(f"{OVER} or {COMPARED}")
