"""Public and historical figures, as named lists tell of them.

Revision ID: 20261125_figures
Revises: 20261125_identity
Create Date: 2026-11-25 10:45:00
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

from registry.migrating import events, fact, secure

revision = "20261125_figures"
down_revision = "20261125_identity"

IMPORTERS = "likeness_kind() in ('ATTESTER', 'OPERATOR')"


class Xid8(UserDefinedType[int]):
    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def _xid() -> sa.Column[int]:
    written = sa.text("pg_current_xact_id()")
    return sa.Column("xid", Xid8(), server_default=written, nullable=False)


def upgrade() -> None:
    fact(
        "figures",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("born", sa.Text(), nullable=True),
        sa.Column("died", sa.Text(), nullable=True),
        sa.Column("citizenship", sa.Text(), nullable=True),
        sa.Column("domicile", sa.Text(), nullable=True),
        sa.Column("classes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _xid(),
        by="imported_by",
        indexed="xid",
    )
    op.create_unique_constraint(
        op.f("uq_figures_source_source_id_version"), "figures", ["source", "source_id", "version"]
    )
    secure("figures", read="true", add=IMPORTERS, checked=True)
    op.create_table(
        "figure_names",
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("figure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["figure_id"], ["figures.id"], name=op.f("fk_figure_names_figure_id")
        ),
        sa.PrimaryKeyConstraint("name_key", "figure_id", name=op.f("pk_figure_names")),
    )
    secure("figure_names", read="true", add=IMPORTERS, checked=True)
    events("figure_events", "figure_id", "figures", _xid())
    op.create_index(op.f("ix_figure_events_xid"), "figure_events", ["xid"], unique=False)
    secure("figure_events", read="true", add=IMPORTERS, checked=True)


def downgrade() -> None:
    op.drop_table("figure_events")
    op.drop_table("figure_names")
    op.drop_table("figures")
