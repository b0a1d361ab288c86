"""What a check would have been answered at a moment of the past: for audit, never a permission.

An auditor asks about anybody; a person about those whose records they keep; a service about people
who gave it a grant. Who it was is as the asker says where no probe is given: the past has no media.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from registry import grants, subjects
from registry.checks.questions import Question
from registry.database import Actor, ReadSession, checked_time, now
from registry.errors import InvalidError, NotFoundError
from registry.policy import facts
from registry.policy.decision import Obligation, PackVersion, PersonDecision, Reason
from registry.policy.vocabulary import Band, Basis, Modality, Outcome
from registry.principals import PrincipalKind

AUDITING = frozenset({PrincipalKind.AUDITOR, PrincipalKind.REGULATOR, PrincipalKind.OPERATOR})


@dataclass(frozen=True, slots=True)
class HistoricalDecision:
    """How a question stood then. It carries no token and permits nothing."""

    at: datetime
    service_id: UUID
    outcome: Outcome
    basis: Basis | None
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...]
    persons: tuple[PersonDecision, ...]
    packs: tuple[PackVersion, ...]
    engine: str


async def authorise(
    session: ReadSession,
    actor: Actor,
    question: Question,
    *,
    at: datetime,
    service_id: UUID | None,
) -> UUID:
    """The service as which the past is asked, if this caller may ask.

    InvalidError for a moment without offset or in the future, for probes where only a claimed
    person is answered, and for no service; NotFoundError for whoever the caller may not ask about.
    """
    if checked_time(at, "at") > await now(session):
        raise InvalidError("Only the past and this moment can be asked about.", field="at")
    if actor.kind == PrincipalKind.SERVICE:
        if service_id not in {None, actor.principal_id}:
            raise NotFoundError("No such service.", field="service")
        service_id = actor.principal_id
    if service_id is None:
        raise InvalidError("Say as which service it is asked.", field="service")
    if actor.kind not in AUDITING:
        for person in question.persons:
            await _require_own(session, actor, person.claimed_subject, probed=bool(person.probes))
    return service_id


async def _require_own(
    session: ReadSession, actor: Actor, subject_id: UUID | None, *, probed: bool
) -> None:
    if probed or subject_id is None:
        raise InvalidError(
            "Name each person by claimedSubject, without probes or a name alone.", field="persons"
        )
    if actor.kind != PrincipalKind.SERVICE:
        await subjects.mine(session, subject_id)
        return
    given = await grants.page(session, subject_id=subject_id, state=None, first=1, after=None)
    if not given.items:
        raise NotFoundError("No such subject.", field="persons")


def taken_at_their_word(known: facts.Facts) -> facts.Facts:
    """The facts with everybody who is only claimed taken for who they are said to be."""
    modalities = sorted(known.request.modalities)
    return replace(known, persons=tuple(_believed(one, modalities) for one in known.persons))


def _believed(person: facts.Person, modalities: list[Modality]) -> facts.Person:
    if person.sightings or person.claimed_subject is None:
        return person
    seen = (facts.Candidate(person.claimed_subject, Band.STRONG),)
    return replace(person, sightings=tuple(facts.Sighting(one, seen) for one in modalities))
