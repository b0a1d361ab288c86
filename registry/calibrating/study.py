"""One encoder measured: every condition, kind of probe, size of template and group of people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from registry.calibrating import rates
from registry.calibrating.rates import Rate, Steps
from registry.calibrating.trials import Samples, Trials, compare
from registry.encoders.identity import Condition
from registry.errors import InvalidError
from registry.matching.calibration import ALL
from registry.policy.vocabulary import Modality

SIZES: Final = (1, 2, 3)
TARGETS: Final = (1e-2, 1e-3, 1e-4)
FALSE_ALARMS: Final = (1e-2, 1e-3)

Groups = Mapping[str, frozenset[int]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What was enrolled under a condition, and the probes by kind ("photo", "3 s", ...)."""

    condition: Condition
    enrolled: Samples
    probes: Mapping[str, Samples]


@dataclass(frozen=True, slots=True)
class Point:
    """Where everybody's FMR is `target`: the threshold there, and what this group's rates are."""

    target: float
    threshold: float
    fmr: Rate
    tmr: Rate | None


@dataclass(frozen=True, slots=True)
class Result:
    """One group, kind of probe and size of template. `found`: DIR by FPIR, in a gallery."""

    condition: Condition
    probe: str
    size: int
    group: str
    trials: Trials
    eer: float | None
    points: tuple[Point, ...]
    found: Mapping[float, tuple[Rate, int]]


@dataclass(frozen=True, slots=True)
class Table:
    """The curve of one group and size of template, of probes of every kind together."""

    condition: Condition
    size: int
    group: str
    trials: Trials
    curve: Steps


@dataclass(frozen=True, slots=True)
class Study:
    """All results of one encoder, and what they were measured on."""

    encoder: str
    modality: Modality
    name: str
    people: int
    samples: int
    note: str
    results: tuple[Result, ...]
    tables: tuple[Table, ...]

    def document(self, made: date, by: str) -> dict[str, Any]:
        """The calibration file (registry.matching.calibration reads it)."""
        conditions: dict[str, Any] = {}
        for one in self.tables:
            sizes = conditions.setdefault(one.condition.value, {})
            sizes.setdefault(str(one.size), {})[one.group] = {
                "impostors": one.trials.independent,
                "genuine": len(one.trials.genuine),
                "people": one.trials.people,
                "curve": one.curve,
            }
        data = {"name": self.name, "people": self.people, "samples": self.samples}
        return {
            "schema": 1,
            "encoder": self.encoder,
            "modality": self.modality.value,
            "data": data | {"made": made.isoformat(), "by": by, "note": self.note},
            "conditions": conditions,
        }


def measure(
    taken: Sequence[Taken], groups: Groups, progress: Progress = lambda _done, _total: None
) -> tuple[tuple[Result, ...], tuple[Table, ...]]:
    """Every result and every curve there are samples for.

    Raises InvalidError where there are fewer than two people, or nobody has two recordings.
    """
    results: list[Result] = []
    tables: list[Table] = []
    runs = [(one, size) for one in taken for size in SIZES]
    for done, (one, size) in enumerate(runs):
        progress(done, len(runs))
        every = compare(one.enrolled, tuple(one.probes.values()), size)
        if size == 1:
            _require(every, one.condition)
        for kind, probes in one.probes.items():
            trials = every if len(one.probes) == 1 else compare(one.enrolled, [probes], size)
            results.extend(_results(one, kind, size, trials, groups))
        tables.extend(
            Table(one.condition, size, group, inside, rates.curve(inside))
            for group, inside in _by_group(every, groups)
        )
    return tuple(results), tuple(tables)


def _require(trials: Trials, condition: Condition) -> None:
    if not len(trials.impostors):
        raise InvalidError(f"{condition}: at least two people are needed; better 100.")
    if not len(trials.genuine):
        raise InvalidError(f"{condition}: nobody has two samples that can be compared.")


def _by_group(trials: Trials, groups: Groups) -> Iterator[tuple[str, Trials]]:
    """The comparisons of everybody and of each group, where there are any."""
    if len(trials.impostors):
        yield ALL, trials
        for group, people in groups.items():
            inside = trials.within(people)
            if len(inside.impostors):
                yield group, inside


def _results(
    taken: Taken, kind: str, size: int, trials: Trials, groups: Groups
) -> Iterator[Result]:
    thresholds = [
        (target, at) for target in TARGETS if (at := rates.threshold_at(trials, target)) is not None
    ]
    for group, inside in _by_group(trials, groups):
        yield Result(
            condition=taken.condition,
            probe=kind,
            size=size,
            group=group,
            trials=inside,
            eer=rates.equal_error_rate(inside) if len(inside.genuine) else None,
            points=_points(inside, thresholds),
            found=_found(taken.enrolled, taken.probes[kind], size) if group == ALL else {},
        )


def _points(trials: Trials, thresholds: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    wrong = rates.fmr(trials, [at for _, at in thresholds])
    return tuple(
        Point(target, at, rate, rates.tmr(trials, at) if len(trials.genuine) else None)
        for (target, at), rate in zip(thresholds, wrong, strict=True)
    )


def _found(enrolled: Samples, probes: Samples, size: int) -> dict[float, tuple[Rate, int]]:
    found = {rate: rates.open_set(enrolled, probes, size, rate) for rate in FALSE_ALARMS}
    return {rate: one for rate, one in found.items() if one is not None}
