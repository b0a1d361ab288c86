"""Checks that wait for an answer: batches of what arrived together, and a turn for everybody.

A batch is bounded by what it costs to search, and takes from each principal in turn, so that one
with thousands of probes does not make the others wait for all of them.
"""

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from uuid import UUID

from registry.checks.looking import Found, Seen
from registry.checks.questions import Question
from registry.database import Actor
from registry.decisions import Answer
from registry.errors import BusyError

MAX_BATCH = 256
MAX_BATCH_PROBES = 512
GRID_SECONDS = 0.05
MAX_WAITING = 4096  # beyond this a check is refused rather than queued (tessera's push-back)


@dataclass(slots=True)
class Asked:
    """A question on its way to an answer."""

    actor: Actor
    question: Question
    answer: asyncio.Future[Answer]
    seen: list[list[Seen]] = field(default_factory=list)
    found: list[list[Found]] = field(default_factory=list)
    asked_at: float = field(default_factory=time.monotonic)
    on_behalf_of: UUID | None = None  # the service whose past an auditor asks about

    @property
    def service_id(self) -> UUID:
        """The service whose question it is."""
        return self.on_behalf_of or self.actor.principal_id

    @property
    def nonce(self) -> tuple[UUID, str] | None:
        """The principal's own word for this check."""
        nonce = self.question.nonce
        return None if nonce is None else (self.actor.principal_id, nonce)

    @property
    def probes(self) -> int:
        """How many probes there are to search; at least 1."""
        return max(1, sum(len(person.probes) for person in self.question.persons))

    def give(self, answer: Answer, *, on_grid: bool = False) -> None:
        """Answer it, unless whoever asked has gone.

        `on_grid`: only at a whole multiple of GRID_SECONDS after it was asked, so that how long it
        took says next to nothing of what was found.
        """
        if on_grid:
            waited = time.monotonic() - self.asked_at
            loop = asyncio.get_running_loop()
            loop.call_later(GRID_SECONDS - waited % GRID_SECONDS, self.give, answer)
        elif not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Refuse it, unless whoever asked has gone."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Queue:
    """Who waits, by principal, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[UUID, deque[Asked]] = OrderedDict()
        self._count = 0
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def put(self, asked: Asked) -> None:
        """Let one wait, or BusyError."""
        if self._count >= MAX_WAITING:
            raise BusyError("Too many checks are waiting.", retry_after=1)
        self._waiting.setdefault(asked.actor.principal_id, deque()).append(asked)
        self._count += 1
        self._arrived.set()

    async def arrival(self, seconds: float) -> bool:
        """Whether somebody waits, now or within that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> list[Asked]:
        """The next batch: one of each principal in turn, until it is large enough."""
        batch: list[Asked] = []
        probes = 0
        while self._waiting and len(batch) < MAX_BATCH and probes < MAX_BATCH_PROBES:
            principal, line = self._waiting.popitem(last=False)
            asked = line.popleft()
            self._count -= 1
            if line:
                self._waiting[principal] = line  # to the end: the others first
            if not asked.answer.done():  # else the client hung up
                batch.append(asked)
                probes += asked.probes
        if not self._waiting:
            self._arrived.clear()
        return batch

    def refuse_all(self, error: Exception) -> None:
        """Nobody is answered any more."""
        while self._waiting:
            for asked in self.take():
                asked.fail(error)
