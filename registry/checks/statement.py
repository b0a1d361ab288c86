"""One statement, one snapshot: everything a batch of checks decides from, as SQL."""

from typing import Final

# More new references than this are taken in apart: the statement answers checks, it is no import.
MOST_NEW: Final = 2000

# $1 snapshot of the arrays, $2 encoder, $3 candidate references, $4 claimed subjects, $5 name
# digests, $6 services, $7 credentials, $8 and $9 (service, nonce) pairs,
# $10 how many new references of each kind to return at most, $11 candidate templates.
STATEMENT: Final = """
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
)
select
  pg_current_snapshot()::text,
  clock_timestamp(),
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
      limit $10) r),
  (select coalesce(json_agg(json_build_array(id, subject_id)), '[]')
    from (select * from hit union all select * from known) as live),
  (select coalesce(json_agg(json_build_array(subject_id, encode(alias_index, 'hex'))), '[]')
    from named),
  (select coalesce(json_agg(json_build_object(
      'id', s.id, 'profile', encode(s.profile, 'hex'), 'key', encode(k.wrapped, 'hex'),
      'events', (select coalesce(json_agg(e.kind order by e.at, e.id), '[]')
        from subject_events e where e.subject_id = s.id),
      'templates', (select coalesce(json_agg(json_build_array(t.encoder, t.condition)), '[]')
        from templates t where t.subject_id = s.id and not exists (
          select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')),
      'grants', (select coalesce(json_agg(json_build_object(
          'id', g.id, 'grantees', g.grantees, 'from', g.starts_at, 'until', g.ends_at,
          'modalities', g.modalities, 'uses', g.uses, 'purposes', g.purposes,
          'territories', g.territories, 'content', g.content_allowed,
          'commercial', g.commercial, 'max_uses', g.max_uses,
          'used', (select coalesce(max(u.ordinal), 0) from uses u where u.grant_id = g.id),
          'written', g.written, 'separate', g.separate, 'represented', g.represented,
          'replaces', g.replaces_performance, 'obligations', g.obligations,
          'acknowledges', g.acknowledges_objections,
          'events', (select coalesce(json_agg(json_build_object(
              'kind', e.kind, 'at', e.at, 'role', e.role, 'ial', e.ial, 'actor', e.actor_id)
              order by e.at, e.id), '[]') from grant_events e where e.grant_id = g.id)
          ) order by g.id), '[]') from grants g where g.subject_id = s.id),
      'objections', (select coalesce(json_agg(json_build_object(
          'id', o.id, 'since', o.since, 'role', o.role, 'modalities', o.modalities,
          'uses', o.uses, 'purposes', o.purposes, 'territories', o.territories,
          'carve_outs', o.carve_out_grants,
          'events', (select coalesce(json_agg(json_build_object('kind', e.kind, 'at', e.at)
              order by e.at, e.id), '[]') from objection_events e where e.objection_id = o.id)
          ) order by o.id), '[]') from objections o where o.subject_id = s.id)
      )), '[]')
    from about
    join subjects s on s.id = about.subject_id
    join subject_keys k on k.subject_id = s.id),
  (select coalesce(json_agg(json_build_object(
      'id', v.id, 'established', v.established_in, 'obligations', v.supported_obligations,
      'events', (select coalesce(json_agg(json_build_array(e.kind, e.tier) order by e.at, e.id),
        '[]') from service_events e where e.service_id = v.id))), '[]')
    from services v where v.id = any($6::uuid[])),
  (select coalesce(json_agg(credential_id), '[]') from credential_events
    where credential_id = any($7::uuid[]) and kind = 'REVOKED'),
  (select coalesce(json_agg(json_build_object('service', n.service_id, 'nonce', n.nonce,
      'decision', n.decision_id, 'answer', encode(d.sealed_answer, 'hex'))), '[]')
    from unnest($8::uuid[], $9::text[]) as asked (service_id, nonce)
    join check_nonces n using (service_id, nonce)
    join decisions d on d.id = n.decision_id)
"""
