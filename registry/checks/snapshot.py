"""One statement, one snapshot: everything a batch of checks decides from.

It returns the references that became visible since the arrays' snapshot, the state of every
candidate, the services that ask, answers already given under a nonce, and the snapshot itself.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from registry import grants, objections, services, subjects
from registry.checks.references import SealedReference
from registry.keys import Keys
from registry.policy import facts
from registry.policy.vocabulary import (
    AiUse,
    ContentFlag,
    GrantorRole,
    Modality,
    ObligationCode,
    Purpose,
)
from registry.sealing import SealError

logger = logging.getLogger(__name__)

# More new references than this are taken in apart: the statement answers checks, it is no import.
MOST_NEW = 2000

# $1 snapshot of the arrays, $2 encoder, $3 candidate references, $4 claimed subjects, $5 name
# digests, $6 services, $7 credentials, $8 and $9 (service, nonce) pairs,
# $10 how many new references to return at most.
STATEMENT = """
with hit as materialized (
  select r.id, r.subject_id from asset_references r
  join subject_keys k on k.subject_id = r.subject_id
  where r.id = any($3::uuid[]) and not exists (
    select 1 from asset_events e where e.asset_id = r.asset_id and e.kind = 'RETIRED')
), named as materialized (
  select subject_id, alias_index from subject_aliases where alias_index = any($5::bytea[])
), about as materialized (
  select subject_id from hit union select subject_id from named union select unnest($4::uuid[])
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
  (select coalesce(json_agg(json_build_array(id, subject_id)), '[]') from hit),
  (select coalesce(json_agg(json_build_array(subject_id, encode(alias_index, 'hex'))), '[]')
    from named),
  (select coalesce(json_agg(json_build_object(
      'id', s.id, 'profile', encode(s.profile, 'hex'), 'key', encode(k.wrapped, 'hex'),
      'events', (select coalesce(json_agg(e.kind order by e.at, e.id), '[]')
        from subject_events e where e.subject_id = s.id),
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the batch needs to know about."""

    references: Collection[UUID]
    claimed: Collection[UUID]
    names: Collection[bytes]
    services: Collection[UUID]
    credentials: Collection[UUID]
    nonces: Collection[tuple[UUID, str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the database knew at one moment, about everything the batch asked."""

    snapshot: str
    at: datetime
    new_references: list[SealedReference]
    subject_of: dict[UUID, UUID]  # live candidate reference -> subject
    named: dict[bytes, frozenset[UUID]]
    subjects: dict[UUID, facts.Subject]
    wrapped_keys: dict[UUID, bytes]
    services: dict[UUID, facts.Service]
    revoked_credentials: frozenset[UUID]
    answered: dict[tuple[UUID, str], tuple[UUID, bytes]]


async def take(
    connection: asyncpg.Connection, wanted: Wanted, *, since: str, encoder: str, keys: Keys
) -> Snapshot:
    """Ask once, and open what came."""
    row = await connection.fetchrow(
        STATEMENT,
        since,
        encoder,
        list(wanted.references),
        list(wanted.claimed),
        list(wanted.names),
        list(wanted.services),
        list(wanted.credentials),
        [service for service, _ in wanted.nonces],
        [nonce for _, nonce in wanted.nonces],
        MOST_NEW + 1,
    )
    snapshot, at, *parts = row
    new, hits, named, people, asking, revoked, answered = (orjson.loads(one) for one in parts)
    by_name: dict[bytes, set[UUID]] = {}
    for subject_id, digest in named:
        by_name.setdefault(bytes.fromhex(digest), set()).add(UUID(subject_id))
    return Snapshot(
        snapshot=snapshot,
        at=at,
        new_references=[_reference(one) for one in new],
        subject_of={UUID(one): UUID(subject) for one, subject in hits},
        named={digest: frozenset(ids) for digest, ids in by_name.items()},
        subjects=_subjects(people, at, keys),
        wrapped_keys={UUID(one["id"]): bytes.fromhex(one["key"]) for one in people},
        services={UUID(one["id"]): _service(one) for one in asking},
        revoked_credentials=frozenset(UUID(one) for one in revoked),
        answered={
            (UUID(one["service"]), one["nonce"]): (
                UUID(one["decision"]),
                bytes.fromhex(one["answer"]),
            )
            for one in answered
        },
    )


def _reference(row: dict[str, Any]) -> SealedReference:
    return SealedReference(
        id=UUID(row["id"]),
        subject_id=UUID(row["subject"]),
        sealed_hash=bytes.fromhex(row["hash"]),
        wrapped_key=bytes.fromhex(row["key"]),
    )


def _subjects(rows: list[dict[str, Any]], at: datetime, keys: Keys) -> dict[UUID, facts.Subject]:
    """Everybody who can be read; of a candidate who cannot, the engine says FACTS_INCOMPLETE."""
    found = {}
    for row in rows:
        try:
            found[UUID(row["id"])] = _subject(row, at, keys)
        except (ValueError, KeyError, TypeError, SealError):
            logger.exception("Subject %s cannot be read.", row["id"])
    return found


def _subject(row: dict[str, Any], at: datetime, keys: Keys) -> facts.Subject:
    profile = subjects.open_profile(
        bytes.fromhex(row["profile"]),
        subject_id=UUID(row["id"]),
        wrapped=bytes.fromhex(row["key"]),
        keys=keys,
    )
    return facts.Subject(
        id=row["id"],
        registration=subjects.registration_of(row["events"]),
        born=profile.birth_date,
        grants=tuple(_grant(one, at) for one in row["grants"]),
        objections=tuple(_objection(one) for one in row["objections"]),
    )


def _grant(row: dict[str, Any], at: datetime) -> facts.Grant:
    events = row["events"]
    ends_at = _time(row["until"])
    # The engine judges the end of the term itself, so that "expired" can be its reason.
    state = grants.state_of([one["kind"] for one in events], ends_at=None, at=at)
    signed = [one for one in events if one["kind"] == grants.GrantEventKind.SIGNED]
    revoked = [one["at"] for one in events if one["kind"] == grants.GrantEventKind.REVOKED]
    return facts.Grant(
        id=row["id"],
        grantees=_set(str, row["grantees"]),
        state=state,
        starts_at=datetime.fromisoformat(row["from"]),
        ends_at=ends_at,
        revoked_at=datetime.fromisoformat(revoked[0]) if revoked else None,
        modalities=_set(Modality, row["modalities"]),
        uses=_set(AiUse, row["uses"]),
        purposes=_set(Purpose, row["purposes"]),
        territories=_set(str, row["territories"]),
        content_allowed=_set(ContentFlag, row["content"]) or frozenset(),
        commercial=row["commercial"],
        uses_left=None if row["max_uses"] is None else row["max_uses"] - row["used"],
        grantor_roles=frozenset(GrantorRole(one["role"]) for one in signed),
        grantor_ial=min((one["ial"] for one in signed), default=0),
        signed_by=frozenset(one["actor"] for one in signed),
        written=row["written"],
        separate=row["separate"],
        represented=row["represented"],
        replaces_performance=row["replaces"],
        obligations=_set(ObligationCode, row["obligations"]) or frozenset(),
        acknowledges_objections=frozenset(row["acknowledges"]),
    )


def _objection(row: dict[str, Any]) -> facts.Objection:
    events = row["events"]
    state = objections.state_of([one["kind"] for one in events])
    ended = [one["at"] for one in events if one["kind"] in objections.ENDED]
    return facts.Objection(
        id=row["id"],
        state=state,
        since=datetime.fromisoformat(row["since"]),
        modalities=_set(Modality, row["modalities"]),
        uses=_set(AiUse, row["uses"]),
        purposes=_set(Purpose, row["purposes"]),
        territories=_set(str, row["territories"]),
        filed_by_role=GrantorRole(row["role"]),
        carve_out_grants=frozenset(row["carve_outs"]),
        until=datetime.fromisoformat(ended[0]) if ended else None,
    )


def _service(row: dict[str, Any]) -> facts.Service:
    standing = services.standing_of([(kind, tier) for kind, tier in row["events"]])
    return facts.Service(
        id=row["id"],
        active=standing.active,
        tier=standing.tier,
        establishment=row["established"],
        supported_obligations=_set(ObligationCode, row["obligations"]),
    )


def _set(kind: Any, values: list[str] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(kind(one) for one in values)


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
