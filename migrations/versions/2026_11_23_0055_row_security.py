"""Roles, row-level security, and history that cannot be rewritten.

Revision ID: 20261123_security
Revises: 20261123_tables
Create Date: 2026-11-23 00:55:00
"""

from alembic import op

revision = "20261123_security"
down_revision = "20261123_tables"

APP, CHECK = "likeness_app", "likeness_check"

# Who may see a row: its owner, or the operator. `app` is whoever acts through the API.
OWN = "{column} = likeness_principal() or likeness_is_operator()"
CHILD_OF = "exists (select 1 from {parent} p where p.id = {table}.{column})"
MINE = OWN.format(column="principal_id")
GRANTED = (
    "exists (select 1 from subjects s where s.id = grants.subject_id)"
    " or likeness_principal() = any(grantees)"
    " or (grantees is null and likeness_kind() = 'SERVICE')"
)

# table -> (who may read it, who may add to it); None: as for reading.
APP_POLICIES: dict[str, tuple[str, str | None]] = {
    "principals": (
        OWN.format(column="id") + " or kind = 'SERVICE'",
        "kind = 'SERVICE' or likeness_is_operator()",
    ),
    "credentials": (MINE, "likeness_is_operator()"),
    "credential_events": (
        "true",
        CHILD_OF.format(parent="credentials", table="credential_events", column="credential_id"),
    ),
    "subjects": (OWN.format(column="owner_id"), None),
    "subject_keys": (
        CHILD_OF.format(parent="subjects", table="subject_keys", column="subject_id"),
        None,
    ),
    "subject_aliases": (
        CHILD_OF.format(parent="subjects", table="subject_aliases", column="subject_id"),
        None,
    ),
    "subject_events": (
        CHILD_OF.format(parent="subjects", table="subject_events", column="subject_id"),
        None,
    ),
    "assets": (OWN.format(column="owner_id"), None),
    "asset_references": (
        CHILD_OF.format(parent="assets", table="asset_references", column="asset_id"),
        CHILD_OF.format(parent="assets", table="asset_references", column="asset_id")
        + " and "
        + CHILD_OF.format(parent="subjects", table="asset_references", column="subject_id"),
    ),
    "asset_events": (
        CHILD_OF.format(parent="assets", table="asset_events", column="asset_id"),
        None,
    ),
    "grants": (GRANTED, CHILD_OF.format(parent="subjects", table="grants", column="subject_id")),
    "grant_events": (
        CHILD_OF.format(parent="grants", table="grant_events", column="grant_id"),
        (
            "exists (select 1 from grants g join subjects s on s.id = g.subject_id"
            " where g.id = grant_events.grant_id)"
        ),
    ),
    "objections": (
        CHILD_OF.format(parent="subjects", table="objections", column="subject_id"),
        None,
    ),
    "objection_events": (
        CHILD_OF.format(parent="objections", table="objection_events", column="objection_id"),
        None,
    ),
    "services": (
        OWN.format(column="owner_id") + " or id = likeness_principal()",
        OWN.format(column="owner_id"),
    ),
    "service_events": (
        CHILD_OF.format(parent="services", table="service_events", column="service_id"),
        "likeness_is_operator()",
    ),
    "probes": (MINE, None),
    "decisions": (OWN.format(column="service_id"), "false"),
    "check_nonces": (OWN.format(column="service_id"), "false"),
    "uses": (
        CHILD_OF.format(parent="grants", table="uses", column="grant_id"),
        "service_id = likeness_principal() and ordinal = likeness_next_use(grant_id) and "
        + CHILD_OF.format(parent="grants", table="uses", column="grant_id")
        + " and "
        + CHILD_OF.format(parent="decisions", table="uses", column="decision_id"),
    ),
    "idempotency_keys": (MINE, None),
    "keyrings": ("true", "likeness_is_operator()"),
    "log_leaves": ("true", "false"),
    "log_nodes": ("true", "false"),
    "checkpoints": ("true", "false"),
}
CHECK_WRITES = ("decisions", "check_nonces", "log_leaves", "log_nodes", "checkpoints")
# What a process may remove on its own, and when; everything else is history.
FORGETTABLE = {
    "probes": "expires_at < clock_timestamp()",
    "idempotency_keys": "created_at < clock_timestamp() - interval '7 days'",
    "check_nonces": "created_at < clock_timestamp() - interval '1 day'",
}
HISTORY = tuple(table for table in APP_POLICIES if table not in {*FORGETTABLE, "subject_keys"})


def upgrade() -> None:
    for role in (APP, CHECK):
        op.execute(
            f"do $$ begin create role {role} nologin; "
            "exception when duplicate_object or unique_violation then null; end $$"
        )
        op.execute(f"grant usage on schema public to {role}")
    op.execute("create table if not exists decisions_unforeseen partition of decisions default")
    op.execute(
        "create function likeness_principal() returns uuid stable language sql as "
        "$$ select nullif(current_setting('likeness.principal', true), '')::uuid $$"
    )
    op.execute(
        "create function likeness_kind() returns text stable language sql as "
        "$$ select coalesce(current_setting('likeness.kind', true), '') $$"
    )
    op.execute(
        "create function likeness_is_operator() returns boolean stable language sql as "
        "$$ select likeness_kind() = 'OPERATOR' $$"
    )
    op.execute(NEXT_USE)
    for table, (read, add) in APP_POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"create policy app_reads on {table} for select to {APP} using ({read})")
        allowed = f"({add or read})"
        if table.endswith("_events"):
            allowed += " and (actor_id = likeness_principal() or likeness_is_operator())"
        op.execute(f"create policy app_adds on {table} for insert to {APP} with check ({allowed})")
        op.execute(f"create policy check_reads on {table} for select to {CHECK} using (true)")
        op.execute(f"grant select on {table} to {APP}")
        op.execute(GRANT_INSERT.format(table=table))
        op.execute(f"grant select on {table} to {CHECK}")
    for table in CHECK_WRITES:
        op.execute(f"create policy check_adds on {table} for insert to {CHECK} with check (true)")
        op.execute(f"grant insert on {table} to {CHECK}")
    for table, when in FORGETTABLE.items():
        op.execute(f"create policy app_forgets on {table} for delete to {APP} using ({when})")
        op.execute(f"grant delete on {table} to {APP}")
    op.execute(APPEND)
    op.execute("revoke all on function likeness_append from public")
    op.execute(f"grant execute on function likeness_append to {CHECK}")
    keep_history()


# Every column but those that say when: the database's clock does.
GRANT_INSERT = """
do $$ begin execute (
  select format('grant insert (%s) on {table} to likeness_app',
    string_agg(quote_ident(column_name), ', '))
  from information_schema.columns
  where table_schema = current_schema and table_name = '{table}'
    and column_name not in ('at', 'created_at', 'since', 'xid'));
end $$
"""

# The only ordinal that a use of this grant may have, or null if it has none left. It counts the
# uses of every service, which the one that asks may not see.
NEXT_USE = """
create function likeness_next_use(wanted uuid) returns integer
language sql stable security definer set search_path = public as $$
  select case when g.max_uses is null or used.count < g.max_uses then used.count + 1 end
  from grants g, lateral (
    select coalesce(max(u.ordinal), 0) as count from uses u where u.grant_id = g.id) used
  where g.id = wanted
$$
"""

# Numbered and written in one statement, whoever else appends: the caller says where it believes the
# log stands, and is told where it does if that is somewhere else; then nothing was written.
APPEND = """
create function likeness_append(
  expected bigint,
  ids uuid[], services uuid[], decided_at timestamptz[], outcomes text[], answers bytea[],
  facts bytea[], sealed_for text[], indexes bigint[],
  nonce_services uuid[], nonces text[], nonce_decisions uuid[],
  entries bytea[], levels smallint[], node_indexes bigint[], hashes bytea[],
  new_size bigint, new_root bytea, new_frontier bytea, new_note text
) returns table (size bigint, frontier bytea) language plpgsql as $$
#variable_conflict use_column
declare
  head record;
  claimed integer;
begin
  perform pg_advisory_xact_lock(7106407);
  select c.size, c.frontier into head from checkpoints c order by c.size desc limit 1;
  if coalesce(head.size, 0) <> expected then
    return query select coalesce(head.size, 0), coalesce(head.frontier, '');
    return;
  end if;
  if cardinality(nonces) > 0 then
    insert into check_nonces (service_id, nonce, decision_id, created_at)
      select n.*, clock_timestamp() from unnest(nonce_services, nonces, nonce_decisions) as n
      on conflict do nothing;
    get diagnostics claimed = row_count;
    if claimed < cardinality(nonces) then
      raise exception 'a nonce was taken meanwhile' using errcode = 'LKN01';
    end if;
  end if;
  insert into decisions
    (id, service_id, decided_at, outcome, sealed_answer, sealed_facts, sealed_for, log_index)
    select d.id, d.service, d.at, d.outcome, d.answer, d.fact, d.about::uuid[], d.index
    from unnest(ids, services, decided_at, outcomes, answers, facts, sealed_for, indexes)
      as d (id, service, at, outcome, answer, fact, about, index);
  insert into log_leaves (index, entry, decision_id)
    select * from unnest(indexes, entries, ids);
  insert into log_nodes (level, index, hash)
    select * from unnest(levels, node_indexes, hashes);
  insert into checkpoints (size, root, frontier, note, at)
    values (new_size, new_root, new_frontier, new_note, clock_timestamp());
end $$
"""


def keep_history() -> None:
    op.execute(
        "create function likeness_history_is_kept() returns trigger language plpgsql as $$ begin "
        "raise exception '% is history: it is added to, never changed', tg_table_name "
        "using errcode = 'insufficient_privilege'; end $$"
    )
    for table in HISTORY:
        op.execute(
            f"create trigger history_is_kept before update or delete on {table} "
            "for each row execute function likeness_history_is_kept()"
        )
        op.execute(
            f"create trigger history_is_not_emptied before truncate on {table} "
            "for each statement execute function likeness_history_is_kept()"
        )


def downgrade() -> None:
    op.execute("drop function likeness_append")
    for table in HISTORY:
        op.execute(f"drop trigger history_is_kept on {table}")
        op.execute(f"drop trigger history_is_not_emptied on {table}")
    op.execute("drop function likeness_history_is_kept()")
    for table in FORGETTABLE:
        op.execute(f"drop policy app_forgets on {table}")
    for table in CHECK_WRITES:
        op.execute(f"drop policy check_adds on {table}")
    for table in APP_POLICIES:
        for policy in ("app_reads", "app_adds", "check_reads"):
            op.execute(f"drop policy {policy} on {table}")
        op.execute(f"alter table {table} disable row level security")
        op.execute(f"revoke all on {table} from {APP}, {CHECK}")
    op.execute("drop function likeness_next_use")
    op.execute("drop function likeness_is_operator()")
    op.execute("drop function likeness_kind()")
    op.execute("drop function likeness_principal()")
    # Rows of the default partition keep their place: partitions stay, roles belong to the cluster.
    op.execute(f"revoke usage on schema public from {APP}, {CHECK}")
