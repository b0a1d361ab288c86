"""One statement, one snapshot: everything a batch of checks decides from.

It returns the references that became visible since the arrays' snapshot, the state of every
candidate, the services that ask, what is so outside the request, answers already given under a
nonce, and the snapshot itself.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from registry import circumstances
from registry.checks.galleries import SealedTemplate
from registry.checks.references import SealedReference
from registry.checks.state import figures_of, service_of, subjects_of
from registry.checks.statement import MOST_NEW, STATEMENT, STATEMENT_AS_OF
from registry.encoder_set import EncoderSet
from registry.encoders.identity import IMAGE_HASH, Condition
from registry.keys import Keys
from registry.policy import facts
from registry.policy.vocabulary import Modality


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
    probes: Collection[str] = ()  # as rulings name them


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
    circumstances: tuple[facts.Circumstance, ...]
    ruled_out: dict[str, frozenset[UUID]]  # probe -> whom the desk found it does not show
    revoked_credentials: frozenset[UUID]
    answered: dict[tuple[UUID, str], tuple[UUID, bytes]]
    figures: dict[bytes, tuple[facts.Subject, ...]]


async def take(
    connection: asyncpg.Connection,
    wanted: Wanted,
    *,
    since: str,
    encoders: EncoderSet,
    keys: Keys,
    as_of: datetime | None = None,
) -> Snapshot:
    """Ask once, and open what came: as it is now, or as it was at a moment of the past."""
    probes = {keys.probe_digest(one): one for one in wanted.probes}
    row = await connection.fetchrow(
        STATEMENT if as_of is None else STATEMENT_AS_OF,
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
        list(probes),
        *(() if as_of is None else (as_of,)),
    )
    snapshot, at, *parts = row
    new, templates, hits, named, people, asking, outside, ruled, revoked, answered, figures = (
        orjson.loads(one) for one in parts
    )
    by_name = _gathered((digest, subject_id) for subject_id, digest in named)
    return Snapshot(
        snapshot=snapshot,
        at=at,
        new_references=[_reference(one) for one in new],
        new_templates=[_template(one) for one in templates],
        subject_of={UUID(one): UUID(subject) for one, subject in hits},
        named=by_name,
        subjects=subjects_of(people, at, keys, encoders),
        wrapped_keys={UUID(one["id"]): bytes.fromhex(one["key"]) for one in people},
        services={UUID(one["id"]): service_of(one) for one in asking},
        circumstances=circumstances.fold(outside),
        ruled_out={probes[digest]: ids for digest, ids in _gathered(ruled).items()},
        revoked_credentials=frozenset(UUID(one) for one in revoked),
        answered={
            (UUID(one["service"]), one["nonce"]): (
                UUID(one["decision"]),
                bytes.fromhex(one["answer"]),
            )
            for one in answered
        },
        figures=figures_of(figures, at),
    )


def _gathered(pairs: Iterable[Sequence[str]]) -> dict[bytes, frozenset[UUID]]:
    """Subjects by the digest, in hexadecimal, that each comes with."""
    found: dict[bytes, set[UUID]] = {}
    for digest, subject_id in pairs:
        found.setdefault(bytes.fromhex(digest), set()).add(UUID(subject_id))
    return {digest: frozenset(ids) for digest, ids in found.items()}


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
