"""A study in words and tables: what an operator reads before he trusts a band."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from registry.calibrating import rates
from registry.calibrating.rates import Rate
from registry.calibrating.study import FALSE_ALARMS, Result, Study
from registry.encoders.identity import Condition
from registry.matching.calibration import ALL, Calibration
from registry.policy.vocabulary import Band

GALLERIES: Final = (300, 10_000)
_GROUP_TARGETS: Final = (1e-3, 1e-4)
_FEW = 30  # comparisons below which a share says little
_READING: Final = (
    "In brackets: 95 % intervals, at each end the wider of Clopper-Pearson and of a bootstrap of"
    " people. FMR: share of comparisons of different people that score at least the threshold; TAR:"
    " share of comparisons of one person that do; EER: where FMR and the share of misses meet.\n"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Text cells under heads."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as GitHub shows it."""
        lines = [self.heads, ("---",) * len(self.heads), *self.rows]
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(one)} |" for one in lines) + "\n"


def tables(study: Study, calibration: Calibration | None) -> list[Table]:
    """How often it errs, for whom, and, where a calibration came of it, what its bands are."""
    made = [_accuracy(study), _identification(study), _groups(study)]
    if calibration is not None:
        made += [_bands(study, calibration), _shares(study, calibration)]
    return [one for one in made if one.rows]


def markdown(study: Study, made: Sequence[Table], unread: int) -> str:
    """The whole report."""
    lost = f" {unread} more could not be used in full." if unread else ""
    return "\n".join(
        [
            f"# {study.encoder} on {study.name}\n",
            f"{study.people} people, {study.samples} samples.{lost} {study.note}\n",
            _READING,
            *(one.markdown() for one in made),
        ]
    )


def _accuracy(study: Study) -> Table:
    rows = []
    for one in _everybody(study):
        points = {point.target: point for point in one.points}
        cells = []
        for target in (1e-2, 1e-3, 1e-4):
            point = points.get(target)
            enough = point is not None and point.tmr is not None
            cells.append(
                f"{_share(point.tmr)} at {point.threshold:.3f}"
                if enough and point is not None and point.tmr is not None
                else "not resolved"
            )
        rows.append(
            (
                *_name(one),
                f"{one.trials.independent:,}",
                f"{len(one.trials.genuine):,}",
                "" if one.eer is None else f"{one.eer:.2%}",
                *cells,
            )
        )
    heads = ("condition", "probe", "samples enrolled", "impostors", "genuine", "EER")
    return Table(
        "How often it errs", (*heads, "TAR at FMR 1 %", "at 0.1 %", "at 0.01 %"), tuple(rows)
    )


def _identification(study: Study) -> Table:
    rows = [
        (
            *_name(one),
            str(next(iter(one.found.values()))[1]),
            *(_share(one.found[rate][0]) for rate in FALSE_ALARMS),
        )
        for one in _everybody(study)
        if one.found
    ]
    heads = ("condition", "probe", "samples enrolled", "people in the gallery")
    return Table(
        "Found at rank 1 among those enrolled, where so many strangers raise a false alarm",
        (*heads, *(f"{rate:.1%} of strangers" for rate in FALSE_ALARMS)),
        tuple(rows),
    )


def _groups(study: Study) -> Table:
    rows = [
        (
            one.group,
            *_name(one),
            str(one.trials.people),
            f"{point.target:.2%}",
            f"{_percent(point.fmr)}, {point.fmr.value / point.target:.1f} times",
            "" if point.tmr is None else _share(point.tmr),
            _own(one, point.target),
        )
        for one in study.results
        for point in one.points
        if one.group != ALL and point.target in _GROUP_TARGETS
    ]
    heads = ("group", "condition", "probe", "samples enrolled", "people", "everybody's FMR")
    return Table(
        "Inside a group, at everybody's threshold",
        (*heads, "the group's FMR", "TAR", "TAR at that FMR of the group"),
        tuple(rows),
    )


def _own(one: Result, target: float) -> str:
    """What is found where the group itself errs so often."""
    at = rates.threshold_at(one.trials, target)
    if at is None or not len(one.trials.genuine):
        return "not resolved"
    return f"{_share(rates.tmr(one.trials, at))} at {at:.3f}"


def _bands(study: Study, calibration: Calibration) -> Table:
    rows = []
    for condition, size in ((one.condition, one.size) for one in study.tables if one.group == ALL):
        for gallery in GALLERIES:
            reached = [
                _score(_least(calibration, condition, size, gallery, band, claimed=claimed))
                for band, claimed in (
                    (Band.GREY, False),
                    (Band.MATCH, False),
                    (Band.STRONG, False),
                    (Band.STRONG, True),
                )
            ]
            rows.append((condition.value, _size(size), f"{gallery:,}", *reached))
    heads = ("condition", "samples enrolled", "people on record")
    return Table(
        "Least score of each band",
        (*heads, "GREY", "MATCH", "STRONG", "STRONG, person named"),
        tuple(rows),
    )


def _shares(study: Study, calibration: Calibration) -> Table:
    rows = []
    for one in _everybody(study):
        cells = [*_name(one), f"{len(one.trials.genuine):,}"]
        for band, claimed in ((Band.GREY, False), (Band.MATCH, False), (Band.STRONG, True)):
            at = _least(calibration, one.condition, one.size, GALLERIES[0], band, claimed=claimed)
            hits = 0 if at is None else int((one.trials.genuine >= at).sum())
            cells.append("none" if at is None else _of(hits, len(one.trials.genuine)))
        for band in (Band.GREY, Band.MATCH):
            at = _least(calibration, one.condition, one.size, GALLERIES[0], band, claimed=False)
            wrong = 0 if at is None else int((one.trials.impostors >= at).sum())
            cells.append(f"{1 - (1 - wrong / len(one.trials.impostors)) ** GALLERIES[0]:.1%}")
        rows.append(tuple(cells))
    heads = ("condition", "probe", "samples enrolled", "genuine comparisons")
    own = ("at least GREY", "at least MATCH", "STRONG if named")
    return Table(
        f"What becomes of a probe among {GALLERIES[0]} people: the person's own, and a stranger's",
        (*heads, *own, "stranger: at least GREY", "stranger: at least MATCH"),
        tuple(rows),
    )


def _least(
    calibration: Calibration,
    condition: Condition,
    size: int,
    gallery: int,
    band: Band,
    *,
    claimed: bool,
) -> float | None:
    """The least score of a band; None where none has it."""
    steps = {
        score
        for group in calibration.tables[condition].values()
        for one in group.values()
        for score, _ in one.curve
    }
    for score in sorted(steps):
        reached = calibration.band(
            score, condition=condition, samples=size, gallery=gallery, minor=False, claimed=claimed
        )
        if reached.rank >= band.rank:
            return score
    return None


def _everybody(study: Study) -> list[Result]:
    return [one for one in study.results if one.group == ALL]


def _name(one: Result) -> tuple[str, str, str]:
    return one.condition.value, one.probe, _size(one.size)


def _size(size: int) -> str:
    return "3 or more" if size == 3 else str(size)  # noqa: PLR2004  # the largest


def _score(score: float | None) -> str:
    return "none" if score is None else f"{score:.5f}"


def _of(part: int, whole: int) -> str:
    if whole < _FEW:
        return f"{part} of {whole}"
    return f"{part / whole:.1%}"


def _share(rate: Rate) -> str:
    if rate.comparisons < _FEW:
        return f"{rate.value * rate.comparisons:.0f} of {rate.comparisons}"
    return f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _percent(rate: Rate) -> str:
    return f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"
