"""What is forbidden whatever was granted (incurable), and what only a grant lifts (curable)."""

from collections.abc import Iterator
from datetime import date

from registry.policy import reasons
from registry.policy.decision import Reason
from registry.policy.facts import Subject
from registry.policy.pack import Bar, Pack
from registry.policy.pack_words import Cure, Effect
from registry.policy.question import Case, Question, age, is_dead
from registry.policy.vocabulary import SubjectClass


def of_request(question: Question) -> tuple[Reason, ...]:
    """Incurable bars that hold whoever is shown."""
    return tuple(
        reasons.of_bar(bar, pack.id)
        for pack, bar in question.bars
        if bar.who is None
        and bar.cure is Cure.NONE
        and _effect(question, bar, pack) is Effect.PROHIBIT
    )


def incurable(case: Case) -> tuple[Reason, ...]:
    """Incurable bars because of who it is, or may be at MATCH."""
    return _reasons(case, Cure.NONE, Effect.PROHIBIT)


def curable(case: Case) -> tuple[Reason, ...]:
    """Bars that only a covering grant lifts."""
    return _reasons(case, Cure.CONSENT, Effect.PROHIBIT)


def for_review(case: Case) -> tuple[Reason, ...]:
    """Bars that turn on what only a person can see, or on what nobody has said."""
    return _reasons(case, None, Effect.REVIEW)


def age_matters(case: Case, subject: Subject) -> bool:
    """Whether a permission needs the subject's age, and it is unknown."""
    if subject.born is not None or SubjectClass.MINOR in subject.classes:
        return False
    if not is_dead(subject, case.question.today):
        return True
    return any(bar.who is SubjectClass.MINOR for _, bar in case.bars)


def is_minor(subject: Subject, *, majority: int, today: date) -> bool:
    """Whether the subject is, or at death was, below this age, or is flagged as a minor.

    An unknown age is not a minor's here; `age_matters` keeps it from a permission.
    """
    if SubjectClass.MINOR in subject.classes:
        return True
    if subject.born is None:
        return False
    last = subject.died if subject.died is not None and subject.died < today else today
    return age(subject.born, last) < majority


def majority(case: Case, pack: Pack) -> int:
    """Age of majority by this pack, or by the floor where it is silent."""
    stated = pack.minors or case.question.packs.floor.minors
    if stated is None:  # `assemble` refuses such a floor
        raise ValueError("The floor states no majority.")
    return stated.majority


def _reasons(case: Case, cure: Cure | None, effect: Effect) -> tuple[Reason, ...]:
    return tuple(
        reasons.of_bar(bar, pack.id, person=case.person, modality=case.modality)
        for pack, bar in _hitting(case)
        if cure in {None, bar.cure} and _effect(case.question, bar, pack) is effect
    )


def _effect(question: Question, bar: Bar, pack: Pack) -> Effect | None:
    """What a bar leads to now; None while it does not hold."""
    holds = question.holds(bar, pack)
    if holds is None:
        return Effect.REVIEW
    return bar.effect if holds else None


def _hitting(case: Case) -> Iterator[tuple[Pack, Bar]]:
    for pack, bar in case.bars:
        if bar.who is None or _may_be_a(bar.who, case, pack):
            yield pack, bar


def _may_be_a(who: SubjectClass, case: Case, pack: Pack) -> bool:
    """Whether anybody it may be is one, or everybody of the name that was given."""
    if any(_is_a(one, who, case, pack) for one in case.suspects):
        return True
    return bool(case.named) and all(_is_a(one, who, case, pack) for one in case.named)


def _is_a(subject: Subject, who: SubjectClass, case: Case, pack: Pack) -> bool:
    today = case.question.today
    if who is SubjectClass.MINOR:
        return is_minor(subject, majority=majority(case, pack), today=today)
    if who is SubjectClass.DECEASED:
        return is_dead(subject, today)
    return who in subject.classes
