"""Whether a new sample may join its subject: compared with the subject's others and with everybody.

A sample far from its subject's others, or near another subject's template, waits for a person; one
that matches more than three others is refused: it would stand for anybody (a "wolf", ISO/IEC
19989-1).
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import numpy as np

from registry.checks.galleries import Near, Query
from registry.checks.references import References
from registry.encoder_set import EncoderSet
from registry.policy.vocabulary import Band, Modality
from registry.samples import Judgement, Own, Vectors, Verdict

MOST_OTHERS: Final = 3
# L of a sample's cosine with its subject's own template below which a person looks at it: 98 % of
# a person's photographs are above, 1 % of other people's (docs/accuracy.md).
OWN_EVIDENCE: Final = 2.0

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
    await references.refresh(connection)
    queries = [
        Query(encoder, condition, raw)
        for (encoder, condition), raw in vectors.items()
        if encoder in encoders.by_id and encoders.by_id[encoder].modality is modality
    ]
    _, found = await references.search([], queries)
    live = await _live(connection, found, subject_id)
    others = {
        one.score.subject: live[one.score.id]
        for query, near in zip(queries, found, strict=True)
        for one in near
        if one.score.id in live
        and one.score.subject != subject_id
        and _matches(one, query, references)
    }
    near = frozenset(others)
    established = frozenset(one for one in others if others[one])
    if len(others) > MOST_OTHERS:
        return Judgement(Verdict.REFUSE, near, established)
    if others:
        return Judgement(Verdict.HOLD_NEAR_OTHERS, near, established)
    if any(_is_far(query, own, encoders) for query in queries):
        return Judgement(Verdict.HOLD_FAR_FROM_OWN)
    return Judgement(Verdict.JOIN)


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


def _is_far(query: Query, own: Own, encoders: EncoderSet) -> bool:
    """Whether the subject has a template that this sample does not resemble."""
    known = own.get((query.encoder, query.condition))
    if known is None:
        return False
    raw, samples = known
    score = float(np.frombuffer(query.vector, "<f4") @ np.frombuffer(raw, "<f4"))
    calibration = encoders.by_id[query.encoder].calibration
    evidence = calibration.evidence(score, condition=query.condition, samples=samples)
    return evidence < OWN_EVIDENCE
