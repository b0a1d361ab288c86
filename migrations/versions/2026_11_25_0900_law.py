"""What decisions need beside consent: what the law sees in people, who acts for them, orders of
authorities, filings of services, and circumstances outside a request.

Revision ID: 20261125_law
Revises: 20261124_samples
Create Date: 2026-11-25 09:00:00
"""

# ruff: noqa: S608, ISC004  # policies are put together from the text of this file alone

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_law"
down_revision = "20261124_samples"

APP, CHECK = "likeness_app", "likeness_check"
SUBJECTS_OWN = "exists (select 1 from subjects s where s.id = {table}.subject_id)"
CHILD_OF = "exists (select 1 from {parent} p where p.id = {table}.{column})"
ONESELF = "({column} = likeness_principal() or likeness_is_operator())"
# The registry's own offices, which answer for what they put on record.
OFFICE = "likeness_kind() in ('ATTESTER', 'REVIEWER', 'OPERATOR')"
AUTHORITY = "likeness_kind() in ('REGULATOR', 'OPERATOR')"
OVERSEEN = "likeness_kind() in ('REGULATOR', 'AUDITOR')"

# table -> (who may read it, who may add to it)
APP_POLICIES = {
    "protections": (
        SUBJECTS_OWN.format(table="protections"),
        f"{SUBJECTS_OWN.format(table='protections')} and {ONESELF.format(column='asserted_by')}"
        f" and (not assured or {OFFICE})",
    ),
    "protection_events": (
        CHILD_OF.format(parent="protections", table="protection_events", column="protection_id"),
        # What an office answers for, an office takes back.
        f"{ONESELF.format(column='actor_id')} and exists (select 1 from protections p"
        f" where p.id = protection_events.protection_id and (not p.assured or {OFFICE}))",
    ),
    "representatives": (
        SUBJECTS_OWN.format(table="representatives"),
        f"{ONESELF.format(column='appointed_by')} and ({OFFICE} or exists (select 1 from subjects s"
        " where s.id = representatives.subject_id and s.owner_id = likeness_principal()))",
    ),
    "representative_events": (
        CHILD_OF.format(
            parent="representatives", table="representative_events", column="representative_id"
        ),
        CHILD_OF.format(
            parent="representatives", table="representative_events", column="representative_id"
        )
        + f" and {ONESELF.format(column='actor_id')} and (kind <> 'VERIFIED' or {OFFICE})",
    ),
    "orders": (
        f"placed_by = likeness_principal() or likeness_is_operator() or {OVERSEEN} or "
        + SUBJECTS_OWN.format(table="orders"),
        f"{AUTHORITY} and {ONESELF.format(column='placed_by')}",
    ),
    "order_events": (
        CHILD_OF.format(parent="orders", table="order_events", column="order_id"),
        f"{ONESELF.format(column='actor_id')} and exists (select 1 from orders o"
        " where o.id = order_events.order_id"
        " and (o.placed_by = likeness_principal() or likeness_is_operator()))",
    ),
    "filings": (
        CHILD_OF.format(parent="services", table="filings", column="service_id"),
        CHILD_OF.format(parent="services", table="filings", column="service_id")
        + f" and {ONESELF.format(column='declared_by')} and not {OVERSEEN}",
    ),
    "filing_events": (
        CHILD_OF.format(parent="filings", table="filing_events", column="filing_id"),
        CHILD_OF.format(parent="filings", table="filing_events", column="filing_id")
        + f" and {ONESELF.format(column='actor_id')} and likeness_kind() <> 'AUDITOR'",
    ),
    "filing_lists": ("true", "likeness_is_operator()"),
    "filing_list_numbers": ("true", "likeness_is_operator()"),
    "circumstances": ("true", f"{AUTHORITY} and {ONESELF.format(column='stated_by')}"),
    "circumstance_events": (
        "true",
        f"{ONESELF.format(column='actor_id')} and exists (select 1 from circumstances c"
        " where c.id = circumstance_events.circumstance_id"
        " and (c.stated_by = likeness_principal() or likeness_is_operator()))",
    ),
}
# An office attests and verifies; it consents, objects and enrols for nobody.
NOT_FOR_OFFICES = (
    "subject_keys",
    "subject_aliases",
    "subject_events",
    "assets",
    "asset_references",
    "asset_events",
    "grants",
    "grant_events",
    "objections",
    "objection_events",
    "samples",
    "sample_events",
    "templates",
    "template_events",
)
NOT_FOR_REPRESENTATIVES = ("subject_keys", "subject_aliases", "subject_events")
TABLES = tuple(APP_POLICIES)

OWNER = "owner_id = likeness_principal() or likeness_is_operator()"
# Reads past row-level security: the rows it looks at are themselves seen through `subjects`.
REPRESENTS = """
create function likeness_represents(wanted uuid) returns boolean
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


def upgrade() -> None:
    create_tables()
    op.add_column("grant_events", sa.Column("representative_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_grant_events_representative_id"),
        "grant_events",
        "representatives",
        ["representative_id"],
        ["id"],
    )
    op.execute(f"grant insert (representative_id) on grant_events to {APP}")
    op.execute(REPRESENTS)
    op.execute(
        f"alter policy app_reads on subjects using ({OWNER} or likeness_represents(id)"
        " or likeness_kind() in ('ATTESTER', 'REVIEWER'))"
    )
    op.execute(
        f"alter policy app_reads on services using ({OWNER} or id = likeness_principal()"
        f" or {OVERSEEN})"
    )
    for table in NOT_FOR_OFFICES:
        op.execute(
            f"create policy offices_stand_aside on {table} as restrictive for insert to {APP}"
            " with check (likeness_kind() not in ('ATTESTER', 'REVIEWER'))"
        )
    for table in NOT_FOR_REPRESENTATIVES:
        op.execute(
            f"create policy only_the_owner on {table} as restrictive for insert to {APP}"
            f" with check (exists (select 1 from subjects s where s.id = {table}.subject_id"
            f" and ({OWNER})))"
        )
    for table, (read, add) in APP_POLICIES.items():
        secure(table, read, add)


def secure(table: str, read: str, add: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"create policy app_reads on {table} for select to {APP} using ({read})")
    op.execute(f"create policy app_adds on {table} for insert to {APP} with check ({add})")
    op.execute(f"create policy check_reads on {table} for select to {CHECK} using (true)")
    op.execute(f"grant select on {table} to {APP}, {CHECK}")
    op.execute(GRANT_INSERT.format(table=table))
    op.execute(
        f"create trigger history_is_kept before update or delete on {table} "
        "for each row execute function likeness_history_is_kept()"
    )
    op.execute(
        f"create trigger history_is_not_emptied before truncate on {table} "
        "for each statement execute function likeness_history_is_kept()"
    )


# Every column but those that say when: the database's clock does.
GRANT_INSERT = """
do $$ begin execute (
  select format('grant insert (%s) on {table} to likeness_app',
    string_agg(quote_ident(column_name), ', '))
  from information_schema.columns
  where table_schema = current_schema and table_name = '{table}'
    and column_name not in ('at', 'created_at'));
end $$
"""


def fact(table: str, *columns: sa.Column, by: str, indexed: str | None) -> None:  # type: ignore[type-arg]  # of any type
    """A table of immutable facts: an id, its columns, who said it and when."""
    references = [("subject_id", "subjects"), ("service_id", "services"), (by, "principals")]
    names = {one.name for one in columns} | {by}
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column(by, sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
            for column, parent in references
            if column in names
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    if indexed is not None:
        op.create_index(op.f(f"ix_{table}_{indexed}"), table, [indexed], unique=False)


def events(of: str, table: str, parent: str) -> None:
    """What became of the facts of a table."""
    column = f"{of}_id"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(column, sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def create_tables() -> None:

    fact(
        "protections",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("assured", sa.Boolean(), nullable=False),
        by="asserted_by",
        indexed="subject_id",
    )
    events("protection", "protection_events", "protections")
    fact(
        "representatives",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("kinship", sa.String(length=40), nullable=True),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("share > 0 and share <= 1", name=op.f("ck_representatives_share")),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_representatives_principal_id")
        ),
        by="appointed_by",
        indexed="subject_id",
    )
    op.create_index(
        op.f("ix_representatives_principal_id"), "representatives", ["principal_id"], unique=False
    )
    events("representative", "representative_events", "representatives")
    fact(
        "orders",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        *(
            sa.Column(one, postgresql.ARRAY(sa.Text()), nullable=True)
            for one in ("modalities", "uses", "purposes", "territories")
        ),
        by="placed_by",
        indexed="subject_id",
    )
    events("order", "order_events", "orders")
    create_filings()
    fact(
        "circumstances",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "ends_at > starts_at and isfinite(starts_at) and isfinite(ends_at)",
            name=op.f("ck_circumstances_finite_window"),
        ),
        by="stated_by",
        indexed="ends_at",
    )
    events("circumstance", "circumstance_events", "circumstances")


def create_filings() -> None:
    fact(
        "filings",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        by="declared_by",
        indexed="service_id",
    )
    events("filing", "filing_events", "filings")
    fact(
        "filing_lists",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        by="loaded_by",
        indexed="territory",
    )
    op.create_table(
        "filing_list_numbers",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["filing_lists.id"], name=op.f("fk_filing_list_numbers_list_id")
        ),
        sa.PrimaryKeyConstraint("list_id", "number", name=op.f("pk_filing_list_numbers")),
    )


def downgrade() -> None:
    for table in NOT_FOR_OFFICES:
        op.execute(f"drop policy offices_stand_aside on {table}")
    for table in NOT_FOR_REPRESENTATIVES:
        op.execute(f"drop policy only_the_owner on {table}")
    op.execute(f"alter policy app_reads on services using ({OWNER} or id = likeness_principal())")
    op.execute(f"alter policy app_reads on subjects using ({OWNER})")
    op.execute("drop function likeness_represents")
    op.drop_column("grant_events", "representative_id")
    for table in reversed(TABLES):
        op.drop_table(table)
