"""Samples and templates: what people enrolled, and what is derived of it.

Revision ID: 20261124_samples
Revises: 20261123_security
Create Date: 2026-11-24 09:00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_samples"
down_revision = "20261123_security"

APP, CHECK = "likeness_app", "likeness_check"
SUBJECTS_OWN = "exists (select 1 from subjects s where s.id = {table}.subject_id)"
CHILD_OF = "exists (select 1 from {parent} p where p.id = {table}.{column})"
AS_ONESELF = " and ({column} = likeness_principal() or likeness_is_operator())"

# table -> (who may read it, who may add to it)
APP_POLICIES = {
    "samples": (
        SUBJECTS_OWN.format(table="samples"),
        SUBJECTS_OWN.format(table="samples") + AS_ONESELF.format(column="enrolled_by"),
    ),
    "sample_events": (
        CHILD_OF.format(parent="samples", table="sample_events", column="sample_id"),
        CHILD_OF.format(parent="samples", table="sample_events", column="sample_id")
        + AS_ONESELF.format(column="actor_id")
        + " and (kind <> 'RELEASED' or likeness_is_operator())",
    ),
    "templates": (
        SUBJECTS_OWN.format(table="templates"),
        SUBJECTS_OWN.format(table="templates"),
    ),
    "template_events": (
        CHILD_OF.format(parent="templates", table="template_events", column="template_id"),
        CHILD_OF.format(parent="templates", table="template_events", column="template_id")
        + AS_ONESELF.format(column="actor_id"),
    ),
}


class Xid8(sa.types.UserDefinedType):  # type: ignore[type-arg]  # a column type of DDL only
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def upgrade() -> None:
    create_samples()
    create_templates()
    for fact in ("sample", "template"):
        create_events(fact)
    for table, (read, add) in APP_POLICIES.items():
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
    and column_name not in ('at', 'created_at', 'xid'));
end $$
"""


def create_samples() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(length=40), nullable=False),
        sa.Column("encoders", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sealed_vectors", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_by", sa.Uuid(), nullable=False),
        sa.Column("ial", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_by"], ["principals.id"], name=op.f("fk_samples_enrolled_by")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_samples_subject_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
    )
    op.create_index(
        op.f("ix_samples_enrolled_by_created_at"),
        "samples",
        ["enrolled_by", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_samples_subject_id"), "samples", ["subject_id"], unique=False)


def create_templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(length=40), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("condition", sa.String(length=40), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("sealed_vector", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("samples > 0", name=op.f("ck_templates_samples_positive")),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_templates_subject_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index(op.f("ix_templates_subject_id"), "templates", ["subject_id"], unique=False)
    op.create_index(op.f("ix_templates_xid"), "templates", ["xid"], unique=False)


def create_events(fact: str) -> None:
    table, column = f"{fact}_events", f"{fact}_id"
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
        sa.ForeignKeyConstraint([column], [f"{fact}s.id"], name=op.f(f"fk_{table}_{column}")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def downgrade() -> None:
    # Its policies, grants and triggers go with a table; enrolments must then be made anew.
    for table in ("template_events", "sample_events", "templates", "samples"):
        op.drop_table(table)
