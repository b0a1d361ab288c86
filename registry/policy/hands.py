"""Whose signatures a grant still needs, by the law of each territory that it covers. Pure.

A grant for named territories takes effect once everybody has signed whom any of them asks for. One
for everywhere takes effect once it is enough somewhere: each check asks for its own territories.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from registry.policy import authority, terms, territories
from registry.policy.facts import Facts, Grant, Request, Service, Subject
from registry.policy.pack_words import HolderDecision
from registry.policy.packs import PackSet
from registry.policy.question import Case, Question, is_dead
from registry.policy.vocabulary import AiUse, GrantorRole, Modality, Purpose

_OF_THE_DEAD = frozenset({GrantorRole.RIGHTS_HOLDER, GrantorRole.ESTATE_REPRESENTATIVE})


@dataclass(frozen=True, slots=True)
class Asked:
    """Signatures that are asked for: in any of these roles, and by which holders of the right.

    `decision`: how many of the holders; None where the role alone is asked for.
    """

    any_of: frozenset[GrantorRole]
    holders: frozenset[str] = frozenset()
    decision: HolderDecision | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Signatures that are not there yet, and the territories whose law asks for them."""

    asked: Asked
    territories: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hands:
    """How far a grant is signed."""

    missing: tuple[Missing, ...]
    complete: bool


def hands(subject: Subject, grant: Grant, packs: PackSet, at: datetime) -> Hands:
    """What is asked for and not signed yet. Who must sign does not hang on use or purpose."""
    everywhere = grant.territories is None or territories.WORLD in grant.territories
    covered = packs.packs.keys() if everywhere or not grant.territories else grant.territories
    lacking = {code: _lacking(subject, grant, packs, at, code) for code in sorted(covered)}
    enough = any if everywhere else all
    return Hands(
        missing=_by_signature(lacking), complete=enough(not one for one in lacking.values())
    )


def _by_signature(lacking: Mapping[str, Iterable[Asked]]) -> tuple[Missing, ...]:
    where: dict[Asked, set[str]] = {}
    for code, asked in lacking.items():
        for one in asked:
            where.setdefault(one, set()).add(code)
    found = (Missing(asked, frozenset(codes)) for asked, codes in where.items())
    return tuple(sorted(found, key=_order))


def _order(one: Missing) -> tuple[list[GrantorRole], list[str], list[str]]:
    return sorted(one.asked.any_of), sorted(one.asked.holders), sorted(one.territories)


def _lacking(
    subject: Subject, grant: Grant, packs: PackSet, at: datetime, code: str
) -> frozenset[Asked]:
    """What one territory asks for, and nobody signed."""
    case = _case(replace(subject, grants=(grant,)), packs, at, code)
    dead = is_dead(subject, case.question.today)
    protecting = [pack for _, pack in terms.standing(case, subject)] if dead else []
    asked = authority.demands(case, case.suspects[0], protecting)
    roles = authority.roles_of(asked, grant)
    found = [Asked(one) for rules in asked.signers for one in authority.unmet(rules, roles)]
    for deciding in asked.shares:
        if not authority.decided(deciding, grant):
            waiting = frozenset(one.id for one in deciding.holders) - grant.signed_by
            found.append(Asked(_OF_THE_DEAD, waiting, deciding.decision))
    if not all(asked.signers):
        found.append(Asked(frozenset()))  # no law says who may sign: nobody can
    return frozenset(found)


def _case(subject: Subject, packs: PackSet, at: datetime, code: str) -> Case:
    """The broadest question about a territory."""
    reading = packs.for_territories(frozenset({code}), include_drafts=False, establishment=None)
    request = Request(
        use=AiUse.GENERATE_IMAGE,
        purpose=Purpose.UNSPECIFIED,
        modalities=frozenset({Modality.FACE}),
        territories=frozenset({code}),
    )
    facts = Facts(at, request, Service(id="", active=True), persons=(), subjects=(subject,))
    question = Question(facts, packs, reading, {subject.id: subject})
    return Case(question, 0, Modality.FACE, subject=subject, suspects=(subject,), strong=True)
