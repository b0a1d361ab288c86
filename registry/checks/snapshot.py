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
from registry.checks.galleries import SealedTemplate
from registry.checks.references import SealedReference
from registry.checks.statement import MOST_NEW, STATEMENT
from registry.encoder_set import EncoderSet
from registry.encoders.identity import IMAGE_HASH, Condition
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the batch needs to know about."""

    references: Collection[UUID]
    templates: Collection[UUID]
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
    new_templates: list[SealedTemplate]
    subject_of: dict[UUID, UUID]  # live candidate, picture or template -> subject
    named: dict[bytes, frozenset[UUID]]
    subjects: dict[UUID, facts.Subject]
    wrapped_keys: dict[UUID, bytes]
    services: dict[UUID, facts.Service]
    revoked_credentials: frozenset[UUID]
    answered: dict[tuple[UUID, str], tuple[UUID, bytes]]


async def take(
    connection: asyncpg.Connection,
    wanted: Wanted,
    *,
    since: str,
    encoders: EncoderSet,
    keys: Keys,
) -> Snapshot:
    """Ask once, and open what came."""
    row = await connection.fetchrow(
        STATEMENT,
        since,
        IMAGE_HASH,
        list(wanted.references),
        list(wanted.claimed),
        list(wanted.names),
        list(wanted.services),
        list(wanted.credentials),
        [service for service, _ in wanted.nonces],
        [nonce for _, nonce in wanted.nonces],
        MOST_NEW + 1,
        list(wanted.templates),
    )
    snapshot, at, *parts = row
    new, templates, hits, named, people, asking, revoked, answered = (
        orjson.loads(one) for one in parts
    )
    by_name: dict[bytes, set[UUID]] = {}
    for subject_id, digest in named:
        by_name.setdefault(bytes.fromhex(digest), set()).add(UUID(subject_id))
    return Snapshot(
        snapshot=snapshot,
        at=at,
        new_references=[_reference(one) for one in new],
        new_templates=[_template(one) for one in templates],
        subject_of={UUID(one): UUID(subject) for one, subject in hits},
        named={digest: frozenset(ids) for digest, ids in by_name.items()},
        subjects=_subjects(people, at, keys, encoders),
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


def _template(row: dict[str, Any]) -> SealedTemplate:
    return SealedTemplate(
        id=UUID(row["id"]),
        subject_id=UUID(row["subject"]),
        modality=Modality(row["modality"]),
        encoder=row["encoder"],
        condition=Condition(row["condition"]),
        samples=row["samples"],
        verified=row["verified"],
        sealed_vector=bytes.fromhex(row["vector"]),
        wrapped_key=bytes.fromhex(row["key"]),
    )


def _subjects(
    rows: list[dict[str, Any]], at: datetime, keys: Keys, encoders: EncoderSet
) -> dict[UUID, facts.Subject]:
    """Everybody who can be read; of a candidate who cannot, the engine says FACTS_INCOMPLETE."""
    found = {}
    for row in rows:
        try:
            found[UUID(row["id"])] = _subject(row, at, keys, encoders)
        except (ValueError, KeyError, TypeError, SealError):
            logger.exception("Subject %s cannot be read.", row["id"])
    return found


def _subject(row: dict[str, Any], at: datetime, keys: Keys, encoders: EncoderSet) -> facts.Subject:
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
        enrolled=frozenset(
            encoders.by_id[encoder].modality
            for encoder, _ in row["templates"]
            if encoders.is_active(encoder)
        ),
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
