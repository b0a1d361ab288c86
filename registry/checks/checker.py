"""The check: probes, match, decide, record, answer. docs/check-cycle.md walks through it.

Checks that arrive while a batch is under way wait for the next one; a batch shares one statement
and one commit, whatever its size.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from registry.away import away
from registry.checks import evidence, record, snapshot
from registry.checks.questions import Person, Question, digest
from registry.checks.references import References
from registry.checks.uploads import resolve
from registry.database import Actor
from registry.decisions import Answer, open_answer
from registry.encoders.image_hash import ENCODER_ID
from registry.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RegistryError,
    UnauthenticatedError,
    UnavailableError,
)
from registry.keys import Keys
from registry.policy.decision import Decision
from registry.policy.disclosure import blind, disclose, tells_all
from registry.policy.engine import decide
from registry.policy.facts import Facts
from registry.policy.packs import PackSet

MAX_BATCH = 256
MAX_WAITING = 4096  # beyond this a check is refused rather than queued (tessera's push-back)
_ROUNDS = 3  # times the statement may be repeated because new references brought new candidates


@dataclass(slots=True)
class _Asked:
    """A question on its way to an answer."""

    actor: Actor
    question: Question
    answer: asyncio.Future[Answer]
    seen: list[list[evidence.Seen]] = field(default_factory=list)
    found: list[list[evidence.Found]] = field(default_factory=list)

    @property
    def nonce(self) -> tuple[UUID, str] | None:
        nonce = self.question.nonce
        return None if nonce is None else (self.actor.principal_id, nonce)


class Checker:
    """Answers checks. One a process; it owns the references in memory."""

    def __init__(self, pool: asyncpg.Pool, *, packs: PackSet, evidence: record.Evidence) -> None:
        self._pool = pool
        self._packs = packs
        self._recorder = record.Recorder(evidence)
        self._keys: Keys = evidence.keys
        self.references = References(evidence.keys)
        self._waiting: list[_Asked] = []
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load the references and begin to answer."""
        with away():
            async with self._pool.acquire() as connection:
                await self.references.load(connection)
        self._worker = asyncio.create_task(self._work(), name="checks")

    async def stop(self) -> None:
        """Answer nobody any more; whoever waits is told to come back."""
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        for asked in self._waiting:
            _fail(asked, UnavailableError("The registry is stopping.", retry_after=1))
        self._waiting.clear()

    async def check(self, actor: Actor, question: Question) -> Answer:
        """One decision: recorded, logged and signed before it is returned."""
        return await self._submit(actor, question)

    async def check_many(
        self, actor: Actor, questions: Sequence[Question]
    ) -> list[Answer | RegistryError]:
        """A decision or a refusal for each question, in order."""
        results = await asyncio.gather(
            *(self._submit(actor, one) for one in questions), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, RegistryError):
                raise result
        return [one for one in results if isinstance(one, (Answer, RegistryError))]

    def _submit(self, actor: Actor, question: Question) -> "asyncio.Future[Answer]":
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        asked = _Asked(actor, question, answer)
        if self._worker is None or self._worker.done():
            _fail(asked, UnavailableError("The registry is not ready.", retry_after=1))
        elif len(self._waiting) >= MAX_WAITING:
            _fail(asked, BusyError("Too many checks are waiting.", retry_after=1))
        else:
            self._waiting.append(asked)
            self._wake.set()
        return answer

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._wake.clear()
            batch = [one for one in batch if not one.answer.done()]  # the client hung up
            try:
                await self._answer_or_fail(batch)
            except asyncio.CancelledError:
                for asked in batch:
                    _fail(asked, UnavailableError("The registry is stopping.", retry_after=1))
                raise

    async def _answer_or_fail(self, batch: list[_Asked]) -> None:
        try:
            with away():
                await self._answer(batch)
        except UnavailableError as error:
            for asked in batch:
                _fail(asked, error)
        except Exception as error:  # noqa: BLE001  # a defect fails its check, not the server
            if len(batch) == 1:
                _fail(batch[0], error)
            rest = [one for one in batch if not one.answer.done()] if len(batch) > 1 else []
            for asked in rest:
                await self._answer_or_fail([asked])  # one that cannot be answered spoils no other

    async def _answer(self, batch: list[_Asked]) -> None:
        async with self._pool.acquire() as connection:
            batch = await self._see(connection, batch)
            if not batch:
                return
            known = await self._look_up(connection, batch)
            open_questions = self._settle_known(batch, known)
            if not open_questions:
                return
            decided = [self._decide(asked, known) for asked in open_questions]
            answers = await self._recorder.record(connection, decided, known.wrapped_keys)
        for asked, answer in zip(open_questions, answers, strict=True):
            if answer is not None:
                _give(asked, answer)
            else:  # a twin took the nonce meanwhile: its answer is found the next time round
                self._waiting.append(asked)
                self._wake.set()

    async def _see(self, connection: asyncpg.Connection, batch: list[_Asked]) -> list[_Asked]:
        """Turn probes into hashes and search them; who names a bad handle is refused alone."""
        handles = [
            (one.actor.principal_id, probe.media)
            for one in batch
            for person in one.question.persons
            for probe in person.probes
            if probe.media is not None
        ]
        uploads = await resolve(connection, handles, keys=self._keys)
        ready = []
        for asked in batch:
            try:
                asked.seen = [
                    [
                        evidence.seen(probe, asked.actor.principal_id, uploads)
                        for probe in one.probes
                    ]
                    for one in asked.question.persons
                ]
            except NotFoundError as error:
                _fail(asked, error)
            else:
                ready.append(asked)
        probes = [probe for asked in ready for person in asked.seen for probe in person]
        hits = iter(await self.references.search([one for p in probes for one in p.hashes]))
        for asked in ready:
            asked.found = [
                [evidence.Found.nearest([next(hits) for _ in probe.hashes]) for probe in person]
                for person in asked.seen
            ]
        return ready

    async def _look_up(
        self, connection: asyncpg.Connection, batch: list[_Asked]
    ) -> snapshot.Snapshot:
        """One statement as a rule; again if what just became visible is near a probe."""
        for _ in range(_ROUNDS):
            wanted = _wanted(batch, self._keys)
            known = await snapshot.take(
                connection,
                wanted,
                since=self.references.snapshot,
                encoder=ENCODER_ID,
                keys=self._keys,
            )
            self.references.catch_up(known.new_references, known.snapshot)
            for gone in set(wanted.references) - known.subject_of.keys():
                self.references.forget(gone)
            if not known.new_references:
                return known
            before = set(wanted.references)
            batch = await self._see(connection, batch)
            if set(_wanted(batch, self._keys).references) <= before:
                return known
        raise BusyError("References are being added too fast to search them all.", retry_after=1)

    def _settle_known(self, batch: list[_Asked], known: snapshot.Snapshot) -> list[_Asked]:
        """Refuse who may not ask, repeat earlier answers; the rest is to be decided."""
        rest = []
        for asked in batch:
            if asked.answer.done():
                continue
            if asked.actor.credential_id in known.revoked_credentials:
                _fail(asked, UnauthenticatedError("The access token does not hold."))
            elif asked.actor.principal_id not in known.services:
                _fail(asked, ForbiddenError("Only a registered AI service asks checks."))
            elif asked.nonce is not None and asked.nonce in known.answered:
                self._repeat(asked, *known.answered[asked.nonce])
            else:
                rest.append(asked)
        return rest

    def _repeat(self, asked: _Asked, decision_id: UUID, sealed: bytes) -> None:
        earlier = open_answer(decision_id, sealed, keys=self._keys)
        if earlier.request_digest == digest(asked.question):
            _give(asked, earlier)
        else:
            _fail(asked, ConflictError("This nonce was used for another request.", field="nonce"))

    def _decide(self, asked: _Asked, known: snapshot.Snapshot) -> record.Decided:
        facts: Facts = evidence.gather(
            asked.question,
            service_id=asked.actor.principal_id,
            seen=asked.seen,
            found=asked.found,
            snapshot=known,
            keys=self._keys,
        )
        decision = decide(facts, self._packs)
        return record.Decided(
            service_id=asked.actor.principal_id,
            question=asked.question,
            request_digest=digest(asked.question),
            facts=facts,
            decision=decision,
            disclosed=self._disclosed(facts, decision),
            media=tuple(
                probe.media_sha256
                for person in asked.seen
                for probe in person
                if probe.media_sha256 is not None
            ),
        )

    def _disclosed(self, facts: Facts, decision: Decision) -> Decision:
        tier = facts.service.tier
        if tells_all(decision, tier):
            return decision
        return disclose(decision, decide(blind(facts), self._packs), tier)


def _wanted(batch: Sequence[_Asked], keys: Keys) -> snapshot.Wanted:
    persons: list[Person] = [person for asked in batch for person in asked.question.persons]
    return snapshot.Wanted(
        references={
            reference
            for asked in batch
            for person in asked.found
            for found in person
            for reference in found.distances
        },
        claimed={one.claimed_subject for one in persons if one.claimed_subject is not None},
        names={keys.blind_index(one.name) for one in persons if one.name is not None},
        services={asked.actor.principal_id for asked in batch},
        credentials={
            asked.actor.credential_id for asked in batch if asked.actor.credential_id is not None
        },
        nonces={asked.nonce for asked in batch if asked.nonce is not None},
    )


def _give(asked: _Asked, answer: Answer) -> None:
    if not asked.answer.done():
        asked.answer.set_result(answer)


def _fail(asked: _Asked, error: Exception) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)
