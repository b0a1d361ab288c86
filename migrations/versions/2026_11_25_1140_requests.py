"""Requests for consent, the addresses that services are told at, and what was sent there.

Revision ID: 20261125_requests
Revises: 20261125_cases
Create Date: 2026-11-25 11:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import CHILD_OF, ONESELF, SUBJECTS_OWN, events, fact, secure

revision = "20261125_requests"
down_revision = "20261125_cases"

OPERATOR = "likeness_is_operator()"
REQUESTER = (
    "exists (select 1 from consent_requests r where r.id = {table}.request_id"
    " and r.service_id = likeness_principal())"
)
SERVICES_OWN = (
    "exists (select 1 from services s where s.id = {table}.service_id"
    " and (s.id = likeness_principal() or s.owner_id = likeness_principal()"
    " or likeness_is_operator()))"
)
REACHED = (
    "exists (select 1 from consent_request_addressees a where a.request_id = consent_requests.id)"
)
ANSWERABLE = (
    "exists (select 1 from consent_request_addressees a"
    " where a.request_id = {table}.request_id and a.subject_id = {table}.subject_id)"
)


def upgrade() -> None:
    _requests()
    _addressees()
    _answers()
    _webhooks()


def _requests() -> None:
    table = "consent_requests"
    fact(
        table,
        *(
            sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=True)
            for name in ("modalities", "uses", "purposes", "territories")
        ),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("named_subject", sa.Uuid(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("link_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_allowed", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("commercial", sa.Boolean(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("separate", sa.Boolean(), nullable=False),
        sa.Column("represented", sa.Boolean(), nullable=False),
        sa.Column("replaces_performance", sa.Boolean(), nullable=False),
        sa.Column("obligations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("terms_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("notice_version", sa.Text(), nullable=False),
        sa.Column("notice_language", sa.Text(), nullable=False),
        sa.Column("notice_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("notice_url", sa.Text(), nullable=True),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        by="service_owner_id",
        indexed="service_id",
    )
    op.create_index(op.f(f"ix_{table}_link_sha256"), table, ["link_sha256"], unique=True)


def _addressees() -> None:
    table = "consent_request_addressees"
    fact(
        table,
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("by_link", sa.Boolean(), nullable=False),
        by="added_by",
        indexed="request_id",
    )
    _refers(table, "request_id", "consent_requests")
    op.create_index(
        f"ix_{table}_by_link",
        table,
        ["request_id"],
        unique=True,
        postgresql_where=sa.text("by_link"),
    )
    secure(table, read=SUBJECTS_OWN.format(table=table), add=OPERATOR)
    # Now that it is there: whoever sees somebody whom a request reached sees the request.
    secure(
        "consent_requests",
        read=f"{ONESELF.format(column='service_id')} or {REACHED}",
        add=OPERATOR,
    )

    lookups = "consent_request_lookups"
    fact(lookups, sa.Column("request_id", sa.Uuid(), nullable=False), by="looked_up_by")
    _refers(lookups, "request_id", "consent_requests")
    op.create_unique_constraint(op.f(f"uq_{lookups}_request_id"), lookups, ["request_id"])
    secure(lookups, read=OPERATOR, add=OPERATOR)


def _answers() -> None:
    table = "consent_request_events"
    events(
        table,
        "request_id",
        "consent_requests",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
    )
    _refers(table, "subject_id", "subjects")
    _refers(table, "grant_id", "grants")
    op.create_index(op.f(f"ix_{table}_grant_id"), table, ["grant_id"], unique=False)
    secure(
        table,
        read=f"{REQUESTER.format(table=table)} or {SUBJECTS_OWN.format(table=table)}",
        add=f"{ONESELF.format(column='actor_id')} and {ANSWERABLE.format(table=table)}"
        " and likeness_kind() not in ('ATTESTER', 'REVIEWER')",
    )


def _webhooks() -> None:
    fact(
        "webhooks",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        by="registered_by",
        indexed="service_id",
    )
    own = SERVICES_OWN.format(table="webhooks")
    secure("webhooks", read=own, add=f"{own} and {ONESELF.format(column='registered_by')}")
    events("webhook_events", "webhook_id", "webhooks")
    child = CHILD_OF.format(parent="webhooks", table="webhook_events", column="webhook_id")
    secure("webhook_events", read=child, add=f"{child} and {ONESELF.format(column='actor_id')}")
    table = "webhook_attempts"
    fact(
        table,
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        by="sent_by",
    )
    _refers(table, "webhook_id", "webhooks")
    _refers(table, "notice_id", "notices")
    once = ["webhook_id", "notice_id", "ordinal"]
    op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(once)}"), table, once)
    child = CHILD_OF.format(parent="webhooks", table=table, column="webhook_id")
    secure(table, read=child, add=OPERATOR)
    table = "webhook_attempt_events"
    status = sa.Column("status", sa.Integer(), nullable=True)
    events(table, "attempt_id", "webhook_attempts", status)
    child = CHILD_OF.format(parent="webhook_attempts", table=table, column="attempt_id")
    secure(table, read=child, add=OPERATOR)


def _refers(table: str, column: str, parent: str) -> None:
    op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, parent, [column], ["id"])


def downgrade() -> None:
    op.execute("drop policy app_reads on consent_requests")
    for table in (
        "webhook_attempt_events",
        "webhook_attempts",
        "webhook_events",
        "webhooks",
        "consent_request_events",
        "consent_request_lookups",
        "consent_request_addressees",
        "consent_requests",
    ):
        op.drop_table(table)
