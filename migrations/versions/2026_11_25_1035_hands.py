"""Grants that need several hands, mandates with a scope, organisations with members.

Revision ID: 20261125_hands
Revises: 20261125_desk
Create Date: 2026-11-25 10:35:00
"""

# policies are put together from the text of this file alone

# ruff: noqa: S608  # policies are put together from the text of this file alone

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import APP, CHILD_OF, OFFICE, ONESELF, events, fact, secure

revision = "20261125_hands"
down_revision = "20261125_desk"

OLD_OWNER = "owner_id = likeness_principal() or likeness_is_operator()"
OWNER = f"{OLD_OWNER} or likeness_member_of(owner_id)"
OVERSEEN = "likeness_kind() in ('REGULATOR', 'AUDITOR')"
SEEING = "likeness_represents(id) or likeness_kind() in ('ATTESTER', 'REVIEWER')"
SERVED = f"id = likeness_principal() or {OVERSEEN}"
MANDATES = ("modalities", "uses", "purposes", "territories")

MEMBER_OF = """
create function likeness_member_of(organisation uuid) returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from organisation_members m
    where m.organisation_id = organisation and m.principal_id = likeness_principal()
      and not exists (select 1 from organisation_member_events e
        where e.member_id = m.id and e.kind = 'ENDED'))
$$
"""
# An agent acts once the person confirmed the mandate; all others once an office verified them.
REPRESENTS = """
create or replace function likeness_represents(wanted uuid) returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from representatives r
    where r.subject_id = wanted
      and (r.principal_id = likeness_principal() or likeness_member_of(r.principal_id))
      and (r.ends_at is null or r.ends_at > clock_timestamp())
      and exists (select 1 from representative_events e where e.representative_id = r.id
        and e.kind = case when r.role in ('AGENT', 'AGENCY') then 'CONFIRMED' else 'VERIFIED' end)
      and not exists (select 1 from representative_events e
        where e.representative_id = r.id and e.kind = 'ENDED'))
$$
"""
OLD_REPRESENTS = """
create or replace function likeness_represents(wanted uuid) returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from representatives r
    where r.subject_id = wanted and r.principal_id = likeness_principal()
      and (r.ends_at is null or r.ends_at > clock_timestamp())
      and exists (select 1 from representative_events e
        where e.representative_id = r.id and e.kind = 'VERIFIED')
      and not exists (select 1 from representative_events e
        where e.representative_id = r.id and e.kind = 'ENDED'))
$$
"""
STAND_ASIDE = "likeness_kind() not in ('ATTESTER', 'REVIEWER')"
EVENTS_OF_REPRESENTATIVES = (
    CHILD_OF.format(
        parent="representatives", table="representative_events", column="representative_id"
    )
    + f" and {ONESELF.format(column='actor_id')} and (kind <> 'VERIFIED' or {OFFICE})"
)
CONFIRMED_BY_OWNER = (
    " and (kind <> 'CONFIRMED' or exists (select 1 from representatives r join subjects s"
    " on s.id = r.subject_id where r.id = representative_events.representative_id"
    f" and ({OLD_OWNER})))"
)


def upgrade() -> None:
    fact(
        "organisation_members",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["principals.id"],
            name=op.f("fk_organisation_members_organisation_id"),
        ),
        by="added_by",
        indexed="principal_id",
    )
    op.create_index(
        op.f("ix_organisation_members_organisation_id"), "organisation_members", ["organisation_id"]
    )
    events("organisation_member_events", "member_id", "organisation_members")
    op.execute(MEMBER_OF)
    secure(
        "organisation_members",
        read="organisation_id = likeness_principal() or principal_id = likeness_principal()"
        " or likeness_is_operator()",
        add=f"{ONESELF.format(column='organisation_id')} and {ONESELF.format(column='added_by')}",
    )
    secure(
        "organisation_member_events",
        read=CHILD_OF.format(
            parent="organisation_members", table="organisation_member_events", column="member_id"
        ),
        add=CHILD_OF.format(
            parent="organisation_members", table="organisation_member_events", column="member_id"
        )
        + f" and {ONESELF.format(column='actor_id')}",
    )
    grants()
    for column in MANDATES:
        op.add_column(
            "representatives", sa.Column(column, postgresql.ARRAY(sa.Text()), nullable=True)
        )
    op.execute(f"grant insert ({', '.join(MANDATES)}) on representatives to {APP}")
    op.execute(REPRESENTS)
    op.execute(f"alter policy app_reads on subjects using ({OWNER} or {SEEING})")
    op.execute(f"alter policy app_reads on services using ({OWNER} or {SERVED})")
    op.execute(
        "alter policy app_adds on representative_events with check"
        f" ({EVENTS_OF_REPRESENTATIVES}{CONFIRMED_BY_OWNER})"
    )


def grants() -> None:
    op.add_column(
        "grants",
        sa.Column("exclusive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("grants", sa.Column("notice_version", sa.Text(), nullable=True))
    op.add_column("grants", sa.Column("notice_language", sa.Text(), nullable=True))
    op.add_column("grants", sa.Column("notice_sha256", sa.LargeBinary(), nullable=True))
    op.add_column(
        "grant_events", sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("grant_events", sa.Column("cause", sa.String(length=40), nullable=True))
    op.execute(
        "grant insert (exclusive, notice_version, notice_language, notice_sha256) on grants"
        f" to {APP}"
    )
    op.execute(f"grant insert (effective_at, cause) on grant_events to {APP}")
    # What was signed under the earlier rule counts as it did then; checks ask who signed anyway.
    op.execute(
        "insert into grant_events (id, grant_id, kind, actor_id, at, reason)"
        " select gen_random_uuid(), grant_id, 'ACTIVATED', (array_agg(actor_id order by at))[1],"
        " min(at), 'signed before signatures were counted'"
        " from grant_events where kind = 'SIGNED' group by grant_id"
    )
    # An office may hold a grant back, as when it records a death, and let it go; it gives none.
    op.execute(
        "alter policy offices_stand_aside on grant_events with check"
        f" ({STAND_ASIDE} or kind in ('SUSPENDED', 'RESUMED'))"
    )


def downgrade() -> None:
    op.execute(f"alter policy offices_stand_aside on grant_events with check ({STAND_ASIDE})")
    op.execute(
        f"alter policy app_adds on representative_events with check ({EVENTS_OF_REPRESENTATIVES})"
    )
    op.execute(f"alter policy app_reads on services using ({OLD_OWNER} or {SERVED})")
    op.execute(f"alter policy app_reads on subjects using ({OLD_OWNER} or {SEEING})")
    op.execute(OLD_REPRESENTS)
    for column in MANDATES:
        op.drop_column("representatives", column)
    op.drop_column("grant_events", "cause")
    op.drop_column("grant_events", "effective_at")
    for column in ("exclusive", "notice_version", "notice_language", "notice_sha256"):
        op.drop_column("grants", column)
    op.execute("drop function likeness_member_of")
    op.drop_table("organisation_member_events")
    op.drop_table("organisation_members")
