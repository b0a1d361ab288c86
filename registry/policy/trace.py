"""Why a decision is as it is, step by step: the engine's own rules, watched. Pure."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

from registry.policy import engine, identity, rules
from registry.policy.decision import Decision, Reason
from registry.policy.facts import Facts
from registry.policy.objections import survives
from registry.policy.packs import PackSet
from registry.policy.question import Case, Finding
from registry.policy.vocabulary import Modality, Outcome

_STEP = re.compile(r"Step (\d+): (.+)\.$")


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, and what it said; without an outcome it had nothing to say."""

    number: int
    sentence: str
    outcome: Outcome | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class GrantTrace:
    """One grant and what it lacks; `stands`: no objection ends it."""

    id: str
    lacks: tuple[str, ...]
    stands: bool


@dataclass(frozen=True, slots=True)
class CaseTrace:
    """One person in one modality: whom it was taken for, which packs spoke, every step."""

    person: int
    modality: Modality
    subject: str | None
    strong: bool
    packs: tuple[str, ...]
    terms: tuple[tuple[str, str], ...]  # of the dead: pack, and what it says
    grants: tuple[GrantTrace, ...]
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> Outcome:
        """What the last step said."""
        outcome = self.steps[-1].outcome
        return Outcome.REVIEW_REQUIRED if outcome is None else outcome


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the way to it. `refused`: reasons that needed no look at anybody."""

    decision: Decision
    refused: tuple[Reason, ...]
    cases: tuple[CaseTrace, ...]


def explain(facts: Facts, packs: PackSet) -> Explanation:
    """The decision on these facts and how it came about. Total, as `decide` is."""
    decision = engine.decide(facts, packs)
    if any(one.code == engine.INCOMPLETE for one in decision.reasons):
        return Explanation(decision, decision.reasons, ())
    question = engine.question_of(facts, packs)
    if question is None or engine.of_request(question):
        return Explanation(decision, decision.reasons, ())
    found = tuple(
        _case(case)
        for index in range(len(facts.persons))
        for modality in sorted(question.request.modalities)
        for case in identity.cases(question, index, modality)
    )
    return Explanation(decision, (), found)


def _case(case: Case) -> CaseTrace:
    subject = case.subject
    known = None if subject is None else rules.know(case, subject)
    return CaseTrace(
        person=case.person,
        modality=case.modality,
        subject=None if subject is None else subject.id,
        strong=case.strong,
        packs=tuple(pack.id for pack in case.packs),
        terms=() if known is None else tuple((pack.id, code) for code, pack in known.protection),
        grants=()
        if known is None
        else tuple(
            GrantTrace(
                one.grant.id,
                (*one.scope, *one.condition),
                survives(one.grant, known.refusals),
            )
            for one in known.weighed
        ),
        steps=tuple(_step(*one) for one in rules.walk(case)),
    )


def _step(rule: Callable[..., object], finding: Finding | None) -> Step:
    number, sentence = described(rule)
    if finding is None:
        return Step(number, sentence, None, ())
    return Step(number, sentence, finding.outcome, finding.reasons)


def described(rule: Callable[..., object]) -> tuple[int, str]:
    """A rule's number and sentence, from its docstring."""
    line = (inspect.getdoc(rule) or "").split("\n")[0]
    told = _STEP.match(line)
    if told is None:
        raise ValueError(f"{rule} does not say which step it is.")
    return int(told[1]), told[2]
