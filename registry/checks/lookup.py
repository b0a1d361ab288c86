"""What is known of a batch of questions at one moment: probes searched, candidates looked up.

The search runs on the arrays in memory; one statement then says what became visible since and how
every candidate stands (docs/check-cycle.md).
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from registry.checks import snapshot
from registry.checks.looking import Found, see
from registry.checks.questions import Person
from registry.checks.queue import Asked
from registry.checks.references import References
from registry.checks.statement import MOST_NEW
from registry.checks.uploads import resolve
from registry.encoder_set import EncoderSet
from registry.errors import BusyError, InvalidError, NotFoundError, TooLargeError
from registry.keys import Keys

# Times the statement may be repeated because new references brought new candidates, or because
# candidates that no longer count may have kept others out.
_ROUNDS = 5


class Lookup:
    """Finds what a batch is decided from. One a process; it owns the references in memory."""

    def __init__(self, keys: Keys, encoders: EncoderSet) -> None:
        self._keys = keys
        self._encoders = encoders
        self.references = References(keys, encoders)

    async def see(self, connection: asyncpg.Connection, batch: list[Asked]) -> list[Asked]:
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
                asked.seen = see(
                    asked.question, asked.actor.principal_id, uploads, self.references.people
                )
            except (NotFoundError, InvalidError, TooLargeError) as error:
                asked.fail(error)
            else:
                ready.append(asked)
        await self._search(ready)
        return ready

    async def _search(self, batch: Sequence[Asked]) -> None:
        """Compare every probe of the batch with everything held."""
        probes = [probe for asked in batch for person in asked.seen for probe in person]
        pictures, people = await self.references.search(
            [one for probe in probes for one in probe.hashes],
            [one for probe in probes for one in probe.queries],
        )
        hits, near = iter(pictures), iter(people)
        for asked in batch:
            asked.found = [
                [
                    Found.of(
                        probe,
                        [next(hits) for _ in probe.hashes],
                        [next(near) for _ in probe.queries],
                    )
                    for probe in person
                ]
                for person in asked.seen
            ]

    async def look_up(
        self, connection: asyncpg.Connection, batch: list[Asked], *, as_of: datetime | None = None
    ) -> snapshot.Snapshot:
        """One statement as a rule; again if what just became visible is near a probe.

        Also if a candidate no longer counts: it may have kept others out of the nearest ones.
        `as_of`: who it is as ever, but how they stood at that moment.
        """
        for _ in range(_ROUNDS):
            wanted = _wanted(batch, self._keys)
            known = await snapshot.take(
                connection,
                wanted,
                since=self.references.snapshot,
                encoders=self._encoders,
                keys=self._keys,
                as_of=as_of,
            )
            if max(len(known.new_references), len(known.new_templates)) > MOST_NEW:
                await self.references.refresh(connection)
                batch = await self.see(connection, batch)
                continue
            self.references.catch_up(known.new_references, known.new_templates, known.snapshot)
            for gone in set(wanted.references) - known.subject_of.keys():
                self.references.forget(gone)
            retired = set(wanted.templates) - known.subject_of.keys()
            for gone in retired:
                self.references.people.forget(gone)
            if not known.new_references and not known.new_templates and not retired:
                return known
            before = {*wanted.references, *wanted.templates}
            batch = await self.see(connection, batch)
            again = _wanted(batch, self._keys)
            if {*again.references, *again.templates} <= before:
                return known
        raise BusyError("References are being added too fast to search them all.", retry_after=1)


def _wanted(batch: Sequence[Asked], keys: Keys) -> snapshot.Wanted:
    persons: list[Person] = [person for asked in batch for person in asked.question.persons]
    return snapshot.Wanted(
        references={
            reference
            for asked in batch
            for person in asked.found
            for found in person
            for reference in found.distances
        },
        templates={
            template
            for asked in batch
            for person in asked.found
            for found in person
            for template in found.templates
        },
        claimed={one.claimed_subject for one in persons if one.claimed_subject is not None},
        names={keys.blind_index(one.name) for one in persons if one.name is not None},
        services={asked.service_id for asked in batch},
        credentials={
            asked.actor.credential_id for asked in batch if asked.actor.credential_id is not None
        },
        nonces={asked.nonce for asked in batch if asked.nonce is not None},
        probes={
            name
            for asked in batch
            for person in asked.seen
            for probe in person
            for name in probe.ruled_as.values()
        },
    )
