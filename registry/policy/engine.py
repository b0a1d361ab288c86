"""The decision itself: facts and packs in, an answer out. Pure and total.

Time is `facts.at`. Whatever is missing, malformed or not understood makes the answer a refusal.
"""

from datetime import datetime, timedelta
from typing import Final

from registry.policy import bars, identity, obligations, reasons, rules, territories
from registry.policy.decision import Decision, Obligation, PersonDecision, Reason
from registry.policy.facts import Facts
from registry.policy.packs import PackSet
from registry.policy.question import SEVERITY, Finding, Question
from registry.policy.vocabulary import (
    AiUse,
    Band,
    Basis,
    CircumstanceName,
    ContentFlag,
    LegalException,
    Modality,
    Outcome,
    Purpose,
    Registration,
    SubjectClass,
)

PERMISSION_HOLDS: Final = timedelta(minutes=10)
REFUSAL_HOLDS: Final = timedelta(seconds=60)
INCOMPLETE: Final = "FACTS_INCOMPLETE"
_ADVISED = frozenset({Outcome.UNKNOWN, Outcome.CONSENT_REQUIRED})


def decide(facts: Facts, packs: PackSet) -> Decision:
    """The answer to these facts under these packs, in the order of `rules`.

    Total and pure: raises nothing, reads no clock. Facts that do not hang together are answered
    REVIEW_REQUIRED FACTS_INCOMPLETE.
    """
    try:
        question = question_of(facts, packs)
        if question is None:
            return _incomplete(facts, packs)
        return _decide(question)
    except Exception:  # noqa: BLE001  # a gate that breaks stays shut, whatever broke
        return _incomplete(facts, packs)


def question_of(facts: Facts, packs: PackSet) -> Question | None:
    """The facts as a question; None where something is missing or is no word of the vocabulary."""
    subjects = {one.id: one for one in facts.subjects}
    if len(subjects) != len(facts.subjects) or not _is_complete(facts):
        return None
    for person in facts.persons:
        for sighting in person.sightings:
            for one in sighting.candidates:
                # Not NONE: whoever the probe is near to must be known, or a no could be missed.
                if not isinstance(one.band, Band) or (
                    one.band.rank and one.subject_id not in subjects
                ):
                    return None
    reading = packs.for_territories(
        facts.request.territories,
        include_drafts=facts.request.include_draft_law,
        establishment=facts.service.establishment,
    )
    return Question(facts, packs, reading, subjects)


def _is_complete(facts: Facts) -> bool:
    request = facts.request
    words = (
        isinstance(request.use, AiUse)
        and isinstance(request.purpose, Purpose)
        and isinstance(request.claimed_exception, LegalException | None)
        and all(isinstance(one, Modality) for one in request.modalities)
        and all(isinstance(one, ContentFlag) for one in request.content)
        and all(territories.exists(one) for one in request.territories)
        and all(
            isinstance(subject.registration, Registration)
            and all(isinstance(one, SubjectClass) for one in subject.classes)
            for subject in facts.subjects
        )
    )
    told = all(
        isinstance(one.name, CircumstanceName) and isinstance(one.holds, bool)
        for one in facts.circumstances
    )
    asked = bool(request.modalities) and any(person.target for person in facts.persons)
    return words and told and asked and facts.at.tzinfo is not None


def _decide(question: Question) -> Decision:
    refused = of_request(question)
    if refused:
        return _refused_whole(question, refused)
    modalities = sorted(question.request.modalities)
    persons, counted = [], []
    for index, person in enumerate(question.facts.persons):
        found = rules.worst(
            [
                rules.judge(case)
                for modality in modalities
                for case in identity.cases(question, index, modality)
            ]
        )
        persons.append(PersonDecision(found[0].outcome, _reasons(found)))
        if person.target:
            counted.extend(found)
        elif found[0].outcome is Outcome.PROHIBITED:
            reason = reasons.make("NON_TARGET_PERSON", person=index)
            counted.append(Finding(Outcome.REVIEW_REQUIRED, (reason,)))
    return _combined(question, tuple(persons), rules.worst(counted))


def of_request(question: Question) -> tuple[Reason, ...]:
    """Steps 0 and 1, as far as they hang on nobody in particular."""
    if question.facts.service.active is not True:
        return (reasons.make("SERVICE_SUSPENDED"),)
    return bars.of_request(question)


def _refused_whole(question: Question, why: tuple[Reason, ...]) -> Decision:
    each = PersonDecision(Outcome.PROHIBITED, why)
    return Decision(
        outcome=Outcome.PROHIBITED,
        reasons=why,
        persons=(each,) * len(question.facts.persons),
        packs=question.packs.versions(question.reading.packs),
        valid_until=question.at + REFUSAL_HOLDS,
    )


def _combined(
    question: Question, persons: tuple[PersonDecision, ...], found: list[Finding]
) -> Decision:
    """The worst of all findings; a permission with its duties, if the service can keep them."""
    outcome = found[0].outcome
    why = _reasons(found)
    relied = {one.grant.id: one.grant for one in found if one.grant is not None}
    spoken = {pack.id: pack for one in found for pack in one.packs}
    spoken.update((pack.id, pack) for pack in question.reading.packs)
    permitted = outcome is Outcome.PERMITTED
    duties: tuple[Obligation, ...] = ()
    if permitted or outcome in _ADVISED:
        duties = obligations.union(
            spoken.values(),
            relied.values() if permitted else (),
            of_service=question.of_service,
            today=question.today,
        )
    if lacking := obligations.unsupported(duties, question.supported):
        why = (
            *why,
            reasons.make("OBLIGATION_UNSUPPORTED", detail=f"Missing: {', '.join(lacking)}."),
        )
        outcome = Outcome.REVIEW_REQUIRED if permitted else outcome
    bases = {one.basis for one in found}
    ends = [grant.ends_at for grant in relied.values() if grant.ends_at is not None]
    return Decision(
        outcome=outcome,
        reasons=why,
        persons=persons,
        packs=question.packs.versions(spoken.values()),
        valid_until=_valid_until(outcome, question.at, ends),
        basis=_basis(bases) if outcome is Outcome.PERMITTED else None,
        obligations=duties if permitted else (),
    )


def _basis(bases: set[Basis | None]) -> Basis:
    return Basis.CONSENT if Basis.CONSENT in bases else Basis.TERM_EXPIRED


def _valid_until(outcome: Outcome, at: datetime, ends: list[datetime]) -> datetime:
    """How long the answer may be kept; a permission ends with the first of its grants."""
    if outcome is Outcome.PERMITTED:
        return min([at + PERMISSION_HOLDS, *ends])
    if SEVERITY[outcome] in {SEVERITY[Outcome.CONSENT_REQUIRED], SEVERITY[Outcome.PROHIBITED]}:
        return at + REFUSAL_HOLDS
    return at


def _reasons(found: list[Finding]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for one in found for reason in one.reasons))


def _incomplete(facts: Facts, packs: PackSet) -> Decision:
    why = (reasons.make(INCOMPLETE),)
    each = PersonDecision(Outcome.REVIEW_REQUIRED, why)
    try:
        count = len(facts.persons)
    except TypeError:
        count = 0
    return Decision(
        outcome=Outcome.REVIEW_REQUIRED,
        reasons=why,
        persons=(each,) * count,
        packs=packs.versions(()),
        valid_until=facts.at,
    )
