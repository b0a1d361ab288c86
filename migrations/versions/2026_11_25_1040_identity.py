"""Who is known how well, what was shown in proof of it, and what was refused.

Revision ID: 20261125_identity
Revises: 20261125_hands
Create Date: 2026-11-25 10:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.migrating import (
    APP,
    CHILD_OF,
    DESK,
    OFFICE,
    ONESELF,
    SUBJECTS_OWN,
    events,
    fact,
    forgettable,
    secure,
)

revision = "20261125_identity"
down_revision = "20261125_hands"

ATTESTED = (
    "exists (select 1 from attestations a"
    " where a.id = attestation_id and a.attested_by = likeness_principal())"
)
# The person it was compared with was erased.
ERASED = (
    "exists (select 1 from attestations a where a.id = attestation_captures.attestation_id"
    " and a.subject_id is not null"
    " and not exists (select 1 from subject_keys k where k.subject_id = a.subject_id))"
)
OVER = (
    "exists (select 1 from attestations a where a.id = attestation_id"
    " and (a.expires_at <= clock_timestamp() or exists (select 1 from attestation_events e"
    " where e.attestation_id = a.id and e.kind = 'REVOKED')))"
)
ATTESTS = "(likeness_kind() = 'ATTESTER' and {column} = likeness_principal())"
TABLES = (
    "evidence_contents",
    "evidence",
    "spoken_statements",
    "signing_challenges",
    "refused_presentations",
    "attester_key_events",
    "attester_keys",
    "attestation_captures",
    "attestation_events",
    "attestations",
)
# Both read past row-level security and tell one bit: a signer may not see whose a service is.
FUNCTIONS = {
    "likeness_owns_service(who uuid, wanted uuid[])": (
        "select exists (select 1 from services s"
        " where (wanted is null or s.id = any(wanted)) and (s.owner_id = who"
        " or exists (select 1 from organisation_members m"
        " where m.organisation_id = s.owner_id and m.principal_id = who and not exists"
        " (select 1 from organisation_member_events e"
        " where e.member_id = m.id and e.kind = 'ENDED'))))"
    ),
    "likeness_may_be_attested(who uuid)": (
        "select exists (select 1 from principals p"
        " where p.id = who and p.kind in ('PERSON', 'ORGANISATION'))"
    ),
}
WAS_HEARD = (
    "likeness_was_heard(digest bytea)",
    "select exists (select 1 from spoken_statements s where s.recording = digest)",
)


def upgrade() -> None:
    for signature, body in FUNCTIONS.items():
        define(signature, body)
    attestations()
    providers()
    presentations()
    challenges()
    define(*WAS_HEARD)
    evidence()


def define(signature: str, body: str) -> None:
    op.execute(
        f"create function {signature} returns boolean language sql stable security definer"
        f" set search_path = public as $$ {body} $$"
    )
    name = signature.partition("(")[0]
    op.execute(f"revoke all on function {name} from public")
    op.execute(f"grant execute on function {name} to {APP}")


def attestations() -> None:
    fact(
        "attestations",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("liveness", sa.Boolean(), nullable=False),
        sa.Column("evidence_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("matched", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("jti", sa.Text(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        by="attested_by",
        indexed="principal_id",
    )
    op.create_unique_constraint(
        op.f("uq_attestations_attested_by_jti"), "attestations", ["attested_by", "jti"]
    )
    attests = ATTESTS.format(column="attested_by")
    secure(
        "attestations",
        read=f"{ONESELF.format(column='principal_id')} or {attests}",
        add=f"likeness_is_operator() or ({attests} and principal_id <> attested_by"
        " and not likeness_owns_service(attested_by, null)"
        " and likeness_may_be_attested(principal_id))",
    )
    events("attestation_events", "attestation_id", "attestations")
    captures()
    child = CHILD_OF.format(
        parent="attestations", table="attestation_events", column="attestation_id"
    )
    secure(
        "attestation_events",
        read=child,
        add=f"{ONESELF.format(column='actor_id')} and (likeness_is_operator() or {ATTESTED})",
    )


def captures() -> None:
    op.create_table(
        "attestation_captures",
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attestation_id"],
            ["attestations.id"],
            name=op.f("fk_attestation_captures_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("attestation_id", name=op.f("pk_attestation_captures")),
    )
    secure(
        "attestation_captures",
        read=CHILD_OF.format(
            parent="attestations", table="attestation_captures", column="attestation_id"
        ),
        add=f"likeness_is_operator() or {ATTESTED}",
        history=False,
    )
    forgettable("attestation_captures", when=f"likeness_is_operator() and ({OVER} or {ERASED})")


def providers() -> None:
    fact(
        "attester_keys",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        by="added_by",
    )
    op.create_unique_constraint(op.f("uq_attester_keys_kid"), "attester_keys", ["kid"])
    secure(
        "attester_keys",
        read=ONESELF.format(column="principal_id"),
        add="likeness_is_operator()",
    )
    events("attester_key_events", "attester_key_id", "attester_keys")
    secure(
        "attester_key_events",
        read=CHILD_OF.format(
            parent="attester_keys", table="attester_key_events", column="attester_key_id"
        ),
        add="likeness_is_operator()",
    )


def presentations() -> None:
    fact(
        "refused_presentations",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(length=40), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False),
        by="presented_by",
        indexed="subject_id",
    )
    secure(
        "refused_presentations",
        read=f"{DESK} or presented_by = likeness_principal()",
        add=ONESELF.format(column="presented_by"),
    )


def challenges() -> None:
    fact(
        "signing_challenges",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        by="principal_id",
        indexed="grant_id",
    )
    op.create_foreign_key(
        op.f("fk_signing_challenges_grant_id"), "signing_challenges", "grants", ["grant_id"], ["id"]
    )
    mine = ONESELF.format(column="principal_id")
    secure("signing_challenges", read=mine, add=mine)
    fact(
        "spoken_statements",
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recording", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_vectors", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        by="spoken_by",
        indexed="subject_id",
    )
    for column in ("challenge_id", "recording"):
        op.create_index(op.f(f"ix_spoken_statements_{column}"), "spoken_statements", [column])
    op.create_foreign_key(
        op.f("fk_spoken_statements_challenge_id"),
        "spoken_statements",
        "signing_challenges",
        ["challenge_id"],
        ["id"],
    )
    own = SUBJECTS_OWN.format(table="spoken_statements")
    secure("spoken_statements", read=own, add=f"{own} and {ONESELF.format(column='spoken_by')}")


def evidence() -> None:
    fact(
        "evidence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        by="uploaded_by",
        indexed="subject_id",
    )
    own = SUBJECTS_OWN.format(table="evidence")
    secure("evidence", read=own, add=f"{own} and {ONESELF.format(column='uploaded_by')}")
    op.create_table(
        "evidence_contents",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_evidence_contents_evidence_id")
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence_contents")),
    )
    mine = "exists (select 1 from evidence e where e.id = evidence_id and e.uploaded_by ="
    secure(
        "evidence_contents",
        read=OFFICE,
        add=f"likeness_is_operator() or {mine} likeness_principal())",
        history=False,
    )
    forgettable(
        "evidence_contents",
        when="likeness_is_operator() and exists (select 1 from evidence e"
        " where e.id = evidence_id and e.expires_at <= clock_timestamp())",
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for signature in (*FUNCTIONS, WAS_HEARD[0]):
        op.execute(f"drop function {signature.partition('(')[0]}")
