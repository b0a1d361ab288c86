"""A request read once, and the cases it falls into: a person, a modality, who is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from registry.policy import reasons
from registry.policy.decision import Reason
from registry.policy.facts import Facts, Grant, Request, Subject
from registry.policy.pack import Bar, Pack
from registry.policy.pack_words import Factor
from registry.policy.packs import PackSet, Reading
from registry.policy.vocabulary import Basis, Modality, ObligationCode, Outcome, SubjectClass

SEVERITY = {
    Outcome.PERMITTED: 0,
    Outcome.UNKNOWN: 1,
    Outcome.CONSENT_REQUIRED: 2,
    Outcome.REVIEW_REQUIRED: 3,
    Outcome.PROHIBITED: 4,
}
_DEAD = frozenset({SubjectClass.DECEASED, SubjectClass.HISTORICAL})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a case. A permission names its basis, packs and any grant."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    basis: Basis | None = None
    grant: Grant | None = None
    packs: tuple[Pack, ...] = ()


@dataclass(frozen=True)
class Question:
    """Facts with what follows from the request alone."""

    facts: Facts
    packs: PackSet
    reading: Reading
    subjects: dict[str, Subject]

    @property
    def request(self) -> Request:
        """What the service wants to do."""
        return self.facts.request

    @property
    def at(self) -> datetime:
        """The time of the decision."""
        return self.facts.at

    @cached_property
    def today(self) -> date:
        """The date of the decision, UTC."""
        return self.facts.at.date()

    @cached_property
    def supported(self) -> frozenset[ObligationCode]:
        """Duties the service can keep: as asked, else as registered, else none."""
        asked, known = self.request.supported_obligations, self.facts.service.supported_obligations
        return asked if asked is not None else known or frozenset()

    @cached_property
    def of_service(self) -> frozenset[str]:
        """Ids of the packs that speak where the service publishes or is established."""
        return frozenset(pack.id for pack in self.reading.packs)

    @cached_property
    def bars(self) -> tuple[tuple[Pack, Bar], ...]:
        """Bars of the packs that speak and of the floor whose request-side conditions hold."""
        return self.bars_of(self.reading.packs)

    def bars_of(self, packs: Iterable[Pack]) -> tuple[tuple[Pack, Bar], ...]:
        """The same for these packs and the floor."""
        speaking = {pack.id: pack for pack in (*packs, self.packs.floor)}
        return tuple(
            (pack, bar)
            for pack in speaking.values()
            for bar in pack.bars
            if self._touches(bar) and (not bar.binds_service or pack.id in self.of_service)
        )

    def holds(self, bar: Bar, pack: Pack) -> bool | None:
        """Whether what a bar turns on outside the request is so; None if nobody has said."""
        if bar.when is None:
            return True
        told = {
            one.holds
            for one in self.facts.circumstances
            if one.name is bar.when and one.territory == pack.id
        }
        return None if not told else any(told)

    def packs_for(self, subject: Subject | None) -> tuple[Pack, ...]:
        """The packs that speak about a subject: of the request, and of where they live or died."""
        if subject is None or (subject.domicile_at_death or subject.residence) is None:
            return self.reading.packs
        dead = is_dead(subject, self.today)
        place = subject.domicile_at_death if dead else subject.residence
        if place is None:
            return self.reading.packs
        factor = Factor.DOMICILE_AT_DEATH if dead else Factor.SUBJECT_RESIDENCE
        spoken = {pack.id: pack for pack in self.reading.packs}
        for pack in self.packs.by_factor(place, factor, include_drafts=self.reading.drafts):
            spoken[pack.id] = pack
        return tuple(spoken[one] for one in sorted(spoken))

    def _touches(self, bar: Bar) -> bool:
        request = self.facts.request
        return (
            (not bar.content or not bar.content.isdisjoint(request.content))
            and (not bar.uses or request.use in bar.uses)
            and (not bar.purposes or request.purpose in bar.purposes)
            and (bar.unfiled is None or bar.unfiled not in self.facts.service.filings)
            and bar.holds(self.today)
        )


@dataclass(frozen=True)
class Case:
    """One person of the request in one modality, as one sighting shows them.

    `suspects`: everyone at MATCH or above. `subject`: the one it is, if that is clear. `doubts`:
    codes of why it is not. `mismatch`: the claim does not hold. `strong`: good enough to permit.
    `named`: public figures of the name given; only what holds of all of them is held against it.
    """

    question: Question
    person: int
    modality: Modality
    subject: Subject | None = None
    suspects: tuple[Subject, ...] = ()
    doubts: tuple[str, ...] = ()
    strong: bool = False
    asset: bool = False
    mismatch: bool = False
    named: tuple[Subject, ...] = ()

    @cached_property
    def packs(self) -> tuple[Pack, ...]:
        """The packs that speak in this case."""
        if not self.named:
            return self.question.packs_for(self.subject)
        spoken = {pack.id: pack for one in self.named for pack in self.question.packs_for(one)}
        return tuple(spoken[one] for one in sorted(spoken))

    @cached_property
    def bars(self) -> tuple[tuple[Pack, Bar], ...]:
        """The bars that may apply in this case."""
        if self.packs is self.question.reading.packs:
            return self.question.bars
        return self.question.bars_of(self.packs)

    def reason(
        self, code: str, *, pack: str | None = None, grant: str | None = None, detail: str = ""
    ) -> Reason:
        """A reason that names this person and modality."""
        return reasons.make(
            code,
            person=self.person,
            modality=self.modality,
            pack=pack,
            grant=grant,
            detail=detail,
        )

    def finding(self, outcome: Outcome, *codes: str) -> Finding:
        """A finding whose reasons have these codes."""
        return Finding(outcome, tuple(self.reason(code) for code in codes))


def is_dead(subject: Subject, today: date) -> bool:
    """Whether the subject is dead, by date or by class.

    A death dated tomorrow counts: east of Greenwich that is today already.
    """
    if subject.died is not None:
        return subject.died.toordinal() <= today.toordinal() + 1
    return not _DEAD.isdisjoint(subject.classes)


def age(born: date, today: date) -> int:
    """Completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
