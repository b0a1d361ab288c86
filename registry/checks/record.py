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
from registry.decisions import Answer, Recorded, seal_answer, seal_recorded
from registry.errors import BusyError, SetupError
from registry.keys import Keys
from registry.log import entries, merkle
from registry.policy.decision import Decision, PackVersion
from registry.policy.facts import Facts

SALT_BYTES = 32

# One statement, and so one transaction: see the function in the migration that made it.
_APPEND = """
select size, frontier from likeness_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
  $13, $14, $15, $16, $17, $18, $19, $20)
"""
_NONCE_TAKEN = "LKN01"
_ROUNDS = 50  # other processes that append meanwhile, before one here gives up


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision ready to be recorded."""

    service_id: UUID
    question: Question
    request_digest: str
    facts: Facts
    decision: Decision  # what the engine said
    disclosed: Decision  # what the service is told
    consulted: tuple[PackVersion, ...]
    media: tuple[str, ...]
    probes: tuple[tuple[str | None, ...], ...] = ()


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
    sealed_facts: bytes
    sealed_for: str  # a literal of a PostgreSQL array: asyncpg has no ragged ones


class Recorder:
    """Puts batches on record. One a process; it remembers where the log stood last."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._head = merkle.Frontier()

    async def record(
        self,
        connection: asyncpg.Connection,
        batch: Sequence[Decided],
        wrapped_keys: Mapping[UUID, bytes],
    ) -> list[Answer | None]:
        """The signed answers, durable; None for a check whose nonce another one took meanwhile."""
        kept = _first_of_each_nonce(batch)
        try:
            answers = await self._append(connection, [batch[at] for at in kept], wrapped_keys)
        except asyncpg.PostgresError as error:
            if error.sqlstate != _NONCE_TAKEN:
                raise
            kept = [at for at in kept if batch[at].question.nonce is None]
            answers = await self._append(connection, [batch[at] for at in kept], wrapped_keys)
        found: list[Answer | None] = [None] * len(batch)
        for at, answer in zip(kept, answers, strict=True):
            found[at] = answer
        return found

    async def _append(
        self,
        connection: asyncpg.Connection,
        batch: Sequence[Decided],
        wrapped_keys: Mapping[UUID, bytes],
    ) -> list[Answer]:
        if not batch:
            return []
        evidence = self._evidence
        drafts = [_draft(one, wrapped_keys, evidence) for one in batch]
        for _ in range(_ROUNDS):
            log = entries.extend(
                self._head,
                [draft.entry for draft in drafts],
                origin=evidence.log_origin,
                keys=evidence.keys,
            )
            answers = [
                _answer(one, draft, log.first_index + at, log.frontier.size, evidence)
                for at, (one, draft) in enumerate(zip(batch, drafts, strict=True))
            ]
            row = await connection.fetchrow(
                _APPEND, *_arguments(batch, drafts, answers, log, evidence.keys)
            )
            if row is None:
                self._head = log.frontier
                return answers
            if row["size"] < self._head.size:
                raise SetupError(
                    "The log in the database is shorter than what was signed here. Was an older"
                    " copy restored? Nothing is decided until this server is started anew."
                )
            # Another process appended since: number and sign anew.
            self._head = entries.load_head(row["size"], row["frontier"])
        raise BusyError("The log is being written too fast.", retry_after=1)


def _first_of_each_nonce(batch: Sequence[Decided]) -> list[int]:
    taken: set[tuple[UUID, str]] = set()
    kept = []
    for at, one in enumerate(batch):
        nonce = one.question.nonce
        if nonce is not None and (one.service_id, nonce) in taken:
            continue
        if nonce is not None:
            taken.add((one.service_id, nonce))
        kept.append(at)
    return kept


def _arguments(
    batch: Sequence[Decided],
    drafts: Sequence[_Draft],
    answers: Sequence[Answer],
    log: entries.Appended,
    keys: Keys,
) -> tuple[object, ...]:
    named = [at for at, one in enumerate(batch) if one.question.nonce is not None]
    return (
        log.first_index,
        [draft.id for draft in drafts],
        [one.service_id for one in batch],
        [one.facts.at for one in batch],
        [str(one.decision.outcome) for one in batch],
        [seal_answer(answer, keys=keys) for answer in answers],
        [draft.sealed_facts for draft in drafts],
        [draft.sealed_for for draft in drafts],
        [answer.log_index for answer in answers],
        [batch[at].service_id for at in named],
        [batch[at].question.nonce for at in named],
        [drafts[at].id for at in named],
        [draft.entry for draft in drafts],
        [level for level, _, _ in log.nodes],
        [index for _, index, _ in log.nodes],
        [hash_ for _, _, hash_ in log.nodes],
        log.frontier.size,
        log.root,
        b"".join(log.frontier.hashes),
        log.note,
    )


def _draft(one: Decided, wrapped_keys: Mapping[UUID, bytes], evidence: Evidence) -> _Draft:
    decision_id, salt = new_id(), os.urandom(SALT_BYTES)
    claims = _claims(one, decision_id, salt, evidence)
    public = {figure for person in one.facts.persons for figure in person.figures}
    about = sorted(UUID(each.id) for each in one.facts.subjects if each.id not in public)
    sealed = seal_recorded(
        Recorded(one.facts, one.decision, one.consulted, one.probes),
        decision_id=decision_id,
        subjects=[(subject, wrapped_keys[subject]) for subject in about],
        keys=evidence.keys,
    )
    return _Draft(
        id=decision_id,
        salt=salt,
        claims=claims,
        entry=receipts.log_entry(claims, salt),
        sealed_facts=sealed,
        sealed_for="{" + ",".join(map(str, about)) + "}",
    )


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
