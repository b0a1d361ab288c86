"""What becomes of reviews, rulings that last, and who read of whom.

Revision ID: 20261125_reviews
Revises: 20261125_requests
Create Date: 2026-11-25 11:50:00
"""

import sqlalchemy as sa
from alembic import op

from registry.migrating import CHILD_OF, DESK, ONESELF, SUBJECTS_OWN, events, fact, secure

revision = "20261125_reviews"
down_revision = "20261125_requests"

OPERATOR = "likeness_is_operator()"
OF_REVIEW = CHILD_OF.format(parent="reviews", table="{table}", column="review_id")


def upgrade() -> None:
    create_reviews()
    create_rulings()
    fact(
        "log_scans",
        sa.Column("size", sa.BigInteger(), nullable=False),
        by="scanned_by",
    )
    secure("log_scans", read=OPERATOR, add=OPERATOR)
    fact(
        "subject_accesses",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        by="principal_id",
        indexed="subject_id",
    )
    secure(
        "subject_accesses",
        read=SUBJECTS_OWN.format(table="subject_accesses"),
        add=ONESELF.format(column="principal_id"),
    )


def create_reviews() -> None:
    events(
        "review_events",
        "review_id",
        "reviews",
        sa.Column("ruling", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Uuid(), nullable=True),
    )
    op.create_index(op.f("ix_reviews_about"), "reviews", ["about"], unique=False)
    fact(
        "review_evidence",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        by="given_by",
        indexed="review_id",
    )
    op.create_foreign_key(
        op.f("fk_review_evidence_review_id"), "review_evidence", "reviews", ["review_id"], ["id"]
    )
    secure("review_evidence", read=OF_REVIEW.format(table="review_evidence"), add=OPERATOR)
    secure(
        "review_events",
        read=OF_REVIEW.format(table="review_events"),
        add=f"{OPERATOR} or ({DESK} and actor_id = likeness_principal())",
    )


def create_rulings() -> None:
    fact(
        "rulings",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("ruling", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        by="ruled_by",
        indexed="digest",
    )
    op.create_foreign_key(op.f("fk_rulings_review_id"), "rulings", "reviews", ["review_id"], ["id"])
    op.create_index(op.f("ix_rulings_review_id"), "rulings", ["review_id"], unique=False)
    op.create_index(op.f("ix_rulings_subject_id"), "rulings", ["subject_id"], unique=False)
    secure("rulings", read=DESK, add=OPERATOR, checked=True)
    events("ruling_events", "ruling_id", "rulings")
    secure("ruling_events", read=DESK, add=OPERATOR, checked=True)


def downgrade() -> None:
    op.drop_table("subject_accesses")
    op.drop_table("log_scans")
    op.drop_table("ruling_events")
    op.drop_table("rulings")
    op.drop_table("review_evidence")
    op.drop_table("review_events")
    op.drop_index(op.f("ix_reviews_about"), "reviews")
