"""Decision cases: questions with the answers counsel expects, run against the engine as it is.

The same files are read by `likeness policy test` and by the tests of this project.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.errors import InvalidError
from registry.policy import documents, territories
from registry.policy.case_facts import distances, facts_of
from registry.policy.case_file import CaseEntry, CaseFile, Fixtures, RequestEntry
from registry.policy.decision import Decision
from registry.policy.engine import decide
from registry.policy.facts import Facts
from registry.policy.packs import PackSet


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went; `differences` says in words what was otherwise."""

    id: str
    title: str
    passed: bool
    expected: str
    got: str
    differences: tuple[str, ...]


def run_case_files(paths: Sequence[Path], packs: PackSet) -> list[CaseResult]:
    """Every case of these files, in order.

    Raises InvalidError, one line with file and place, for unknown keys or words, a subject or
    service that is not a fixture, a territory that does not exist; then nothing is run at all.
    """
    read = [(case, facts) for path in paths for case, facts in read_case_file(path)]
    return [_compare(case, decide(facts, packs)) for case, facts in read]


def read_case_file(path: Path) -> list[tuple[CaseEntry, Facts]]:
    """The cases of a file and their facts. Raises InvalidError as `run_case_files` does."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{path.name}: it cannot be read as UTF-8 text.") from error
    file = documents.parse(text, file=path.name, model=CaseFile, error=InvalidError)
    _check_unique([case.id for case in file.cases], f"{path.name}: cases")
    _check_fixtures(file.fixtures, f"{path.name}: fixtures")
    read = []
    for case in file.cases:
        place = f"{path.name}: cases.{case.id}"
        _check_request(case.request, file.fixtures, place)
        read.append((case, facts_of(file, case.request, place)))
    return read


def _check_fixtures(fixtures: Fixtures, place: str) -> None:
    _check_unique([one.id for one in (*fixtures.grants, *fixtures.objections)], place)
    _check_people(fixtures, place)
    for one in (*fixtures.grants, *fixtures.objections, *fixtures.orders):
        _check_known([one.subject], fixtures.subjects, f"{place}.{one.id}: subject")
        _check_territories(one.territories - {"*"}, f"{place}.{one.id}: territories")


def _check_people(fixtures: Fixtures, place: str) -> None:
    for name, one in fixtures.subjects.items():
        homes = {home for home in (one.residence, one.domicile_at_death) if home is not None}
        _check_territories(frozenset(homes), f"{place}.{name}")
    for circumstance in fixtures.circumstances:
        _check_territories(frozenset({circumstance.territory}), f"{place}.circumstances")


def _check_request(request: RequestEntry, fixtures: Fixtures, place: str) -> None:
    _check_known([request.service], fixtures.services, f"{place}: service")
    _check_territories(request.territories, f"{place}: territories")
    for person in request.persons:
        near = [one.subject for scores in person.probe.values() for one in scores]
        near.extend(one.subject for one in distances(person))
        if person.claimed is not None:
            near.append(person.claimed)
        _check_known(near, fixtures.subjects, f"{place}: subject")


def _check_unique(ids: Sequence[str], place: str) -> None:
    for one in sorted(set(ids)):
        if ids.count(one) > 1:
            raise InvalidError(f"{place}: {one} is said twice.")


def _check_known(ids: Sequence[str], known: Collection[str], place: str) -> None:
    for one in ids:
        if one not in known:
            raise InvalidError(f"{place}: {one} is not among the fixtures.")


def _check_territories(codes: frozenset[str], place: str) -> None:
    try:
        territories.check(codes)
    except InvalidError as error:
        raise InvalidError(f"{place}: {error}") from error


def _compare(case: CaseEntry, decision: Decision) -> CaseResult:
    found = tuple(differences(case, decision))
    codes = ", ".join(dict.fromkeys(reason.code for reason in decision.reasons))
    return CaseResult(
        id=case.id,
        title=case.title,
        passed=not found,
        expected=case.expect.outcome.value,
        got=f"{decision.outcome.value} ({codes})",
        differences=found,
    )


def differences(case: CaseEntry, decision: Decision) -> list[str]:
    """How a decision differs from what a case expects, in words."""
    expect = case.expect
    codes = {reason.code for reason in decision.reasons}
    codes |= {f"{reason.code}:{reason.grant}" for reason in decision.reasons if reason.grant}
    duties = {one.code for one in decision.obligations}
    found = []
    if decision.outcome is not expect.outcome:
        found.append(f"outcome is {decision.outcome}, not {expect.outcome}")
    if decision.may_proceed is not expect.may_proceed:
        found.append(f"may_proceed is {decision.may_proceed}")
    if expect.basis is not None and decision.basis is not expect.basis:
        found.append(f"basis is {decision.basis}, not {expect.basis}")
    found += [f"reason {one} is missing" for one in expect.reasons if one not in codes]
    found += [f"reason {one} is given" for one in expect.reasons_absent if one in codes]
    found += [f"obligation {one} is missing" for one in expect.obligations if one not in duties]
    return found
