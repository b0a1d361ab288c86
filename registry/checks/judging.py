"""Whether a new sample may join its subject: compared with the subject's others and with everybody.

A sample far from its subject's others, or near a template of somebody who was proved, waits for a
person; one that matches more than three of those is refused: it would stand for anybody (a "wolf",
ISO/IEC 19989-1). Claims that nobody proved hold up no other: whoever came first with a face might
else disarm the objection of the person whose face it is.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import numpy as np

from registry import verification
from registry.checks.galleries import Galleries, Near, Query
from registry.checks.references import References
from registry.encoder_set import EncoderSet
from registry.policy.vocabulary import Band, Modality
from registry.samples import Judgement, Own, Vectors, Verdict

MOST_OTHERS: Final = 3

# Live templates of those who were not found to look like this subject ($2) by nature.
_LIVE = """
select t.id, exists (
  select 1 from subject_events e
  where e.subject_id = t.subject_id and e.kind in ('VERIFIED', 'DISPUTED'))
from templates t join subject_keys k on k.subject_id = t.subject_id
where t.id = any($1::uuid[]) and not exists (
  select 1 from template_events e where e.template_id = t.id and e.kind = 'RETIRED')
and not exists (
  select 1 from rulings r where r.subject_id = $2 and r.other_id = t.subject_id
    and r.ruling = 'COEXISTING' and not exists (
      select 1 from ruling_events e where e.ruling_id = r.id and e.kind = 'OVERTURNED'))
"""


async def judge(
    connection: asyncpg.Connection,
    references: References,
    encoders: EncoderSet,
    *,
    subject_id: UUID,
    modality: Modality,
    vectors: Vectors,
    own: Own,
) -> Judgement:
    """The verdict on a sample of this subject, against every template visible now."""
    queries = [
        Query(encoder, condition, raw)
        for (encoder, condition), raw in vectors.items()
        if encoder in encoders.by_id and encoders.by_id[encoder].modality is modality
    ]
    others = await _others(connection, references, queries, subject_id)
    near = frozenset(others)
    established = frozenset(one for one in others if others[one])
    if len(established) > MOST_OTHERS:
        return Judgement(Verdict.REFUSE, near, established)
    if established:
        return Judgement(Verdict.HOLD_NEAR_OTHERS, near, established)
    if verification.is_far(vectors, own, encoders, modality=modality):
        return Judgement(Verdict.HOLD_FAR_FROM_OWN)
    return Judgement(Verdict.JOIN)


async def alike(
    connection: asyncpg.Connection,
    references: References,
    encoders: EncoderSet,
    *,
    subject_id: UUID,
    own: Own,
    held: Mapping[UUID, Sequence[Vectors]],
) -> set[UUID]:
    """Who else has a template, or a sample that is held, that matches this subject's templates."""
    queries = [
        Query(encoder, condition, raw)
        for (encoder, condition), (raw, _) in own.items()
        if encoder in encoders.by_id
    ]
    found = set(await _others(connection, references, queries, subject_id))
    for other, samples in held.items():
        if any(_resembles(vectors, own, references.people) for vectors in samples):
            found.add(other)
    return found - {subject_id}


async def _others(
    connection: asyncpg.Connection,
    references: References,
    queries: Sequence[Query],
    subject_id: UUID,
) -> dict[UUID, bool]:
    """Everybody else with a live template that one of these matches; whether they were proved."""
    await references.refresh(connection)
    _, found = await references.search([], queries)
    live = await _live(connection, found, subject_id)
    return {
        one.score.subject: live[one.score.id]
        for query, near in zip(queries, found, strict=True)
        for one in near
        if one.score.id in live
        and one.score.subject != subject_id
        and _matches(one, query, references)
    }


def _resembles(vectors: Vectors, own: Own, people: Galleries) -> bool:
    """Whether a sample matches a template of somebody else, among as many as are unproved."""
    for (encoder, condition), raw in vectors.items():
        known = own.get((encoder, condition))
        if known is None or encoder not in people.encoders.by_id:
            continue
        mean, samples = known
        band = people.encoders.by_id[encoder].calibration.band(
            float(np.frombuffer(raw, "<f4") @ np.frombuffer(mean, "<f4")),
            condition=condition,
            samples=samples,
            gallery=max(1, people.people(encoder, condition, verified=False)),
            minor=False,
            claimed=False,
        )
        if band.rank >= Band.MATCH.rank:
            return True
    return False


async def _live(
    connection: asyncpg.Connection, found: Sequence[Sequence[Near]], subject_id: UUID
) -> dict[UUID, bool]:
    """Of these templates the live ones, and whether their subject is more than provisional."""
    wanted = [one.score.id for near in found for one in near]
    return dict(map(tuple, await connection.fetch(_LIVE, wanted, subject_id)))


def _matches(one: Near, query: Query, references: References) -> bool:
    people = references.people
    band = people.encoders.by_id[query.encoder].calibration.band(
        one.score.score,
        condition=query.condition,
        samples=one.score.samples,
        gallery=people.people(query.encoder, query.condition, verified=one.verified),
        minor=False,
        claimed=False,
    )
    return band.rank >= Band.MATCH.rank
