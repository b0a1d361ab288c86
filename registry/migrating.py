"""Steps that migrations have in common: tables of facts, of events, and who may do what with them.

A migration that uses them is history: change what a step does by adding another step.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

APP: Final = "likeness_app"
CHECK: Final = "likeness_check"
# Conditions of row-level security, to be put together in a migration.
SUBJECTS_OWN: Final = "exists (select 1 from subjects s where s.id = {table}.subject_id)"
CHILD_OF: Final = "exists (select 1 from {parent} p where p.id = {table}.{column})"
ONESELF: Final = "({column} = likeness_principal() or likeness_is_operator())"
# The registry's own offices, which answer for what they put on record.
OFFICE: Final = "likeness_kind() in ('ATTESTER', 'REVIEWER', 'OPERATOR')"
DESK: Final = "likeness_kind() in ('REVIEWER', 'OPERATOR')"

# Every column but those that say when: the database's clock does.
_GRANT_INSERT: Final = """
do $$ begin execute (
  select format('grant insert (%s) on {table} to likeness_app',
    string_agg(quote_ident(column_name), ', '))
  from information_schema.columns
  where table_schema = current_schema and table_name = '{table}'
    and column_name not in ('at', 'created_at', 'since', 'xid'));
end $$
"""


def fact(table: str, *columns: sa.Column, by: str, indexed: str | None = None) -> None:  # type: ignore[type-arg]  # of any type
    """A table of immutable facts: an id, its columns, who said it and when."""
    references = [
        ("subject_id", "subjects"),
        ("service_id", "services"),
        ("principal_id", "principals"),
        (by, "principals"),
    ]
    names = [*(one.name for one in columns), by]
    also = [] if by in {one.name for one in columns} else [sa.Column(by, sa.Uuid(), nullable=False)]
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        *also,
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
            for column, parent in dict(references).items()
            if column in names
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    if indexed is not None:
        op.create_index(op.f(f"ix_{table}_{indexed}"), table, [indexed], unique=False)


def events(table: str, of: str, parent: str, *columns: sa.Column) -> None:  # type: ignore[type-arg]  # of any type
    """A table of what became of the facts in `parent`, which its column `of` refers to."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(of, sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        *columns,
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint([of], [f"{parent}.id"], name=op.f(f"fk_{table}_{of}")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{of}"), table, [of], unique=False)


def secure(table: str, *, read: str, add: str, history: bool = True, checked: bool = False) -> None:
    """Row-level security: who reads and who adds. `history`: nobody changes or removes a row.

    `checked`: checks read it across owners.
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"create policy app_reads on {table} for select to {APP} using ({read})")
    op.execute(f"create policy app_adds on {table} for insert to {APP} with check ({add})")
    op.execute(f"grant select on {table} to {APP}")
    if checked:
        op.execute(f"create policy check_reads on {table} for select to {CHECK} using (true)")
        op.execute(f"grant select on {table} to {CHECK}")
    op.execute(_GRANT_INSERT.format(table=table))
    if not history:
        return
    op.execute(
        f"create trigger history_is_kept before update or delete on {table} "
        "for each row execute function likeness_history_is_kept()"
    )
    op.execute(
        f"create trigger history_is_not_emptied before truncate on {table} "
        "for each statement execute function likeness_history_is_kept()"
    )


def forgettable(table: str, *, when: str) -> None:
    """Let the application remove rows of a table without history once this holds."""
    op.execute(f"create policy app_forgets on {table} for delete to {APP} using ({when})")
    op.execute(f"grant delete on {table} to {APP}")
