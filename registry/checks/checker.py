"""The check: probes, match, decide, record, answer. docs/check-cycle.md walks through it.

Checks that arrive while a batch is under way wait for the next one; a batch shares one statement
and one commit, whatever its size.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import asyncpg

from registry.away import away
from registry.checks import evidence, history, judging, record, snapshot
from registry.checks.history import HistoricalDecision
from registry.checks.lookup import Lookup
from registry.checks.questions import Question, digest
from registry.checks.queue import Asked, Queue
from registry.checks.references import References
from registry.database import Actor
from registry.decisions import Answer, open_answer
from registry.encoder_set import EncoderSet
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
from registry.policy.consulted import consulted
from registry.policy.decision import Decision
from registry.policy.disclosure import CONTRACT_TIER, blind, disclose, tells_all
from registry.policy.engine import decide
from registry.policy.facts import Facts
from registry.policy.packs import PackSet
from registry.policy.vocabulary import Modality
from registry.principals import PrincipalKind
from registry.samples import Judgement, Own, Vectors
from registry.sealing import SealError

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0  # how long the arrays may fall behind while nobody asks


class Checker:
    """Answers checks. One a process; it owns the references in memory."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        packs: PackSet,
        encoders: EncoderSet,
        evidence: record.Evidence,
    ) -> None:
        self._pool = pool
        self.packs = packs
        self._recorder = record.Recorder(evidence)
        self._keys: Keys = evidence.keys
        self.encoders = encoders
        self._lookup = Lookup(evidence.keys, encoders)
        self._queue = Queue()
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
        self._queue.refuse_all(_stopping())

    @property
    def references(self) -> References:
        """What is held in memory to compare with."""
        return self._lookup.references

    @property
    def is_working(self) -> bool:
        """Whether checks are being answered."""
        return self._worker is not None and not self._worker.done()

    async def check(self, actor: Actor, question: Question) -> Answer:
        """One decision: recorded, logged and signed before it is returned."""
        return await self._submit(actor, question)

    async def judge(
        self, subject_id: UUID, modality: Modality, vectors: Vectors, own: Own
    ) -> Judgement:
        """Whether a sample may join this subject: compared with everybody on record."""
        with away():
            async with self._pool.acquire() as connection:
                return await judging.judge(
                    connection,
                    self.references,
                    self.encoders,
                    subject_id=subject_id,
                    modality=modality,
                    vectors=vectors,
                    own=own,
                )

    async def alike(
        self, subject_id: UUID, own: Own, held: Mapping[UUID, Sequence[Vectors]]
    ) -> set[UUID]:
        """Who else has this subject's face or voice, in a template or in a sample that is held."""
        with away():
            async with self._pool.acquire() as connection:
                return await judging.alike(
                    connection,
                    self.references,
                    self.encoders,
                    subject_id=subject_id,
                    own=own,
                    held=held,
                )

    async def as_of(
        self, actor: Actor, question: Question, *, service_id: UUID, at: datetime
    ) -> HistoricalDecision:
        """How this question of that service stood then, by today's rules. Nothing is recorded.

        The caller was authorised by `history.authorise`. NotFoundError for a service that was not
        on record then. A service is told no more than a check would tell it.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        asked = Asked(actor, question, answer, on_behalf_of=service_id)
        with away():
            async with self._pool.acquire() as connection:
                if not await self._lookup.see(connection, [asked]):
                    await answer  # raises what is wrong with its probes
                known = await self._lookup.look_up(connection, [asked], as_of=at)
        if actor.credential_id in known.revoked_credentials:
            raise UnauthenticatedError("The access token does not hold.")
        if service_id not in known.services:
            raise NotFoundError("No such service at that time.", field="service")
        facts = history.taken_at_their_word(self._gather(asked, known))
        decision = decide(facts, self.packs)
        if actor.kind == PrincipalKind.SERVICE:
            decision = self._disclosed(facts, decision)
        return HistoricalDecision(
            at=at,
            service_id=service_id,
            outcome=decision.outcome,
            basis=decision.basis,
            reasons=decision.reasons,
            obligations=decision.obligations,
            persons=decision.persons,
            packs=decision.packs,
            engine=decision.engine,
        )

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
        asked = Asked(actor, question, answer)
        if self.is_working:
            self._enqueue(asked)
        else:
            asked.fail(UnavailableError("The registry is not ready.", retry_after=1))
        return answer

    def _enqueue(self, asked: Asked) -> None:
        try:
            self._queue.put(asked)
        except BusyError as error:
            asked.fail(error)

    async def _work(self) -> None:
        while True:
            if not await self._queue.arrival(_IDLE_SECONDS):
                await self._keep_up()
                continue
            batch = self._queue.take()
            try:
                await self._answer_or_fail(batch)
            except asyncio.CancelledError:
                for asked in batch:
                    asked.fail(_stopping())
                raise

    async def _keep_up(self) -> None:
        """Take in new references while nobody asks, so that the next check finds few."""
        try:
            with away():
                async with self._pool.acquire() as connection:
                    await self.references.refresh(connection)
        except RegistryError as error:
            logger.warning("New references wait: %s", error)
        except Exception:
            logger.exception("New references could not be taken in; it is tried again.")

    async def _answer_or_fail(self, batch: list[Asked]) -> None:
        """One that cannot be answered fails alone; what all of them lack fails them all."""
        try:
            with away():
                await self._answer(batch)
        except Exception as error:  # noqa: BLE001  # a defect fails its check, not the server
            shared = isinstance(error, (UnavailableError, BusyError))
            if len(batch) == 1 or (shared and not isinstance(error, SealError)):
                for asked in batch:
                    asked.fail(error)
                return
            for asked in batch:
                if not asked.answer.done():
                    await self._answer_or_fail([asked])

    async def _answer(self, batch: list[Asked]) -> None:
        async with self._pool.acquire() as connection:
            batch = await self._lookup.see(connection, batch)
            if not batch:
                return
            known = await self._lookup.look_up(connection, batch)
            open_questions = self._settle_known(batch, known)
            if not open_questions:
                return
            decided = []
            for asked in open_questions:
                decided.append(self._decide(asked, known))
                await asyncio.sleep(0)  # others on this loop have their turn
            answers = await self._recorder.record(connection, decided, known.wrapped_keys)
        for asked, one, answer in zip(open_questions, decided, answers, strict=True):
            if answer is not None:
                asked.give(answer, on_grid=one.facts.service.tier < CONTRACT_TIER)
            else:  # a twin took the nonce meanwhile: its answer is found the next time round
                self._enqueue(asked)

    def _settle_known(self, batch: list[Asked], known: snapshot.Snapshot) -> list[Asked]:
        """Refuse who may not ask, repeat earlier answers; the rest is to be decided."""
        rest = []
        for asked in batch:
            if asked.answer.done():
                continue
            if asked.actor.credential_id in known.revoked_credentials:
                asked.fail(UnauthenticatedError("The access token does not hold."))
            elif asked.actor.principal_id not in known.services:
                asked.fail(ForbiddenError("Only a registered AI service asks checks."))
            elif asked.nonce is not None and asked.nonce in known.answered:
                self._repeat(asked, known, *known.answered[asked.nonce])
            else:
                rest.append(asked)
        return rest

    def _repeat(
        self, asked: Asked, known: snapshot.Snapshot, decision_id: UUID, sealed: bytes
    ) -> None:
        """The earlier answer again; but a permission only while it is one still."""
        earlier = open_answer(decision_id, sealed, keys=self._keys)
        if earlier.request_digest != digest(asked.question):
            asked.fail(ConflictError("This nonce was used for another request.", field="nonce"))
        elif not earlier.may_proceed or (
            known.at < earlier.valid_until and self._decide(asked, known).decision.may_proceed
        ):
            asked.give(earlier)
        else:
            message = "What this nonce was answered does not hold any more: ask under a new one."
            asked.fail(ConflictError(message, field="nonce"))

    def _decide(self, asked: Asked, known: snapshot.Snapshot) -> record.Decided:
        facts = self._gather(asked, known)
        decision = decide(facts, self.packs)
        return record.Decided(
            service_id=asked.actor.principal_id,
            question=asked.question,
            request_digest=digest(asked.question),
            facts=facts,
            decision=decision,
            disclosed=self._disclosed(facts, decision),
            consulted=consulted(facts, self.packs),
            media=tuple(
                probe.media_sha256
                for person in asked.seen
                for probe in person
                if probe.media_sha256 is not None
            ),
            probes=tuple(tuple(probe.identity for probe in person) for person in asked.seen),
        )

    def _gather(self, asked: Asked, known: snapshot.Snapshot) -> Facts:
        return evidence.gather(
            asked.question,
            service_id=asked.service_id,
            seen=asked.seen,
            found=asked.found,
            snapshot=known,
            people=self.references.people,
            keys=self._keys,
        )

    def _disclosed(self, facts: Facts, decision: Decision) -> Decision:
        tier = facts.service.tier
        if tells_all(decision, tier):
            return decision
        return disclose(decision, decide(blind(facts), self.packs), tier)


def _stopping() -> UnavailableError:
    return UnavailableError("The registry is stopping.", retry_after=1)
