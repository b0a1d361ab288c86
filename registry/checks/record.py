"""Put decisions on record: each with its log leaf, and the batch's checkpoint, in one transaction.

An answer leaves only after this has committed (DESIGN: "log first, then answer").
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from registry import receipts
from registry.checks.questions import Question
from registry.database import new_id
from registry.decisions import Answer, seal_answer, seal_facts
from registry.keys import Keys
from registry.log import entries
from registry.policy.decision import Decision
from registry.policy.facts import Facts

SALT_BYTES = 32

_INSERT_DECISIONS = """
insert into decisions
  (id, service_id, decided_at, outcome, sealed_answer, sealed_facts, sealed_for, log_index)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_INSERT_LOG = """
with leaves as (
  insert into log_leaves (index, entry, decision_id)
  select * from unnest($1::bigint[], $2::bytea[], $3::uuid[])
), nodes as (
  insert into log_nodes (level, index, hash)
  select * from unnest($4::smallint[], $5::bigint[], $6::bytea[])
)
insert into checkpoints (size, root, frontier, note, at)
values ($7, $8, $9, $10, clock_timestamp())
"""
_INSERT_NONCES = """
insert into check_nonces (service_id, nonce, decision_id, created_at)
select *, clock_timestamp() from unnest($1::uuid[], $2::text[], $3::uuid[])
on conflict do nothing returning decision_id
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision ready to be recorded."""

    service_id: UUID
    question: Question
    request_digest: str
    facts: Facts
    decision: Decision  # what the engine said
    disclosed: Decision  # what the service is told
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where records are signed: the registry's name, its log's name and its keys."""

    issuer: str
    log_origin: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Draft:
    id: UUID
    salt: bytes
    claims: dict[str, object]
    entry: bytes


async def commit(
    connection: asyncpg.Connection,
    batch: Sequence[Decided],
    *,
    wrapped_keys: Mapping[UUID, bytes],
    evidence: Evidence,
) -> list[Answer | None]:
    """The signed answers, durable; None where another check took the same nonce first."""
    drafts = [_draft(one, evidence) for one in batch]
    async with connection.transaction():
        kept = await _claim_nonces(connection, batch, drafts)
        log = (
            entries.extend(
                await entries.head(connection),
                [draft.entry for at, draft in enumerate(drafts) if at in kept],
                origin=evidence.log_origin,
                keys=evidence.keys,
            )
            if kept
            else None
        )
        answers: list[Answer | None] = [None] * len(batch)
        for offset, at in enumerate(kept):
            assert log is not None  # noqa: S101  # `kept` is not empty here
            answers[at] = _answer(
                batch[at], drafts[at], log.first_index + offset, log.frontier.size, evidence
            )
        if log is not None:
            await _insert(connection, batch, answers, wrapped_keys, evidence.keys)
            await _insert_log(connection, [drafts[at] for at in kept], log)
    return answers


async def _claim_nonces(
    connection: asyncpg.Connection, batch: Sequence[Decided], drafts: Sequence[_Draft]
) -> list[int]:
    named = [at for at, one in enumerate(batch) if one.question.nonce is not None]
    if not named:
        return list(range(len(batch)))
    rows = await connection.fetch(
        _INSERT_NONCES,
        [batch[at].service_id for at in named],
        [batch[at].question.nonce for at in named],
        [drafts[at].id for at in named],
    )
    won = {row["decision_id"] for row in rows}
    return [
        at for at, draft in enumerate(drafts) if batch[at].question.nonce is None or draft.id in won
    ]


def _draft(one: Decided, evidence: Evidence) -> _Draft:
    decision_id, salt = new_id(), os.urandom(SALT_BYTES)
    claims = _claims(one, decision_id, salt, evidence)
    return _Draft(decision_id, salt, claims, receipts.log_entry(claims, salt))


def _claims(one: Decided, decision_id: UUID, salt: bytes, evidence: Evidence) -> dict[str, object]:
    request, told = one.facts.request, one.disclosed
    decided_at = int(one.facts.at.timestamp())
    claims: dict[str, object] = {
        "iss": evidence.issuer,
        "aud": str(one.service_id),
        "jti": str(decision_id),
        "iat": decided_at,
        "nbf": decided_at,
        "exp": int(told.valid_until.timestamp()),
        "outcome": str(told.outcome),
        "may_proceed": told.may_proceed,
        "req": {
            "alg": "sha-256",
            "commitment": receipts.commit(
                salt, {"request": one.request_digest, "media": list(one.media)}
            ).hex(),
        },
        "use": str(request.use),
        "purpose": str(request.purpose),
        "terr": sorted(request.territories),
        "reasons": sorted({reason.code for reason in told.reasons}),
        "grants": sorted({reason.grant for reason in told.reasons if reason.grant is not None}),
        "obl": [
            {"id": str(duty.code), "source": duty.source, "parameters": dict(duty.parameters)}
            for duty in told.obligations
        ],
        "packs": {pack.id: pack.version for pack in told.packs},
        "engine": told.engine,
    }
    if told.basis is not None:
        claims["basis"] = str(told.basis)
    return claims


def _answer(one: Decided, draft: _Draft, index: int, size: int, evidence: Evidence) -> Answer:
    log = {"origin": evidence.log_origin, "index": index, "size": size}
    told = one.disclosed
    return Answer(
        id=draft.id,
        outcome=told.outcome,
        may_proceed=told.may_proceed,
        basis=told.basis,
        reasons=told.reasons,
        obligations=told.obligations,
        persons=told.persons,
        packs=told.packs,
        decided_at=one.facts.at,
        valid_until=told.valid_until,
        token=receipts.sign_decision({**draft.claims, "log": log}, evidence.keys),
        salt=draft.salt.hex(),
        log_index=index,
        request_digest=one.request_digest,
    )


async def _insert(
    connection: asyncpg.Connection,
    batch: Sequence[Decided],
    answers: Sequence[Answer | None],
    wrapped_keys: Mapping[UUID, bytes],
    keys: Keys,
) -> None:
    rows = []
    for one, answer in zip(batch, answers, strict=True):
        if answer is None:
            continue
        about = sorted(UUID(subject.id) for subject in one.facts.subjects)
        sealed = seal_facts(
            one.facts,
            decision_id=answer.id,
            subjects=[(subject, wrapped_keys[subject]) for subject in about],
            keys=keys,
        )
        rows.append(
            (
                answer.id,
                one.service_id,
                answer.decided_at,
                str(one.decision.outcome),
                seal_answer(answer, keys=keys),
                sealed,
                about,
                answer.log_index,
            )
        )
    await connection.executemany(_INSERT_DECISIONS, rows)


async def _insert_log(
    connection: asyncpg.Connection, drafts: Sequence[_Draft], log: entries.Appended
) -> None:
    await connection.execute(
        _INSERT_LOG,
        list(range(log.first_index, log.first_index + len(drafts))),
        [draft.entry for draft in drafts],
        [draft.id for draft in drafts],
        [level for level, _, _ in log.nodes],
        [index for _, index, _ in log.nodes],
        [hash_ for _, _, hash_ in log.nodes],
        log.frontier.size,
        log.root,
        b"".join(log.frontier.hashes),
        log.note,
    )
