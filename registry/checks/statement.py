"""One statement, one snapshot: everything a batch of checks decides from, as SQL.

The same text asks about now and about the past: for the past, whatever was said or happened later
is left out.
"""

# ruff: noqa: S608  # text of this file alone is put together; values are parameters

from collections.abc import Callable
from typing import Final

# More new references than this are taken in apart: the statement answers checks, it is no import.
MOST_NEW: Final = 2000

_MOMENT: Final = "(select at from moment)"

# Leaves out rows that this column dates after the moment asked about.
_Until = Callable[[str], str]

# $1 snapshot of the arrays, $2 encoder, $3 candidate references, $4 claimed subjects, $5 name
# digests, $6 services, $7 credentials, $8 and $9 (service, nonce) pairs,
# $10 how many new references of each kind to return at most, $11 candidate templates, $12 digests
# of the probes; $13 the moment, in the statement about the past.
_CANDIDATES: Final = """
with hit as materialized (
  select r.id, r.subject_id from asset_references r
  join subject_keys k on k.subject_id = r.subject_id
  where r.id = any($3::uuid[]) and not exists (
    select 1 from asset_events e where e.asset_id = r.asset_id and e.kind = 'RETIRED')
), known as materialized (
  select t.id, t.subject_id from templates t
  join subject_keys k on k.subject_id = t.subject_id
  where t.id = any($11::uuid[]) and not exists (
    select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')
), named as materialized (
  select subject_id, alias_index from subject_aliases where alias_index = any($5::bytea[])
), about as materialized (
  select subject_id from hit union select subject_id from known
  union select subject_id from named union select unnest($4::uuid[])
), moment as materialized (select {moment} as at)"""

_NEW_REFERENCES: Final = """
  (select coalesce(json_agg(json_build_object(
      'id', r.id, 'subject', r.subject_id, 'hash', encode(r.sealed_hash, 'hex'),
      'key', encode(r.wrapped, 'hex'))), '[]')
    from (select n.id, n.subject_id, n.sealed_hash, k.wrapped
      from asset_references n
      join assets a on a.id = n.asset_id and a.encoder = $2
      join subject_keys k on k.subject_id = n.subject_id
      where n.xid >= pg_snapshot_xmin($1::text::pg_snapshot)
        and not pg_visible_in_snapshot(n.xid, $1::text::pg_snapshot)
      limit $10) r),
  (select coalesce(json_agg(json_build_object(
      'id', r.id, 'subject', r.subject_id, 'modality', r.modality, 'encoder', r.encoder,
      'condition', r.condition, 'samples', r.samples, 'verified', r.verified,
      'vector', encode(r.sealed_vector, 'hex'), 'key', encode(r.wrapped, 'hex'))), '[]')
    from (select n.*, k.wrapped
      from templates n
      join subject_keys k on k.subject_id = n.subject_id
      where n.xid >= pg_snapshot_xmin($1::text::pg_snapshot)
        and not pg_visible_in_snapshot(n.xid, $1::text::pg_snapshot)
        and not exists (
          select 1 from template_events e where e.template_id = n.id and e.kind = 'RETIRED')
      limit $10) r)"""

_ASKING: Final = """
  (select coalesce(json_agg(credential_id), '[]') from credential_events
    where credential_id = any($7::uuid[]) and kind = 'REVOKED'),
  (select coalesce(json_agg(json_build_object('service', n.service_id, 'nonce', n.nonce,
      'decision', n.decision_id, 'answer', encode(d.sealed_answer, 'hex'))), '[]')
    from unnest($8::uuid[], $9::text[]) as asked (service_id, nonce)
    join check_nonces n using (service_id, nonce)
    join decisions d on d.id = n.decision_id)"""


def _subjects(until: _Until) -> str:
    return f"""
  (select coalesce(json_agg(json_build_object(
      'id', s.id, 'profile', encode(s.profile, 'hex'), 'key', encode(k.wrapped, 'hex'),
      'events', (select coalesce(json_agg(e.kind order by e.at, e.id), '[]')
        from subject_events e where e.subject_id = s.id{until("e.at")}),
      'templates', (select coalesce(json_agg(json_build_array(t.encoder, t.condition)), '[]')
        from templates t where t.subject_id = s.id and not exists (
          select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')),
      'protections', {_protections(until)},
      'holders', {_holders(until)},
      'grants', {_grants(until)},
      'objections', {_objections(until)},
      'orders', {_orders(until)})), '[]')
    from about
    join subjects s on s.id = about.subject_id{until("s.created_at")}
    join subject_keys k on k.subject_id = s.id)"""


def _protections(until: _Until) -> str:
    return f"""(select coalesce(json_agg(json_build_object(
          'id', p.id, 'kind', p.kind, 'assured', p.assured, 'sealed', encode(p.sealed, 'hex'))
          order by p.created_at, p.id), '[]')
        from protections p where p.subject_id = s.id{until("p.created_at")} and not exists (
          select 1 from protection_events e
          where e.protection_id = p.id and e.kind = 'RETRACTED'{until("e.at")}))"""


def _holders(until: _Until) -> str:
    return f"""(select coalesce(json_agg(json_build_object(
          'id', r.id, 'kinship', r.kinship, 'share', r.share) order by r.id), '[]')
        from representatives r
        where r.subject_id = s.id and r.role in ('RIGHTS_HOLDER', 'ESTATE_REPRESENTATIVE')
          and (r.ends_at is null or r.ends_at > {_MOMENT}){until("r.created_at")} and not exists (
            select 1 from representative_events e
            where e.representative_id = r.id and e.kind = 'ENDED'{until("e.at")}))"""


def _grants(until: _Until) -> str:
    return f"""(select coalesce(json_agg(json_build_object(
          'id', g.id, 'grantees', g.grantees, 'from', g.starts_at, 'until', g.ends_at,
          'modalities', g.modalities, 'uses', g.uses, 'purposes', g.purposes,
          'territories', g.territories, 'content', g.content_allowed,
          'commercial', g.commercial, 'max_uses', g.max_uses,
          'used', (select coalesce(max(u.ordinal), 0) from uses u
            where u.grant_id = g.id{until("u.at")}),
          'written', g.written, 'separate', g.separate, 'represented', g.represented,
          'replaces', g.replaces_performance, 'obligations', g.obligations,
          'acknowledges', g.acknowledges_objections,
          'events', (select coalesce(json_agg(json_build_object(
              'kind', e.kind, 'at', e.at, 'role', e.role, 'ial', e.ial,
              'representative', e.representative_id, 'effective', e.effective_at, 'cause', e.cause,
              'mandated', e.role in ('AGENT', 'AGENCY') and exists (
                select 1 from representative_events c where c.kind = 'CONFIRMED'
                and c.representative_id = e.representative_id)) order by e.at, e.id), '[]')
            from grant_events e where e.grant_id = g.id{until("e.at")})
          ) order by g.id), '[]')
        from grants g where g.subject_id = s.id{until("g.created_at")})"""


def _objections(until: _Until) -> str:
    return f"""(select coalesce(json_agg(json_build_object(
          'id', o.id, 'since', o.since, 'role', o.role, 'modalities', o.modalities,
          'uses', o.uses, 'purposes', o.purposes, 'territories', o.territories,
          'carve_outs', o.carve_out_grants,
          'events', (select coalesce(json_agg(json_build_object('kind', e.kind, 'at', e.at)
              order by e.at, e.id), '[]')
            from (select kind, at, id from objection_events where objection_id = o.id
              union all select kind, at, id from subject_events
              where subject_id = o.subject_id and kind = 'VERIFIED' and at > o.since) e
            where true{until("e.at")})
          ) order by o.id), '[]')
        from objections o where o.subject_id = s.id{until("o.since")})"""


def _orders(until: _Until) -> str:
    return f"""(select coalesce(json_agg(json_build_object(
          'id', o.id, 'modalities', o.modalities, 'uses', o.uses, 'purposes', o.purposes,
          'territories', o.territories) order by o.id), '[]')
        from orders o where o.subject_id = s.id{until("o.created_at")} and not exists (
          select 1 from order_events e
          where e.order_id = o.id and e.kind = 'LIFTED'{until("e.at")}))"""


def _services(until: _Until) -> str:
    latest = f"""select l.id from filing_lists l
            where l.territory = f.territory{until("l.created_at")}
            order by l.created_at desc, l.id desc limit 1"""
    return f"""
  (select coalesce(json_agg(json_build_object(
      'id', v.id, 'established', v.established_in, 'obligations', v.supported_obligations,
      'events', (select coalesce(json_agg(json_build_array(e.kind, e.tier) order by e.at, e.id),
        '[]') from service_events e where e.service_id = v.id{until("e.at")}),
      'filings', (select coalesce(json_agg(json_build_object(
          'territory', f.territory, 'kind', f.kind, 'list', latest.id is not null,
          'listed', exists (select 1 from filing_list_numbers n
            where n.list_id = latest.id and n.number = f.number))), '[]')
        from filings f left join lateral ({latest}) latest on true
        where f.service_id = v.id{until("f.created_at")} and not exists (
          select 1 from filing_events e
          where e.filing_id = f.id and e.kind = 'REVOKED'{until("e.at")})))), '[]')
    from services v where v.id = any($6::uuid[]){until("v.created_at")})"""


def _circumstances(until: _Until) -> str:
    return f"""
  (select coalesce(json_agg(json_build_array(c.name, c.territory, c.holds)), '[]')
    from circumstances c
    where c.starts_at <= {_MOMENT} and c.ends_at > {_MOMENT}{until("c.created_at")} and not exists (
      select 1 from circumstance_events e
      where e.circumstance_id = c.id and e.kind = 'RETRACTED'{until("e.at")}))"""


def _figures(until: _Until) -> str:
    return f"""
  (select coalesce(json_agg(json_build_object(
      'key', encode(n.name_key, 'hex'), 'id', f.id, 'born', f.born, 'died', f.died,
      'citizenship', f.citizenship, 'domicile', f.domicile, 'classes', f.classes)), '[]')
    from figure_names n
    join figures f on f.id = n.figure_id{until("f.created_at")}
    where n.name_key = any($5::bytea[]) and not exists (
      select 1 from figures l where l.source = f.source and l.source_id = f.source_id
        and l.version > f.version{until("l.created_at")}) and not exists (
      select 1 from figure_events e
      where e.figure_id = f.id and e.kind = 'REMOVED'{until("e.at")}))"""


def _rulings(until: _Until) -> str:
    return f"""
  (select coalesce(json_agg(json_build_array(encode(r.digest, 'hex'), r.subject_id)), '[]')
    from rulings r
    where r.digest = any($12::bytea[]) and r.ruling = 'NOT_THE_SAME_PERSON'{until("r.created_at")}
      and not exists (select 1 from ruling_events e
        where e.ruling_id = r.id and e.kind = 'OVERTURNED'{until("e.at")}))"""


def _statement(until: _Until, moment: str) -> str:
    return f"""{_CANDIDATES.replace("{moment}", moment)}
select
  pg_current_snapshot()::text,
  {_MOMENT},{_NEW_REFERENCES},
  (select coalesce(json_agg(json_build_array(id, subject_id)), '[]')
    from (select * from hit union all select * from known) as live),
  (select coalesce(json_agg(json_build_array(subject_id, encode(alias_index, 'hex'))), '[]')
    from named),{_subjects(until)},{_services(until)},{_circumstances(until)},
  {_rulings(until)},{_ASKING},{_figures(until)}
"""


STATEMENT: Final = _statement(lambda _column: "", "clock_timestamp()")
STATEMENT_AS_OF: Final = _statement(lambda column: f" and {column} <= $13", "$13::timestamptz")
