"""Cases with a PIN, client secrets, throttles, frozen accounts, and erasure.

Revision ID: 20261125_cases
Revises: 20261125_figures
Create Date: 2026-11-25 11:10:00
"""

# ruff: noqa: S608  # policies are put together from the text of this file alone

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import APP, DESK, ONESELF, SUBJECTS_OWN, events, fact, secure

revision = "20261125_cases"
down_revision = "20261125_figures"

OPERATOR = "likeness_is_operator()"
MINE = ONESELF.format(column="principal_id")
# What a frozen account adds nothing to.
CLAIMS = ("subjects", "samples", "assets", "objections", "grants")
IS_FROZEN = """
create function likeness_is_frozen() returns boolean
language sql stable security definer set search_path = public as $$
  select coalesce((
    select e.kind = 'FROZEN' from principal_events e
    where e.principal_id = likeness_principal() order by e.at desc, e.id desc limit 1), false)
$$
"""
ERASABLE = ("subject_keys", "subject_aliases")


def upgrade() -> None:
    make_cases()
    make_throttles()
    make_client_secrets()
    make_freezing()
    make_erasure()


def make_cases() -> None:
    fact("cases", by="principal_id")
    op.create_index(op.f("ix_cases_principal_id"), "cases", ["principal_id"], unique=True)
    secure("cases", read=f"{MINE} or {DESK}", add=OPERATOR)
    fact(
        "case_pins",
        sa.Column("pin_hash", sa.Text(), nullable=False),
        by="principal_id",
        indexed="principal_id",
    )
    secure("case_pins", read=MINE, add=MINE)
    fact(
        "case_contacts",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        by="principal_id",
        indexed="principal_id",
    )
    secure("case_contacts", read=f"{MINE} or {DESK}", add=MINE, history=False)
    forget("case_contacts", MINE)


def make_throttles() -> None:
    for table, digest, kept in (
        ("case_attempts", "number", "30 days"),
        ("arrivals", "source", "1 day"),
    ):
        op.create_table(
            table,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column(digest, sa.LargeBinary(), nullable=False),
            sa.Column("kind", sa.String(length=40), nullable=False),
            sa.Column(
                "created_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("clock_timestamp()"),
                nullable=False,
            ),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_{digest}"), table, [digest], unique=False)
        op.create_index(op.f(f"ix_{table}_created_at"), table, ["created_at"], unique=False)
        secure(table, read=OPERATOR, add=OPERATOR, history=False)
        forget(table, f"{OPERATOR} and created_at < clock_timestamp() - interval '{kept}'")


def make_client_secrets() -> None:
    fact(
        "client_secrets",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        by="made_by",
        indexed="principal_id",
    )
    secure("client_secrets", read=OPERATOR, add=OPERATOR)
    events("client_secret_events", "client_secret_id", "client_secrets")
    secure("client_secret_events", read=OPERATOR, add=OPERATOR)


def make_freezing() -> None:
    events("principal_events", "principal_id", "principals")
    secure("principal_events", read=f"{MINE} or {DESK}", add=OPERATOR)
    op.execute(IS_FROZEN)
    for table in CLAIMS:
        stand_still(table, "not likeness_is_frozen()")
    stand_still("grant_events", "kind <> 'SIGNED' or not likeness_is_frozen()")


def stand_still(table: str, unless: str) -> None:
    op.execute(
        f"create policy the_frozen_stand_still on {table} as restrictive for insert to {APP}"
        f" with check ({unless})"
    )


def make_erasure() -> None:
    fact(
        "erasures",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kept_as", sa.Uuid(), nullable=True),
        by="erased_by",
    )
    op.create_index(op.f("ix_erasures_subject_id"), "erasures", ["subject_id"], unique=True)
    op.create_foreign_key(op.f("fk_erasures_kept_as"), "erasures", "subjects", ["kept_as"], ["id"])
    own = SUBJECTS_OWN.format(table="erasures")
    secure("erasures", read=own, add=f"{own} and {ONESELF.format(column='erased_by')}")
    # Destroying the key is what erasure does, and the digests of a name go with it.
    op.execute("drop trigger history_is_kept on subject_aliases")
    op.execute(
        "create trigger history_is_kept before update on subject_aliases "
        "for each row execute function likeness_history_is_kept()"
    )
    for table in ERASABLE:
        forget(
            table,
            f"exists (select 1 from subjects s where s.id = {table}.subject_id"
            f" and ({ONESELF.format(column='s.owner_id')}))",
        )


def forget(table: str, when: str) -> None:
    op.execute(f"create policy app_forgets on {table} for delete to {APP} using ({when})")
    op.execute(f"grant delete on {table} to {APP}")


def downgrade() -> None:
    for table in ERASABLE:
        op.execute(f"drop policy app_forgets on {table}")
        op.execute(f"revoke delete on {table} from {APP}")
    op.execute("drop trigger history_is_kept on subject_aliases")
    op.execute(
        "create trigger history_is_kept before update or delete on subject_aliases "
        "for each row execute function likeness_history_is_kept()"
    )
    op.drop_table("erasures")
    for table in (*CLAIMS, "grant_events"):
        op.execute(f"drop policy the_frozen_stand_still on {table}")
    op.execute("drop function likeness_is_frozen")
    for table in (
        "principal_events",
        "client_secret_events",
        "client_secrets",
        "arrivals",
        "case_attempts",
        "case_contacts",
        "case_pins",
        "cases",
    ):
        op.drop_table(table)
